"""Expected gains: measured gains shrunk toward what all gains of a grid suggest.

The option that looks best is on average not as good as it looks. An expected gain is the posterior mean of
a true gain, under a prior that is estimated from all gains of the grid; a posterior mean needs no further
correction for having been selected. The prior is a spike and slab (Mitchell and Beauchamp 1988): a true gain
is 0, or normal around 0. How many are not 0, and how widely they vary, are averaged over by how well each
pair of values explains the measured gains, so a grid that says little is shrunk more.

Two errors are shared or uncertain. All gains of a target rest on its single-task runs: a bad draw there
raises every one of them, and is a random effect of the target. A variance over few seeds may itself be too
small, most likely so where a gain was claimed; it is averaged over its sampling distribution. Both are done
by quadrature.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from scipy.stats import chi2

from transfer.analysis.estimate import Estimate

NODES = 15  # of the quadrature over a target's common error
VARIANCES = 6  # equally likely values of a variance
NOT_NULL = np.linspace(0.1, 0.9, 9)  # shares of gains that are not 0
RATIO = np.sqrt(2.0)  # of one width of the slab to the next one's


def expected_gains(
    estimates: Sequence[Estimate],
    targets: Sequence[Hashable],
    *,
    shared: float | Sequence[float] = 0.5,
) -> np.ndarray:
    """The posterior mean of each true gain, [gains], in the unit of the gains.

    ``shared`` is the fraction of a variance over seeds that comes from the single-task runs of the target,
    for all gains or for each (one half if both arms have equally many seeds). A gain whose variance is
    unknown is NaN: nothing says how far to shrink it.
    """
    result = np.full(len(estimates), np.nan)
    known = np.array([bool(e.known) and bool(np.isfinite(e.gain)) for e in estimates], dtype=bool)
    if not known.any():
        return result
    some = [e for e, there in zip(estimates, known, strict=True) if there]
    names = [target for target, there in zip(targets, known, strict=True) if there]
    parts = np.broadcast_to(np.asarray(shared, dtype=float), known.shape)[known]
    gains, seeds, items, degrees = (
        np.array([float(value) for value in values])
        for values in zip(*((e.gain, e.over_seeds, e.items, e.over_seeds_degrees) for e in some), strict=True)
    )
    widths = _widths(gains, seeds + items)
    likelihood = np.zeros((len(NOT_NULL), len(widths)))
    means = np.zeros((*likelihood.shape, len(gains)))
    for name in dict.fromkeys(names):
        own = np.array([i for i, other in enumerate(names) if other == name])
        # no error is smaller than the part that all of them share; estimated variances scatter by about a
        # factor of two, so the least of them alone would be too small a bound
        common = np.median(parts[own]) * min(np.median(seeds[own]), 2 * seeds[own].min())
        scale = degrees[own] / chi2.ppf((np.arange(VARIANCES)[:, None] + 0.5) / VARIANCES, degrees[own])
        variance = seeds[own] * scale
        error = np.maximum(variance - common, 0.1 * variance) + items[own]  # [variances, gains]
        log, mean = _target(gains[own], error, common, widths)
        likelihood += log
        means[..., own] = mean
    weight = np.exp(likelihood - likelihood.max())
    result[known] = (weight[..., None] * means).sum((0, 1)) / weight.sum()
    return result


def _target(
    gains: np.ndarray, error: np.ndarray, common: float, widths: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Log likelihood [shares, widths] and posterior means [shares, widths, gains] of one target's gains."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    rest = gains - np.sqrt(common) * nodes[:, None]  # [nodes, gains]
    null, _ = _averaged(_log_density(rest, error[:, None]))
    total = error + widths[:, None, None] ** 2  # [widths, variances, gains]
    kept = (widths[:, None, None] ** 2 / total)[:, :, None]  # the part of a gain that is not error
    slab, kept = _averaged(_log_density(rest, total[:, :, None]), kept)  # [widths, nodes, gains]
    share = NOT_NULL[:, None, None, None]
    real = np.log(share) + slab  # [shares, widths, nodes, gains]
    both = np.logaddexp(real, np.log(1 - share) + null)
    log = both.sum(-1) + np.log(weights)
    top = log.max(-1, keepdims=True)
    at_node = np.exp(log - top)
    evidence = at_node.sum(-1, keepdims=True)
    mean = ((at_node / evidence)[..., None] * np.exp(real - both) * kept * rest).sum(-2)
    return top[..., 0] + np.log(evidence[..., 0]), mean


def _log_density(values: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """The log density of a normal distribution around 0, but for a constant."""
    return -(values**2) / (2 * variance) - np.log(variance) / 2


def _averaged(log: np.ndarray, values: np.ndarray | float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """The log mean density over the variances, [.., variances, nodes, gains], and the values' mean by it."""
    top = log.max(-3, keepdims=True)
    density = np.exp(log - top)
    mean = density.mean(-3)
    return top.squeeze(-3) + np.log(mean), (density * values).mean(-3) / mean


def _widths(gains: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Standard deviations of the slab: half a usual error up to half the largest gain or twice the error."""
    error = np.sqrt(np.median(variances))
    most = max(np.abs(gains).max() / 2, 2 * error)
    return np.exp(np.arange(np.log(error / 2), np.log(most) + 1e-9, np.log(RATIO)))
