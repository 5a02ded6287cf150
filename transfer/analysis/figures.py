"""Drawings of what the analysis found; the only module that imports matplotlib.

Nothing is computed from scores here: a picture's numbers come from `graph` and `tables`.
Figures are built without pyplot, and the files of equal figures are equal byte for byte.
"""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle

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
)  # fmt: skip
from transfer.analysis.tables import points

FORMATS = ("svg", "png", "pdf")
BANNER = "SYNTHETIC DATA"
CAPTION_SIZE = 7.5
LINE = 0.145  # inches from one line of the caption to the next
MARGIN = 0.25
SIGNS = {"improves": "▲", "harms": "▼", "no effect": "=", "inconclusive": "?"}
INK, QUIET = "#1A1A1A", "#6B6B6B"
# Whatever a user's matplotlibrc says, equal figures give equal files.
SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "svg.hashsalt": "transfer",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "path.simplify": False,
    "text.usetex": False,
    "savefig.bbox": None,
}


def draw_graph(picture: GraphPicture, *, caption: str, source: str) -> Figure:
    """The improve/harm graph with legend and caption; `source` synthetic puts a banner on top."""
    names = max((text_width(node.name, NAME_SIZE) for node in picture.nodes), default=0.0)
    reach_x = max([2.8 - MARGIN, *(_name_reach(node.text_x, node.align, names) for node in picture.nodes)])
    # 0.65: the arcs between two nodes reach further up and down than their names
    top = max([0.65, *(node.text_y + 0.32 for node in picture.nodes)])
    bottom = min([-0.65, *(node.text_y - 0.32 for node in picture.nodes)])
    width = 2 * (reach_x + MARGIN)
    lines = _wrapped(caption, width)
    banner = 0.4 if source == "synthetic" else 0.0
    below = 0.5 + LINE * len(lines) + MARGIN
    figure, axes = _canvas(width, top - bottom + banner + below)
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
    _caption(axes, lines, left=-width / 2 + MARGIN, top=bottom - 0.5)
    _banner(axes, source, x=0.0, y=top + 0.1)
    return figure


def gains_heatmap(gain: pd.DataFrame, verdict: pd.DataFrame, *, caption: str, source: str) -> Figure:
    """The square of gains (fractions; sources down, targets across) with a sign for each verdict.

    Both frames come from `tables.gain_matrix`; a cell without a number is left blank.
    """
    names = [str(name) for name in gain.index]
    side, label = 0.62, max((text_width(name, 9.0) for name in names), default=0.0)
    left, slant = MARGIN + 0.3 + label, label * 0.64 + 0.3
    square = side * len(names)
    width = max(5.2, left + square + 0.6 + MARGIN)
    left += max(0.0, (width - (left + square + 0.6 + MARGIN)) / 2)
    lines = _wrapped(caption, width)
    banner = 0.4 if source == "synthetic" else 0.0
    below = 0.45 + LINE * len(lines) + MARGIN
    height = square + slant + banner + below
    figure, page = _canvas(width, height)
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    axes = figure.add_axes((left / width, below / height, square / width, square / height), frameon=False)
    values = 100 * gain.to_numpy(dtype=float)
    limit = max(1.0, float(np.nanmax(np.abs(values), initial=0.0)))
    shown = verdict.isin(["improves", "harms", "no effect"]).to_numpy()
    # What is not known must not shout: inconclusive cells are pale, however large their gain.
    opacity = np.where(shown, 1.0, 0.25)
    axes.imshow(np.ma.masked_invalid(values), cmap="BrBG", vmin=-limit, vmax=limit, alpha=opacity)
    _cell_texts(axes, gain, verdict, limit)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0, labelsize=9)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    key = "   ".join(f"{sign} {name}" for name, sign in SIGNS.items())
    page.text(width / 2, below - 0.16, f"partner (row) → target (column), points:   {key}",
              ha="center", va="center", fontsize=7.0, color=INK)  # fmt: skip
    _caption(page, lines, left=MARGIN, top=below - 0.45)
    _banner(page, source, x=width / 2, y=height - 0.3)
    return figure


def save(figure: Figure, stem: Path, *, title: str, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Writes `stem`.svg, .png and .pdf without dates; `title` goes into their metadata."""
    metadata = {
        "svg": {"Title": title, "Date": None},
        "png": {"Title": title, "Software": None},
        "pdf": {"Title": title, "CreationDate": None},
    }
    paths = [stem.with_name(f"{stem.name}.{form}") for form in formats]
    with matplotlib.rc_context(SETTINGS):
        for form, path in zip(formats, paths, strict=True):
            figure.savefig(path, format=form, dpi=160, metadata=metadata[form], facecolor="white")
    return paths


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of a size in inches with one bare pair of axes over all of it."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return figure, axes


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


def _wrapped(caption: str, width: float) -> list[str]:
    letters = int((width - 2 * MARGIN) / (0.56 * CAPTION_SIZE / 72))
    return textwrap.wrap(caption, letters)


def _caption(axes: Axes, lines: Sequence[str], *, left: float, top: float) -> None:
    for index, line in enumerate(lines):
        axes.text(left, top - LINE * index, line, ha="left", va="top", fontsize=CAPTION_SIZE,
                  color=INK)  # fmt: skip


def _banner(axes: Axes, source: str, *, x: float, y: float) -> None:
    if source == "synthetic":
        axes.text(x, y, BANNER, ha="center", va="center", fontsize=11, fontweight="bold",
                  color="white", bbox={"boxstyle": "square,pad=0.35", "facecolor": "#4B2E83",
                                       "edgecolor": "none"})  # fmt: skip


def _cell_texts(axes: Axes, gain: pd.DataFrame, verdict: pd.DataFrame, limit: float) -> None:
    for row in range(len(gain)):
        for column in range(len(gain)):
            value = float(gain.iat[row, column])  # type: ignore[arg-type]
            if np.isnan(value):
                continue
            text = points(value, sign=True).replace("-", "−")
            found = str(verdict.iat[row, column])
            claimed = found in CLAIMS
            dark = claimed and abs(100 * value) > 0.65 * limit
            axes.text(column, row, f"{text}\n{SIGNS[found]}", ha="center", va="center",
                      fontsize=8, fontweight="bold" if claimed else "normal",
                      color="white" if dark else INK)  # fmt: skip
