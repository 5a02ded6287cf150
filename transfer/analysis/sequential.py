"""As many seeds as an edge needs: verdicts that may be looked at again and again.

Each look may make a share of the error (``spending``), and an edge's p value is the least of its looks' p
values, each divided by its share. These p values are then corrected over all edges as those of a single look
would be. Edges that no verdict is to be expected of are given up; that adds no error, whatever the forecast.
"""

import math
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

import numpy as np

from transfer.analysis.inference import Estimate
from transfer.analysis.moderation import moderated
from transfer.analysis.spending import shares

E = TypeVar("E")
CORRECTIONS = {"bh": "fdr_bh", "holm": "holm"}

# An edge gets no more seeds where those that are left would hardly decide it; nor do the edges of a joint
# arm where they would decide fewer of them than this, times the root of their number: the more of the arm's
# jobs are still to come, the more they must promise.
HOPELESS_EDGE, HOPELESS_ARM = 0.05, 0.065
FEWEST_DEGREES = 4  # of a variance that a forecast rests on


@dataclass(frozen=True)
class State:
    """What is known of an edge: its last estimate, the seeds behind it, p values over all looks."""

    estimate: Estimate
    seeds: int
    p: float = math.nan
    p_equivalence: float = math.nan
    verdict: str = "inconclusive"
    decided: bool = False


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
    ) -> None:
        """``at``: the numbers of seeds of the looks (``spending.looks``); ``smallest_effect`` in score units.

        ``arms`` names the two arms of an edge, that of the target alone first. Edges that share it
        lend each other variance (``moderation``); edges that share a joint arm get seeds together.
        Without it every edge stands alone. For ``unlearned`` edges `no effect` is never claimed. Raises
        ValueError for an unknown correction or a smallest effect that is not positive.
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
        self._next = 0
        self._unlearned = frozenset(unlearned)

    @property
    def open(self) -> tuple[E, ...]:
        """The edges that the next look needs, in order."""
        if self._next == len(self.at):
            return ()
        return tuple(e for e in self._edges if e not in self.states or not self.states[e].decided)

    @property
    def seeds(self) -> int:
        """How many seeds the next look needs."""
        return self.at[min(self._next, len(self.at) - 1)]

    def look(self, estimate: Callable[[E, int], Estimate]) -> None:
        """Takes ``estimate(edge, seeds)`` of the open edges, from their first ``seeds`` seeds."""
        edges = self.open
        for edge in edges:
            self._estimates[edge] = estimate(edge, self.seeds)
        steadied = self._moderated()
        for edge in edges:
            self.states[edge] = self._with(self.states.get(edge), steadied[edge])
        adjusted = self.adjusted()
        for edge in edges:
            self.states[edge] = self._judged(edge, self.states[edge], adjusted[edge])
        for edge in self._hopeless():
            self.states[edge] = replace(self.states[edge], decided=True)
        self._next += 1

    def adjusted(self) -> Mapping[E, float]:
        """The p values of all edges, corrected for the looks and over the edges."""
        p = np.array([state.p for state in self.states.values()], dtype=float)
        return dict(zip(self.states, corrected(p, self._correction).tolist(), strict=True))

    def _moderated(self) -> dict[E, Estimate]:
        arms = [self._arms[edge] for edge in self._estimates]
        found = list(self._estimates.values())
        if None not in arms:
            found = moderated(found, [pair[0] for pair in arms if pair])
        return dict(zip(self._estimates, found, strict=True))

    def _with(self, before: State | None, found: Estimate) -> State:
        equivalence = found.p_equivalence(self._smallest) / self._equivalence_shares[self._next]
        return State(
            found,
            found.seed_degrees + 1,
            _least(before.p if before else math.nan, found.p / self._shares[self._next]),
            _least(before.p_equivalence if before else math.nan, equivalence),
        )

    def _judged(self, edge: E, state: State, adjusted: float) -> State:
        gain = state.estimate.gain
        if adjusted < self._alpha and abs(gain) >= self._smallest:
            return replace(state, verdict="improves" if gain > 0 else "harms", decided=True)
        if state.p_equivalence < self._alpha and edge not in self._unlearned:
            return replace(state, verdict="no effect", decided=True)
        return state

    def _hopeless(self) -> list[E]:
        """The open edges to be given up: see HOPELESS_ARM."""
        still = [edge for edge in self._edges if not self.states[edge].decided]
        if self._next == len(self.at) - 1 or not still:
            return []
        level = self._level(still)
        chance = {edge: self._chance(self.states[edge], level) for edge in still}
        joint = {edge: (self._arms[edge] or (None, edge))[1] for edge in still}
        decided = dict.fromkeys(joint.values(), 0.0)  # how many edges of an arm may be expected to be
        for edge in still:
            decided[joint[edge]] += chance[edge]
        too_few = HOPELESS_ARM * math.sqrt(self.at[-1] - self.at[self._next])
        return [e for e in still if chance[e] < HOPELESS_EDGE or decided[joint[e]] < too_few]

    def _level(self, still: Sequence[E]) -> float:
        """The level that one more edge's p must pass at the last look, if all gains stay what they are."""
        p = {edge: state.p for edge, state in self.states.items()}
        for edge in still:
            last = self.states[edge].estimate.with_seeds(self.at[-1])
            p[edge] = _least(p[edge], last.p / self._shares[-1])
        significant = int((corrected(np.array([*p.values()]), self._correction) < self._alpha).sum())
        count = max(len(self._edges), 1)
        if self._correction == "holm":
            return self._alpha / max(count - significant, 1)
        return self._alpha * min(significant + 1, count) / count

    def _chance(self, state: State, level: float) -> float:
        """The chance that the last look decides, whose gain is foretold from this one's; 1 where unknown."""
        found, most, now = state.estimate, self.at[-1], state.seeds
        if not found.known or found.seed_degrees + found.borrowed < FEWEST_DEGREES or now >= most:
            return 1.0
        last = found.with_seeds(most)
        claim = max(last.reach(level * self._shares[-1]), self._smallest)
        nothing = self._smallest - last.reach(2 * self._alpha * self._equivalence_shares[-1])
        drift = math.sqrt(found.seeds * (1 - now / most))  # of the mean, by the seeds still to come
        gain = abs(found.gain)
        chance = _normal((gain - claim) / drift) + _normal((-gain - claim) / drift)
        if nothing > 0:
            chance += _normal((nothing - gain) / drift) - _normal((-nothing - gain) / drift)
        return chance


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


def _normal(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))
