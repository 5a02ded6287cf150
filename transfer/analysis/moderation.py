"""Variances over few seeds, steadied by those of like edges.

A variance from 3 seeds has 2 degrees of freedom: it may be off by ten times either way, and an interval must
allow for that. Other edges of the same target, and other targets of the grid, tell what variance to expect,
and how much edges differ in it; each edge's own is drawn towards that as far as they agree, and has the
degrees of freedom of both (the moderated variance of Smyth 2004, which limma made the standard of studies
with few replicates). Where edges differ much nothing is borrowed, and the interval is the edge's own.

Smyth's prior is one for all. Here tasks differ by much more than the edges of one task, and there are tens
of edges, not thousands. So the prior of an edge is made from the others of its target and from the other
targets, it allows for how little so few of them tell, and for edges that differ more than seen.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.special import digamma, polygamma

from transfer.analysis.inference import Estimate

# Edges of one target are never taken to be more alike than this variance of their log variances (then the
# prior has 6 degrees of freedom): a few variances from few seeds cannot show that they are all one.
APART = 0.4
# Two edges of a target share the arm alone, thus half of the variance of their gains, which correlates
# their variances by a half squared.
SHARED = 0.25
LEAST_EDGES = 3  # of a target that tell of one another
LEAST_TARGETS = 6  # of a grid that tell of one another


def moderated(found: Sequence[Estimate], kin: Sequence[Hashable]) -> list[Estimate]:
    """The estimates with moderated variances over seeds; edges with equal ``kin`` share the arm alone.

    Those without a known variance neither give nor take.
    """
    known = [i for i, estimate in enumerate(found) if bool(estimate.known)]
    result = list(found)
    if len(known) < LEAST_EDGES:
        return result
    own = np.array([found[i].seed_degrees for i in known], dtype=float)
    variance = np.array([float(found[i].seeds) * (found[i].seed_degrees + 1) for i in known])
    groups = {name: i for i, name in enumerate(dict.fromkeys(kin[i] for i in known))}
    target = np.array([groups[kin[i]] for i in known])
    expected, degrees = _prior(variance, own, target)
    steadied = (degrees * expected + own * variance) / (degrees + own)
    for i, value, borrowed in zip(known, steadied.tolist(), degrees.tolist(), strict=True):
        estimate = found[i]
        result[i] = estimate._replace(seeds=value / (estimate.seed_degrees + 1), borrowed=borrowed)
    return result


def _prior(variance: np.ndarray, own: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each edge's expected variance and the degrees of freedom of that expectation; 0 where there is none.

    Variances are expected to be the mean of those of like edges, which large ones sway more than small
    ones: of unlike edges it is too large rather than too small. How unlike they are is read off their
    logarithms, whose errors are known: ``within`` is the variance of the true ones about their target's
    mean, ``between`` that of the targets.
    """
    log = np.log(variance) - digamma(own / 2) + np.log(own / 2)
    error = float(polygamma(1, own / 2).mean())
    count = np.bincount(target).astype(float)
    total, mean = np.bincount(target, variance), np.bincount(target, log) / count
    free = len(log) - len(count)
    apart = float(((log - mean[target]) ** 2).sum()) / free if free else 0.0
    within = max(apart - (1 - SHARED) * error, APART)

    def of_mean(edges: np.ndarray) -> np.ndarray:
        """The variance of the logarithm of the mean variance of so many edges of a target."""
        pooled = own.mean() * edges / (1 + (edges - 1) * SHARED)  # degrees of freedom
        return polygamma(1, pooled / 2) + within / edges

    precision, centre = np.zeros(len(log)), np.zeros(len(log))
    others = count[target] - 1
    enough = others >= LEAST_EDGES - 1
    precision[enough] = 1 / of_mean(others[enough])
    centre[enough] = precision[enough] * np.log((total[target] - variance)[enough] / others[enough])
    if len(count) >= LEAST_TARGETS:
        level = np.log(total / count)
        between = max(float(level.var(ddof=1) - of_mean(count).mean()), 0.0)
        weight = 1 / (between + of_mean(count))
        rest = weight.sum() - weight
        known = 1 / (between + 1 / rest)
        precision += known[target]
        centre += (known * ((weight * level).sum() - weight * level) / rest)[target]
    degrees, expected = np.zeros(len(log)), np.ones(len(log))
    there = precision > 0
    degrees[there] = 2 * _trigamma_inverse(within + 1 / precision[there])
    expected[there] = np.exp(centre[there] / precision[there])
    return expected, degrees


def _trigamma_inverse(x: np.ndarray) -> np.ndarray:
    """By Newton's method on 1 / trigamma, which is nearly straight (Smyth 2004, appendix)."""
    y = 0.5 + 1 / x
    for _ in range(20):
        value = polygamma(1, y)
        y = y + value * (1 - value / x) / polygamma(2, y)
    return y
