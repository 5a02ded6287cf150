"""The improve/harm graph, drawn from its picture."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

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
from transfer.analysis.graph import (
    CLAIMS,
    HEAD,
    LABEL_SIZE,
    NAME_SIZE,
    STYLES,
    EdgeMark,
    EdgeStyle,
    GraphPicture,
    text_width,
)


def draw_graph(picture: GraphPicture, *, caption: str, source: str) -> Figure:
    """The improve/harm graph with legend and caption; `source` synthetic puts a banner on top."""
    names = max((text_width(node.name, NAME_SIZE) for node in picture.nodes), default=0.0)
    reach_x = max([2.8 - MARGIN, *(_name_reach(node.text_x, node.align, names) for node in picture.nodes)])
    # 0.65: the arcs between two nodes reach further up and down than their names
    top = max([0.65, *(node.text_y + 0.32 for node in picture.nodes)])
    bottom = min([-0.65, *(node.text_y - 0.32 for node in picture.nodes)])
    width = 2 * (reach_x + MARGIN)
    lines = wrapped(f"{caption} {picture.note}".strip(), width)
    banner = 0.4 if source == "synthetic" else 0.0
    below = 0.5 + LINE * len(lines) + MARGIN
    figure, axes = canvas(width, top - bottom + banner + below)
    axes.set_xlim(-width / 2, width / 2)
    axes.set_ylim(bottom - below, top + banner)
    for edge in picture.edges:
        _draw_edge(axes, edge)
    for edge in picture.edges:
        _draw_label(axes, edge)
    for node in picture.nodes:
        place = (node.x, node.y)
        axes.add_patch(Circle(place, picture.node_radius, facecolor="#EEF1F5", edgecolor=INK, zorder=5))
        style = {"ha": node.align, "va": "center", "zorder": 6}
        axes.text(node.text_x, node.text_y + 0.09, node.name, fontsize=NAME_SIZE, **style)
        axes.text(node.text_x, node.text_y - 0.09, node.detail, fontsize=7.5, color=QUIET, **style)
    _legend(axes, bottom - 0.2)
    draw_caption(axes, lines, left=-width / 2 + MARGIN, top=bottom - 0.5)
    draw_banner(axes, source, x=0.0, y=top + 0.1)
    return figure


def _name_reach(x: float, align: str, width: float) -> float:
    return abs(x) + (width / 2 if align == "center" else width)


def _draw_edge(axes: Axes, edge: EdgeMark) -> None:
    path = np.array(edge.path)
    style = EdgeStyle(edge.color, edge.dashed, edge.head, edge.width)
    _draw_line(axes, path, style, zorder=3 if edge.verdict in CLAIMS else 2)


def _draw_line(axes: Axes, path: np.ndarray, style: EdgeStyle, *, zorder: int) -> None:
    """A line [n, 2] with its head at the last point; lengths in inches."""
    tip = path[-1]
    behind = path[np.hypot(*(path - tip).T) >= HEAD]
    base = behind[-1]
    along = (tip - base) / np.hypot(*(tip - base))
    side = np.array([-along[1], along[0]])
    line = np.vstack([behind, tip - along * 0.7 * HEAD]) if style.head == "arrow" else path
    axes.plot(
        *line.T,
        color=style.color,
        linewidth=style.width,
        linestyle=(0, (4, 2.5)) if style.dashed else "-",
        solid_capstyle="butt",
        zorder=zorder,
    )
    half = 0.42 * HEAD + 0.012 * style.width
    if style.head == "arrow":
        corners = [tip, tip - along * HEAD - side * half, tip - along * HEAD + side * half]
        axes.fill(*np.array(corners).T, color=style.color, linewidth=0, zorder=zorder)
    elif style.head == "tee":
        bar = np.array([tip - side * half * 1.5, tip + side * half * 1.5])
        axes.plot(*bar.T, color=style.color, linewidth=style.width + 1.0, zorder=zorder,
                  solid_capstyle="butt")  # fmt: skip
    else:
        barbs = np.array([tip - along * HEAD * 0.8 - side * half * 0.8, tip,
                          tip - along * HEAD * 0.8 + side * half * 0.8])  # fmt: skip
        axes.plot(*barbs.T, color=style.color, linewidth=style.width, zorder=zorder)


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


def _legend(axes: Axes, y: float) -> None:
    """The four verdicts in one row, drawn by the same lines as the edges."""
    x = -2.5
    for verdict, style in STYLES.items():
        shown = style._replace(width=style.width + (0.8 if style.width > 1 else 0))
        line = np.column_stack([np.linspace(x, x + 0.45, 41), np.full(41, y)])
        _draw_line(axes, line, shown, zorder=3)
        axes.text(x + 0.53, y, verdict, ha="left", va="center_baseline", fontsize=8, color=INK)
        x += 1.28
