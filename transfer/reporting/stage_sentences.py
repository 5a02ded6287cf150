"""Sentences on the stages: the best arm of each target and the gain of each stage. Text without markup."""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from transfer.analysis import gains
from transfer.analysis.stages import ARMS, COMPARED, FINE_TUNING, LONGER, REFINEMENT, SINGLE
from transfer.analysis.study import Study
from transfer.analysis.tables import interval_of, points
from transfer.reporting.captions import CORRECTIONS, seeds_of
from transfer.reporting.gain_tables import CI, intervals, with_ci

CALLED = {
    SINGLE: "single",
    LONGER: "single trained longer",
    REFINEMENT: "refinement",
    FINE_TUNING: "refinement + fine-tuning",
}
ASKS = {
    (FINE_TUNING, LONGER): "Gain of joint refinement and fine-tuning at equal epochs",
    (REFINEMENT, SINGLE): "Gain of joint refinement",
    (FINE_TUNING, REFINEMENT): "Gain of fine-tuning, including longer training",
    (LONGER, SINGLE): "Gain of longer training alone",
    (FINE_TUNING, SINGLE): "The paper's comparison, confounded by longer training",
    (REFINEMENT, LONGER): "Joint refinement versus longer single-task training",
}
FOUR_ARMS = (
    "Each target has four arms: trained alone (single); trained alone with the additional epochs of "
    "fine-tuning (single trained longer); refined with a group (refinement); and fine-tuned from that "
    "(refinement + fine-tuning). Fine-tuning also trains longer, so it is compared with the single arm that "
    "has the same number of additional epochs. Compared with the plain single arm, as in the paper, longer "
    "training alone may explain the gain. Epochs count passes over the target's own examples."
)
RULES = (
    "Verdicts are corrected over all {count} contrasts ({correction}); each interval is for its contrast "
    "alone. No effect: the difference is shown to be smaller than {effect:g} points. Inconclusive: the data "
    "cannot decide."
)
HIGHEST = (
    "The arm with the highest test mean is named only as a description. Nothing was selected by it, and the "
    "highest of several means is biased upwards. The verdicts say whether it is better."
)
TABLE = "All contrasts between arms; means and gains in points."
MEANS = "Test means in points, over the seeds for which all scored arms have a score."
_FLIPPED = {"improves": "harms", "harms": "improves", "more": "fewer", "fewer": "more"}


class Section(NamedTuple):
    """The section of a report: what is compared, a line for each question, a sentence for each target."""

    text: str
    tallies: tuple[str, ...]
    rules: str
    winners: tuple[str, ...]


def section(found: Study) -> Section | None:
    """The section on stages; None for a grid that does not fine-tune."""
    if found.contrasts.empty:
        return None
    order = {name: place for place, name in enumerate(found.order)}
    means = found.means.sort_values("target", key=lambda names: names.map(order), kind="stable")
    several = bool(means["target"].duplicated().any())
    rules = RULES.format(
        count=int(found.contrasts["p"].notna().sum()),
        correction=CORRECTIONS[found.correction],
        effect=100 * found.smallest_effect,
    )
    return Section(
        FOUR_ARMS,
        tuple(tally for pair in COMPARED if (tally := _tally(found.contrasts, pair[0], pair[1]))),
        f"{rules} {HIGHEST}",
        tuple(
            winner(row, found.contrasts, smallest_effect=found.smallest_effect, several=several)
            for row in means.to_dict("records")
        ),
    )


def winner(means: Mapping, contrasts: pd.DataFrame, *, smallest_effect: float, several: bool = False) -> str:
    """One row of `stages.means` in words, beside every other arm of its target.

    ``several``: whether the target has several groups, so that the group must be named.
    """
    target = f"{means['target']} with {means['source']}" if several else str(means["target"])
    lacks = f" Missing: {means['missing']}." if means["missing"] else ""
    best = means["highest"]
    if not best:
        return f"{target}: no seed has a score of every arm; no arm is named.{lacks}"
    score = points(max(means[_column(name)] for name in ARMS if means[_column(name)] == means[_column(name)]))
    if " = " in best:
        return f"{target}: {_and([CALLED[name] for name in best.split(' = ')])} {score}, equally high.{lacks}"
    others, stands = [], {}
    for name in reversed(ARMS):
        if name != best and (row := _over(contrasts, means, best, name)) is not None:
            others.append(_comparison(row))
            stands.setdefault(row["verdict"], []).append(CALLED[name])
    ways = {
        "improves": "is better than",
        "harms": "is worse than",
        "no effect": f"is within {100 * smallest_effect:g} points of",
        "inconclusive": "is not shown to differ from",
        "": "is not compared with",
    }
    told = "; ".join(f"{way} {_and(stands[verdict])}" for verdict, way in ways.items() if verdict in stands)
    return f"{target}: {CALLED[best]} {score}, the highest; {'; '.join(others)}. So it {told}.{lacks}"


def contrasts_in_points(contrasts: pd.DataFrame) -> pd.DataFrame:
    """The table of contrasts as a person reads it."""
    shown = pd.DataFrame(
        {
            "target": contrasts["target"],
            "with": contrasts["source"],
            "arm": contrasts["arm"].map(CALLED),
            "over": contrasts["against"].map(CALLED),
            "epochs": contrasts["epochs"],
            "gain": [points(value, sign=True) for value in contrasts["gain"]],
            CI: intervals(contrasts),
            "verdict": contrasts["verdict"].replace("", "not measured"),
            "p adjusted": [f"{p:.2g}" if p == p else "" for p in contrasts["p_adjusted"]],
            "arm's mean": [points(value) for value in contrasts["score"]],
            "other's mean": [points(value) for value in contrasts["score_against"]],
            "seeds": contrasts["seeds"],
            "missing": contrasts["missing"],
        }
    )
    return _without_empty(shown)


def means_in_points(means: pd.DataFrame) -> pd.DataFrame:
    """The table of means as a person reads it."""
    shown = means[["target", "source", "metric"]].rename(columns={"source": "with"})
    for name, called in CALLED.items():
        shown[called] = [points(value) for value in means[_column(name)]]
    shown["highest"] = [_and([CALLED[n] for n in best.split(" = ") if n]) for best in means["highest"]]
    return _without_empty(shown.assign(seeds=means["seeds"], missing=means["missing"]))


def _without_empty(shown: pd.DataFrame) -> pd.DataFrame:
    return shown if shown["missing"].any() else shown.drop(columns="missing")


def _tally(contrasts: pd.DataFrame, arm: str, against: str) -> str:
    """The number of targets with each verdict in one contrast; empty where there is none."""
    rows = contrasts[(contrasts["arm"] == arm) & (contrasts["against"] == against)]
    if rows.empty:
        return ""
    count = rows["verdict"].value_counts()
    told = [f"{count.get(verdict, 0)} {verdict}" for verdict in gains.VERDICTS]
    told += [f"{count['']} not measured"] if "" in count else []
    return f"{ASKS[arm, against]} ({CALLED[arm]} over {CALLED[against]}): {', '.join(told)}"


def _over(contrasts: pd.DataFrame, means: Mapping, best: str, other: str) -> dict | None:
    """The contrast of two arms of a target, turned so that ``best`` is held against ``other``."""
    rows = contrasts[
        (contrasts["target"] == means["target"]) & contrasts["source"].isin(["", means["source"]])
    ]
    for row in rows.to_dict("records"):
        if (row["arm"], row["against"]) == (best, other):
            return row
        if (row["against"], row["arm"]) == (best, other):
            ends = {"gain": -row["gain"]}
            for kind in ("", "_selected"):
                ends |= {f"ci_low{kind}": -row[f"ci_high{kind}"], f"ci_high{kind}": -row[f"ci_low{kind}"]}
            turned = {key: _FLIPPED.get(row[key], row[key]) for key in ("verdict", "epochs")}
            return row | ends | turned | {"arm": best, "against": other}
    return None  # a target alone has no arms of a group


def _comparison(row: Mapping) -> str:
    if not row["seeds"]:
        return f"over {CALLED[row['against']]} not measured"
    interval = with_ci(*interval_of(row))
    epochs = "" if row["epochs"] == "as many" else f", on {row['epochs']} epochs"
    return (
        f"over {CALLED[row['against']]} {points(row['gain'], sign=True)} points "
        f"({interval}, {seeds_of(row['seeds'])}{epochs}), {row['verdict']}{_why_open(row)}"
    )


def _why_open(row: Mapping) -> str:
    """The reason why a contrast is inconclusive; empty where it is not."""
    if row["verdict"] != "inconclusive" or not points(row["detectable"]):
        return ""
    if row["p"] < 0.05 <= row["p_adjusted"]:
        return f" (p {row['p_adjusted']:.2g} after correction)"
    return f" (minimum detectable effect {points(row['detectable'])} points)"


def _column(arm: str) -> str:
    return arm.replace(" ", "_").replace("-", "_")


def _and(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
