"""Critical values for a mean whose variance is a sum of estimated variances (the Behrens-Fisher problem).

A gain varies over seeds and over test items. Each variance is estimated with degrees of freedom of its own, a
few for seeds and many for items, so the gain divided by its standard error has no t distribution. Two
textbook rules bracket the right critical value:

- Satterthwaite (1946) uses one t distribution whose degrees of freedom follow from the variances. It is
  exact where one variance dominates, and too small in the tail otherwise: with 6 degrees of freedom a p value
  of .05/56 is reached 2.7 times too often.
- Banerjee (1960) adds the squared half-widths of the components. It never claims too much, and is so
  cautious in between that up to three quarters of the error go unused.

The rule here lies between them. It equals both where one component is everything, and keeps the level between
about 0.9 and 1.05 of nominal for 6 and more degrees of freedom (tests integrate it exactly). With few degrees
of freedom and small levels it becomes Banerjee's.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import stdtr, stdtrit

# The line falls from the largest quantile this much faster than the mean of the quantiles does. Chosen, with
# the range in which Banerjee's rule takes over, by integrating the level of the test for 2 to 20 degrees of
# freedom, levels from .05 to 1e-6 and every ratio of the variances.
STEEPNESS = 3.5
BANERJEE_FROM, BANERJEE_ALONE = 1.8, 2.4  # the largest quantile over the smallest
SMALLEST_P = 1e-50  # quantiles of t with few degrees of freedom overflow beyond
LEAST_Z = 1e-12  # a distance of fewer standard errors has p = 1
STEPS = 40  # of the root finding, at most
TOLERANCE = 1e-11  # relative, of the critical value


def critical_value(variances: Sequence[Any], degrees: Sequence[Any], alpha: Any) -> np.ndarray:
    """The two-sided critical value at ``alpha``, in standard errors.

    Each component has a variance and its degrees of freedom, scalars or arrays that broadcast. Components
    with zero variance do not count; without any variance the value is NaN.

    >>> round(float(critical_value([1.0], [4], 0.05)), 4)
    2.7764
    """
    shares, frees = _shares(variances, degrees)
    quantiles = [-stdtrit(free, np.asarray(alpha) / 2) for free in frees]
    largest, smallest = np.maximum.reduce(quantiles), np.minimum.reduce(quantiles)
    mean = sum(share * q for share, q in zip(shares, quantiles, strict=True))
    banerjee = np.sqrt(sum(share * q**2 for share, q in zip(shares, quantiles, strict=True)))
    with np.errstate(divide="ignore", invalid="ignore"):  # at alpha = 1 all quantiles are 0
        apart = np.where(smallest > 0, largest / smallest, 1.0)
    line = largest - (1 + apart**-STEEPNESS) * (largest - mean)
    cautious = np.clip((apart - BANERJEE_FROM) / (BANERJEE_ALONE - BANERJEE_FROM), 0.0, 1.0)
    between = np.minimum((1 - cautious) * line + cautious * banerjee, banerjee)
    return np.maximum(between, -stdtrit(_satterthwaite(shares, frees), np.asarray(alpha) / 2))


def two_sided_p(distance: Any, variances: Sequence[Any], degrees: Sequence[Any]) -> np.ndarray:
    """The level whose interval just reaches ``distance``, at least SMALLEST_P; NaN without any variance."""
    total = np.asarray(sum(variances), dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.maximum(np.abs(distance) / np.sqrt(total), LEAST_Z)
    shares, frees = _shares(variances, degrees)
    # Satterthwaite's p is never too large, and that of the fewest degrees of freedom never too small
    low = 2 * stdtr(_satterthwaite(shares, frees), -z)
    high = 2 * stdtr(np.minimum.reduce(frees), -z)
    low, high = (np.log(np.clip(p, SMALLEST_P, 1.0)) for p in (low, high))

    def surplus(log_p: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore"):  # nothing is left of the critical value at p = 1
            return np.log(critical_value(variances, degrees, np.exp(log_p))) - np.log(z)

    return np.where(z > LEAST_Z, np.exp(_root(surplus, low, high)), np.where(np.isnan(z), np.nan, 1.0))


def _shares(variances: Sequence[Any], degrees: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Each component's share of the total variance, and degrees of freedom that are safe to use."""
    values = [np.asarray(variance, dtype=float) for variance in variances]
    total = np.asarray(sum(values), dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [value / total for value in values]
    frees = [np.maximum(np.asarray(free, dtype=float), 1.0) for free in degrees]
    # one without variance gets the degrees of freedom of the largest, so that it changes no quantile
    shapes = np.broadcast_arrays(*shares, *frees)
    stacked, free = np.stack(shapes[: len(shares)]), np.stack(shapes[len(shares) :])
    largest = np.take_along_axis(free, np.nan_to_num(stacked).argmax(axis=0)[None], axis=0)[0]
    return shares, [np.where(share > 0, own, largest) for share, own in zip(stacked, free, strict=True)]


def _satterthwaite(shares: Sequence[Any], frees: Sequence[Any]) -> Any:
    return 1 / sum(share**2 / free for share, free in zip(shares, frees, strict=True))


def _root(function: Any, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The root of a decreasing function between ``low`` and ``high``, elementwise (Illinois method)."""
    if not np.any(high - low > TOLERANCE):
        return low
    at_low, at_high = function(low), function(high)
    found, before = low, np.zeros(np.shape(low))
    for _ in range(STEPS):
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (low * at_high - high * at_low) / (at_high - at_low)
        found = np.where(np.isfinite(found), np.clip(found, low, high), low)
        value = function(found)
        if not np.any((np.abs(value) > TOLERANCE) & (high > low)):
            break
        side = np.sign(value)
        # the value at an end that stays twice is halved, or that end might stay for good
        at_high = np.where(side < 0, value, np.where(side == before, at_high / 2, at_high))
        at_low = np.where(side > 0, value, np.where(side == before, at_low / 2, at_low))
        low, high, before = np.where(side > 0, found, low), np.where(side < 0, found, high), side
    return found
