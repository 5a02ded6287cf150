"""The square of gains."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_hex
from matplotlib.figure import Figure

from transfer.analysis.tables import points
from transfer.analysis.verdicts import CLAIMS
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
from transfer.reporting.graph_picture import CROWDED
from transfer.reporting.palette import contrast, light

SIGNS = {"improves": "▲", "harms": "▼", "no effect": "=", "inconclusive": "?"}
ABSENT, NO_SCORE = "–", "×"
GAINS = LinearSegmentedColormap.from_list("gains", [light(name) for name in ("harms", "page", "improves")])
KEY_OF_MANY = "a number: improves or harms   = no effect   pale: inconclusive"


def gains_heatmap(gain: pd.DataFrame, verdict: pd.DataFrame, *, caption: str, source: str) -> Figure:
    """The square of gains (fractions; sources down, targets across) with a sign for each verdict.

    Both frames come from `tables.gain_matrix`; a cell without a gain has a dash. In a large square
    the cells are small, and only what is claimed has its number.
    """
    names = [str(name) for name in gain.index]
    crowded = len(names) > CROWDED
    side, label = (0.36 if crowded else 0.62), max((text_width(name, 9.0) for name in names), default=0.0)
    left, slant = MARGIN + 0.3 + label, label * 0.64 + 0.3
    square = side * len(names)
    behind = MARGIN + max((text_width(n, 9.0) * 0.8 - side * (k + 0.3) for k, n in enumerate(names[::-1])),
                          default=0.0)  # fmt: skip
    behind = max(behind, MARGIN)
    # of the pairs, not of a corpus with itself
    absent = bool(verdict.isna().to_numpy().sum() > len(names))
    unscored = bool((gain.isna() & verdict.notna()).to_numpy().any())
    width = max(5.2 + 0.7 * (absent + unscored), left + square + behind)
    left += (width - (left + square + behind)) / 2
    lines = wrapped(caption, width)
    banner = 0.4 if source == "synthetic" else 0.0
    below = 0.45 + LINE * len(lines) + MARGIN
    height = square + slant + banner + below
    figure, page = canvas(width, height)
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    axes = figure.add_axes((left / width, below / height, square / width, square / height), frameon=False)
    values = 100 * gain.to_numpy(dtype=float)
    limit = max(1.0, float(np.nanmax(np.abs(values), initial=0.0)))
    shown = verdict.isin(["improves", "harms", "no effect"]).to_numpy()
    # What is not known must not shout: inconclusive cells are pale, however large their gain.
    opacity = np.where(shown, 1.0, 0.25)
    axes.imshow(np.ma.masked_invalid(values), cmap=GAINS, vmin=-limit, vmax=limit, alpha=opacity)
    _cell_texts(axes, gain, verdict, limit, crowded=crowded)
    axes.set_xticks(range(len(names)), names, rotation=40, ha="left", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0, labelsize=9)
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="minor", length=0)
    key = KEY_OF_MANY if crowded else "   ".join(f"{sign} {name}" for name, sign in SIGNS.items())
    key += f"   {ABSENT} not measured" if absent else ""
    key += f"   {NO_SCORE} undefined" if unscored else ""
    page.text(width / 2, below - 0.16, f"partner (row) → target (column), points:   {key}",
              ha="center", va="center", fontsize=7.0, color=INK)  # fmt: skip
    draw_caption(page, lines, left=MARGIN, top=below - 0.45)
    draw_banner(page, source, x=width / 2, y=height - 0.3)
    return figure


def _cell_texts(
    axes: Axes, gain: pd.DataFrame, verdict: pd.DataFrame, limit: float, *, crowded: bool
) -> None:
    for row in range(len(gain)):
        for column in range(len(gain)):
            value = float(gain.iat[row, column])  # type: ignore[arg-type]
            if np.isnan(value):
                if row != column:
                    text = ABSENT if verdict.isna().iat[row, column] else NO_SCORE
                    axes.text(column, row, text, ha="center", va="center", fontsize=8, color=QUIET)
                continue
            text = points(value, sign=True).replace("-", "−")
            found = str(verdict.iat[row, column])
            claimed = found in CLAIMS
            if crowded and found == "inconclusive":
                continue
            parts = [text, SIGNS[found]] if not crowded else [text] if claimed else [SIGNS[found]]
            color = to_hex(GAINS(0.5 + 50 * value / limit)) if claimed else light("page")
            axes.text(column, row, "\n".join(parts), ha="center", va="center",
                      fontsize=5.5 if crowded else 8, fontweight="bold" if claimed else "normal",
                      color=max(light("page"), INK, key=lambda ink: contrast(ink, color)))  # fmt: skip
