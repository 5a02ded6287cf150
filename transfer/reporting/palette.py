"""Colors of every figure and page, defined once; each has a light and a dark form.

Blue and vermilion (after Okabe and Ito 2008) replace green and red: with protanopia they stay 80 CIELAB
units apart, where green and red of the same lightness come within 15.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Color(NamedTuple):
    """A color on a white page and on a dark one, as `#rrggbb`."""

    light: str
    dark: str


# The names are those of the page's CSS variables.
COLORS: Mapping[str, Color] = MappingProxyType(
    {
        "page": Color("#ffffff", "#14171c"),
        "raised": Color("#f5f7fa", "#1d2128"),
        "ink": Color("#1b1f24", "#e6e9ee"),
        "quiet": Color("#56606b", "#a3adb9"),
        "rule": Color("#d5dbe2", "#363d47"),
        "link": Color("#0b5cad", "#7db7f5"),
        "focus": Color("#0b5cad", "#ffc857"),
        "improves": Color("#0063b0", "#6db4f2"),
        "harms": Color("#bd3f00", "#ff9257"),
        "flat": Color("#6f7883", "#98a2ae"),  # no effect and inconclusive
        "pale": Color("#c9c9c9", "#4a525d"),
        "band": Color("#dfe4ea", "#333b46"),
        "synthetic": Color("#4b2e83", "#cbb8f2"),
        "synthetic-page": Color("#efe9f9", "#2b2340"),
        # of partners and methods, told apart by form as well; the two that look like verdicts come last
        "p0": Color("#00805f", "#35c79d"),
        "p1": Color("#a8517f", "#e391bd"),
        "p2": Color("#a86f00", "#f2b632"),
        "p3": Color("#2b86bd", "#8fd0f5"),
        "p4": Color("#6b6b00", "#c9c95a"),
        "p5": Color("#1b1f24", "#e6e9ee"),
        "p6": Color("#00528a", "#56a8e0"),
        "p7": Color("#c44f00", "#f08a4b"),
    }
)
SHADES = 8  # of a heat map's cell on the page
PARTNERS = tuple(f"p{place}" for place in range(8))


def light(name: str) -> str:
    """A color on a white page."""
    return COLORS[name].light


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb` as WCAG 2 defines it, 0 to 1."""
    parts = [int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colors as WCAG 2 defines it, 1 to 21.

    >>> round(contrast("#000000", "#ffffff"))
    21
    """
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def tinted(name: str, share: float) -> Color:
    """The page's color with so much (0 to 1) of another one, on a white page and on a dark one."""
    light, dark = (_mixed(page, own, share) for page, own in zip(COLORS["page"], COLORS[name], strict=True))
    return Color(light, dark)


def css() -> str:
    """The colors as variables of CSS, in both forms, with SHADES tints of each claim (`--harms-1`, …)."""
    colors = dict(COLORS)
    for name in ("improves", "harms"):
        colors |= {f"{name}-{n}": tinted(name, 0.02 + 0.06 * n) for n in range(1, SHADES + 1)}
    lines = [f"  --{name}: light-dark({color.light}, {color.dark});\n" for name, color in colors.items()]
    return f":root {{\n{''.join(lines)}}}\n"


def _mixed(one: str, other: str, share: float) -> str:
    parts = [[int(color[start : start + 2], 16) for start in (1, 3, 5)] for color in (one, other)]
    return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(*parts, strict=True))
