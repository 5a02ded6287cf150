"""Widths of a table's columns in LaTeX, estimated from Computer Modern, and what makes them fit a page.

Lengths are in points of TeX.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

# Text width of the classes' narrowest pages: a column of two (ACL: 219), and article in one column (345).
COLUMN, PAGE = 210.0, 338.0
HEIGHT = 470.0  # that a float's rows may take, so that its page has room for the caption
LONG_CELL = 90.0  # a cell that is wider is broken into lines where the table would not fit otherwise

# Advance widths of cmr10 in hundredths of a point; other signs are as wide as most capitals.
_WIDTHS = {
    278: "iljI.,:;'!|[]", 333: "- `", 306: "f", 389: "t()", 392: "rs", 444: "cez", 500: "agovxyk0123456789/*",
    556: "bdhnpquS?", 681: "EFJPL_", 722: "wCTBR", 778: "+−±=<>GKOQUHVXYNADZ", 833: "m%&", 917: "M@",
    1028: "W→…",
}  # fmt: skip
_WIDTH = {letter: width / 100 for width, letters in _WIDTHS.items() for letter in letters}
_PIECE = re.compile(r"[^\s\-_/,]*[\-_/,]+\s*|[^\s\-_/,]+\s*|\s+")


class Size(NamedTuple):
    """A type size of LaTeX: small fonts are wider than their size says."""

    command: str
    scale: float  # of a text's width in cmr10
    gap: float  # \\tabcolsep
    line: float  # from one line to the next


SIZES = (
    Size("", 1.0, 6.0, 12.0),
    Size(r"\small", 0.925, 5.0, 11.0),
    Size(r"\footnotesize", 0.85, 4.0, 9.5),
    Size(r"\scriptsize", 0.797, 3.0, 8.0),
)


@lru_cache(maxsize=4096)
def natural(text: str) -> float:
    """A text's width at 10 points."""
    return sum(_WIDTH.get(letter, 7.5) for letter in text)


def broken(text: str, most: float) -> list[str]:
    """The text in lines of at most so many points at 10 points, broken after spaces, hyphens and the like.

    A piece that is wider stands on a line of its own.

    >>> broken("adverse-drug-events", 60)
    ['adverse-drug-', 'events']
    """
    lines: list[str] = []
    for piece in _PIECE.findall(text):
        if lines and natural((lines[-1] + piece).rstrip()) <= most:
            lines[-1] += piece
        else:
            lines.append(piece)
    return [line.rstrip() for line in lines] or [""]


@dataclass(frozen=True)
class Layout:
    """The layout of a table: its panels (positions of columns), and each column's broken texts."""

    size: Size
    wide: bool  # over both columns of a two-column page
    panels: tuple[tuple[int, ...], ...]
    heads: tuple[tuple[str, ...], ...]  # of each column, in lines
    most: float  # of a cell at 10 points


def _across(widths: Sequence[float], size: Size) -> float:
    return size.scale * sum(widths) + 2 * size.gap * (len(widths) - 1)


def widths(heads: Sequence[str], rows: Sequence[Sequence[str]], most: float) -> list[float]:
    """Points of each column at 10 points, its head broken as far as its cells are narrower."""
    found = []
    for place, head in enumerate(heads):
        lines = {line for row in rows for line in broken(row[place], most)}
        cells = max((natural(line) for line in lines), default=0.0)
        found.append(max([cells, *(natural(line) for line in broken(head, cells))]))
    return found


def layout(heads: Sequence[str], rows: Sequence[Sequence[str]], *, keys: int) -> Layout:
    """The largest type in which the table fits a column, else a page; else broken cells, else panels.

    In panels the columns stand below each other, every panel with the first `keys` columns.
    """
    every = tuple(range(len(heads)))
    tries = [(COLUMN, size, float("inf")) for size in SIZES[:3]]
    tries += [(PAGE, size, float("inf")) for size in SIZES]
    tries += [(PAGE, size, LONG_CELL) for size in SIZES[2:]]
    for room, size, most in tries:
        found = widths(heads, rows, most)
        if _across(found, size) <= room:
            return _made(heads, found, size, room > COLUMN, (every,), most)
    size = SIZES[2]
    found = widths(heads, rows, LONG_CELL)
    first, rest = every[:keys], list(every[keys:])
    for count in range(2, len(rest) + 1):
        each = -(-len(rest) // count)
        panels = tuple((*first, *rest[start : start + each]) for start in range(0, len(rest), each))
        if max(_across([found[place] for place in panel], size) for panel in panels) <= PAGE:
            break
    else:
        panels = tuple((*first, place) for place in rest)
    return _made(heads, found, size, True, panels, LONG_CELL)


def _made(heads, found, size, wide, panels, most) -> Layout:
    lines = tuple(tuple(broken(head, width)) for head, width in zip(heads, found, strict=True))
    return Layout(size, wide, panels, lines, most)
