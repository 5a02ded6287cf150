"""All edges below each other, each with its interval: the forest plot."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transfer.analysis.tables import UNDEFINED, interval_of, minus, points
from transfer.reporting.figures.canvas import (
    BAND,
    INK,
    LINE,
    MARGIN,
    QUIET,
    canvas,
    draw_banner,
    draw_caption,
    wrapped,
)
from transfer.reporting.forest_picture import forest_axes, legible, ticks
from transfer.reporting.graph_layout import text_width
from transfer.reporting.graph_picture import STYLES

ROW = 0.2  # inches from one edge to the next
MARKERS = {"improves": "^", "harms": "v", "no effect": "s", "inconclusive": "o"}
NAMES, NUMBERS = 7.5, 7.0  # type sizes in printers' points
WIDE, NEAR, BETWEEN = 3.2, 2.0, 0.25  # inches: the axes and the gap from one to the other


def draw_forest(edges: pd.DataFrame, *, smallest_effect: float, caption: str, source: str) -> Figure:
    """The gains (points) of one stage's `gains.edges`, by target and then by gain, with 95% CIs.

    The band is what does not matter, ± `smallest_effect` (a fraction); where it is too narrow to be
    seen, a second axis shows the same edges near zero. An interval that leaves an axis ends in an
    arrow; an edge without an interval has its gain alone. Of very many edges the caption says which
    are shown (`forest.legible`).
    """
    edges, note = legible(edges)
    rows = edges.sort_values(["target", "gain"], ascending=[True, False]).to_dict("records")
    labels = [f"{row['source']} → {row['target']}" for row in rows]
    limits = forest_axes(edges, smallest_effect=smallest_effect)
    name = max((text_width(label, NAMES) for label in labels), default=1.0)
    number = text_width("+99.9 (−99.9 to +99.9)", NUMBERS)
    middle = WIDE + (BETWEEN + NEAR if limits.near else 0.0)
    width = name + middle + number + 2 * MARGIN + 0.3
    lines = wrapped(f"{caption} {note}".strip(), width)
    banner = 0.4 if source == "synthetic" else 0.0
    below = 0.75 + LINE * len(lines) + MARGIN
    tall = max(ROW * len(rows), ROW)
    height = below + tall + MARGIN + banner
    figure, page = canvas(width, height)
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    left = MARGIN + name + 0.15
    for limit, start, size in ((limits.wide, left, WIDE), (limits.near, left + WIDE + BETWEEN, NEAR)):
        if limit:
            place = (start / width, below / height, size / width, tall / height)
            axes = figure.add_axes(place, frameon=False)
            draw_axis(axes, limit, rows=max(len(rows), 1), band=100 * smallest_effect)
            for index, row in enumerate(rows):
                _draw_edge(axes, row, index, limit)
    for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
        claimed = row["verdict"] in ("improves", "harms")
        y = below + tall - ROW * (index + 0.5)
        page.text(left - 0.12, y, label, ha="right", va="center", fontsize=NAMES, color=INK)
        page.text(left + middle + 0.12, y, _numbers(row), ha="left", va="center", fontsize=NUMBERS,
                  color=INK if claimed else QUIET)  # fmt: skip
    axis = f"gain in points; band: ± {100 * smallest_effect:g}, smaller than what matters"
    _write(page, axis, left + WIDE / 2, below - 0.42)
    if limits.near:
        _write(page, "the same near zero", left + WIDE + BETWEEN + NEAR / 2, below - 0.42)
    draw_caption(page, lines, left=MARGIN, top=below - 0.62)
    draw_banner(page, source, x=width / 2, y=height - 0.3)
    return figure


def _write(page: Axes, text: str, x: float, y: float) -> None:
    page.text(x, y, text, ha="center", va="center", fontsize=NUMBERS, color=INK)


def draw_axis(axes: Axes, limit: float, *, rows: int, band: float, most_ticks: int = 7) -> None:
    """Places for rows from above, a zero line and the band of what does not matter; all in points."""
    axes.set_xlim(-limit, limit)
    axes.set_ylim(rows - 0.5, -0.5)
    # its edge keeps a band visible that is narrower than a line
    axes.axvspan(-band, band, facecolor=BAND, edgecolor=BAND, linewidth=0.8)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.set_yticks([])
    at = ticks(-limit, limit, most_ticks)
    axes.set_xticks(at, [minus(f"{tick:g}") for tick in at])
    axes.tick_params(labelsize=NUMBERS, length=3, color=QUIET)


def draw_interval(
    axes: Axes,
    value: tuple[float, float, float],
    y: float,
    *,
    limit: float,
    color: str,
    marker: str,
    filled: bool,
    size: float = 5,
) -> None:
    """A gain and the ends of its interval (NaN: none) in points; beyond the axis stands an arrow."""
    gain, low, high = value
    if not np.isnan(low):
        ends = [min(max(end, -limit), limit) for end in (low, high)]
        axes.plot(ends, (y, y), color=color, linewidth=1.4, solid_capstyle="butt")
        for end, beyond, arrow in ((-limit, low < -limit, "<"), (limit, high > limit, ">")):
            if beyond:
                axes.plot(end, y, marker=arrow, color=color, markersize=4, clip_on=False)
    if abs(gain) <= limit:
        axes.plot(gain, y, marker=marker, color=color, markersize=size,
                  markerfacecolor=color if filled else "white")  # fmt: skip


def _draw_edge(axes: Axes, row: dict, index: int, limit: float) -> None:
    """An edge's interval and gain at its place from above."""
    gain, low, high = (100 * end for end in (float(row["gain"]), *interval_of(row)))
    draw_interval(
        axes,
        (gain, low, high),
        index,
        limit=limit,
        color=STYLES[row["verdict"]].color,
        marker=MARKERS[row["verdict"]],
        filled=row["verdict"] in ("improves", "harms"),
    )


def _numbers(row: dict) -> str:
    gain = points(row["gain"], sign=True) or UNDEFINED
    low, high = (points(end, sign=True) for end in interval_of(row))
    return minus(f"{gain} ({low} to {high})" if low else gain)
