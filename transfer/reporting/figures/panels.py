"""Several graphs side by side with one legend and one scale of width."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from transfer.reporting.figures.canvas import (
    INK,
    LINE,
    MARGIN,
    canvas,
    draw_banner,
    draw_caption,
    wrapped,
)
from transfer.reporting.figures.graph import (
    LEGEND,
    Extent,
    draw_legend,
    draw_picture,
    extent,
    legend_height,
)
from transfer.reporting.graph_layout import text_width

if TYPE_CHECKING:  # `panels` draws with this module
    from transfer.reporting.panels import PanelPicture

ACROSS = 3  # panels in a row
GAP = 0.3  # inches between panels
HEADING, HEAD_SIZE = 0.4, 11.0  # inches; printers' points
BANNER_ROOM = 0.42


def draw_panels(panels: Sequence[PanelPicture], *, caption: str) -> Figure:
    """The panels in rows, each under its letter and name, the synthetic ones under a banner, too.

    The pictures must share `widest` (see `panels.Panels`); the legend below holds for all of them.
    """
    rows = [panels[start : start + ACROSS] for start in range(0, len(panels), ACROSS)]
    pictures = [panel.picture for panel in panels]
    reaches = {panel.letter: extent(panel.picture) for panel in panels}
    sides = {panel.letter: _sides(panel, reaches[panel.letter]) for panel in panels}
    needed = [sum(sum(sides[p.letter]) for p in row) + GAP * (len(row) - 1) for row in rows]
    width = max([*needed, LEGEND]) + 2 * MARGIN
    notes = " ".join(f"({p.letter}) {p.picture.note}" for p in panels if p.picture.note)
    lines = wrapped(f"{caption} {notes}".strip(), width)
    heads = [HEADING + (BANNER_ROOM if any(p.source == "synthetic" for p in row) else 0.0) for row in rows]
    talls = [max(reaches[p.letter].height for p in row) for row in rows]
    legend = legend_height(pictures)
    below = 0.25 + legend + LINE * len(lines) + MARGIN
    height = sum(heads) + sum(talls) + GAP * (len(rows) - 1) + below
    figure, page = canvas(width, height)
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    top = height
    for row, head, tall, across in zip(rows, heads, talls, needed, strict=True):
        left = (width - across) / 2
        for panel in row:
            before, behind = sides[panel.letter]
            middle, reach = left + before, reaches[panel.letter]
            page.text(middle, top - 0.22, _heading(panel), ha="center", va="center", fontsize=HEAD_SIZE,
                      fontweight="bold", color=INK)  # fmt: skip
            draw_banner(page, panel.source, x=middle, y=top - 0.6)
            # a small picture beside a large one stands in the middle of the row
            lowest = top - head - (tall + reach.height) / 2
            size = ((before + behind) / width, reach.height / height)
            axes = figure.add_axes((left / width, lowest / height, *size))
            axes.set_axis_off()
            axes.set_xlim(-before, behind)
            axes.set_ylim(reach.bottom, reach.top)
            draw_picture(axes, panel.picture)
            left += before + behind + GAP
        top -= head + tall + GAP
    draw_legend(page, pictures, x=width / 2, top=below - 0.2)
    draw_caption(page, lines, left=MARGIN, top=below - 0.25 - legend)
    return figure


def _heading(panel: PanelPicture) -> str:
    return f"({panel.letter})  {panel.name}"


def _sides(panel: PanelPicture, reach: Extent) -> tuple[float, float]:
    """The inches that a panel takes to the left and to the right of its ring's centre."""
    heading = text_width(_heading(panel), 1.15 * HEAD_SIZE) / 2  # bold letters are wider
    return max(-reach.left, heading), max(reach.right, heading)
