"""Intervals and tests for a gain, with both the seeds and the test items taken as drawn at random.

Other seeds would have given other gains, and so would another test set of the same kind. A t interval
over the seeds covers the first only: its gains all stand on the same items. ``two_way`` covers both.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr

from transfer.analysis.critical import critical_value, two_sided_p
from transfer.metrics import Measure

# Gains that are all equal leave a rounding residue near 1e-17 in their standard deviation; no
# score of a finite test set varies by less than this without being constant.
NO_VARIANCE = 1e-12
POWER = 0.8
ENOUGH = 6  # degrees of freedom of a variance for which Satterthwaite's approximation serves
DRAWS = 200  # quantiles that stand for the variance over seeds in a study like this one


class Estimate(NamedTuple):
    """A mean gain and its variances (score units).

    ``seeds`` and ``items`` are the variances over seeds and test items, followed by their degrees of
    freedom. ``borrowed`` counts further degrees of freedom that the variance over seeds has from other edges
    (see ``moderation``). ``unmatched`` is the variance that single-task runs without a joint run of their
    seed add, ``weight`` that of the matched ones in the gain (see ``combined``), and ``single`` the variance
    of a matched difference that its single run makes, 0 where that is not known. ``items`` is NaN where it
    is unknown: then everything but the gain is. Fields may be arrays that broadcast: many estimates at once.
    """

    gain: Any
    seeds: Any
    items: Any
    seed_degrees: Any
    item_degrees: Any
    borrowed: Any = 0.0
    unmatched: Any = 0.0
    unmatched_degrees: Any = 0
    weight: Any = 1.0
    single: Any = 0.0

    def plain(self) -> "Estimate":
        """One estimate with Python's own numbers."""
        counts = {"seed_degrees": int(self.seed_degrees), "unmatched_degrees": int(self.unmatched_degrees)}
        return Estimate(*map(float, self))._replace(**counts)

    @property
    def over_seeds(self) -> Any:
        """The variance of the gain over seeds, of matched and unmatched runs."""
        return self.seeds + self.unmatched

    @property
    def over_seeds_degrees(self) -> Any:
        """Degrees of freedom of ``over_seeds`` (Satterthwaite 1946)."""
        own = np.maximum(self.seed_degrees + self.borrowed, 1)
        further = np.maximum(self.unmatched_degrees, 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            both = self.over_seeds**2 / (self.seeds**2 / own + self.unmatched**2 / further)
        return np.where(self.unmatched > 0, both, self.seed_degrees + self.borrowed)

    @property
    def error(self) -> Any:
        """The standard error of the gain."""
        return np.sqrt(self.over_seeds + self.items)

    @property
    def known(self) -> Any:
        """Whether the variances are known, and with them more than the gain itself."""
        return (np.sqrt(self.seeds) > NO_VARIANCE) & (self.seed_degrees > 0) & np.isfinite(self.items)

    def reach(self, alpha: float) -> Any:
        """Half the length of the 1 - ``alpha`` interval; NaN where the variances are unknown."""
        variances, degrees = self._components
        return critical_value(variances, degrees, alpha) * np.sqrt(sum(variances))

    @property
    def p(self) -> Any:
        """The two-sided p value of no gain: the level whose interval just reaches 0."""
        return _plain(two_sided_p(self.gain, *self._components))

    def p_equivalence(self, margin: float) -> Any:
        """The p value of a gain of at least ``margin`` either way, by two one-sided tests.

        Below alpha just where the 1 - 2 alpha interval lies inside the margin (Schuirmann 1987); at
        least one half where the gain itself does not.
        """
        inside = margin - np.abs(self.gain)
        half = two_sided_p(inside, *self._components) / 2
        return _plain(np.where(inside >= 0, half, 1 - half))

    @property
    def _components(self) -> tuple[list[Any], list[Any]]:
        """The variances and their degrees of freedom; NaN where unknown.

        Matched and unmatched runs count as one variance where the degrees of freedom of both allow for it.
        """
        own = self.seed_degrees + self.borrowed
        if not np.any(self.unmatched):
            variances, degrees = [self.seeds, self.items], [own, self.item_degrees]
        else:
            one = own >= ENOUGH
            variances = [
                np.where(one, self.over_seeds, self.seeds),
                np.where(one, 0.0, self.unmatched),
                self.items,
            ]
            degrees = [
                np.where(one, self.over_seeds_degrees, own),
                self.unmatched_degrees,
                self.item_degrees,
            ]
        return [np.where(self.known, variance, np.nan) for variance in variances], degrees

    def with_seeds(self, count: int, singles: int | None = None) -> "Estimate":
        """The expected variances of the same study with ``count`` seeds and so many single-task runs.

        Without ``singles`` their number grows in proportion.
        """
        now = np.maximum(self.seed_degrees + 1, 1)
        if not np.any(self.unmatched):
            return self._replace(seeds=self.seeds * now / count, seed_degrees=count - 1)
        runs = np.maximum(self.unmatched_degrees + 1, now)
        later = np.floor(runs * count / now) if singles is None else np.maximum(singles, count)
        with np.errstate(divide="ignore", invalid="ignore"):
            matching = np.where(runs > now, (self.weight - now / runs) / (1 - now / runs), 1.0)
            one = np.where(runs > now, self.unmatched * (runs - now) / (1 - self.weight) ** 2, 0.0)
            weight = count / later + matching * (1 - count / later)
            unmatched = np.where(later > count, (1 - weight) ** 2 * one / (later - count), 0.0)
        # the variance of a matched difference changes with the weight of its single run
        change = weight**2 - self.weight**2 - 2 * matching * (weight - self.weight)
        return self._replace(
            seeds=np.maximum(self.seeds * now + one * change, 0.0) / count,
            seed_degrees=count - 1,
            unmatched=unmatched,
            unmatched_degrees=later - 1,
            weight=weight,
        )

    def detectable(self, alpha: float, smallest: float = 0.0) -> float:
        """The minimum detectable effect: found in 80 % of studies like this one (of one estimate).

        Found means: significant at ``alpha``, and measured as at least ``smallest``. The variance over seeds
        differs between such studies as its degrees of freedom say.
        """
        if not self.known:
            return math.nan
        free = max(float(self.seed_degrees + self.borrowed), 1.0)
        factors = chdtri(free, (np.arange(DRAWS) + 0.5) / DRAWS) / free
        asked = np.maximum(self._replace(seeds=self.seeds * factors).reach(alpha), smallest)
        error = float(self.error)

        def missing(gain: float) -> float:
            return float((ndtr((gain - asked) / error) + ndtr((-gain - asked) / error)).mean()) - POWER

        return float(brentq(missing, 0.0, float(asked.max()) + 10 * error))  # type: ignore[arg-type]


def stacked(found: Sequence[Estimate]) -> Estimate:
    """Many estimates as one of arrays."""
    table = np.array(found, dtype=float).reshape(len(found), len(Estimate._fields))
    return Estimate(*table.T)


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
    never less than nothing. One document says nothing of how others would do: then ``items`` is NaN.
    """
    seeds, documents = shares.shape[-2:]
    found = over_seeds(gains)
    if documents < 2:
        return found._replace(items=np.full_like(found.seeds, np.nan))
    if seeds < 2:
        return found
    by_document = shares.mean(axis=-2)
    surplus = by_document.var(axis=-1, ddof=1) - _interaction(shares) / seeds
    return found._replace(
        items=np.maximum(surplus, 0.0) / documents, item_degrees=_effective_degrees(by_document)
    )


class Runs(NamedTuple):
    """An arm's scores [..., seeds] and, where known, the documents' shares [..., seeds, documents]."""

    scores: np.ndarray
    shares: np.ndarray | None = None

    def first(self, count: int) -> "Runs":
        """The first ``count`` seeds."""
        return Runs(self.scores[..., :count], None if self.shares is None else self.shares[..., :count, :])

    def after(self, count: int) -> "Runs":
        """All seeds after the first ``count``."""
        return Runs(self.scores[..., count:], None if self.shares is None else self.shares[..., count:, :])


def combined(joint: Runs, single: Runs, matching: float) -> Estimate:
    """The gain of ``joint`` [n seeds] over ``single`` [m >= n seeds, those of ``joint`` first].

    The best linear combination where ``matching`` is the regression of a joint score on the single score
    of its seed, with equal variances of single runs: the matched runs weigh n/m + matching (1 - n/m), the
    further ones the rest (a control variate). The weight is given, so the two parts are independent and
    each has a variance of its own, estimated from n matched differences and from all m single runs. With
    m = n this is the paired difference, whatever ``matching`` is.
    """
    n, m = joint.scores.shape[-1], single.scores.shape[-1]
    weight = n / m + matching * (1 - n / m)
    matched = single.first(n)
    gains = joint.scores - weight * matched.scores
    if joint.shares is None or single.shares is None or matched.shares is None:
        found, shares = over_seeds(gains), None
    else:
        shares = joint.shares - weight * matched.shares
        found = crossed(gains, shares)
    if m > 1:
        found = found._replace(single=weight**2 * single.scores.var(axis=-1, ddof=1))
    if m == n:
        return found
    rest, further = 1 - weight, m - n
    found = found._replace(
        gain=found.gain - rest * single.scores[..., n:].mean(axis=-1),
        unmatched=rest**2 * single.scores.var(axis=-1, ddof=1) / further,
        unmatched_degrees=m - 1,
        weight=weight,
    )
    if shares is None or single.shares is None or n < 2 or shares.shape[-1] < 2:
        return found
    by_document = shares.mean(axis=-2) - rest * single.shares[..., n:, :].mean(axis=-2)
    noise = _interaction(shares) / n + rest**2 * _interaction(single.shares) / further
    surplus = by_document.var(axis=-1, ddof=1) - noise
    return found._replace(
        items=np.maximum(surplus, 0.0) / shares.shape[-1], item_degrees=_effective_degrees(by_document)
    )


def _effective_degrees(by_document: np.ndarray) -> Any:
    """Degrees of freedom of the variance of [..., documents], fewer where a few documents make most of it.

    The variance of a variance follows from the kurtosis: with normal values that gives the documents less
    one, with very unequal documents or heavy tails those of a normal sample with the same uncertainty.
    """
    documents = by_document.shape[-1]
    off = by_document - by_document.mean(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        kurtosis = (off**4).mean(axis=-1) / (off**2).mean(axis=-1) ** 2
        degrees = np.where(kurtosis > 1, 2 * documents / (kurtosis - 1), documents - 1.0)
    return _plain(np.clip(degrees, 1.0, documents - 1.0))


def _interaction(shares: np.ndarray) -> np.ndarray:
    """The mean square of what neither seeds nor documents explain."""
    seeds, documents = shares.shape[-2:]
    rest = shares - shares.mean(axis=-2, keepdims=True) - shares.mean(axis=-1, keepdims=True)
    rest += shares.mean((-2, -1), keepdims=True)
    return (rest**2).sum((-2, -1)) / ((seeds - 1) * (documents - 1))


def _plain(values: np.ndarray) -> Any:
    """A float where there is one value."""
    return values if np.ndim(values) else float(values)


def shares(parts: np.ndarray, measure: Measure) -> np.ndarray:
    """Each document's share in the score of its arm, from [..., documents, k] parts: [..., documents].

    The jackknife's pseudo-value: n times the score of all, less n - 1 times that of all but the one.
    """
    documents = parts.shape[-2]
    sums = parts.sum(axis=-2, keepdims=True)
    return documents * measure.value(sums) - (documents - 1) * measure.value(sums - parts)
