"""Arms whose scores are not to be taken at face value, and why.

An arm is flagged if one of its runs did not learn, if its runs fall into two clusters (some learned, some did
not), or if its scores depend on a single test document so much that they have no error. An edge with such an
arm keeps its gain but is never called `no effect`: a mean over runs that learned and runs that failed says
nothing of either.

A run did not learn if it predicts one thing for every test item, or if its score exceeds the baseline (see
``corpora.baseline``) by no more than NEAR standard errors of its test items.

Two clusters: the largest gap between neighbouring scores of an arm is compared with the deviation over seeds
of the target's other arms (the median, which a few failures there do not move). The gap must exceed TIMES the
value that one in 1 / LEVEL arms without clusters exceeds, so that arms may differ in their deviation.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis import gains
from transfer.analysis.evidence import ArmScore, Cell, Evidence
from transfer.analysis.tables import points
from transfer.analysis.verdicts import Verdict
from transfer.arms import Group
from transfer.corpora.baseline import Baseline

NEAR = 2.0
LEVEL, TIMES = 0.001, 2.0
DRAWS = 200_000
MOST_ARMS = 12  # whose deviations are compared; more of them hardly change the critical value

FLAGS = ["stage", "corpora", "target", "reason"]


class ArmKey(NamedTuple):
    """An arm of a target: the stage or control, and the group."""

    stage: str
    corpora: str
    target: str


Flags = Mapping[ArmKey, str]


def flags_of(
    frame: pd.DataFrame, *, evidence: Evidence | None = None, baselines: Mapping[str, Baseline] | None = None
) -> dict[ArmKey, str]:
    """The flagged arms of a store's frame, each with the reasons.

    Without ``evidence`` only undefined scores and clusters are seen. A corpus without a baseline is not
    compared with one.
    """
    seeds: dict[ArmKey, dict[str, list[int]]] = {}  # of each arm, by reason
    tested = frame[(frame["split"] == "test") & (frame["status"] == "done")].sort_values(gains.CELL)
    for row in tested[tested["value"].isna()].to_dict("records"):
        seeds.setdefault(_arm(row), {}).setdefault(row["error"] or "undefined", []).append(row["seed"])
    done = gains.scored(frame)
    for row in done.to_dict("records"):
        if evidence is None:
            break
        cell = Cell(*(row[key] for key in gains.CELL))
        if reason := _why_not_learned(evidence.arm(cell), (baselines or {}).get(cell.target)):
            seeds.setdefault(_arm(row), {}).setdefault(reason, []).append(cell.seed)
    reasons = {
        arm: [
            f"seed{'s' * (len(own) > 1)} {', '.join(map(str, own))}: {reason}" for reason, own in by.items()
        ]
        for arm, by in seeds.items()
    }
    for arm, reason in _clustered(done).items():
        reasons.setdefault(arm, []).append(reason)
    return {arm: "; ".join(reasons[arm]) for arm in sorted(reasons)}


def _arm(row: Mapping[Any, Any]) -> ArmKey:
    return ArmKey(row["stage"], row["corpora"], row["target"])


def _why_not_learned(arm: ArmScore, baseline: Baseline | None) -> str:
    """Why a run did not learn, or has no error that could tell; empty if there is nothing to say."""
    if arm.constant:
        return f"did not learn, {arm.constant}"
    if not np.isfinite(arm.shares).all():
        lone = arm.documents[int(np.flatnonzero(~np.isfinite(arm.shares))[0])]
        return f"no interval, the score is undefined without the test document '{lone}'"
    if baseline is None or len(arm.shares) < 2:
        return ""
    error = math.sqrt(arm.shares.var(ddof=1) / len(arm.shares))
    if arm.score - baseline.reference > NEAR * error:
        return ""
    worth = "undefined, 0 by chance" if baseline.value is None else points(baseline.value)
    return (
        f"did not learn, its score of {points(arm.score)} points does not exceed the baseline by {NEAR:g} "
        f"standard errors ({baseline.predictor}: {worth})"
    )


def _clustered(done: pd.DataFrame) -> dict[ArmKey, str]:
    """The arms whose scores over seeds fall into two clusters; ``done`` has the test scores of all arms."""
    found = {}
    for _, rows in done.groupby("target"):
        arms = {
            ArmKey(*map(str, key)): np.sort(own["value"].to_numpy(dtype=float))
            for key, own in rows.groupby(["stage", "corpora", "target"])
        }
        grain = 1 / rows["items"].max() if "items" in rows else 0.0
        for arm, scores in arms.items():
            others = [own for other, own in arms.items() if other != arm]
            if at := split_of(scores, others, grain=grain):
                low, high = (_range(part) for part in (scores[:at], scores[at:]))
                found[arm] = f"its runs fall into two clusters, {low} and {high} points"
    return found


def split_of(scores: np.ndarray, others: Sequence[np.ndarray], *, grain: float = 0.0) -> int:
    """The number of an arm's sorted scores in the lower of two clusters; 0 if there is one cluster.

    ``others``: the scores over seeds of the target's other arms. ``grain``: what one test item is worth;
    no deviation is taken to be smaller.
    """
    spread = [float(own.var(ddof=1)) for own in others if len(own) > 1][:MOST_ARMS]
    if len(scores) < 3 or not spread:
        return 0
    gaps = np.diff(scores)
    seeds = round(float(np.mean([len(own) for own in others if len(own) > 1])))
    deviation = max(math.sqrt(float(np.median(spread))), grain)
    if gaps.max() <= TIMES * _critical(len(scores), seeds, len(spread)) * deviation:
        return 0
    return int(gaps.argmax()) + 1


@functools.lru_cache(maxsize=256)
def _critical(scores: int, seeds: int, arms: int) -> float:
    """The largest gap of normal scores, in median deviations of so many other arms, at LEVEL."""
    rng = np.random.default_rng([scores, seeds, arms])
    gaps = np.diff(np.sort(rng.standard_normal((DRAWS, scores))), axis=1).max(axis=1)
    variances = rng.chisquare(seeds - 1, (DRAWS, arms)) / (seeds - 1)
    return float(np.quantile(gaps / np.sqrt(np.median(variances, axis=1)), 1 - LEVEL))


def _range(scores: np.ndarray) -> str:
    low, high = points(float(scores[0])), points(float(scores[-1]))
    return low if low == high else f"{low} to {high}"


def with_unscored(edges: pd.DataFrame, frame: pd.DataFrame, *, smallest_effect: float) -> pd.DataFrame:
    """The edges, and those that have no gain because a score of theirs is undefined in every common seed.

    These have no number and are `inconclusive`.
    """
    tested = frame[(frame["split"] == "test") & (frame["status"] == "done")]
    tested = tested[tested["stage"].isin(["refine", "fine-tune"])]
    lost = {_arm(row) for row in tested[tested["value"].isna()].to_dict("records")}
    known = set(edges[["stage", "source", "target"]].itertuples(index=False, name=None))
    rows = []
    arms = tested[["stage", "corpora", "target", "metric"]].drop_duplicates()
    for stage, corpora, target, metric in arms.sort_values(["stage", "corpora", "target"]).itertuples(
        index=False, name=None
    ):
        partners = Group.parse(corpora).partners(target)
        either = {ArmKey(stage, corpora, target), ArmKey(stage, target, target)}
        if len(partners) == 1 and either & lost and (stage, partners[0], target) not in known:
            key = {"stage": stage, "source": partners[0], "target": target, "metric": metric}
            rows.append(
                {**key, "verdict": Verdict.INCONCLUSIVE, "seeds": 0, "smallest_effect": smallest_effect}
            )
    if not rows:
        return edges
    added = pd.DataFrame(rows).reindex(columns=edges.columns)
    counts = [name for name in edges.columns if pd.api.types.is_integer_dtype(edges[name])]
    numbers = [name for name in edges.columns if pd.api.types.is_float_dtype(edges[name])]
    added = added.fillna(dict.fromkeys(counts, 0))
    added = added.astype({**dict.fromkeys(numbers, float), **dict.fromkeys(counts, int)})
    both = pd.concat([edges, added], ignore_index=True) if len(edges) else added
    return both.sort_values(["stage", "source", "target", "metric"], ignore_index=True)


def with_flags(edges: pd.DataFrame, flags: Flags) -> pd.DataFrame:
    """The edges with the column ``flag``: what is to be said of their arms, mostly nothing."""
    said = []
    for edge in edges[["stage", "source", "target"]].to_dict("records"):
        stage, source, target = edge["stage"], edge["source"], edge["target"]
        arms = {
            f"{target} alone": (stage, target, target),
            f"{target} with {source}": (stage, str(Group((source, target))), target),
        }
        said.append(". ".join(f"{name}: {flags[arm]}" for name, arm in arms.items() if arm in flags))
    return edges.assign(flag=pd.Series(said, dtype=object, index=edges.index))


def flag_table(flags: Flags) -> pd.DataFrame:
    """The flagged arms as a table with the columns FLAGS."""
    return pd.DataFrame([(*arm, reason) for arm, reason in flags.items()], columns=pd.Index(FLAGS))


def doubtful(edges: pd.DataFrame, *, stage: str, target: str | None = None) -> tuple[str, ...]:
    """The edges of a stage (to ``target``) that have a gain but a flagged arm, as advice names them."""
    rows = edges[(edges["stage"] == stage) & edges["gain"].notna()]
    return tuple(
        f"{row['source']} → {row['target']}"
        for row in rows.to_dict("records")
        if target in (None, row["target"]) and row.get("flag")
    )


def caution(named: Sequence[str]) -> list[str]:
    """The sentence on gains of flagged arms, if there are any."""
    return (
        [
            f"Do not take these gains at face value: {', '.join(named)}. They come from runs that did not "
            "learn, or whose scores have no error or fall into two clusters; the report's flags say which."
        ]
        if named
        else []
    )


def undefined_gains(edges: pd.DataFrame, *, stage: str) -> dict[tuple[str, str], str]:
    """The edges (source, target) of a stage whose gain is undefined, and why."""
    rows = edges[(edges["stage"] == stage) & edges["gain"].isna()]
    return {
        (row["source"], row["target"]): row.get("flag") or "a score is undefined"
        for row in rows.to_dict("records")
    }
