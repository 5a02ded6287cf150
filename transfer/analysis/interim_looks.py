"""When edges are looked at, and which share of the error each look may make.

Looking repeatedly finds something sooner or later, also where nothing is. An error of ``level`` is spent as
the seeds come in, in proportion to a power of their number (Lan and DeMets 1983 with the spending functions
of Kim and DeMets 1987). What a look may spend is turned into the p value that it must pass by how the looks
depend on each other: the later ones hold the seeds of the earlier ones, so that most of what is found late
would have been found before (Armitage, McPherson and Rowe 1969). Given as p values instead of z values the
boundaries serve for t tests too (Pocock 1977).
"""

import functools
import itertools
import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

GROWTH = 1.2  # from one look's number of seeds to the next one's, but a whole seed at least
SPENDING = 2  # look k of n has spent (seeds of k / seeds of n) to this power of the error
POINTS = 401  # of the distribution of a mean that has passed no boundary yet


def looks(first: int, most: int) -> tuple[int, ...]:
    """After how many seeds the edges are looked at.

    >>> looks(3, 16)
    (3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16)
    """
    found = [first]
    while found[-1] < most:
        found.append(min(most, max(found[-1] + 1, math.floor(GROWTH * found[-1] + 1e-9))))
    return tuple(found)


@functools.cache
def shares(at: tuple[int, ...], level: float) -> tuple[float, ...]:
    """By look, the p value that it must pass, in units of ``level`` (two-sided), after ``at`` seeds.

    The least of the looks' p values, each divided by its share, is below ``level`` in at most that
    share of studies without effect. The shares fall with the level: those of a small one serve all
    larger ones.

    >>> [round(share, 2) for share in shares((3, 5, 7, 10), 0.05)]
    [0.09, 0.2, 0.35, 0.75]
    """
    if len(at) == 1:
        return (1.0,)
    time = [seeds / at[-1] for seeds in at]
    spent = [0.0, *(level * t**SPENDING for t in time)]
    found = []
    # the sum of what the seeds bring (Brownian motion in `time`): its density below all boundaries so far
    score, density, width = np.zeros(1), np.ones(1), 1.0
    for t, step, (before, after) in zip(time, np.diff([0.0, *time]), itertools.pairwise(spent), strict=True):
        deviation = math.sqrt(step)

        def surplus(
            bound: float, now=score, weight=density * width, by=deviation, error=after - before
        ) -> float:
            return float((weight * (ndtr((now - bound) / by) + ndtr((-bound - now) / by))).sum()) - error

        bound = float(brentq(surplus, 0.0, 40.0))  # type: ignore[arg-type]
        found.append(float(2 * ndtr(-bound / math.sqrt(t))) / level)
        later = np.linspace(-bound, bound, POINTS)
        moved = np.exp(-(((later[:, None] - score) / deviation) ** 2) / 2) / (
            deviation * math.sqrt(2 * math.pi)
        )
        score, density, width = later, (moved * density * width).sum(axis=1), later[1] - later[0]
    return tuple(found)
