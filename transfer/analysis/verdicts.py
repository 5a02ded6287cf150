"""The rule of a verdict, for fixed and adaptive seeds; valid under repeated interim analyses.

Each look may make a share of the error (``interim_looks``), and an edge's p value is the least of its looks'
p values, each divided by its share. These p values are then corrected over all edges as those of a single
look would be. Edges that no verdict is to be expected of are given up; that adds no error, whatever the
forecast.
"""

import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np
from scipy.special import ndtr

from transfer.analysis.estimate import Estimate, stacked
from transfer.analysis.interim_looks import shares
from transfer.analysis.moderation import moderated

E = TypeVar("E")
CORRECTIONS = {"bh": "fdr_bh", "holm": "holm"}

# An edge gets no more seeds where those that are left would hardly decide it; nor do the edges of a joint
# arm where they would decide fewer of them than this, times the root of their number: the more of the arm's
# jobs are still to come, the more they must promise.
HOPELESS_EDGE, HOPELESS_ARM = 0.05, 0.065
FEWEST_DEGREES = 4  # of a variance that a forecast rests on


class Verdict(StrEnum):
    """The finding about a gain."""

    IMPROVES = "improves"
    HARMS = "harms"
    NO_EFFECT = "no effect"
    INCONCLUSIVE = "inconclusive"

    @classmethod
    def of_sign(cls, gain: float) -> "Verdict":
        """The claim of a gain that is significant."""
        return cls.IMPROVES if gain > 0 else cls.HARMS


CLAIMS = (Verdict.IMPROVES, Verdict.HARMS)


@dataclass(frozen=True)
class State:
    """The state of an edge: an estimate, the seeds behind it, p values over all looks.

    The estimate is that of the last look or, for a claim, of the look that it is based on; ``share`` is that
    look's share of the error. ``p_relevant`` is the p value that is corrected: it counts only looks whose
    gain is at least the smallest effect, and is 1 without any.
    """

    estimate: Estimate
    seeds: int
    p: float = math.nan
    p_relevant: float = math.nan
    p_equivalence: float = math.nan
    share: float = 1.0
    basis: "State | None" = None  # the look with the smallest p_relevant so far
    verdict: Verdict = Verdict.INCONCLUSIVE
    decided: bool = False

    @property
    def claimed(self) -> bool:
        return self.verdict in CLAIMS


class Verdicts(Generic[E]):
    """The edges of a grid, look by look. A function of the estimates it is given, and of nothing else."""

    def __init__(
        self,
        edges: Sequence[E],
        *,
        at: Sequence[int],
        smallest_effect: float,
        correction: str = "bh",
        alpha: float = 0.05,
        arms: Callable[[E], tuple[Hashable, Hashable]] | None = None,
        unlearned: Collection[E] = (),
        singles: int | None = None,
    ) -> None:
        """``at``: the numbers of seeds of the looks (``interim_looks``); ``smallest_effect`` in score units.

        ``arms`` names the two arms of an edge, that of the target alone first. Edges that share it
        lend each other variance (``moderation``); edges that share a joint arm get seeds together.
        Without it every edge stands alone. For ``unlearned`` edges `no effect` is never claimed.
        ``singles`` is the number of single-task runs at the last look, if they are not in proportion to
        those of the pairs. Raises ValueError for an unknown correction or a smallest effect that is not
        positive.
        """
        if correction not in CORRECTIONS:
            raise ValueError(f"unknown correction {correction!r}; known: {', '.join(CORRECTIONS)}")
        if not (math.isfinite(smallest_effect) and smallest_effect > 0):
            raise ValueError(f"smallest_effect must be a positive number, not {smallest_effect}")
        self.at = tuple(at)
        self.states: dict[E, State] = {}
        self._edges = tuple(edges)
        self._arms = {edge: arms(edge) if arms else None for edge in self._edges}
        self._estimates: dict[E, Estimate] = {}  # as they were given
        # the level that the strictest of the edges must pass, and that of an equivalence test on either side
        self._shares = shares(self.at, alpha / max(len(self._edges), 1))
        self._equivalence_shares = shares(self.at, 2 * alpha)
        self._smallest, self._correction, self._alpha = smallest_effect, correction, alpha
        self._singles, self._next = singles, 0
        self._unlearned = frozenset(unlearned)

    @property
    def open(self) -> tuple[E, ...]:
        """The edges that the next look needs, in order."""
        if self._next == len(self.at):
            return ()
        return tuple(e for e in self._edges if e not in self.states or not self.states[e].decided)

    @property
    def seeds(self) -> int:
        """Number of seeds of the next interim analysis."""
        return self.at[min(self._next, len(self.at) - 1)]

    def look(self, estimate: Callable[[E, int], Estimate]) -> None:
        """Takes ``estimate(edge, seeds)`` of the open edges, from their first ``seeds`` seeds."""
        edges = self.open
        for edge in edges:
            self._estimates[edge] = estimate(edge, self.seeds)
        steadied = self._moderated()
        for edge, seen in zip(edges, self._seen([steadied[edge] for edge in edges]), strict=True):
            self.states[edge] = _joined(self.states.get(edge), seen)
        adjusted = self.adjusted()
        for edge in edges:
            self.states[edge] = self._judged(edge, self.states[edge], adjusted[edge])
        for edge in self._hopeless():
            self.states[edge] = replace(self.states[edge], decided=True)
        self._next += 1

    def adjusted(self) -> Mapping[E, float]:
        """The p values of all edges, corrected for the looks and over the edges.

        An edge whose gain is below the smallest effect takes part with p = 1: precise small edges would
        otherwise raise the threshold for all others, and then not be claimed themselves.
        """
        p = np.array([state.p_relevant for state in self.states.values()], dtype=float)
        return dict(zip(self.states, corrected(p, self._correction).tolist(), strict=True))

    def selected_reach(self) -> Mapping[E, float]:
        """Half the interval of each edge that is claimed, adjusted for the selection.

        Of all such intervals 5 % (alpha) are expected to miss (false coverage rate, Benjamini and Yekutieli
        2005): with R claims among m edges each has the level 1 - R alpha / m, and its look's share of that
        where edges were looked at repeatedly. It leaves out 0, as the claim does.
        """
        claims = [edge for edge, state in self.states.items() if state.claimed]
        level = self._alpha * len(claims) / max(self._tests, 1)
        return {e: float(self.states[e].estimate.reach(level * self.states[e].share)) for e in claims}

    @property
    def first_level(self) -> float:
        """The level that a single claim must pass, at the last look if there are several."""
        return self._alpha / max(self._tests, 1) * self._shares[-1]

    @property
    def _tests(self) -> int:
        """The number of edges that take part in the correction."""
        return sum(not math.isnan(state.p) for state in self.states.values())

    def _moderated(self) -> dict[E, Estimate]:
        arms = [self._arms[edge] for edge in self._estimates]
        found = list(self._estimates.values())
        if None not in arms:
            found = moderated(found, [pair[0] for pair in arms if pair])
        return dict(zip(self._estimates, found, strict=True))

    def _seen(self, found: Sequence[Estimate]) -> list[State]:
        """This look's p values, each over its share of the error."""
        if not found:
            return []
        many = stacked(found)
        share, equivalence_share = self._shares[self._next], self._equivalence_shares[self._next]
        p = np.minimum(many.p / share, 1.0)
        relevant = np.where((np.abs(many.gain) < self._smallest) & ~np.isnan(p), 1.0, p)
        equivalence = np.minimum(many.p_equivalence(self._smallest) / equivalence_share, 1.0)
        return [
            State(estimate, estimate.seed_degrees + 1, *values, share=share)
            for estimate, *values in zip(
                found, p.tolist(), relevant.tolist(), equivalence.tolist(), strict=True
            )
        ]

    def _judged(self, edge: E, state: State, adjusted: float) -> State:
        if adjusted < self._alpha and state.basis:
            based = state.basis
            return replace(
                state,
                estimate=based.estimate,
                seeds=based.seeds,
                share=based.share,
                verdict=Verdict.of_sign(based.estimate.gain),
                decided=True,
            )
        if state.p_equivalence < self._alpha:
            # of runs that did not learn nothing is claimed, and more seeds would not make them learn
            verdict = Verdict.INCONCLUSIVE if edge in self._unlearned else Verdict.NO_EFFECT
            return replace(state, verdict=verdict, decided=True)
        return state

    def _hopeless(self) -> list[E]:
        """The open edges to be given up: see HOPELESS_ARM."""
        still = [edge for edge in self._edges if not self.states[edge].decided]
        if self._next == len(self.at) - 1 or not still:
            return []
        level = self._level(still)
        chance = dict(zip(still, self._chances(still, level), strict=True))
        joint = {edge: (self._arms[edge] or (None, edge))[1] for edge in still}
        decided = dict.fromkeys(joint.values(), 0.0)  # how many edges of an arm may be expected to be
        for edge in still:
            decided[joint[edge]] += chance[edge]
        too_few = HOPELESS_ARM * math.sqrt(self.at[-1] - self.at[self._next])
        return [e for e in still if chance[e] < HOPELESS_EDGE or decided[joint[e]] < too_few]

    def _level(self, still: Sequence[E]) -> float:
        """The level that one more edge's p must pass at the last look, if all gains stay what they are."""
        p = {edge: state.p_relevant for edge, state in self.states.items()}
        last = stacked([self.states[edge].estimate.with_seeds(self.at[-1], self._singles) for edge in still])
        foreseen = np.where(np.abs(last.gain) < self._smallest, 1.0, last.p / self._shares[-1])
        for edge, expected in zip(still, foreseen.tolist(), strict=True):
            p[edge] = _least(p[edge], expected)
        significant = int((corrected(np.array([*p.values()]), self._correction) < self._alpha).sum())
        count = max(len(self._edges), 1)
        if self._correction == "holm":
            return self._alpha / max(count - significant, 1)
        return self._alpha * min(significant + 1, count) / count

    def _chances(self, edges: Sequence[E], level: float) -> list[float]:
        """The chance of each edge that the last look decides it; 1 where unknown.

        The gain then is foreseen from this look's: it drifts by what the seeds still to come bring.
        """
        found, most = stacked([self.states[edge].estimate for edge in edges]), self.at[-1]
        now = np.array([self.states[edge].seeds for edge in edges])
        last = found.with_seeds(most, self._singles)
        claim = np.maximum(last.reach(level * self._shares[-1]), self._smallest)
        nothing = np.maximum(self._smallest - last.reach(2 * self._alpha * self._equivalence_shares[-1]), 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            drift = np.sqrt(np.maximum(found.over_seeds - last.over_seeds, 0.0))
            gain = np.abs(found.gain)
            chance = ndtr((gain - claim) / drift) + ndtr((-gain - claim) / drift)
            chance += ndtr((nothing - gain) / drift) - ndtr((-nothing - gain) / drift)
        unknown = ~found.known | (found.over_seeds_degrees < FEWEST_DEGREES) | (now >= most)
        return np.where(unknown, 1.0, chance).tolist()


def _joined(before: State | None, now: State) -> State:
    """An edge after one more look: its smallest p values, and the look that a claim would be based on."""
    if before is None:
        return replace(now, basis=now)
    earlier = before.basis
    keeps = earlier and not (now.p_relevant < earlier.p_relevant or math.isnan(earlier.p_relevant))
    return replace(
        now,
        p=_least(before.p, now.p),
        p_relevant=_least(before.p_relevant, now.p_relevant),
        p_equivalence=_least(before.p_equivalence, now.p_equivalence),
        basis=earlier if keeps else now,
    )


def corrected(p: np.ndarray, correction: str) -> np.ndarray:
    """p values corrected over the defined ones; undefined ones stay NaN and do not count."""
    from statsmodels.stats.multitest import multipletests  # slow to import, needed only here

    adjusted = np.full(len(p), math.nan)
    defined = ~np.isnan(p)
    if defined.any():
        adjusted[defined] = multipletests(p[defined], method=CORRECTIONS[correction])[1]
    return adjusted


def _least(a: float, b: float) -> float:
    """The smaller p value, at most 1; one that is not known does not count."""
    known = [p for p in (a, b) if not math.isnan(p)]
    return min(1.0, *known) if known else math.nan
