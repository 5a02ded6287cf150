"""Every seed of every edge: its score alone against its score with the partner."""

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from transfer.reporting.figures.canvas import (
    INK,
    LINE,
    MARGIN,
    QUIET,
    canvas,
    draw_banner,
    draw_caption,
    wrapped,
)
from transfer.reporting.graph_layout import text_width
from transfer.reporting.palette import PARTNERS, light

PANEL, GAP, LEAST = 1.9, 0.55, 3.7  # inches; at least so much across, for what the axes are
TITLE, NAME = 8.5, 7.0  # printers' points
# of partners: told apart by form as well as by color
COLORS = tuple(light(name) for name in PARTNERS)
FORMS = ("o", "^", "s", "D", "v", "P", "X", "*")


def draw_scatter(seed_gains: pd.DataFrame, *, order: list[str], caption: str, source: str) -> Figure:
    """A panel for each target of one stage's `gains.seed_gains`; a mark is one seed with one partner.

    Above the diagonal the partner helped. `order` is that of the targets and partners.
    """
    targets = [name for name in order if name in set(seed_gains["target"])] or order[:1]
    across = min(len(targets), 4)
    down = math.ceil(len(targets) / across)
    # inches of a partner in the key
    key = max([1.4, *(0.3 + text_width(name, NAME) for name in order)])
    drawn = 0.35 + across * PANEL + (across - 1) * GAP
    width = 2 * MARGIN + max(drawn, key, LEAST)
    lines = wrapped(caption, width)
    a_row = max(1, int((width - 2 * MARGIN) / key))
    key_rows = math.ceil(len(order) / a_row)
    banner = 0.4 if source == "synthetic" else 0.0
    below = 0.7 + 0.2 * key_rows + LINE * len(lines) + MARGIN
    height = below + down * PANEL + (down - 1) * GAP + 0.35 + banner
    figure, page = canvas(width, height)
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    for place, target in enumerate(targets):
        row, column = divmod(place, across)
        left = (width - drawn) / 2 + 0.35 + column * (PANEL + GAP)
        bottom = below + (down - 1 - row) * (PANEL + GAP)
        axes = figure.add_axes((left / width, bottom / height, PANEL / width, PANEL / height))
        rows = seed_gains[seed_gains["target"] == target]
        both = 100 * rows[["single", "joint"]].to_numpy(dtype=float)
        low, high = (both.min(), both.max()) if len(both) else (0.0, 1.0)
        room = 0.08 * (high - low) + 0.2
        axes.plot([low - room, high + room], [low - room, high + room], color=QUIET, linewidth=0.8)
        for partner, some in rows.groupby("source"):
            color, marker = _mark(order.index(str(partner)))
            axes.plot(100 * some["single"], 100 * some["joint"], marker, color=color, markersize=4.5,
                      markeredgecolor="white", markeredgewidth=0.4)  # fmt: skip
        axes.set_xlim(low - room, high + room)
        axes.set_ylim(low - room, high + room)
        inside = [t for t in MaxNLocator(4).tick_values(low, high) if low - room <= t <= high + room]
        axes.set_xticks(inside)
        axes.set_yticks(inside)
        axes.tick_params(labelsize=6.5, length=2.5, color=QUIET)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
        page.text(left + PANEL / 2, bottom + PANEL + 0.12, target, ha="center", va="center",
                  fontsize=min(TITLE, (PANEL + GAP) / text_width(target, 1.0)), color=INK)  # fmt: skip
    page.text(width / 2, below - 0.42, "test score in points: alone (across), with the partner (up)",
              ha="center", va="center", fontsize=7.0, color=INK)  # fmt: skip
    _key(page, order, a_row, key, below - 0.66)
    draw_caption(page, lines, left=MARGIN, top=below - 0.7 - 0.2 * key_rows)
    draw_banner(page, source, x=width / 2, y=height - 0.25)
    return figure


def _mark(place: int) -> tuple[str, str]:
    """Colour and form of a partner by its place; of 64 partners no two have the same."""
    return COLORS[place % 8], FORMS[(place + place // 8) % 8]


def _key(page: Axes, order: list[str], a_row: int, size: float, top: float) -> None:
    for place, name in enumerate(order):
        row, column = divmod(place, a_row)
        color, marker = _mark(place)
        x, y = MARGIN + 0.1 + size * column, top - 0.2 * row
        page.plot(x, y, marker, color=color, markersize=5)
        page.text(x + 0.1, y, name, ha="left", va="center", fontsize=NAME, color=INK)
