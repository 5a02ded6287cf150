"""The small pictures of the page as plain numbers: forest rows, scatter and learning curves.

Lengths are pixels of a picture that begins at its upper left corner.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from transfer.analysis.curves import mean_curves
from transfer.analysis.tables import ALL, SINGLE, arm, interval_of
from transfer.arms import Group, members
from transfer.reporting.forest_picture import ticks

WIDTH, HEIGHT = 224, 216  # of a panel
LEFT, RIGHT, TOP, BOTTOM = 36, 8, 14, 22  # its margins
ROW_WIDTH, ROW_HEIGHT = 220, 22  # of a forest row
# Marks of up to eight partners, told apart by form as well as by colour; drawn from their middle.
MARKS = (
    "m-3.2,0a3.2,3.2 0 1,0 6.4,0a3.2,3.2 0 1,0 -6.4,0", "m0,-4l3.8,6.6h-7.6z", "m-3,-3h6v6h-6z",
    "m0,-4.2l4.2,4.2l-4.2,4.2l-4.2,-4.2z", "m0,4l3.8,-6.6h-7.6z",
    "m-1.3,-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",
    "m-4,-2.4l1.6,-1.6l2.4,2.4l2.4,-2.4l1.6,1.6l-2.4,2.4l2.4,2.4l-1.6,1.6l-2.4,-2.4l-2.4,2.4l-1.6,-1.6l2.4,-2.4z",
    "m0,-4.6l1.3,3.2l3.4,.2l-2.6,2.2l.9,3.4l-3,-1.9l-3,1.9l.9,-3.4l-2.6,-2.2l3.4,-.2z",
)  # fmt: skip


class Tick(NamedTuple):
    """Tick of an axis: its place and its label."""

    at: float
    text: str


class Series(NamedTuple):
    """One arm's path in a panel; `role` is pair, single, all or other, `partner` a place in the grid."""

    name: str
    role: str
    partner: int | None
    path: str


class TargetPlot(NamedTuple):
    """One target's plot: axes, series, and a band (an SVG path, perhaps empty)."""

    target: str
    across: tuple[Tick, ...]
    up: tuple[Tick, ...]
    series: tuple[Series, ...]
    band: str = ""


class ForestRow(NamedTuple):
    """One edge on a forest's axis: the ends of its interval (None: it has none), its gain, the band."""

    low: float | None
    high: float | None
    beyond_low: bool
    beyond_high: bool
    gain: float | None  # None: off the axis
    band: tuple[float, float]


class _Axis:
    """Values to pixels along one direction."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high, self.start, self.end = low, high, start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self, most: int = 4) -> tuple[Tick, ...]:
        return tuple(Tick(self(t), f"{t:g}".replace("-", "−")) for t in ticks(self.low, self.high, most))


def forest_axis(limit: float) -> tuple[Tick, ...]:
    """The ticks of a forest whose axis goes from -limit to limit points."""
    return _forest(limit).ticks(5)


def forest_row(edge, *, limit: float, smallest_effect: float) -> ForestRow:
    """One edge (a row of `gains.edges`) on the axis from -limit to limit points."""
    axis = _forest(limit)
    gain, low, high = (100 * end for end in (float(edge["gain"]), *interval_of(edge)))
    inside = [axis(max(-limit, min(limit, end))) for end in (low, high)] if low == low else [None, None]
    # an interval that lies beyond the axis altogether has no line, only its arrow at the edge
    return ForestRow(
        inside[0],
        inside[1],
        low < -limit,
        high > limit,
        axis(gain) if abs(gain) <= limit else None,
        (axis(-100 * smallest_effect), axis(100 * smallest_effect)),
    )


def scatter(seed_gains: pd.DataFrame, *, order: Sequence[str]) -> list[TargetPlot]:
    """A panel for each target of one stage: score alone (across), score with the partner (up), each seed."""
    panels = []
    for target in [name for name in order if name in set(seed_gains["target"])]:
        rows = seed_gains[seed_gains["target"] == target]
        both = 100 * rows[["single", "joint"]].to_numpy(dtype=float)
        low, high = _room(both.min(), both.max())
        x, y = _Axis(low, high, LEFT, WIDTH - RIGHT), _Axis(low, high, HEIGHT - BOTTOM, TOP)
        series = []
        for partner in [name for name in order if name in set(rows["source"])]:
            place = order.index(partner)
            some = rows.loc[rows["source"] == partner, ["single", "joint"]].to_numpy(dtype=float)
            mark = MARKS[place % len(MARKS)] if len(order) <= len(MARKS) else MARKS[0]
            path = "".join(f"M{x(100 * alone):g},{y(100 * joint):g}{mark}" for alone, joint in some)
            series.append(Series(partner, "pair", place, path))
        panels.append(TargetPlot(target, x.ticks(), y.ticks(), tuple(series)))
    return panels


def learning(curves: pd.DataFrame, *, column: str, order: Sequence[str]) -> list[TargetPlot]:
    """A panel for each target of one stage: `dev` (points) or `loss` by epoch, a line for each arm.

    Lines are means over the seeds; the band spans the seeds of the target alone.
    """
    table = mean_curves(curves, column=column).dropna(subset=["mean"])
    table[["mean", "low", "high"]] *= 100 if column == "dev" else 1
    names = members(table["corpora"])
    panels = []
    for target in [name for name in order if name in set(table["target"])]:
        rows = table[table["target"] == target]
        alone = rows[rows["corpora"] == target]
        low, high = _room(min(rows["mean"].min(), alone["low"].min()),
                          max(rows["mean"].max(), alone["high"].max()))  # fmt: skip
        last = int(rows["epoch"].max())
        x = _Axis(1, max(2, last), LEFT + 4, WIDTH - RIGHT - 4)
        y = _Axis(low, high, HEIGHT - BOTTOM, TOP)
        series = []
        for corpora, some in rows.groupby("corpora"):
            name = arm(str(corpora), target, names)
            partner = Group.parse(str(corpora)).partners(target)
            role = name if name in (SINGLE, ALL) else "pair" if len(partner) == 1 else "other"
            place = order.index(partner[0]) if role == "pair" else None
            series.append(
                Series(name, role, place, _line(zip(some["epoch"], some["mean"], strict=True), x, y))
            )
        # what every line is held against is drawn on top
        rank = {"other": 0, "pair": 1, ALL: 2, SINGLE: 3}
        series.sort(key=lambda one: (rank[one.role], one.partner or 0, one.name))
        there = list(zip(alone["epoch"], alone["high"], strict=True))
        back = list(zip(alone["epoch"], alone["low"], strict=True))[::-1]
        band = f"{_line([*there, *back], x, y)}Z" if there else ""
        across = tuple(t for t in x.ticks() if "." not in t.text)
        panels.append(TargetPlot(target, across, y.ticks(), tuple(series), band))
    return panels


def _forest(limit: float) -> _Axis:
    return _Axis(-limit, limit, 6, ROW_WIDTH - 6)


def _line(points: Iterable[tuple[float, float]], x: _Axis, y: _Axis) -> str:
    return "M" + "L".join(f"{x(across):g},{y(up):g}" for across, up in points)


def _room(low: float, high: float) -> tuple[float, float]:
    if math.isnan(low) or math.isnan(high):
        return 0.0, 1.0
    room = 0.07 * (high - low) or 0.1
    return float(low - room), float(high + room)
