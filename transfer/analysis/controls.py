"""The controls of a grid: further arms that its edges are held against. DataFrame -> DataFrame.

- `null`: each corpus alone against itself alone with other seeds. There is nothing to find, so whatever is
  claimed is a false claim.
- `same-steps`: the joint arm against the target alone for as many steps as the joint run has. What is left
  of a gain is not only longer training.
- `left-out`: the pair trained without those of the partner's examples whose text stands in the target's
  test split. What is left of a gain is not only known text.
- `tuned`: the joint arm against the target alone with the learning rate that its dev split likes best. What
  is left of a gain is not only a badly chosen rate: the joint arm keeps the recipe's.

Each table has the columns of `gains.edges`, and its verdicts are made like the edges', over its own rows.
"""

import itertools
import math
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis import gains
from transfer.analysis.estimate import Estimate, over_seeds
from transfer.analysis.evidence import Cell, Evidence, contrast
from transfer.analysis.gains import EdgeKey
from transfer.analysis.verdicts import CLAIMS, Verdict, Verdicts
from transfer.arms import Arm, Control

CONTROLS = tuple(Control)
DEALINGS = 200
BESIDE = ("gain", "ci_low", "ci_high", "verdict")  # what a control adds to the table of edges
STANDING = ("difference", "difference_ci_low", "difference_ci_high", "standing")

_SCORE = ["stage", "corpora", "target", "metric", "seed", "value"]


def control_tables(
    frame: pd.DataFrame,
    controls: Collection[str],
    *,
    train_items: Mapping[str, int],
    smallest_effect: float,
    evidence: Evidence | None = None,
    correction: str = "bh",
    alpha: float = 0.05,
    flags: Collection[tuple[str, str, str]] = (),
) -> dict[str, pd.DataFrame]:
    """The table of each control that the grid asks for, in the order of CONTROLS.

    ``train_items``: the train examples of each corpus, as the grid was planned with; the other arguments are
    those of `gains.edges`.
    """
    rows = gains.scored(frame)[_SCORE]
    given = _Given(rows, train_items, tuned_arms(frame) if "tuned" in controls else {})
    found = {}
    for name in CONTROLS:
        if name in controls:
            compared = _gained(_ARMS[name](given), rows)
            found[name] = _judged(compared, evidence, smallest_effect, correction, alpha, flags)
    return found


def dealt(
    frame: pd.DataFrame,
    *,
    smallest_effect: float,
    evidence: Evidence | None = None,
    correction: str = "bh",
    alpha: float = 0.05,
) -> tuple[int, int]:
    """Count claimed edges and all edges over all ways to divide the null control's runs into two arms.

    Of each corpus alone there are twice as many runs as seeds; any half of them may stand for the single
    arm. The dealings share runs, so they make the rate steadier and give it no interval of its own. Of more
    than DEALINGS so many are drawn.
    """
    rows = gains.scored(frame)
    rows = rows[(rows["corpora"] == rows["target"]) & rows["stage"].isin(["refine", "null"])]
    runs = {}
    for target, own in rows.groupby("target"):
        both = own.groupby("seed")["stage"].nunique() == 2
        own = own[own["seed"].isin(both[both].index)].sort_values(["stage", "seed"], ascending=[False, True])
        if len(own) >= 4:
            cells = [Cell(*cell) for cell in own[gains.CELL].itertuples(index=False, name=None)]
            runs[str(target)] = (cells, own["value"].to_numpy(dtype=float))
    claims = edges = 0
    for picked in _dealings(max((len(cells) for cells, _ in runs.values()), default=0)):
        verdicts = Verdicts(
            [target for target, (cells, _) in runs.items() if len(cells) == len(picked)],
            at=(len(picked) // 2,), smallest_effect=smallest_effect, correction=correction, alpha=alpha,
            arms=lambda target: (target, f"{target} again"),
        )  # fmt: skip

        def estimated(target: str, _: int, picked: np.ndarray = picked) -> Estimate:
            cells, values = runs[target]
            single, joint = np.flatnonzero(~picked), np.flatnonzero(picked)
            if evidence is None:
                return over_seeds(values[joint] - values[single])
            return evidence.between([cells[i] for i in single], [cells[i] for i in joint])

        verdicts.look(estimated)
        edges += len(verdicts.states)
        claims += sum(state.claimed for state in verdicts.states.values())
    return claims, edges


def _dealings(runs: int) -> list[np.ndarray]:
    """Which runs are the joint arm's, [runs] for each dealing; never the first one, since arms may swap."""
    rest, half = np.arange(1, runs), runs // 2
    if runs and math.comb(runs - 1, half) > DEALINGS:
        rng = np.random.default_rng(runs)
        ways = [rng.choice(rest, half, replace=False) for _ in range(DEALINGS)]
    else:
        ways = list(itertools.combinations(rest, half)) if runs else []
    return [np.isin(np.arange(runs), way) for way in ways]


def beside(edges: pd.DataFrame, controls: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The edges with, for each control of edges, its gain, interval and verdict in further columns.

    ``gain_same_steps``, ``ci_low_left_out`` and so on: NaN, and an empty verdict, where the grid has no such
    control or the control no such edge.
    """
    key = ["stage", "source", "target", "metric"]
    for name in CONTROLS[1:]:
        table = controls.get(name, edges.iloc[:0])
        suffix = name.replace("-", "_")
        columns = {column: f"{column}_{suffix}" for column in BESIDE}
        edges = edges.merge(table[[*key, *BESIDE]].rename(columns=columns), on=key, how="left")
        edges[columns["verdict"]] = edges[columns["verdict"]].fillna("")
    return edges


def standing(
    edges: pd.DataFrame,
    frame: pd.DataFrame,
    controls: Collection[str],
    *,
    train_items: Mapping[str, int],
    smallest_effect: float,
    evidence: Evidence | None = None,
    correction: str = "bh",
    alpha: float = 0.05,
) -> pd.DataFrame:
    """The edges with, per control, whether their claims stand: the columns STANDING, suffixed as `beside`.

    `difference_same_steps` is the gain minus the gain over the control, paired by seed and test document,
    with its 95 % interval. A claim is `reduced` if the difference is significantly in the claim's direction
    and at least the smallest effect, corrected over the claims; it `stands` if the difference is shown to be
    smaller than that, or the gain over the control is significantly larger; else it is `undecided`. Edges
    without a claim have NaN and an empty text. The other arguments are those of `control_tables`.
    """
    rows = gains.scored(frame)[_SCORE]
    given = _Given(rows, train_items, tuned_arms(frame) if "tuned" in controls else {})
    claimed = edges[edges["verdict"].isin(CLAIMS) & (edges["stage"] == "refine")]
    directions = {(row["source"], row["target"]): np.sign(row["gain"]) for row in claimed.to_dict("records")}
    for name in CONTROLS[1:]:
        compared = _gained(_ARMS[name](given), rows) if name in controls else rows.iloc[:0]
        found = {} if compared.empty else _differences(compared, rows, directions, evidence)
        verdicts = Verdicts(
            list(found), at=(max((e.seed_degrees + 1 for e in found.values()), default=1),),
            smallest_effect=smallest_effect, correction=correction, alpha=alpha,
        )  # fmt: skip
        verdicts.look(lambda edge, _, found=found: found[edge])
        told = {edge: _stands(verdicts.states[edge].verdict, directions[edge]) for edge in verdicts.states}
        suffix = name.replace("-", "_")
        keys = list(zip(edges["source"], edges["target"], edges["stage"] == "refine", strict=True))
        values = [
            _standing(found.get((s, t)) if refine else None, told.get((s, t), "")) for s, t, refine in keys
        ]
        edges = edges.assign(
            **{f"{column}_{suffix}": [value[i] for value in values] for i, column in enumerate(STANDING)}
        )
    return edges


def _differences(
    compared: pd.DataFrame,
    rows: pd.DataFrame,
    directions: Mapping[tuple[str, str], float],
    evidence: Evidence | None,
) -> dict[tuple[str, str], Estimate]:
    """For each claim with the control: the gain minus the gain over it, in the seeds that have all arms."""
    own = rows[rows["stage"] == "refine"].set_index(["corpora", "target", "seed"])["value"]
    found = {}
    for edge, group in gains.by_edge(compared).items():
        key = (edge.source, edge.target)
        pairs = [(edge.corpora, edge.target, seed) in own.index for seed in group["seed"]]
        alone = [(edge.target, edge.target, seed) in own.index for seed in group["seed"]]
        group = group[np.logical_and(pairs, alone)]
        if key not in directions or group.empty:
            continue
        seeds = [int(seed) for seed in group["seed"]]
        gain = [own[edge.corpora, edge.target, s] - own[edge.target, edge.target, s] for s in seeds]
        if evidence is None:
            found[key] = over_seeds(np.array(gain) - group["gain"].to_numpy(dtype=float))
            continue
        joint, single = group.iloc[0][["joint_arm", "single_arm"]]
        arms = [(1, "refine", edge.corpora), (-1, "refine", edge.target), (-1, joint, edge.corpora),
                (1, single, edge.target)]  # fmt: skip
        found[key] = contrast(
            [
                (sign, evidence, [Cell(stage, corpora, edge.target, s) for s in seeds])
                for sign, stage, corpora in arms
            ]
        )
    return found


class Standing(StrEnum):
    """A claim beside a control."""

    STANDS = "stands"
    REDUCED = "reduced"
    UNDECIDED = "undecided"


def _stands(verdict: Verdict, direction: float) -> Standing:
    """The verdict on a difference as that on the claim, whose direction is 1 or -1."""
    if verdict is Verdict.INCONCLUSIVE:
        return Standing.UNDECIDED
    return Standing.REDUCED if verdict is Verdict.of_sign(direction) else Standing.STANDS


def _standing(found: Estimate | None, told: str) -> tuple[float, float, float, str]:
    if found is None:
        return math.nan, math.nan, math.nan, ""
    reach = float(found.reach(0.05))
    return float(found.gain), float(found.gain) - reach, float(found.gain) + reach, told


def tuned_arms(frame: pd.DataFrame) -> dict[str, tuple[Arm, float]]:
    """For each corpus its arm alone with the best mean dev score, and that score (a fraction).

    Over the seeds that all its rates have; of equal ones the recipe's own rate, then the lowest.
    """
    rows = frame[
        (frame["split"] == "dev") & (frame["status"] == "done") & (frame["corpora"] == frame["target"])
    ]
    arms = {text: Arm.parse(text) for text in rows["stage"].unique()}
    rates = {text: arm for text, arm in arms.items() if text == "refine" or arm.control is Control.TUNED}
    order = {text: float(arm.setting or 0) for text, arm in rates.items()}  # the recipe's own is the first
    found = {}
    for target, own in rows[rows["stage"].isin(list(rates))].groupby("target"):
        scores = own.pivot(index="stage", columns="seed", values="value").dropna(axis="columns")
        if scores.shape[1] and "refine" in scores.index:
            means = scores.mean(axis="columns").sort_index(key=lambda own: own.map(order))
            found[str(target)] = (rates[str(means.idxmax())], float(means.max()))
    return found


class _Given(NamedTuple):
    """Input of the controls: test scores of all arms, and properties of the corpora."""

    rows: pd.DataFrame
    train_items: Mapping[str, int]
    tuned: Mapping[str, tuple[Arm, float]]


def _null(given: _Given) -> pd.DataFrame:
    """Each corpus's null arm as if it were joint with itself."""
    arms = given.rows[given.rows["stage"] == "null"]
    return arms.assign(source=arms["target"], joint_arm="null", single_arm="refine")


def _same_steps(given: _Given) -> pd.DataFrame:
    """The pairs of the grid, each against the longer training of its target."""
    arms = _pairs(given.rows[given.rows["stage"] == "refine"])
    longer = [str(Arm.same_steps(given.train_items[source])) for source in arms["source"]]
    return arms.assign(joint_arm="refine", single_arm=pd.Series(longer, dtype=object, index=arms.index))


def _left_out(given: _Given) -> pd.DataFrame:
    """The pairs that were trained without the shared text, each against its target alone."""
    arms = _pairs(given.rows)
    arms = arms[arms["stage"] == arms["target"].map(lambda target: str(Arm.left_out(str(target))))]
    return arms.assign(joint_arm=arms["stage"], single_arm="refine", stage="refine")


def _tuned(given: _Given) -> pd.DataFrame:
    """The pairs of the grid, each against its target alone with the rate that suits it best."""
    arms = _pairs(given.rows[given.rows["stage"] == "refine"])
    arms = arms[arms["target"].isin(list(given.tuned))]
    best = [str(given.tuned[target][0]) for target in arms["target"]]
    return arms.assign(joint_arm="refine", single_arm=pd.Series(best, dtype=object, index=arms.index))


_ARMS: Mapping[Control, Callable[[_Given], pd.DataFrame]] = {
    Control.NULL: _null,
    Control.SAME_STEPS: _same_steps,
    Control.LEFT_OUT: _left_out,
    Control.TUNED: _tuned,
}


def _pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """The scores of pairs, with the target's partner as ``source``."""
    others = gains.partners(rows)
    pair = np.array([len(group) == 1 for group in others], dtype=bool)
    source = pd.Series([group[0] if group else "" for group in others], dtype=object, index=rows.index)
    return rows.assign(source=source)[pair]


def _gained(joint: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The joint scores beside those of their single arms, in the seeds that have both."""
    alone = rows[rows["corpora"] == rows["target"]].drop(columns="corpora")
    alone = alone.rename(columns={"stage": "single_arm", "value": "single"})
    both = joint.rename(columns={"value": "joint"}).merge(
        alone, on=["single_arm", "target", "metric", "seed"], validate="many_to_one"
    )
    return both.assign(gain=both["joint"] - both["single"])


def _judged(
    compared: pd.DataFrame,
    evidence: Evidence | None,
    smallest_effect: float,
    correction: str,
    alpha: float,
    flags: Collection[tuple[str, str, str]],
) -> pd.DataFrame:
    """Verdicts on the gains of ``compared``: joint_arm over single_arm, in the seeds that it has."""
    groups = gains.by_edge(compared)
    arms = {edge: tuple(group.iloc[0][["joint_arm", "single_arm"]]) for edge, group in groups.items()}

    def estimated(edge: EdgeKey) -> Estimate:
        if evidence is None:
            return gains.estimate(groups[edge], None)
        joint, single = arms[edge]
        seeds = [int(seed) for seed in groups[edge]["seed"]]
        return evidence.estimate(joint, edge.corpora, edge.target, seeds, alone=single)

    judged = gains.one_look(
        groups,
        estimated,
        smallest_effect=smallest_effect,
        correction=correction,
        alpha=alpha,
        unlearned=[
            edge
            for edge, (joint, single) in arms.items()
            if {(joint, edge.corpora, edge.target), (single, edge.target, edge.target)} & set(flags)
        ],
    )
    return gains.edge_table(judged, smallest_effect=smallest_effect, alpha=alpha)
