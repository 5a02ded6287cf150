"""References: the rule of version 0.1.0 before its error was spent, and the paired t test over seeds.

Both take arrays [grids, edges]. The released rule has moderated variances whose prior has 6 degrees of
freedom at most, weighs the quantiles by the variances (Cochran), and drops small gains after the correction.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import digamma, polygamma, stdtr, stdtrit
from simulated_grids import SMALLEST, TARGETS

from transfer.analysis.moderation import _trigamma_inverse

ALPHA = 0.05
APART, SHARED = 0.4, 0.25
HALVINGS = 24


class Judged(NamedTuple):
    """By edge: half its 95 % interval, half that of a claim, which are claimed, which called no effect."""

    reach: np.ndarray
    selected: np.ndarray  # the same as ``reach`` where the rule adjusts nothing
    claimed: np.ndarray
    no_effect: np.ndarray


def released(gain: np.ndarray, seeds: np.ndarray, items: np.ndarray, count: int, item_degrees: int) -> Judged:
    """Verdicts of the released rule; ``seeds`` and ``items`` are variances of gains over ``count`` seeds."""
    seeds, degrees = _moderated(seeds, count)

    def reach(alpha: np.ndarray | float) -> np.ndarray:
        by_seeds, by_items = -stdtrit(degrees, alpha / 2), -stdtrit(item_degrees, alpha / 2)
        return (seeds * by_seeds + items * by_items) / np.sqrt(seeds + items)

    low, high = np.full(gain.shape, np.log(1e-12)), np.zeros(gain.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        beyond = reach(np.exp(middle)) > np.abs(gain)
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return _judged(gain, np.exp(high), reach(ALPHA), reach(2 * ALPHA))


def t_test(gain: np.ndarray, seeds: np.ndarray, count: int) -> Judged:
    """Verdicts of the paired t test over seeds, test items taken as given."""
    error = np.sqrt(seeds)
    p = 2 * stdtr(count - 1, -np.abs(gain) / error)
    reach, inner = (-stdtrit(count - 1, alpha / 2) * error for alpha in (ALPHA, 2 * ALPHA))
    return _judged(gain, p, reach, inner)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Adjusted p values [grids, edges]."""
    order, count = np.argsort(p, axis=-1), p.shape[-1]
    scaled = np.take_along_axis(p, order, -1) * count / np.arange(1, count + 1)
    scaled = np.minimum.accumulate(scaled[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(scaled, 1.0), -1)
    return adjusted


def _judged(gain: np.ndarray, p: np.ndarray, reach: np.ndarray, inner: np.ndarray) -> Judged:
    claimed = (benjamini_hochberg(p) < ALPHA) & (np.abs(gain) >= SMALLEST)
    return Judged(reach, reach, claimed, ~claimed & (np.abs(gain) + inner < SMALLEST))


def _moderated(seeds: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Moderated variances and their degrees of freedom, all grids at once."""
    own, of_target = count - 1.0, np.bincount(TARGETS)[0]
    targets = TARGETS.max() + 1
    variance = (seeds * count).reshape(-1, targets, of_target)
    log = np.log(variance) - digamma(own / 2) + np.log(own / 2)
    free = targets * (of_target - 1)
    apart = ((log - log.mean(-1, keepdims=True)) ** 2).sum((-2, -1)) / free
    within = np.maximum(apart - (1 - SHARED) * polygamma(1, own / 2), APART)[:, None, None]

    def of_mean(edges: int) -> np.ndarray:
        return polygamma(1, own * edges / (1 + (edges - 1) * SHARED) / 2) + within / edges

    total = variance.sum(-1, keepdims=True)
    precision = 1 / of_mean(of_target - 1) * np.ones_like(variance)
    centre = precision * np.log((total - variance) / (of_target - 1))
    level = np.log(total / of_target)
    between = level.var(-2, ddof=1, keepdims=True) - of_mean(of_target)
    weight = 1 / (np.maximum(between, 0.0) + of_mean(of_target))
    rest = weight * (targets - 1)
    known = 1 / (np.maximum(between, 0.0) + 1 / rest)
    precision = precision + known
    centre = centre + known * (level.sum(-2, keepdims=True) - level) / (targets - 1)
    lent = 2 * _trigamma_inverse(within + 1 / precision)
    steadied = (lent * np.exp(centre / precision) + own * variance) / (lent + own)
    return steadied.reshape(seeds.shape) / count, (lent + own).reshape(seeds.shape)
