"""The improve/harm graph, drawn from its picture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from transfer.analysis.verdicts import CLAIMS
from transfer.reporting.figures.canvas import (
    INK,
    LINE,
    MARGIN,
    QUIET,
    RAISED,
    canvas,
    draw_banner,
    draw_caption,
    wrapped,
)
from transfer.reporting.graph_layout import LABEL_SIZE, bar_width, text_width, with_head
from transfer.reporting.graph_picture import (
    NAME_SIZE,
    STYLES,
    EdgeMark,
    EdgeStyle,
    GraphPicture,
    NodeMark,
    width_key,
    width_of,
)

LEGEND = 5.1  # inches across
DETAIL_SIZE = 7.5  # printers' points


class Extent(NamedTuple):
    """Extent of a picture from the center of its ring, with names, in inches."""

    left: float  # this and bottom are negative
    right: float
    bottom: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom


def draw_graph(picture: GraphPicture, *, caption: str, source: str) -> Figure:
    """The improve/harm graph with legend and caption; `source` synthetic puts a banner on top."""
    reach = extent(picture)
    width = 2 * (max(-reach.left, reach.right, LEGEND / 2) + MARGIN)
    lines = wrapped(f"{caption} {picture.note}".strip(), width)
    banner = 0.4 if source == "synthetic" else 0.0
    legend = legend_height([picture])
    below = 0.25 + legend + LINE * len(lines) + MARGIN
    figure, axes = canvas(width, reach.height + banner + below)
    axes.set_xlim(-width / 2, width / 2)
    axes.set_ylim(reach.bottom - below, reach.top + banner)
    draw_picture(axes, picture)
    draw_legend(axes, [picture], x=0.0, top=reach.bottom - 0.2)
    draw_caption(axes, lines, left=-width / 2 + MARGIN, top=reach.bottom - 0.25 - legend)
    draw_banner(axes, source, x=0.0, y=reach.top + 0.1)
    return figure


def extent(picture: GraphPicture) -> Extent:
    """The room that nodes, names and arcs need."""
    names = [_name_reach(node) for node in picture.nodes]
    return Extent(
        min([-0.65, *(left for left, _ in names)]),
        max([0.65, *(right for _, right in names)]),
        # 0.65: the arcs between two nodes reach further up and down than their names
        min([-0.65, *(node.text_y - 0.32 for node in picture.nodes)]),
        max([0.65, *(node.text_y + 0.32 for node in picture.nodes)]),
    )


def draw_picture(axes: Axes, picture: GraphPicture) -> None:
    """Edges, labels, nodes and names on axes in inches from the centre of the ring."""
    for edge in picture.edges:
        _draw_edge(axes, edge)
    for edge in picture.edges:
        _draw_label(axes, edge)
    for node in picture.nodes:
        place = (node.x, node.y)
        axes.add_patch(Circle(place, picture.node_radius, facecolor=RAISED, edgecolor=INK, zorder=5))
        style = {"ha": node.align, "va": "center", "zorder": 6}
        axes.text(node.text_x, node.text_y + 0.09, node.name, fontsize=NAME_SIZE, **style)
        axes.text(node.text_x, node.text_y - 0.09, node.detail, fontsize=DETAIL_SIZE, color=QUIET, **style)


def _name_reach(node: NodeMark) -> tuple[float, float]:
    """From where to where a node's name and detail stand."""
    width = max(text_width(node.name, NAME_SIZE), text_width(node.detail, DETAIL_SIZE))
    before = {"left": 0.0, "center": width / 2, "right": width}[node.align]
    return node.text_x - before, node.text_x - before + width


def _draw_edge(axes: Axes, edge: EdgeMark) -> None:
    path = np.array(edge.path)
    style = EdgeStyle(edge.color, edge.dashed, edge.head, edge.width)
    _draw_line(axes, path, style, zorder=3 if edge.verdict in CLAIMS else 2)


def _draw_line(axes: Axes, path: np.ndarray, style: EdgeStyle, *, zorder: int) -> None:
    """A line [n, 2] with its head at the last point; lengths in inches."""
    line, head = with_head(path, style.head, style.width)
    axes.plot(
        *line.T,
        color=style.color,
        linewidth=style.width,
        linestyle=(0, (4, 2.5)) if style.dashed else "-",
        solid_capstyle="butt",
        zorder=zorder,
    )
    if style.head == "arrow":
        axes.fill(*head.T, color=style.color, linewidth=0, zorder=zorder)
        return
    width, cap = (bar_width(style.width), "butt") if style.head == "tee" else (style.width, None)
    axes.plot(*head.T, color=style.color, linewidth=width, zorder=zorder, solid_capstyle=cap)


def _draw_label(axes: Axes, edge: EdgeMark) -> None:
    if edge.label:
        claimed = edge.verdict in CLAIMS
        axes.text(
            edge.label_x,
            edge.label_y,
            edge.label,
            ha="center",
            va="center_baseline",
            fontsize=LABEL_SIZE,
            color=edge.color if claimed else QUIET,
            fontweight="bold" if claimed else "normal",
            bbox={"boxstyle": "square,pad=0.12", "facecolor": "white", "edgecolor": "none"},
            zorder=4,
        )


def legend_height(pictures: Sequence[GraphPicture]) -> float:
    """The inches that `draw_legend` takes: two rows where there are claims, whose width means something."""
    return 0.5 if any(picture.claims for picture in pictures) else 0.25


def draw_legend(axes: Axes, pictures: Sequence[GraphPicture], *, x: float, top: float) -> None:
    """The four verdicts in a row around `x`, drawn by the lines of the edges; below, what width means."""
    left, y = x - LEGEND / 2, top
    for verdict, style in STYLES.items():
        shown = style._replace(width=style.width + (0.8 if verdict in CLAIMS else 0))
        line = np.column_stack([np.linspace(left, left + 0.45, 41), np.full(41, y)])
        _draw_line(axes, line, shown, zorder=3)
        axes.text(left + 0.53, y, verdict, ha="left", va="center_baseline", fontsize=8, color=INK)
        left += 1.28
    if any(picture.claims for picture in pictures):
        _draw_width_key(axes, pictures[0].widest, x=x, y=top - 0.24)


def _draw_width_key(axes: Axes, widest: float, *, x: float, y: float) -> None:
    """Line widths of a small and of the largest claimed gain."""
    style = {"ha": "left", "va": "center_baseline", "fontsize": 8, "color": INK}
    words = "width of improves, harms:"
    numbers = [f"{round(100 * gain, 1):g}" for gain in width_key(widest)]
    numbers[-1] += " points"
    sizes = [text_width(words, 8), *(0.6 + text_width(number, 8) for number in numbers)]
    left = x - sum(sizes) / 2
    axes.text(left, y, words, **style)
    for gain, number, before in zip(width_key(widest), numbers, sizes[:2], strict=True):
        left += before
        width = width_of(gain, widest=widest)
        axes.plot([left, left + 0.4], [y, y], color=INK, linewidth=width, solid_capstyle="butt")
        axes.text(left + 0.48, y, number, **style)
