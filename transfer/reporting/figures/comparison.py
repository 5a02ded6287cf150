"""The same edges under several methods: their gains below each other, and how far from the base's."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from transfer.reporting.comparison_picture import ComparisonPicture, ComparisonRow, Mark
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
from transfer.reporting.figures.forest import draw_axis, draw_interval
from transfer.reporting.figures.scatter import COLORS, FORMS
from transfer.reporting.graph_layout import text_width

SLOT, PAD = 0.135, 0.09  # inches from one method to the next, and what parts an edge from its neighbours
GAINS, APART, BETWEEN = 3.0, 2.2, 0.25  # inches: the axes and the gap between them
NAMES, NUMBERS = 7.5, 6.5  # type sizes in printers' points
KEY = 0.19  # inches of a line of the key


def draw_comparison(shown: ComparisonPicture, *, caption: str, source: str) -> Figure:
    """Left the gain of each edge under each method, right its difference from the base's; points.

    A mark is filled where the gain is claimed, on the right where the difference is; a flipped verdict is
    ringed and named. The bands are ± the smallest effect. What leaves an axis ends in an arrow.
    """
    slots = len(shown.methods)
    row = SLOT * slots + PAD
    name = max(text_width(line.label, NAMES) for line in shown.rows)
    texts = ["difference (95 %)", *(_said(mark) for line in shown.rows for mark in line.marks)]
    said = max(text_width(text, 1.08 * NUMBERS) for text in texts)  # bold letters are wider
    keys = [0.35 + text_width(method, NAMES) for method in shown.methods]
    middle = GAINS + BETWEEN + APART
    width = max(name + middle + said + 2 * MARGIN + 0.3, max(keys) + 2 * MARGIN)
    lines = wrapped(f"{caption} {shown.note}".strip(), width)
    columns = max(1, int((width - 2 * MARGIN) / (max(keys) + 0.2)))
    keys_tall = KEY * -(-slots // columns)
    head = 0.3 + keys_tall + (0.5 if source == "synthetic" else 0.05)
    below = 0.65 + LINE * len(lines) + MARGIN / 2
    tall = row * len(shown.rows)
    height = below + tall + head
    figure, page = canvas(width, height)
    page.set_xlim(0, width)
    page.set_ylim(0, height)
    left = MARGIN + name + 0.15
    for index, line in enumerate(shown.rows):
        top = below + tall - row * index
        if index % 2:
            page.fill_between((left, left + middle), top - row, top, color=RAISED, linewidth=0, zorder=0)
        page.text(left - 0.12, top - row / 2, line.label, ha="right", va="center", fontsize=NAMES, color=INK)
        for mark in line.marks:
            y = top - PAD / 2 - SLOT * (mark.method + 0.5)
            page.text(left + middle + 0.12, y, _said(mark), ha="left", va="center", fontsize=NUMBERS,
                      color=INK if mark.decided else QUIET,
                      fontweight="bold" if mark.decided else "normal")  # fmt: skip
    for limit, start, size in ((shown.wide, left, GAINS), (shown.apart, left + GAINS + BETWEEN, APART)):
        axes = figure.add_axes((start / width, below / height, size / width, tall / height), frameon=False)
        draw_axis(axes, limit, rows=len(shown.rows), band=shown.band, most_ticks=5)
        for index, line in enumerate(shown.rows):
            _draw_row(axes, line, index, slots, limit=limit, apart=size == APART)
    _write(page, "gain in points", left + GAINS / 2, below - 0.42)
    _write(page, f"less that of {shown.methods[0]}", left + GAINS + BETWEEN + APART / 2, below - 0.42)
    page.text(left + middle + 0.12, below + tall + 0.12, "difference (95 %)", ha="left", va="center",
              fontsize=NUMBERS, color=INK)  # fmt: skip
    _draw_key(page, shown.methods, columns, max(keys) + 0.2, top=below + tall + 0.25 + keys_tall)
    draw_caption(page, lines, left=MARGIN, top=below - 0.62)
    draw_banner(page, source, x=width / 2, y=height - 0.3)
    return figure


def _draw_row(axes: Axes, line: ComparisonRow, index: int, slots: int, *, limit: float, apart: bool) -> None:
    """An edge's marks, each in its method's slot."""
    slot = SLOT / (SLOT * slots + PAD)
    for mark in line.marks:
        y = index + slot * (mark.method - (slots - 1) / 2)
        if apart and not mark.method:
            continue
        value = (
            (mark.difference, mark.difference_low, mark.difference_high)
            if apart
            else (mark.gain, mark.low, mark.high)
        )
        color, form = COLORS[mark.method], FORMS[mark.method]
        if mark.flip and not apart and abs(value[0]) <= limit:
            axes.plot(value[0], y, "o", markersize=9, markerfacecolor="none", color=INK, markeredgewidth=0.8)
        filled = mark.decided if apart else mark.claimed
        draw_interval(axes, value, y, limit=limit, color=color, marker=form, filled=filled, size=4.2)


def _said(mark: Mark) -> str:
    return f"{mark.said}   {mark.flip}".rstrip()


def _draw_key(page: Axes, methods: tuple[str, ...], columns: int, wide: float, *, top: float) -> None:
    for place, method in enumerate(methods):
        down, across = divmod(place, columns)
        x, y = MARGIN + across * wide, top - KEY * (down + 0.5)
        page.plot(x + 0.08, y, FORMS[place], color=COLORS[place], markersize=5)
        page.text(x + 0.2, y, method, ha="left", va="center", fontsize=NAMES, color=INK)


def _write(page: Axes, text: str, x: float, y: float) -> None:
    page.text(x, y, text, ha="center", va="center", fontsize=NUMBERS, color=INK)
