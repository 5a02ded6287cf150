"""How sure one may be of a gain, with both the seeds and the test items taken as drawn at random.

Other seeds would have given other gains, and so would another test set of the same kind. A t interval
over the seeds knows of the first only: its gains all stand on the same items. ``two_way`` knows both.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import stdtrit

from transfer.metrics import Measure

# Gains that are all equal leave a rounding residue near 1e-17 in their standard deviation; no
# score of a finite test set varies by less than this without being constant.
NO_VARIANCE = 1e-12
POWER = 0.8
SMALLEST_P = 1e-50  # the quantile of t with a few degrees of freedom overflows beyond


class Estimate(NamedTuple):
    """A mean gain and how far it may be off (score units).

    ``seeds`` and ``items`` are its two variances; their degrees of freedom follow. A variance that
    is not known makes everything but the gain NaN. The first three may be arrays of one shape:
    many estimates with the same numbers of seeds and items. ``borrowed``: what the variance over seeds
    knows from other edges, in degrees of freedom (see ``moderation``).
    """

    gain: Any
    seeds: Any
    items: Any
    seed_degrees: int
    item_degrees: int
    borrowed: float = 0.0

    @property
    def error(self) -> Any:
        """The standard error of the gain."""
        return np.sqrt(self.seeds + self.items)

    @property
    def known(self) -> Any:
        """Whether there is anything to say beyond the gain itself."""
        return (np.sqrt(self.seeds) > NO_VARIANCE) & (self.seed_degrees > 0) & np.isfinite(self.items)

    def reach(self, alpha: float) -> Any:
        """Half the length of the 1 - ``alpha`` interval.

        The quantiles of the two variances' own t distributions, weighted by the variances (Cochran
        1964 for means with unequal variances): exact where either of them is all there is.
        """
        total = np.where(self.known, self.seeds + self.items, np.nan)
        return self._weighted(alpha) / np.sqrt(total)

    def _weighted(self, alpha: float) -> Any:
        """The variances times their quantiles."""
        by_seeds = -stdtrit(max(self.seed_degrees, 1) + self.borrowed, alpha / 2)
        by_items = -stdtrit(max(self.item_degrees, 1), alpha / 2)
        return self.seeds * by_seeds + self.items * by_items

    @property
    def p(self) -> float:
        """The two-sided p value of no gain (of one estimate): the level whose interval just reaches 0."""
        return self._level_that_reaches(abs(self.gain))

    def p_equivalence(self, margin: float) -> float:
        """The p value of a gain of at least ``margin`` either way, by two one-sided tests (of one estimate).

        Below alpha just where the 1 - 2 alpha interval lies inside the margin (Schuirmann 1987); at
        least one half where the gain itself does not.
        """
        inside = margin - abs(self.gain)
        half = self._level_that_reaches(abs(inside)) / 2
        return half if inside >= 0 else 1 - half

    def _level_that_reaches(self, distance: float) -> float:
        if not self.known:
            return math.nan
        if distance == 0:
            return 1.0
        plain = self._replace(seeds=float(self.seeds), items=float(self.items))  # arrays are slow here
        weighted = distance * math.sqrt(plain.seeds + plain.items)
        if plain._weighted(SMALLEST_P) < weighted:
            return SMALLEST_P
        log_p = brentq(lambda x: plain._weighted(math.exp(x)) - weighted, math.log(SMALLEST_P), 0.0)
        return math.exp(float(log_p))  # type: ignore[arg-type]

    def with_seeds(self, count: int) -> "Estimate":
        """What is to be expected of the same study with ``count`` seeds: its gain, its variances."""
        now = max(self.seed_degrees + 1, 1)
        return self._replace(seeds=self.seeds * now / count, seed_degrees=count - 1)

    def detectable(self, alpha: float) -> Any:
        """The gain that a test at ``alpha`` finds in 4 of 5 studies like this one."""
        return self.reach(alpha) + self.reach(2 * (1 - POWER))


def over_seeds(gains: np.ndarray) -> Estimate:
    """Student's paired t: the mean of the seeds' gains [..., seeds], the test items taken as given."""
    values = np.asarray(gains, dtype=float)
    count = values.shape[-1]
    if count == 0:
        return Estimate(math.nan, 0.0, 0.0, -1, 0)
    variance = values.var(axis=-1, ddof=1) / count if count > 1 else np.zeros(values.shape[:-1])
    return Estimate(values.mean(axis=-1), variance, np.zeros_like(variance), count - 1, 0)


def two_way(single: np.ndarray, joint: np.ndarray, measure: Measure) -> Estimate:
    """The mean gain of ``joint`` over ``single``, [..., seeds, documents, k] parts of ``measure``."""
    gains = measure.value(joint.sum(axis=-2)) - measure.value(single.sum(axis=-2))
    return crossed(gains, shares(joint, measure) - shares(single, measure))


def crossed(gains: np.ndarray, shares: np.ndarray) -> Estimate:
    """The mean of ``gains`` [..., seeds], of which each document has its share [..., seeds, documents].

    Seeds and documents are crossed random effects. A document's share in a seed's gain is its
    jackknife pseudo-value, which makes any score that is a function of sums into a mean (Tukey
    1958); the variances are those of the two-way table of these shares without replication. Of a
    document's mean square only what its interaction with the seeds does not explain is added, and
    never less than nothing.
    """
    seeds, documents = shares.shape[-2:]
    if seeds < 2 or documents < 2:
        return over_seeds(gains)
    by_document = shares.mean(axis=-2, keepdims=True)
    rest = shares - by_document - shares.mean(axis=-1, keepdims=True) + shares.mean((-2, -1), keepdims=True)
    interaction = (rest**2).sum((-2, -1)) / ((seeds - 1) * (documents - 1))
    surplus = seeds * by_document[..., 0, :].var(axis=-1, ddof=1) - interaction
    return Estimate(
        gains.mean(axis=-1),
        gains.var(axis=-1, ddof=1) / seeds,
        np.maximum(surplus, 0.0) / (seeds * documents),
        seeds - 1,
        documents - 1,
    )


def shares(parts: np.ndarray, measure: Measure) -> np.ndarray:
    """Each document's share in the score of its arm, from [..., documents, k] parts: [..., documents].

    The jackknife's pseudo-value: n times the score of all, less n - 1 times that of all but the one.
    """
    documents = parts.shape[-2]
    sums = parts.sum(axis=-2, keepdims=True)
    return documents * measure.value(sums) - (documents - 1) * measure.value(sums - parts)
