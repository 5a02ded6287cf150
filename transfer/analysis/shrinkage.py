"""Expected gains: measured gains shrunk toward what all gains of a grid suggest.

The option that looks best is on average not as good as it looks. An expected gain is the posterior mean of
a true gain, under a prior that is estimated from all gains of the grid; a posterior mean needs no further
correction for having been selected. The prior is adaptive shrinkage (Stephens 2017, *False discovery rates:
a new deal*): a mixture of a point mass at 0 and normal distributions around 0 of many widths, whose weights
are estimated by expectation maximization.

All gains of a target share its single-task runs: a bad draw there raises every one of them. That part of
the error is a random effect of the target, integrated out by quadrature; without it the bad draw would be
taken for helpful partners.
"""

from collections.abc import Hashable, Sequence

import numpy as np

NODES = 15  # of the quadrature over a target's common error
STEPS = 100  # of expectation maximization, at most
SETTLED = 1e-4  # a change of the weights that moves no expected gain by a hundredth of itself
RATIO = 2.0  # of one normal's standard deviation to the next one's
NULL_WEIGHT = 2.0  # pseudo-count of gains of exactly 0: claims need evidence against nothing


def expected_gains(
    gains: Sequence[float],
    variances: Sequence[float],
    targets: Sequence[Hashable],
    *,
    shared: float | Sequence[float] = 0.5,
) -> np.ndarray:
    """The posterior mean of each true gain, [gains], in the unit of the gains.

    ``variances`` are squared standard errors; ``shared`` is the fraction of a variance that comes from the
    single-task runs of the target, for all gains or for each (one half if both arms have equally many
    seeds). A gain whose variance is unknown or 0 is NaN: nothing says how far to shrink it.
    """
    measured, error = np.asarray(gains, dtype=float), np.asarray(variances, dtype=float)
    result = np.full(len(measured), np.nan)
    known = np.isfinite(measured) & np.isfinite(error) & (error > 0)
    if not known.any():
        return result
    names = [target for target, there in zip(targets, known, strict=True) if there]
    of_target = [np.array([i for i, name in enumerate(names) if name == t]) for t in dict.fromkeys(names)]
    fraction = np.broadcast_to(np.asarray(shared, dtype=float), measured.shape)[known]
    result[known] = _posterior_means(measured[known], error[known], of_target, fraction)
    return result


def _posterior_means(
    gains: np.ndarray, variances: np.ndarray, of_target: Sequence[np.ndarray], shared: np.ndarray
) -> np.ndarray:
    widths = _widths(gains, variances)
    nodes, node_weights = np.polynomial.hermite_e.hermegauss(NODES)
    node_weights = node_weights / node_weights.sum()
    parts = []
    for members in of_target:
        # no edge's error is smaller than the part that all of them share; estimated variances scatter by
        # about a factor of two, so the least of them alone would be too small a bound
        bound = min(np.median(variances[members]), 2 * variances[members].min())
        common = np.median(shared[members]) * bound
        own = np.maximum(variances[members] - common, 0.1 * variances[members])
        rest = gains[members] - np.sqrt(common) * nodes[:, None]  # [nodes, gains]
        total = own[:, None] + widths**2  # [gains, widths]
        density = np.exp(-(rest[..., None] ** 2) / (2 * total)) / np.sqrt(total)  # [nodes, gains, widths]
        slope = widths**2 / total
        parts.append((members, rest, density, slope))

    weights = np.full(len(widths), 1 / len(widths))
    prior_counts = np.zeros(len(widths))
    prior_counts[0] = NULL_WEIGHT
    means = np.zeros(len(gains))
    for _ in range(STEPS):
        counts = prior_counts.copy()
        for members, rest, density, slope in parts:
            joint = density * weights
            per_gain = joint.sum(axis=-1)  # [nodes, gains]
            at_node = node_weights * np.exp(
                np.log(per_gain).sum(axis=-1) - np.log(per_gain).sum(axis=-1).max()
            )
            at_node = at_node / at_node.sum()
            share = joint / per_gain[..., None] * at_node[:, None, None]
            counts += share.sum(axis=(0, 1))
            means[members] = (share * slope * rest[..., None]).sum(axis=(0, 2))
        before, weights = weights, counts / counts.sum()
        if np.abs(weights - before).max() < SETTLED:
            break
    return means


def _widths(gains: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Standard deviations of the mixture's parts: 0, then from well below an error to beyond every gain."""
    least = np.sqrt(variances.min()) / 10
    most = max(2 * np.sqrt(max((gains**2 - variances).max(), 0.0)), 8 * least)
    count = int(np.ceil(np.log(most / least) / np.log(RATIO))) + 1
    return np.concatenate([[0.0], least * RATIO ** np.arange(count)])
