"""Canvas of every figure: a page in inches with caption and banner, and how it is saved."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transfer.reporting.palette import light

FORMATS = ("svg", "png", "pdf")
BANNER = "SYNTHETIC DATA"
CAPTION_SIZE = 7.5
LINE = 0.145  # inches from one line of the caption to the next
MARGIN = 0.25
INK, QUIET, RAISED, BAND = (light(name) for name in ("ink", "quiet", "raised", "band"))
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


def canvas(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of a size in inches with one bare pair of axes over all of it."""
    with matplotlib.rc_context(SETTINGS):
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    return figure, axes


def wrapped(caption: str, width: float) -> list[str]:
    letters = int((width - 2 * MARGIN) / (0.56 * CAPTION_SIZE / 72))
    return textwrap.wrap(caption, letters)


def draw_caption(axes: Axes, lines: Sequence[str], *, left: float, top: float) -> None:
    for index, line in enumerate(lines):
        axes.text(left, top - LINE * index, line, ha="left", va="top", fontsize=CAPTION_SIZE,
                  color=INK)  # fmt: skip


def draw_banner(axes: Axes, source: str, *, x: float, y: float) -> None:
    if source == "synthetic":
        axes.text(x, y, BANNER, ha="center", va="center", fontsize=11, fontweight="bold",
                  color="white", bbox={"boxstyle": "square,pad=0.35", "facecolor": light("synthetic"),
                                       "edgecolor": "none"})  # fmt: skip


def save(figure: Figure, stem: Path, *, title: str, formats: Sequence[str] = FORMATS) -> list[Path]:
    """Write `stem`.svg, .png and .pdf without dates; `title` goes into their metadata."""
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
