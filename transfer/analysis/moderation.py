"""Variances over few seeds, steadied by those of like edges.

A variance from 3 seeds has 2 degrees of freedom: it may be off by ten times either way, and an interval must
allow for that. Other edges of the same target, and other targets of the grid, tell what variance to expect,
and how much edges differ in it; each edge's own is drawn towards that as far as they agree, and has the
degrees of freedom of both (the moderated variance of Smyth 2004, which limma made the standard of studies
with few replicates). Where edges differ much nothing is borrowed, and the interval is the edge's own.

Smyth's prior is one for all. Here tasks differ by much more than the edges of one task, and there are tens
of edges, not thousands. So the prior of an edge is made from the others of its target and from the other
targets, it allows for how little so few of them tell, and for edges that differ more than seen. An edge whose
own variance is larger than its prior makes credible borrows less (as in Phipson et al. 2016).
"""

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.special import digamma, fdtrc, polygamma

from transfer.analysis.estimate import Estimate

# Edges of one target are never taken to be more alike than this variance of their log variances (then the
# prior has 14 degrees of freedom): a few variances from few seeds cannot show that they are all one.
APART = 0.15
# Two edges of a target share the single arm, thus half of the variance of their gains where arms vary alike;
# their variances correlate by the square of that. The share is read off the single runs, but is never taken
# to be less, nor to be all: then the edges of a target would be one.
SHARE, MOST_SHARED = 0.5, 0.95
LEAST_EDGES = 3  # of a target that tell of one another
LEAST_TARGETS = 6  # of a grid that tell of one another
# An edge borrows less where fewer than this many edges of the grid would have a variance so large by chance.
CREDIBLE = 10.0


def moderated(found: Sequence[Estimate], kin: Sequence[Hashable]) -> list[Estimate]:
    """The estimates with moderated variances over seeds; edges with equal ``kin`` share the arm alone.

    An edge whose gains do not vary over its seeds gives nothing and takes what others tell. Those whose
    variance is unknown for another reason neither give nor take.
    """
    taking = [i for i, e in enumerate(found) if e.seed_degrees > 0 and np.isfinite(e.seeds + e.items)]
    gives = np.array([bool(found[i].known) for i in taking])
    result = list(found)
    if gives.sum() < LEAST_EDGES:
        return result
    own = np.array([found[i].seed_degrees for i in taking], dtype=float)
    variance = np.array([float(found[i].seeds) * (found[i].seed_degrees + 1) for i in taking])
    groups = {name: i for i, name in enumerate(dict.fromkeys(kin[i] for i in taking))}
    target = np.array([groups[kin[i]] for i in taking])
    shared = _share(np.array([float(found[i].single) for i in taking]), variance, target, gives) ** 2
    expected, degrees = _prior(variance, own, target, gives, shared)
    degrees *= np.minimum(
        1.0, gives.sum() / CREDIBLE * fdtrc(own, np.maximum(degrees, 1), variance / expected)
    )
    steadied = (degrees * expected + own * variance) / (degrees + own)
    for i, value, borrowed in zip(taking, steadied.tolist(), degrees.tolist(), strict=True):
        if borrowed:
            estimate = found[i]
            result[i] = estimate._replace(seeds=value / (estimate.seed_degrees + 1), borrowed=borrowed)
    return result


def _share(single: np.ndarray, variance: np.ndarray, target: np.ndarray, gives: np.ndarray) -> float:
    """The share of the variance of gains that comes from the single arm, over all targets."""
    known = gives & (single > 0)
    if not known.any():
        return SHARE
    _, place = np.unique(target[known], return_inverse=True)
    ratio = np.bincount(place, single[known]) / np.bincount(place, variance[known])
    return float(np.clip(ratio.mean(), SHARE, MOST_SHARED))


def _prior(
    variance: np.ndarray, own: np.ndarray, target: np.ndarray, gives: np.ndarray, shared: float
) -> tuple[np.ndarray, np.ndarray]:
    """Each edge's expected variance and the degrees of freedom of that expectation; 0 where there is none.

    Variances are expected to be the mean of those of like edges, which large ones sway more than small
    ones: of unlike edges it is too large rather than too small. How unlike they are is read off their
    logarithms, whose errors are known: ``within`` is the variance of the true ones about their target's
    mean, ``between`` that of the targets. ``shared`` is the correlation of the variances of one target's
    edges; so much of what its other edges tell is known from the edge itself.
    """
    edges, targets = len(variance), int(target.max()) + 1
    log = np.zeros(edges)
    log[gives] = np.log(variance[gives]) - digamma(own[gives] / 2) + np.log(own[gives] / 2)
    error = float(polygamma(1, own[gives] / 2).mean())
    count = np.bincount(target[gives], minlength=targets).astype(float)
    total = np.bincount(target[gives], variance[gives], minlength=targets)
    mean = np.bincount(target[gives], log[gives], minlength=targets) / np.maximum(count, 1)
    free = gives.sum() - np.count_nonzero(count)
    apart = float(((log - mean[target])[gives] ** 2).sum()) / free if free else 0.0
    within = max(apart - (1 - shared) * error, APART)

    def of_mean(edges: np.ndarray) -> np.ndarray:
        """The variance of the logarithm of the mean variance of so many edges of a target."""
        pooled = own[gives].mean() * edges / (1 + (edges - 1) * shared)  # degrees of freedom
        return polygamma(1, pooled / 2) + within / edges

    precision, centre = np.zeros(edges), np.zeros(edges)
    others = count[target] - gives
    enough = others >= LEAST_EDGES - 1
    precision[enough] = (1 - shared) / of_mean(others[enough])
    rest = (total[target] - np.where(gives, variance, 0.0))[enough]
    centre[enough] = precision[enough] * np.log(rest / others[enough])
    there = count > 0
    if there.sum() >= LEAST_TARGETS:
        level = np.log(total[there] / count[there])
        between = max(float(level.var(ddof=1) - of_mean(count[there]).mean()), 0.0)
        weight, weighted = np.zeros(targets), np.zeros(targets)
        weight[there] = 1 / (between + of_mean(count[there]))
        weighted[there] = weight[there] * level
        left = weight.sum() - weight
        known = 1 / (between + 1 / left)
        precision += known[target]
        centre += (known * (weighted.sum() - weighted) / left)[target]
    degrees, expected = np.zeros(edges), np.ones(edges)
    told = precision > 0
    degrees[told] = 2 * _trigamma_inverse(within + 1 / precision[told])
    expected[told] = np.exp(centre[told] / precision[told])
    return expected, degrees


def _trigamma_inverse(x: np.ndarray) -> np.ndarray:
    """By Newton's method on 1 / trigamma, which is nearly straight (Smyth 2004, appendix)."""
    y = 0.5 + 1 / x
    for _ in range(8):
        value = polygamma(1, y)
        y = y + value * (1 - value / x) / polygamma(2, y)
    return y
