"""From test scores to gains: what a partner adds to a target, with its interval and verdict.

Scores and gains are fractions (0.005 is half a point) throughout. Every function is
DataFrame -> DataFrame, does not depend on the order of the input's rows, and returns the
same columns when there is nothing to compare.

The input is the store's tidy frame: one row for each job, target and split, with the columns
stage, corpora (names joined by '+'), target, split, metric, seed, value, status and error.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.inference import Estimate, over_seeds

ALL = "all others"
VERDICTS = ("improves", "harms", "no effect", "inconclusive")
CORRECTIONS = {"bh": "fdr_bh", "holm": "holm"}

CELL = ["stage", "corpora", "target", "seed"]
PAIRING = ["stage", "target", "metric", "seed"]
SEED_GAINS = ["stage", "corpora", "source", "target", "metric", "seed", "single", "joint", "gain"]
EDGES = [
    "stage", "source", "target", "metric", "single", "joint", "gain", "ci_low", "ci_high",
    "p", "p_adjusted", "verdict", "seeds", "smallest_effect", "detectable",
]  # fmt: skip
GROUP_GAINS = [
    "stage", "source", "target", "metric", "single", "joint", "gain", "ci_low", "ci_high", "seeds",
]  # fmt: skip


def partners(corpora: str, target: str) -> list[str]:
    """The other names of a group, sorted: `partners("a+b", "a") == ["b"]`."""
    return sorted(name for name in corpora.split("+") if name != target)


def group_name(corpora: str, target: str, everyone: Sequence[str]) -> str:
    """A group seen from one target: `all others`, `all others but x`, or its names by '+'."""
    group = partners(corpora, target)
    left_out = sorted(set(everyone) - set(group) - {target})
    if not left_out:
        return ALL
    if len(left_out) == 1 and len(group) > 1:
        return f"{ALL} but {left_out[0]}"
    return "+".join(group)


def everyone(frame: pd.DataFrame) -> list[str]:
    """Every corpus that some job of the frame trains, sorted."""
    return sorted({name for group in frame["corpora"] for name in group.split("+")})


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
        target in corpora.split("+") for corpora, target in zip(rows["corpora"], rows["target"], strict=True)
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
    others = [partners(*names) for names in zip(both["corpora"], both["target"], strict=True)]
    both = both.assign(source=pd.Series([group[0] for group in others], dtype=object))
    both = both[np.array([len(group) == 1 for group in others], dtype=bool)]
    return both.sort_values(["stage", "source", "target", "seed"], ignore_index=True)[SEED_GAINS]


def edges(
    seed_gains: pd.DataFrame,
    *,
    smallest_effect: float,
    evidence: Evidence | None = None,
    correction: str = "bh",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """One row for each directed edge, with its interval and its verdict.

    With `evidence` intervals and p values take seeds and test items as random, without it the
    seeds alone (see `inference`). `smallest_effect` is in score units; `detectable` is the gain
    that a single test at `alpha` would find in 4 of 5 studies like this one. `p_adjusted` corrects
    over all edges whose p is defined (Benjamini and Hochberg 1995, or Holm 1979). The verdict is

    - `improves` or `harms`: p_adjusted < alpha and |gain| >= smallest_effect;
    - `no effect`: the 1 - 2 alpha interval lies inside ± smallest_effect;
    - `inconclusive`: anything else, and always where the interval is undefined.

    Raises ValueError for an unknown correction or a smallest effect that is not positive.
    """
    if correction not in CORRECTIONS:
        raise ValueError(f"unknown correction {correction!r}; known: {', '.join(CORRECTIONS)}")
    if not (math.isfinite(smallest_effect) and smallest_effect > 0):
        raise ValueError(f"smallest_effect must be a positive number, not {smallest_effect}")
    table = _estimated(seed_gains, evidence, alpha=alpha)
    table["p_adjusted"] = _adjusted(table["p"].to_numpy(dtype=float), CORRECTIONS[correction])
    table["smallest_effect"] = float(smallest_effect)
    significant = (table["p_adjusted"] < alpha) & (table["gain"].abs() >= smallest_effect)
    equivalent = (table["equivalence_low"] > -smallest_effect) & (table["equivalence_high"] < smallest_effect)
    verdict = pd.Series("inconclusive", index=table.index, dtype=object)
    verdict[equivalent] = "no effect"
    verdict[significant & (table["gain"] > 0)] = "improves"
    verdict[significant & (table["gain"] < 0)] = "harms"
    return table.assign(verdict=verdict)[EDGES]


def group_gains(
    frame: pd.DataFrame, *, evidence: Evidence | None = None, alpha: float = 0.05
) -> pd.DataFrame:
    """Gains from groups of three or more corpora, with intervals; a table, not graph edges.

    `source` is `all others` for the group of every corpus, `all others but x` where one is
    left out, and the partners' names joined by '+' for any other group.
    """
    both = paired(frame)
    names = everyone(frame)
    both = both[both["corpora"].str.count(r"\+") >= 2].reset_index(drop=True)
    sources = [
        group_name(corpora, target, names)
        for corpora, target in zip(both["corpora"], both["target"], strict=True)
    ]
    named = both.assign(source=pd.Series(sources, dtype=object))
    return _estimated(named, evidence, alpha=alpha)[GROUP_GAINS]


def missing(frame: pd.DataFrame, expected: Iterable[Cell] | None = None) -> pd.DataFrame:
    """The cells without a score: stage, corpora, target, seed, state, error.

    `state` is `failed` (the error says why), `no score` (the job ended, its test score is not
    a number) or `absent`. Without `expected`, every group and target of the frame is expected
    in every seed that its stage has.
    """
    present = {Cell(*row) for row in scored(frame)[CELL].itertuples(index=False, name=None)}
    cells = set(_implied(frame)) if expected is None else {Cell(*cell) for cell in expected}
    failed = frame[frame["status"] == "failed"]
    cells |= {Cell(*row) for row in failed[CELL].itertuples(index=False, name=None)}
    errors = {
        Cell(*row[:4]): str(row[4])
        for row in failed.sort_values([*CELL, "error"])[[*CELL, "error"]].itertuples(index=False, name=None)
    }
    tested = frame[(frame["split"] == "test") & (frame["status"] == "done")]
    unscored = {Cell(*row) for row in tested[CELL].itertuples(index=False, name=None)} - present
    rows = [
        (*cell, "failed", errors[cell])
        if cell in errors
        else (*cell, "no score", "the test score is not a number")
        if cell in unscored
        else (*cell, "absent", "")
        for cell in sorted((cells | unscored) - present)
    ]
    return pd.DataFrame(rows, columns=pd.Index([*CELL, "state", "error"]))


def _implied(frame: pd.DataFrame) -> Iterable[Cell]:
    """Every group and target of the frame in every seed that its stage has."""
    for _, rows in frame.groupby("stage"):
        seeds = sorted(rows["seed"].unique())
        arms = rows[["stage", "corpora", "target"]].drop_duplicates()
        for arm in arms.itertuples(index=False, name=None):
            yield from (Cell(arm[0], arm[1], arm[2], int(seed)) for seed in seeds)


def _estimated(gains: pd.DataFrame, evidence: Evidence | None, *, alpha: float) -> pd.DataFrame:
    """Means, intervals and p of each stage, source, target and metric, over the sorted seeds.

    The equivalence interval covers 1 - 2 alpha, so that lying inside a margin is two one-sided
    tests at alpha (Schuirmann 1987).
    """
    keys = ["stage", "corpora", "source", "target", "metric"]
    columns = [
        *keys, "single", "joint", "gain", "ci_low", "ci_high", "p",
        "equivalence_low", "equivalence_high", "detectable", "seeds",
    ]  # fmt: skip
    rows = []
    for key, group in gains.sort_values([*keys, "seed"]).groupby(keys, sort=True):
        found = _estimate(group, evidence)
        reach, equivalence = found.reach(alpha), found.reach(2 * alpha)
        rows.append(
            (
                *(key if isinstance(key, tuple) else (key,)),
                float(group["single"].mean()),
                float(group["joint"].mean()),
                found.gain,
                found.gain - reach,
                found.gain + reach,
                found.p,
                found.gain - equivalence,
                found.gain + equivalence,
                found.detectable(alpha),
                len(group),
            )
        )
    table = pd.DataFrame(rows, columns=pd.Index(columns))
    numbers = [column for column in columns[len(keys) :] if column != "seeds"]
    table = table.astype({**dict.fromkeys(numbers, float), "seeds": int})
    return table.sort_values(["stage", "source", "target", "metric"], ignore_index=True)


def _estimate(group: pd.DataFrame, evidence: Evidence | None) -> Estimate:
    if evidence is None:
        return over_seeds(group["gain"].to_numpy(dtype=float))
    first = group.iloc[0]
    seeds = [int(seed) for seed in group["seed"]]
    return evidence.estimate(first["stage"], first["corpora"], first["target"], seeds)


def _adjusted(p: np.ndarray, method: str) -> np.ndarray:
    """p values corrected over the defined ones; undefined ones stay NaN and do not count."""
    from statsmodels.stats.multitest import multipletests  # slow to import, needed only here

    adjusted = np.full(len(p), math.nan)
    defined = ~np.isnan(p)
    if defined.any():
        adjusted[defined] = multipletests(p[defined], method=method)[1]
    return adjusted
