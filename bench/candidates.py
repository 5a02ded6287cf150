"""Half the 95 % interval of a gain, by each candidate."""

import numpy as np
from scipy.special import stdtrit

from transfer.analysis.estimate import Estimate, over_seeds, two_way
from transfer.metrics import Measure

ALPHA = 0.05


def satterthwaite(found: Estimate) -> np.ndarray:
    """Half the interval by one t quantile, at Satterthwaite's degrees of freedom."""
    total = found.seeds + found.items
    with np.errstate(invalid="ignore"):  # no variance at all: no interval
        degrees = total**2 / (found.seeds**2 / found.seed_degrees + found.items**2 / found.item_degrees)
    return stdtrit(degrees, 1 - ALPHA / 2) * np.sqrt(total)


def squares(found: Estimate) -> np.ndarray:
    """Half the interval by the sum of the two variances' own squared reaches."""
    by_seeds = stdtrit(found.seed_degrees, 1 - ALPHA / 2)
    by_items = stdtrit(found.item_degrees, 1 - ALPHA / 2)
    return np.sqrt(by_seeds**2 * found.seeds + by_items**2 * found.items)


def cochran(found: Estimate) -> np.ndarray:
    """Half the interval by the two quantiles, weighted by the variances: the rule of version 0.1.0."""
    by_seeds = stdtrit(found.seed_degrees, 1 - ALPHA / 2)
    by_items = stdtrit(found.item_degrees, 1 - ALPHA / 2)
    with np.errstate(invalid="ignore"):  # no variance at all: no interval
        return (found.seeds * by_seeds + found.items * by_items) / np.sqrt(found.seeds + found.items)


def items_only(single: np.ndarray, joint: np.ndarray, measure: Measure) -> np.ndarray:
    """Half the jackknife interval over items of the mean score over seeds: the seeds taken as given."""
    items = single.shape[-2]
    without = [measure.value(parts.sum(-2, keepdims=True) - parts).mean(axis=-2) for parts in (single, joint)]
    gains = without[1] - without[0]
    error = np.sqrt((items - 1) / items * ((gains - gains.mean(-1, keepdims=True)) ** 2).sum(-1))
    return stdtrit(items - 1, 1 - ALPHA / 2) * error


def reaches(single: np.ndarray, joint: np.ndarray, measure: Measure) -> dict[str, np.ndarray]:
    """The gains, and half the interval by each candidate."""
    found = two_way(single, joint, measure)
    return {
        "gain": found.gain,
        "ours": found.reach(ALPHA),
        "t": over_seeds(measure.value(joint.sum(-2)) - measure.value(single.sum(-2))).reach(ALPHA),
        "items": items_only(single, joint, measure),
        "0.1.0": cochran(found),
        "satterthwaite": satterthwaite(found),
        "squares": squares(found),
    }


CANDIDATES = ("ours", "t", "items", "0.1.0", "satterthwaite", "squares")
