"""As many seeds as an edge needs: verdicts that may be looked at again and again.

Looking repeatedly finds something sooner or later, also where nothing is. So each look gets a share of the
error that may be made, the shares add up to 1 (a weighted Bonferroni correction, valid however the looks
depend on each other), and an edge's p value is the least of its looks' p values, each divided by its share.
These p values are then corrected over all edges as those of a single look would be.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from transfer.analysis.inference import Estimate

E = TypeVar("E")
CORRECTIONS = {"bh": "fdr_bh", "holm": "holm"}

GROWTH = 1.4  # from one look's number of seeds to the next one's
SPENDING = 3  # the share of the error spent by look k of n is (seeds of k / seeds of n) to this power
# An edge is given up where the seeds that are left would decide it in fewer studies than this.
HOPELESS = 0.05
FEWEST_TO_GIVE_UP = 5  # before that the spread over seeds is hardly known


def looks(first: int, most: int) -> tuple[int, ...]:
    """After how many seeds the edges are looked at.

    >>> looks(3, 10)
    (3, 5, 7, 10)
    """
    found = [first]
    while found[-1] < most:
        found.append(min(most, math.ceil(GROWTH * found[-1] - 1e-9)))
    return tuple(found)


def shares(at: Sequence[int]) -> tuple[float, ...]:
    """The share of the error that each look may make; they add up to 1.

    >>> [round(share, 3) for share in shares((3, 5, 7, 10))]
    [0.027, 0.098, 0.218, 0.657]
    """
    spent = [0.0, *((seeds / at[-1]) ** SPENDING for seeds in at)]
    return tuple(b - a for a, b in itertools.pairwise(spent))


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
    ) -> None:
        """``at``: the numbers of seeds of the looks, see ``looks``; ``smallest_effect`` in score units.

        Raises ValueError for an unknown correction or a smallest effect that is not positive.
        """
        if correction not in CORRECTIONS:
            raise ValueError(f"unknown correction {correction!r}; known: {', '.join(CORRECTIONS)}")
        if not (math.isfinite(smallest_effect) and smallest_effect > 0):
            raise ValueError(f"smallest_effect must be a positive number, not {smallest_effect}")
        self.at = tuple(at)
        self.states: dict[E, State] = {}
        self._edges = tuple(edges)
        self._shares = shares(at)
        self._smallest, self._correction, self._alpha = smallest_effect, correction, alpha
        self._next = 0

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
        for edge in self.open:
            self.states[edge] = self._looked_at(self.states.get(edge), estimate(edge, self.seeds))
        adjusted = self.adjusted()
        level = self._level(adjusted)
        for edge in self.open:
            self.states[edge] = self._judged(self.states[edge], adjusted[edge], level)
        self._next += 1

    def adjusted(self) -> Mapping[E, float]:
        """The p values of all edges, corrected for the looks and over the edges."""
        p = np.array([state.p for state in self.states.values()], dtype=float)
        return dict(zip(self.states, corrected(p, self._correction).tolist(), strict=True))

    def _looked_at(self, before: State | None, found: Estimate) -> State:
        share = self._shares[self._next]
        equivalence = found.p_equivalence(self._smallest)
        return State(
            found,
            found.seed_degrees + 1,
            _least(before.p if before else math.nan, found.p / share),
            _least(before.p_equivalence if before else math.nan, equivalence / share),
        )

    def _judged(self, state: State, adjusted: float, level: float) -> State:
        gain = state.estimate.gain
        if adjusted < self._alpha and abs(gain) >= self._smallest:
            verdict, decided = "improves" if gain > 0 else "harms", True
        elif state.p_equivalence < self._alpha:
            verdict, decided = "no effect", True
        else:
            verdict, decided = "inconclusive", self._hopeless(state, level)
        return State(state.estimate, state.seeds, state.p, state.p_equivalence, verdict, decided)

    def _level(self, adjusted: Mapping[E, float]) -> float:
        """The level that one more edge's p must pass, by what is significant so far."""
        count = max(len(self._edges), 1)
        significant = sum(p < self._alpha for p in adjusted.values())
        return self._alpha * min(significant + 1, count) / count

    def _hopeless(self, state: State, level: float) -> bool:
        """Whether even the last look would hardly decide: its gain is foretold from this one's."""
        most, now = self.at[-1], state.seeds
        if now < FEWEST_TO_GIVE_UP or now >= most or not state.estimate.known:
            return False
        found = state.estimate
        last = found.with_seeds(most)
        share = self._shares[-1]
        claim = max(last.reach(level * share), self._smallest)
        nothing = max(self._smallest - last.reach(2 * self._alpha * share), 0.0)
        drift = math.sqrt(found.seeds * (1 - now / most))  # of the mean, by the seeds still to come
        if drift == 0:
            return nothing <= abs(found.gain) <= claim
        below = _normal((nothing - found.gain) / drift) - _normal((-nothing - found.gain) / drift)
        beyond = 1 - _normal((claim - found.gain) / drift) + _normal((-claim - found.gain) / drift)
        return below + beyond < HOPELESS


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
