"""All edges below each other, each with its interval: the forest plot."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from transfer.analysis.figures.page import (
    INK,
    LINE,
    MARGIN,
    QUIET,
    canvas,
    draw_banner,
    draw_caption,
    wrapped,
)
from transfer.analysis.graph import STYLES, text_width
from transfer.analysis.tables import points

ROW = 0.2  # inches from one edge to the next
MARKERS = {"improves": "^", "harms": "v", "no effect": "s", "inconclusive": "o"}
NAMES, NUMBERS = 7.5, 7.0  # type sizes in printers' points


def draw_forest(edges: pd.DataFrame, *, smallest_effect: float, caption: str, source: str) -> Figure:
    """The gains (points) of one stage's `gains.edges`, by target and then by gain, with 95 % intervals.

    The band is what does not matter, ± `smallest_effect` (a fraction). An interval that leaves the
    axis ends in an arrow; an edge without an interval has its gain alone.
    """
    rows = edges.sort_values(["target", "gain"], ascending=[True, False]).to_dict("records")
    labels = [f"{row['source']} → {row['target']}" for row in rows]
    name = max((text_width(label, NAMES) for label in labels), default=1.0)
    number = text_width("+99.9 (−99.9 to +99.9)", NUMBERS)
    middle = 3.2
    width = name + middle + number + 2 * MARGIN + 0.3
    lines = wrapped(caption, width)
    banner = 0.4 if source == "synthetic" else 0.0
    below = 0.75 + LINE * len(lines) + MARGIN
    tall = max(ROW * len(rows), ROW)
    height = below + tall + MARGIN + banner
    figure, page = canvas(width, height)
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    left = MARGIN + name + 0.15
    axes = figure.add_axes((left / width, below / height, middle / width, tall / height), frameon=False)
    limit = _limit(rows, smallest_effect)
    axes.set_xlim(-limit, limit)
    axes.set_ylim(len(rows) - 0.5 if rows else 0.5, -0.5)
    axes.axvspan(-100 * smallest_effect, 100 * smallest_effect, color="#E6E9EE", linewidth=0)
    axes.axvline(0, color=QUIET, linewidth=0.8)
    axes.set_yticks([])
    axes.tick_params(labelsize=NUMBERS, length=3, color=QUIET)
    for place, (row, label) in enumerate(zip(rows, labels, strict=True)):
        color = STYLES[row["verdict"]].color
        gain, low, high = (100 * float(row[key]) for key in ("gain", "ci_low", "ci_high"))
        if not np.isnan(low):
            ends = max(low, -limit), min(high, limit)
            axes.plot(ends, (place, place), color=color, linewidth=1.4, solid_capstyle="butt")
            for end, beyond, marker in ((ends[0], low < -limit, "<"), (ends[1], high > limit, ">")):
                if beyond:
                    axes.plot(end, place, marker=marker, color=color, markersize=4, clip_on=False)
        filled = color if row["verdict"] in ("improves", "harms") else "white"
        if abs(gain) <= limit:
            axes.plot(gain, place, marker=MARKERS[row["verdict"]], color=color, markersize=5,
                      markerfacecolor=filled)  # fmt: skip
        y = below + tall - ROW * (place + 0.5)
        page.text(left - 0.12, y, label, ha="right", va="center", fontsize=NAMES, color=INK)
        page.text(left + middle + 0.12, y, _numbers(row), ha="left", va="center", fontsize=NUMBERS,
                  color=INK if filled == color else QUIET)  # fmt: skip
    page.text(left + middle / 2, below - 0.42, "gain in points; band: smaller than what matters",
              ha="center", va="center", fontsize=NUMBERS, color=INK)  # fmt: skip
    draw_caption(page, lines, left=MARGIN, top=below - 0.62)
    draw_banner(page, source, x=width / 2, y=height - 0.3)
    return figure


def _limit(rows: list[dict], smallest_effect: float) -> float:
    """Half the axis in points: all gains, and the intervals of three quarters of the edges."""
    gains = [abs(100 * row["gain"]) for row in rows]
    ends = [100 * max(abs(row["ci_low"]), abs(row["ci_high"])) for row in rows if not np.isnan(row["ci_low"])]
    wide = float(np.quantile(ends, 0.75)) if ends else 0.0
    return 1.08 * max([4 * 100 * smallest_effect, wide, *gains])


def _numbers(row: dict) -> str:
    gain = points(row["gain"], sign=True)
    if np.isnan(row["ci_low"]):
        return gain.replace("-", "−")
    interval = f"{points(row['ci_low'], sign=True)} to {points(row['ci_high'], sign=True)}"
    return f"{gain} ({interval})".replace("-", "−")
