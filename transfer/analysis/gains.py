"""From test scores to gains: what a partner adds to a target, with its interval and verdict.

Scores and gains are fractions (0.005 is half a point) throughout. Every function is
DataFrame -> DataFrame, does not depend on the order of the input's rows, and returns the
same columns when there is nothing to compare.

The input is the store's tidy frame: one row for each job, target and split, with the columns
stage, corpora (names joined by '+'), target, split, metric, seed, value, status and error.
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis.estimate import Estimate, Runs, combined, over_seeds
from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.singles import Singles, matching_of
from transfer.analysis.verdicts import Verdict, Verdicts
from transfer.arms import Group, members

ALL = "all others"
VERDICTS = tuple(Verdict)

CELL = ["stage", "corpora", "target", "seed"]
PAIRING = ["stage", "target", "metric", "seed"]
SEED_GAINS = ["stage", "corpora", "source", "target", "metric", "seed", "single", "joint", "gain"]
EDGES = [
    "stage", "source", "target", "metric", "single", "joint", "gain", "ci_low", "ci_high",
    "ci_low_selected", "ci_high_selected", "p", "p_adjusted", "verdict", "seeds", "single_seeds",
    "smallest_effect", "detectable", "detectable_10_seeds", "se_seeds", "se_items", "df_seeds",
    "df_items",
]  # fmt: skip
GROUP_GAINS = [
    "stage", "source", "target", "metric", "single", "joint", "gain", "ci_low", "ci_high", "seeds",
    "single_seeds", "se_seeds", "se_items", "df_items",
]  # fmt: skip


def group_name(corpora: str, target: str, everyone: Sequence[str]) -> str:
    """A group as a person sees it from one target: `all others`, `all others but x`, or its names by '+'."""
    group = Group.parse(corpora).partners(target)
    left_out = sorted(set(everyone) - set(group) - {target})
    if not left_out:
        return ALL
    if len(left_out) == 1 and len(group) > 1:
        return f"{ALL} but {left_out[0]}"
    return str(Group(group))


def partners(rows: pd.DataFrame) -> list[tuple[str, ...]]:
    """The other names of each row's group."""
    pairs = zip(rows["corpora"], rows["target"], strict=True)
    return [Group.parse(corpora).partners(target) for corpora, target in pairs]


def group_size(corpora: str) -> int:
    """Count the corpora that a text of the column ``corpora`` names."""
    return len(Group.parse(corpora))


def scored(frame: pd.DataFrame) -> pd.DataFrame:
    """The test rows that carry a score, sorted, one for each stage, group, target and seed.

    Raises ValueError where two rows claim the same cell, or where one stage mixes encoders
    or recipes: a difference of such scores would not measure the partner.
    """
    rows = frame[(frame["split"] == "test") & (frame["status"] == "done") & frame["value"].notna()]
    rows = rows.sort_values(CELL).reset_index(drop=True)
    twice = rows[rows.duplicated(CELL)]
    if len(twice):
        cell = Cell(*twice.iloc[0][CELL])
        raise ValueError(f"two scores for {cell}: the frame mixes jobs that differ otherwise")
    for column in {"encoder", "recipe"} & set(rows.columns):
        for stage, values in rows.groupby("stage")[column]:
            if values.nunique() > 1:
                mixed = ", ".join(sorted(values.unique()))
                raise ValueError(f"stage {stage!r} mixes the {column}s {mixed}: not comparable")
    return rows


def paired(frame: pd.DataFrame) -> pd.DataFrame:
    """Joint minus single for every group and target: stage, corpora, target, metric, seed, …, gain.

    Only seeds that have both scores appear; `missing` names the others.
    """
    rows = scored(frame)[["stage", "corpora", "target", "metric", "seed", "value"]]
    inside = [
        target in Group.parse(corpora)
        for corpora, target in zip(rows["corpora"], rows["target"], strict=True)
    ]
    alone = rows["corpora"] == rows["target"]
    single = rows[alone].drop(columns="corpora").rename(columns={"value": "single"})
    joint = rows[np.array(inside, dtype=bool) & ~alone].rename(columns={"value": "joint"})
    both = joint.merge(single, on=PAIRING, how="inner", validate="many_to_one")
    return both.assign(gain=both["joint"] - both["single"]).sort_values(CELL, ignore_index=True)


def seed_gains(frame: pd.DataFrame) -> pd.DataFrame:
    """The gain of each target from each partner in each seed; pairs only.

    Columns: stage, corpora, source (the partner), target, metric, seed, single, joint, gain. A seed
    whose single or joint score failed or is absent gives no row; `missing` names it.
    """
    both = paired(frame)
    others = partners(both)
    both = both.assign(source=pd.Series([group[0] for group in others], dtype=object))
    both = both[np.array([len(group) == 1 for group in others], dtype=bool)]
    return both.sort_values(["stage", "source", "target", "seed"], ignore_index=True)[SEED_GAINS]


class EdgeKey(NamedTuple):
    """Which edge: the group is the pair that both directions come from."""

    stage: str
    corpora: str
    source: str
    target: str
    metric: str

    @property
    def arms(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """The target alone, and both together."""
        return (self.stage, self.target), (self.stage, self.corpora)

    def has(self, flags: Collection[tuple[str, str, str]]) -> bool:
        """Whether one of the edge's arms (stage, group, target) is among ``flags``."""
        return any((*arm, self.target) in flags for arm in self.arms)


def singles(frame: pd.DataFrame, *, seeds: Collection[int] | None = None) -> Singles:
    """The single-task scores of a frame, and what matching explains in its pairs.

    The latter is read off ``seeds``, if given: with adaptive seeds the first, which every look has.
    """
    rows, pairs = scored(frame), paired(frame)
    scores = {
        (str(stage), str(target)): dict(zip(own["seed"].astype(int), own["value"].astype(float), strict=True))
        for (stage, target), own in rows[rows["corpora"] == rows["target"]].groupby(["stage", "target"])
    }
    return Singles(scores, matching_of(pairs if seeds is None else pairs[pairs["seed"].isin(list(seeds))]))


class EdgeVerdicts(NamedTuple):
    """Verdicts on edges, and the gains of each edge by seed, on which they rest."""

    verdicts: Verdicts[EdgeKey]
    groups: Mapping[EdgeKey, pd.DataFrame]


def judged(
    seed_gains: pd.DataFrame,
    *,
    smallest_effect: float,
    evidence: Evidence | None = None,
    singles: Singles | None = None,
    correction: str = "bh",
    alpha: float = 0.05,
    flags: Collection[tuple[str, str, str]] = (),
) -> EdgeVerdicts:
    """The verdict on each directed edge from one look at all its seeds.

    With `evidence` intervals and p values take seeds and test items as random, without it the
    seeds alone (see `estimate`); with `singles` a gain uses single-task seeds that have no joint run,
    too. `smallest_effect` is in score units. `detectable` is the minimum detectable effect (80 %
    power) at the level of a grid's first claim, alpha over the number of edges; `detectable_10_seeds` the
    same with 10 seeds. `p_adjusted` corrects over all edges whose p is defined (Benjamini and Hochberg
    1995, or Holm 1979), those with a gain below `smallest_effect` with p = 1. The verdict is

    - `improves` or `harms`: p_adjusted < alpha (so |gain| >= smallest_effect, too);
    - `no effect`: the 1 - 2 alpha interval lies inside ± smallest_effect, and none of the edge's arms is
      among `flags` (see `flags.flags_of`);
    - `inconclusive`: anything else, and always where the interval is undefined.

    `ci_low_selected` and `ci_high_selected` are the interval of a claim, adjusted for being selected (see
    `Verdicts.selected_reach`), and NaN for other edges.

    Raises ValueError for an unknown correction or a smallest effect that is not positive.
    """
    groups = by_edge(seed_gains)
    return one_look(
        groups,
        lambda edge: estimate(groups[edge], evidence, singles),
        smallest_effect=smallest_effect,
        correction=correction,
        alpha=alpha,
        unlearned=[edge for edge in groups if edge.has(flags)],
    )


def edges(
    seed_gains: pd.DataFrame, *, smallest_effect: float, alpha: float = 0.05, **others: Any
) -> pd.DataFrame:
    """The table of `judged`, whose arguments these are."""
    found = judged(seed_gains, smallest_effect=smallest_effect, alpha=alpha, **others)
    return edge_table(found, smallest_effect=smallest_effect, alpha=alpha)


def one_look(
    groups: Mapping[EdgeKey, pd.DataFrame],
    estimated: Callable[[EdgeKey], Estimate],
    *,
    smallest_effect: float,
    correction: str,
    alpha: float = 0.05,
    unlearned: Collection[EdgeKey] = (),
) -> EdgeVerdicts:
    """The verdicts on edges after one look at all their seeds; the arguments are those of `judged`."""
    most = max((len(group) for group in groups.values()), default=1)
    verdicts = Verdicts(
        list(groups),
        at=(most,),
        smallest_effect=smallest_effect,
        correction=correction,
        alpha=alpha,
        arms=lambda edge: edge.arms,
        unlearned=unlearned,
    )
    verdicts.look(lambda edge, _: estimated(edge))
    return EdgeVerdicts(verdicts, groups)


def by_edge(seed_gains: pd.DataFrame) -> dict[EdgeKey, pd.DataFrame]:
    """The gains of each edge, seeds in order; edges by stage, source, target."""
    rows = seed_gains.sort_values(["stage", "source", "target", "metric", "seed"])
    keys = list(EdgeKey._fields)
    return {EdgeKey(*key): group for key, group in rows.groupby(keys, sort=False)}  # type: ignore[misc]


def edge_table(found: EdgeVerdicts, *, smallest_effect: float, alpha: float = 0.05) -> pd.DataFrame:
    """The columns EDGES of every edge that was looked at; scores are means over the seeds looked at."""
    verdicts, groups = found
    adjusted, selected = verdicts.adjusted(), verdicts.selected_reach()
    level = verdicts.first_level
    rows = []
    for edge, state in verdicts.states.items():
        measured, reach = state.estimate, selected.get(edge, math.nan)
        rows.append(
            {
                **_measured(edge, groups[edge].head(state.seeds), measured, alpha),
                "ci_low_selected": measured.gain - reach,
                "ci_high_selected": measured.gain + reach,
                "p": state.p,
                "p_adjusted": adjusted[edge],
                "verdict": state.verdict,
                "smallest_effect": float(smallest_effect),
                "detectable": measured.detectable(level, smallest_effect),
                "detectable_10_seeds": measured.with_seeds(10).detectable(level, smallest_effect),
                "df_seeds": measured.over_seeds_degrees,
            }
        )
    table = pd.DataFrame(rows, columns=pd.Index(EDGES))
    counts = {"seeds", "single_seeds"}
    numbers = set(EDGES) - {*EdgeKey._fields, "verdict", *counts}
    return table.astype({**dict.fromkeys(sorted(numbers), float), **dict.fromkeys(sorted(counts), int)})


def _measured(edge: EdgeKey, group: pd.DataFrame, found: Estimate, alpha: float) -> dict[str, Any]:
    """An edge's mean scores, its gain, the gain's interval and standard errors."""
    reach, joint = found.reach(alpha), group["joint"].mean()
    return {
        **edge._asdict(),
        "single": joint - found.gain,  # the mean, weighted as the gain weighs it
        "joint": joint,
        "gain": found.gain,
        "ci_low": found.gain - reach,
        "ci_high": found.gain + reach,
        "seeds": len(group),
        "single_seeds": single_seeds(found, len(group)),
        # what the standard error is made of: more seeds lessen the one, more test items the other
        "se_seeds": math.sqrt(found.over_seeds),
        "se_items": math.sqrt(found.items),
        "df_items": found.item_degrees,
    }


def single_seeds(found: Estimate, matched: int) -> int:
    """The single-task runs that a gain rests on, of which ``matched`` have a joint run of their seed."""
    return max(int(found.unmatched_degrees) + 1, matched) if found.unmatched else matched


def estimate(
    group: pd.DataFrame,
    evidence: Evidence | None,
    singles: Singles | None = None,
    *,
    among: Collection[int] | None = None,
) -> Estimate:
    """The mean gain of one edge's seeds; see `estimate` for what `evidence` adds.

    With `singles` it uses the single-task seeds beyond those of the group, too (those in `among`, if given).
    """
    further = singles.further(group, among) if singles else []
    if group.empty:
        return over_seeds(np.array([]))
    if evidence is None:
        joint, alone = (group[arm].to_numpy(dtype=float) for arm in ("joint", "single"))
        if singles and further:
            own = singles.scores[group.iloc[0]["stage"], group.iloc[0]["target"]]
            alone = np.append(alone, [own[seed] for seed in further])
        return combined(Runs(joint), Runs(alone), singles.matching if singles else 1.0)
    first = group.iloc[0]
    seeds = [int(seed) for seed in group["seed"]]
    return evidence.estimate(
        first["stage"],
        first["corpora"],
        first["target"],
        seeds,
        further=further,
        matching=singles.matching if singles else 1.0,
    )


def larger_groups(
    frame: pd.DataFrame, *, evidence: Evidence | None = None
) -> dict[EdgeKey, tuple[pd.DataFrame, Estimate]]:
    """The gains by seed of each target in each group of three or more corpora, and their estimate.

    The `source` of a key is `all others` for the group of every corpus, `all others but x` where one is
    left out, and the partners' names joined by '+' for any other group.
    """
    both, alone = paired(frame), singles(frame)
    names = members(frame["corpora"])
    both = both[both["corpora"].map(group_size) > 2].reset_index(drop=True)
    sources = [
        group_name(corpora, target, names)
        for corpora, target in zip(both["corpora"], both["target"], strict=True)
    ]
    groups = by_edge(both.assign(source=pd.Series(sources, dtype=object)))
    return {edge: (group, estimate(group, evidence, alone)) for edge, group in groups.items()}


def group_gains(
    frame: pd.DataFrame, *, evidence: Evidence | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    """The gains of `larger_groups` with their intervals; a table, not graph edges."""
    return group_table(larger_groups(frame, evidence=evidence), alpha=alpha)


def group_table(
    found: Mapping[EdgeKey, tuple[pd.DataFrame, Estimate]], *, alpha: float = 0.05
) -> pd.DataFrame:
    """The columns GROUP_GAINS of `larger_groups`."""
    rows = [_measured(edge, *measured, alpha) for edge, measured in found.items()]
    table = pd.DataFrame(rows, columns=pd.Index(GROUP_GAINS))
    numbers = ["single", "joint", "gain", "ci_low", "ci_high", "se_seeds", "se_items", "df_items"]
    return table.astype({**dict.fromkeys(numbers, float), "seeds": int, "single_seeds": int})
