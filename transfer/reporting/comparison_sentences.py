"""A comparison in words, for the page and the terminal: text without markup."""

from collections.abc import Iterator
from typing import NamedTuple

import pandas as pd

from transfer.analysis.comparison.differences import ANSWERS, GIVEN, RANDOM
from transfer.analysis.tables import interval_of, points
from transfer.reporting.captions import CORRECTIONS, seeds_of
from transfer.reporting.gain_tables import brackets
from transfer.reporting.sentences import MOST_NAMED

DIFFER = ("larger", "smaller")
NOT_A_FINDING = (
    "A verdict that flips although the gains are not shown to differ is no evidence that the method matters: "
    "one of the two gains lies near its threshold."
)
SAME_RUNS = (
    "Single-task runs are identical under both methods, so the difference of two gains is the difference of "
    "two joint scores."
)


class Finding(NamedTuple):
    """A sentence, and the edges or targets that it is about, where they are named."""

    text: str
    lines: tuple[str, ...] = ()


def tally(rows: pd.DataFrame) -> str:
    """The edges of one method counted in a line."""
    flips, found = int((rows["flip"] != "").sum()), rows["difference_verdict"].value_counts()
    counts = ", ".join(f"{found.get(answer, 0)} {answer}" for answer in ANSWERS.values())
    return f"{_edges(len(rows))}, {_counted(flips, 'verdict')} flipped; gain {counts}"


def highlights(rows: pd.DataFrame) -> list[str]:
    """The edges of one method whose verdict flips or whose gains differ, each in a line."""
    lines = []
    some = rows[(rows["flip"] != "") | rows["difference_verdict"].isin(DIFFER)]
    for _, row in some.sort_values(["target", "source"]).head(MOST_NAMED).iterrows():
        flip = f"{_flip(row)}; " if row["flip"] else ""
        lines.append(f"{_edge(row)}: {flip}{_difference(row)}, {row['difference_verdict']}")
    return lines


def findings(rows: pd.DataFrame) -> Iterator[Finding]:
    """The findings on one method."""
    rows = rows.sort_values(["target", "source"])
    base, smallest = rows["base"].iloc[0], f"{100 * rows['smallest_effect'].iloc[0]:g} points"
    yield _flips(rows)
    for what in DIFFER:
        some = rows[rows["difference_verdict"] == what]
        if len(some):
            yield Finding(
                f"In {_edges(len(some))} the gain is {what} than under {base}, significantly and by at least "
                f"{smallest}.",
                tuple(f"{_edge(row)}: {_difference(row)}" for _, row in some.iterrows()),
            )
    if not rows["difference_verdict"].isin(DIFFER).any():
        yield Finding(f"In no edge is the difference of the gains both significant and at least {smallest}.")
    if same := int((rows["difference_verdict"] == "no difference").sum()):
        yield Finding(f"In {_edges(same)} the two gains are shown to differ by less than {smallest}.")
    if len(still := rows[rows["difference_verdict"] == "inconclusive"]):
        yield _open(still, smallest)
    yield _alone(rows)


def _flips(rows: pd.DataFrame) -> Finding:
    flipped = rows[rows["flip"] != ""]
    if flipped.empty:
        return Finding(f"No verdict of {_edges(len(rows))} flips.")
    backed = int(flipped["difference_verdict"].isin(DIFFER).sum())
    return Finding(
        f"{len(flipped)} of {_counted(len(rows), 'verdict')} {'flips' if len(flipped) == 1 else 'flip'}. The "
        f"gains themselves are shown to differ in {backed} of these edges."
        + (f" {NOT_A_FINDING}" if backed < len(flipped) else ""),
        tuple(
            f"{_edge(row)}: {_flip(row)} ({gain(row, 'base_')} → {gain(row, '')}); {_difference(row)}"
            for _, row in flipped.iterrows()
        ),
    )


def _open(rows: pd.DataFrame, smallest: str) -> Finding:
    text = f"For {_edges(len(rows))} the data cannot decide whether the gains differ by {smallest} or more."
    known = 100 * rows["detectable"].dropna()
    if len(known):
        span = f"{known.min():.1f} to {known.max():.1f}" if len(known) > 1 else f"{known.iloc[0]:.1f}"
        text += (
            " The minimum detectable difference (80 % power, at the level of a single claim among all) is "
            f"{span} points (median {known.median():.1f})."
        )
    few = rows["common_seeds"] < 2
    if few.any():
        text += f" For {few.sum()} there is no interval: fewer than 2 seeds in common."
    if flat := int((rows["p"].isna() & ~few).sum()):
        text += f" For {flat} there is no interval: the differences of the seeds do not vary."
    return Finding(text)


def _alone(rows: pd.DataFrame) -> Finding:
    """Single-task scores under the method, in words."""
    if (rows["same_single_runs"] == "yes").all():
        return Finding(SAME_RUNS)
    targets = rows.sort_values(["target", "common_seeds"]).drop_duplicates("target", keep="last")
    apart = targets[(targets["single_ci_low"] > 0) | (targets["single_ci_high"] < 0)]
    base = rows["base"].iloc[0]
    if apart.empty:
        return Finding(f"No target's single-task score is shown to differ from that under {base}.")
    return Finding(
        f"Single-task scores differ from those under {base} for {len(apart)} of "
        f"{_counted(len(targets), 'target')} (unadjusted intervals):",
        tuple(
            f"{row['target']}: {points(row['base_single'])} → {points(row['single'])}, "
            f"{apart_by(row, 'single')}"
            for _, row in apart.iterrows()
        ),
    )


def rules(table: pd.DataFrame, correction: str) -> list[str]:
    """The rules of the verdicts."""
    smallest = f"{100 * table['smallest_effect'].iloc[0]:g} points"
    return [
        "Gains, intervals and verdicts of each method are those of its own report, from all its seeds.",
        "The difference of two gains is the method's minus the base's, over common seeds, "
        f"{seeds_and_items(table)}. The edges of one method share information about the variance over seeds, "
        "as in a report.",
        f"Larger, smaller: significant at 5 % after correction over all {len(table)} differences "
        f"({CORRECTIONS[correction]}), and at least {smallest}. No difference: the 90% CI lies within "
        f"± {smallest}. Inconclusive: neither.",
        "Differences of scores have uncorrected 95% CIs and no verdict.",
    ]


def seeds_and_items(table: pd.DataFrame) -> str:
    """The pairing of the differences, and the sources of variation that their intervals cover."""
    both = "paired by seed and test document, both treated as random"
    alone = "paired by seed alone, with fixed test items (a report's folder has no predictions)"
    kinds = set(table["test_items"])
    if kinds == {RANDOM}:
        return both
    if kinds == {GIVEN}:
        return alone
    without = sorted(set(table.loc[table["test_items"] == GIVEN, "method"]))
    return f"{both}; those of {listed(without)} {alone}"


def gain(row: pd.Series, side: str) -> str:
    """A gain with its interval: of the base (``side`` is `base_`) or of the method (empty)."""
    interval = brackets(row[f"{side}ci_low"], row[f"{side}ci_high"])
    return points(row[f"{side}gain"], sign=True) + (f" {interval}" if interval else "")


def apart_by(row: pd.Series, what: str) -> str:
    """A difference with its interval: of gains (``what`` is `difference`), `single` or `joint` scores."""
    value = what if what == "difference" else f"{what}_difference"
    interval = brackets(*interval_of(row, f"{what}_"), sign=True)
    return f"{points(row[value], sign=True)} {interval}".rstrip()


def listed(names: list[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _edge(row: pd.Series) -> str:
    return f"{row['source']} → {row['target']}"


def _flip(row: pd.Series) -> str:
    return f"{row['flip']}, {row['base_verdict']} → {row['verdict']}"


def _difference(row: pd.Series) -> str:
    p = f", p adjusted {row['p_adjusted']:.2g}" if row["p_adjusted"] == row["p_adjusted"] else ""
    return f"difference {apart_by(row, 'difference')}{p}, {seeds_of(row['common_seeds'])}"


def _edges(count: int) -> str:
    return _counted(count, "edge")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
