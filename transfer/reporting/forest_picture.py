"""The axes of a forest plot as plain numbers, in points."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis.tables import interval_of
from transfer.analysis.verdicts import CLAIMS

MOST_ROWS = 132  # edges of a forest plot: those of 12 corpora
MOST_POINTS = 100  # more than a score from 0 to 1 can change; what reaches further ends in an arrow


class ForestAxes(NamedTuple):
    """Half the width of the axis for all gains, and of one that shows what does not matter.

    `near` is None where ± the smallest effect can be seen on the wide axis.
    """

    wide: float
    near: float | None


def forest_axes(edges: pd.DataFrame, *, smallest_effect: float) -> ForestAxes:
    """All gains and intervals fit on the wide axis; only ends beyond ± MOST_POINTS do not widen it.

    Where the band of ± `smallest_effect` (a fraction) is narrower than a tenth of that, a second
    axis is five smallest effects wide to either side.
    """
    band = 100 * smallest_effect
    gains = 100 * edges["gain"].abs().to_numpy(dtype=float)
    ends = 100 * np.abs([interval_of(edge) for edge in edges.to_dict("records")])
    reach = np.concatenate([gains, np.minimum(ends, MOST_POINTS).ravel()])
    wide = 1.08 * max(4 * band, float(np.nanmax(reach, initial=0.0)))
    return ForestAxes(wide, 5 * band if band < wide / 10 else None)


def legible(edges: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """The edges that a forest plot has room for, and what is said of the others (nothing: there are none).

    Claims come first, the largest before the others; then what is not claimed, by its p value.
    """
    if len(edges) <= MOST_ROWS:
        return edges, ""
    claimed = edges["verdict"].isin(CLAIMS)
    ranks = edges.assign(_place=np.where(claimed, -edges["gain"].abs(), 1 + edges["p"].fillna(1.0)))
    shown = ranks.sort_values(["_place", "source", "target"]).head(MOST_ROWS).index
    count, rest = int(claimed.sum()), MOST_ROWS - int(claimed.sum())
    what = (
        f"the {MOST_ROWS} largest of {count} edges that improve or harm"
        if rest <= 0
        else f"all {count} edges that improve or harm and the {rest} others with the smallest p"
    )
    return edges.loc[shown], f"Shown: {what}, of {len(edges)} edges measured; edges.csv has every edge."


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Round numbers (1, 2, 5 times a power of ten) from low to high, as many as `most` at the most.

    >>> ticks(-13, 13)
    [-10.0, -5.0, 0.0, 5.0, 10.0]
    """
    span = high - low
    if not span > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / most))
    steps = (power * times for times in (1, 2, 5, 10, 20))
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first < most:
            return [round(step * n, 10) + 0.0 for n in range(first, last + 1)]
    raise AssertionError("twenty times a step that fits five times into the span")
