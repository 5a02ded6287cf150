"""The palette: read by everyone, and the only place where a color is named."""

import re
from pathlib import Path

import numpy as np
import pytest

import transfer
from transfer.reporting.graph_picture import STYLES
from transfer.reporting.palette import COLORS, PARTNERS, SHADES, contrast, css, tinted

# What remains of linear RGB without one kind of cone (Machado, Oliveira, Fernandes 2009, severity 1).
BLINDNESS = {
    "protan": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "deutan": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "tritan": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
TO_XYZ = [[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]]


def lab(color, blindness):
    """CIELAB (D65) as someone with a color vision deficiency sees a color."""
    parts = np.array([int(color[start : start + 2], 16) / 255 for start in (1, 3, 5)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(BLINDNESS[blindness]) @ linear, 0, 1)
    xyz = np.array(TO_XYZ) @ seen / [0.95047, 1.0, 1.08883]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("form", ["light", "dark"])
def test_verdicts_differ_without_one_kind_of_cone(blindness, form):
    improves, harms, flat = (lab(getattr(COLORS[n], form), blindness) for n in ("improves", "harms", "flat"))
    assert np.linalg.norm(improves - harms) > 60
    assert min(np.linalg.norm(improves - flat), np.linalg.norm(harms - flat)) > 20


@pytest.mark.parametrize("form", ["light", "dark"])
def test_text_can_be_read_on_what_it_stands_on(form):
    page, raised, ink = (getattr(COLORS[name], form) for name in ("page", "raised", "ink"))
    for name in ("ink", "quiet", "link", "improves", "harms", "synthetic"):
        assert min(contrast(getattr(COLORS[name], form), ground) for ground in (page, raised)) >= 4.5, name
    for name in ("flat", *PARTNERS):  # lines and marks
        assert contrast(getattr(COLORS[name], form), page) >= 3, name
    for name in ("improves", "harms"):
        assert contrast(getattr(tinted(name, 0.02 + 0.06 * SHADES), form), ink) >= 4.5
    assert len({getattr(COLORS[name], form) for name in PARTNERS}) == len(PARTNERS)


def test_a_verdict_has_one_color_in_figures_and_page():
    for verdict in ("improves", "harms"):
        light, dark = COLORS[verdict]
        assert STYLES[verdict].color == light
        assert f"--{verdict}: light-dark({light}, {dark});" in css()
    shades = re.findall(r"--(?:improves|harms)-\d: light-dark\((.*?)\)", css())
    assert len(set(shades)) == 2 * SHADES


def test_no_color_is_named_elsewhere():
    room = Path(transfer.__file__).parent
    files = [path for path in room.rglob("*") if path.suffix in (".py", ".js", ".css", ".html")]
    assert len(files) > 40
    named = [
        f"{path.name}: {found}"
        for path in files
        if path.name != "palette.py"
        for found in re.findall(r"(?<![\w&/])#[0-9a-fA-F]{6}\b|\brgba?\(|\bhsl\(", path.read_text("utf-8"))
    ]
    assert named == []


def test_all_variables_of_the_page_are_defined():
    sheet = (Path(transfer.__file__).parent / "reporting/templates/page.css").read_text("utf-8")
    defined = set(re.findall(r"(--[\w-]+):", css() + sheet))
    assert set(re.findall(r"var\((--[\w-]+)", sheet)) <= defined
    used = " ".join(sheet.split())
    assert all(f"--{name}" in used for name in COLORS if name != "pale"), "pale is of the figures"
