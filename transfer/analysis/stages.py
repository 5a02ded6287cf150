"""Which stage wins where: all arms of a target held against one another. DataFrame -> DataFrame.

A target has four arms: alone (`single`), alone and then alone again for the epochs of fine-tuning (`longer
single`, the control of longer training), refined with a group (`refinement`), and fine-tuned from that
(`fine-tuning`). An arm that saw more epochs of the target than the one it is held against may have gained by
that alone; `epochs` says of each contrast which has more.

Verdicts are made like the edges', over all contrasts of the report. Unlike edges, contrasts lend each other
no variance: those of a target are sums of one another, so their number tells nothing.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis import gains
from transfer.analysis.estimate import Estimate, over_seeds
from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.missing import missing
from transfer.analysis.verdicts import Verdicts
from transfer.arms import members

REFINE, FINE_TUNE = "refine", "fine-tune"
SINGLE, LONGER, REFINEMENT, FINE_TUNING = "single", "longer single", "refinement", "fine-tuning"
ARMS = {  # what a job's stage and group make of it
    SINGLE: (REFINE, False),
    LONGER: (FINE_TUNE, False),
    REFINEMENT: (REFINE, True),
    FINE_TUNING: (FINE_TUNE, True),
}
COMPARED = (  # arm, the arm that it is held against, and how its epochs of the target compare
    (FINE_TUNING, LONGER, "as many"),
    (REFINEMENT, SINGLE, "as many"),
    (FINE_TUNING, REFINEMENT, "more"),
    (LONGER, SINGLE, "more"),
    (FINE_TUNING, SINGLE, "more"),
    (REFINEMENT, LONGER, "fewer"),
)
CONTRASTS = [
    "target", "source", "metric", "arm", "against", "epochs", "score", "score_against", "gain", "ci_low",
    "ci_high", "ci_low_selected", "ci_high_selected", "p", "p_adjusted", "verdict", "seeds",
    "smallest_effect", "detectable", "detectable_10_seeds", "missing",
]  # fmt: skip
MEANS = ["target", "source", "metric", *(name.replace(" ", "_").replace("-", "_") for name in ARMS),
         "highest", "seeds", "missing"]  # fmt: skip
EQUAL = 1e-9  # means that differ by less are one


class Contrast(NamedTuple):
    """Which two arms of which target; ``corpora`` is the group, the target itself where it has none."""

    target: str
    corpora: str
    metric: str
    arm: str
    against: str
    epochs: str


def contrasts(
    frame: pd.DataFrame,
    *,
    smallest_effect: float,
    evidence: Evidence | None = None,
    expected: Iterable[Cell] | None = None,
    seeds: Collection[int] | None = None,
    correction: str = "bh",
    alpha: float = 0.05,
    flags: Collection[tuple[str, str, str]] = (),
) -> pd.DataFrame:
    """Every contrast of every target that the frame fine-tunes: the columns CONTRASTS; else none.

    Of the groups of a target those of three and more corpora are compared, and pairs where it has no
    other. ``source`` names the group as `gains.group_name` does; it is empty in contrasts of the target
    alone. A contrast rests on the seeds that have both its arms; ``missing`` names what it lacks, and one
    without any seed has no number and no verdict. ``expected`` are the cells that the grid promises
    (see `missing.missing`), ``seeds`` those that count (of adaptive ones the first, which no result
    chose); the other arguments are those of `gains.edges`.
    """
    arms = _Arms(frame, expected, seeds)
    compared = [
        Contrast(target, group, arms.metric[target], arm, against, epochs)
        for target, group in arms.groups
        for arm, against, epochs in COMPARED
        if ARMS[arm][1] == (group != target)
    ]
    verdicts = Verdicts(
        compared,
        at=(max((len(arms.shared(one)) for one in compared), default=0) or 1,),
        smallest_effect=smallest_effect,
        correction=correction,
        alpha=alpha,
        unlearned=[one for one in compared if arms.arms_of(one) & set(flags)],
    )
    verdicts.look(lambda one, _: arms.estimate(one, evidence))
    adjusted, selected, level = verdicts.adjusted(), verdicts.selected_reach(), verdicts.first_level
    rows = []
    for one, state in verdicts.states.items():
        found, reach = state.estimate, selected.get(one, math.nan)
        rows.append(
            _row(one, arms, found, alpha)
            | {
                "ci_low_selected": found.gain - reach,
                "ci_high_selected": found.gain + reach,
                "p": state.p,
                "p_adjusted": adjusted[one],
                "verdict": state.verdict if state.seeds else "",
                "smallest_effect": float(smallest_effect),
                "detectable": found.detectable(level, smallest_effect),
                "detectable_10_seeds": found.with_seeds(10).detectable(level, smallest_effect),
            }
        )
    numbers = [*CONTRASTS[6:15], "smallest_effect", "detectable", "detectable_10_seeds"]
    table = pd.DataFrame(rows, columns=pd.Index(CONTRASTS))
    return table.astype({**dict.fromkeys(numbers, float), "seeds": int})


def means(
    frame: pd.DataFrame,
    *,
    expected: Iterable[Cell] | None = None,
    seeds: Collection[int] | None = None,
) -> pd.DataFrame:
    """Each target's arms beside each other: the columns MEANS, one row for each group of `contrasts`.

    Means are over the seeds that all arms with a score have, so that they may be compared; ``highest`` names
    the arm with the highest one (equal ones joined by ` = `), empty where no seed is common.
    It describes and decides nothing.
    """
    arms = _Arms(frame, expected, seeds)
    rows = []
    for target, group in arms.compared_groups:
        names = [name for name in ARMS if group != target or not ARMS[name][1]]
        scores = {name: arms.scores(name, group, target) for name in names}
        there = {name: own for name, own in scores.items() if own}
        common = sorted(set.intersection(*map(set, there.values()))) if there else []
        mean = {name: float(np.mean([own[s] for s in common])) for name, own in there.items() if common}
        best = [name for name in mean if mean[name] > max(mean.values()) - EQUAL]
        rows.append(
            (target, arms.source(group, target), arms.metric[target],
             *(mean.get(name, float("nan")) for name in ARMS), " = ".join(best), len(common),
             arms.lacking(names, group, target))
        )  # fmt: skip
    table = pd.DataFrame(rows, columns=pd.Index(MEANS))
    return table.astype({**dict.fromkeys(MEANS[3:7], float), "seeds": int})


class _Arms:
    """The arms of a frame: which there are, what they scored, what of them is missing."""

    def __init__(
        self, frame: pd.DataFrame, expected: Iterable[Cell] | None, seeds: Collection[int] | None
    ) -> None:
        frame = frame[frame["stage"].isin([REFINE, FINE_TUNE])]
        if expected is not None:
            expected = [Cell(*cell) for cell in expected if cell[0] in (REFINE, FINE_TUNE)]
        if seeds is not None:
            frame = frame[frame["seed"].isin(list(seeds))]
            expected = [cell for cell in expected if cell.seed in seeds] if expected is not None else None
        done, lost = gains.scored(frame), missing(frame, expected)
        self._names = members(frame["corpora"])
        self._scores: dict[tuple[str, str, str], dict[int, float]] = {}
        for *arm, seed, value in done[[*gains.CELL, "value"]].itertuples(index=False, name=None):
            self._scores.setdefault(tuple(arm), {})[int(seed)] = float(value)
        self._lost: dict[tuple[str, str, str], list[str]] = {}
        for *arm, seed, state in lost[[*gains.CELL, "state"]].itertuples(index=False, name=None):
            self._lost.setdefault(tuple(arm), []).append(f"seed {seed} {state}")
        # a target of which no job has ended has no row to say it
        self.metric = dict.fromkeys(lost["target"], "")
        self.metric |= dict(zip(frame["target"], frame["metric"], strict=True))
        self._arms = {*self._scores, *self._lost}
        tuned = {(target, corpora) for stage, corpora, target in self._arms if stage == FINE_TUNE}
        self.targets = sorted({target for target, _ in tuned})
        of_each = {t: sorted(c for target, c in tuned if target == t and c != t) for t in self.targets}
        larger = {t: [c for c in groups if gains.group_size(c) > 2] for t, groups in of_each.items()}
        self._groups = {t: larger[t] or of_each[t] for t in self.targets}

    @property
    def groups(self) -> list[tuple[str, str]]:
        """Each target with itself, then with its groups."""
        return [(t, c) for t in self.targets for c in (t, *self._groups[t])]

    @property
    def compared_groups(self) -> list[tuple[str, str]]:
        """Each target with its groups; with itself where it has none."""
        return [(t, c) for t in self.targets for c in self._groups[t] or (t,)]

    def source(self, corpora: str, target: str) -> str:
        return gains.group_name(corpora, target, self._names) if corpora != target else ""

    def scores(self, arm: str, corpora: str, target: str) -> Mapping[int, float]:
        """The arm's test scores by seed."""
        return self._scores.get(self._arm(arm, corpora, target), {})

    def lacking(self, arms: Sequence[str], corpora: str, target: str) -> str:
        """Missing runs of the arms, in words."""
        told = []
        for name in arms:
            arm = self._arm(name, corpora, target)
            if arm not in self._arms:
                told.append(f"{name}: not in this grid")
            elif arm in self._lost:
                told.append(f"{name}: {', '.join(self._lost[arm])}")
        return "; ".join(told)

    def arms_of(self, one: Contrast) -> set[tuple[str, str, str]]:
        """The stage, group and target of both arms."""
        return {self._arm(name, one.corpora, one.target) for name in (one.arm, one.against)}

    def shared(self, one: Contrast) -> list[int]:
        """The seeds that have both arms."""
        arm, against = (self.scores(name, one.corpora, one.target) for name in (one.arm, one.against))
        return sorted(set(arm) & set(against))

    def estimate(self, one: Contrast, evidence: Evidence | None) -> Estimate:
        """The mean gain over the shared seeds; see `estimate` for what ``evidence`` adds."""
        seeds = self.shared(one)
        if evidence is None or not seeds:
            arm, against = (self.scores(name, one.corpora, one.target) for name in (one.arm, one.against))
            return over_seeds(np.array([arm[seed] - against[seed] for seed in seeds]))
        arm, against = (self._arm(name, one.corpora, one.target) for name in (one.arm, one.against))
        return evidence.between([Cell(*against, s) for s in seeds], [Cell(*arm, s) for s in seeds])

    @staticmethod
    def _arm(name: str, corpora: str, target: str) -> tuple[str, str, str]:
        stage, joint = ARMS[name]
        return stage, corpora if joint else target, target


def _row(one: Contrast, arms: _Arms, found: Estimate, alpha: float) -> dict[str, Any]:
    """A contrast's arms, mean scores, gain and interval."""
    seeds = arms.shared(one)
    scores = [arms.scores(name, one.corpora, one.target) for name in (one.arm, one.against)]
    mean = [float(np.mean([own[seed] for seed in seeds])) if seeds else float("nan") for own in scores]
    reach = found.reach(alpha)
    return {
        **one._asdict(),
        "source": arms.source(one.corpora, one.target),
        "score": mean[0],
        "score_against": mean[1],
        "gain": found.gain,
        "ci_low": found.gain - reach,
        "ci_high": found.gain + reach,
        "seeds": len(seeds),
        "missing": arms.lacking((one.against, one.arm), one.corpora, one.target),
    }
