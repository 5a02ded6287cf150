"""Figures: equal bytes for equal input, marked when synthetic, and no text over another."""

import functools
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from transfer.analysis import gains, tables
from transfer.analysis.graph import TransferGraph
from transfer.reporting import figures
from transfer.reporting.graph_picture import lay_out
from transfer.reporting.panels import Panel, Panels

NAMES = ["clinicalsts", "i2b2-2010-re", "mednli", "shareclefe", "bc5cdr-chemical",
         "bc5cdr-disease", "ddi2013", "chemprot", *(f"corpus-{n:02d}" for n in range(16))]  # fmt: skip
LONG = ["adverse-drug-events-in-discharge-summaries", "mednli", "shareclefe-disorder-mentions-2013",
        *(f"a-corpus-whose-name-is-long-{n}" for n in range(12)),
        "drug-drug-interactions-ddi-2013-medline-and-drugbank"]  # fmt: skip
KINDS = ["graph", "heat", "forest", "scatter", "panels"]
CAPTION = "Gain of each target from each partner. Encoder minilm-l6, recipe quick, 3 seeds. " * 3


def seed_gains_of(names):
    rng = np.random.default_rng(3)
    rows = [
        ("refine", f"{source}+{target}", source, target, "f1", seed, 0.7, 0.7 + gain, gain)
        for source, target in permutations(names, 2)
        for seed, gain in enumerate(rng.choice([-0.02, 0.02]) + 0.002 * rng.normal(size=3))
    ]
    return pd.DataFrame(rows, columns=pd.Index(gains.SEED_GAINS))


def edges_of(names, some=None):
    """The edges of all pairs, or of those among `some`."""
    return _edges(tuple(names), None if some is None else frozenset(some)).copy()


@functools.cache
def _edges(names, some):
    rows = seed_gains_of(names)
    return gains.edges(rows if some is None else rows[_among(rows, some)], smallest_effect=0.005)


def _among(rows, some):
    return [pair in some for pair in zip(rows["source"], rows["target"], strict=True)]


def drawn(count, kind="graph", source="synthetic", *, names=None, some=None):
    names = names or NAMES[:count]
    edges = edges_of(names, some)
    if kind == "heat":
        squares = [tables.gain_matrix(edges, column=column, order=names) for column in ("gain", "verdict")]
        return figures.gains_heatmap(*squares, caption=CAPTION, source=source)
    if kind == "forest":
        return figures.draw_forest(edges, smallest_effect=0.005, caption=CAPTION, source=source)
    if kind == "scatter":
        rows = seed_gains_of(names)
        rows = rows if some is None else rows[_among(rows, some)]
        return figures.draw_scatter(rows, order=names, caption=CAPTION, source=source)
    if kind == "panels":  # four nodes beside so many
        sides = (graph_of(NAMES[:4], "prepared"), graph_of(names, source, some))
        both = Panels(
            tuple(Panel(f"grid {n}", edges, graph, CAPTION) for n, (edges, graph) in enumerate(sides))
        )
        return figures.draw_panels(both.pictures, caption=both.caption)
    return figures.draw_graph(lay_out(graph_of(names, source, some)[1]), caption=CAPTION, source=source)


def graph_of(names, source, some=None):
    nodes = [{"name": n, "kind": "k", "metric": "span F1", "domain": "d"} for n in names]
    edges = edges_of(names, some)
    return edges, TransferGraph.from_edges(edges, nodes=nodes, data_source=source)


def boxes(figure):
    """The box in pixels of every written text, and the canvas's size."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [text for axes in figure.axes for text in axes.texts]
    for axes in figure.axes:
        if axes.axison:
            texts += [*axes.get_xticklabels(), *axes.get_yticklabels()]
    texts = [text for text in texts if text.get_text()]
    found = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in texts]
    return found, canvas.get_width_height()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 4, 8, 16, 24])
def test_no_text_lies_on_another_or_is_cut(kind, count):
    assert_legible(drawn(count, kind), slanted=NAMES if kind == "heat" else [], least=count)


@pytest.mark.parametrize("count", range(2, 14))
def test_the_labels_of_a_complete_graph_cover_nothing(count):
    """Boxes as drawn, with a label's white ground: labels, names and nodes share no pixel."""
    names = NAMES[:count]
    picture = lay_out(graph_of(names, "prepared")[1])
    figure = figures.draw_graph(picture, caption="c", source="prepared")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    texts = [text for text in figure.axes[0].texts if text.get_text() in {*names, *labels_of(picture)}]
    drawn = [(text.get_text(), (text.get_bbox_patch() or text).get_window_extent()) for text in texts]
    assert len(drawn) == count + len(labels_of(picture))
    for (one, a), (other, b) in combinations(drawn, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 0.5 or up <= 0.5, (one, other)
    pixels = figure.axes[0].transData.transform
    radius = np.hypot(*(pixels((picture.node_radius, 0)) - pixels((0, 0))))
    for node in picture.nodes:
        x, y = pixels((node.x, node.y))
        for text, box in drawn:
            aside = np.hypot(x - np.clip(x, box.x0, box.x1), y - np.clip(y, box.y0, box.y1))
            assert aside >= radius - 0.5, (text, node.name)
    if count <= 10:
        assert all(edge.label for edge in picture.edges), "every edge has its number"


def labels_of(picture):
    return [edge.label for edge in picture.edges if edge.label]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [2, 4, 8, 16])
def test_long_names_and_failed_cells_do_no_harm(kind, count):
    names = [*LONG[: count - 1], LONG[-1]]
    # of two one direction alone, of more all but a fifth
    some = {pair for place, pair in enumerate(permutations(names, 2)) if place % 5 != 1}
    figure = drawn(count, kind, names=names, some=some)
    assert_legible(figure, slanted=names if kind == "heat" else [], least=count)
    said = " ".join(text.get_text() for axes in figure.axes for text in axes.texts)
    absent = count * (count - 1) - len(some)
    if kind == "heat":
        assert said.split().count("–") == absent + 1, "each such cell, and the key"
    if kind in ("graph", "panels"):
        assert f"Not measured: {absent} of {count * (count - 1)} directed pairs." in said


def assert_legible(figure, *, slanted, least):
    """No text beyond the page, none on another. A slanted name's upright box is larger than the name."""
    found, (width, height) = boxes(figure)
    assert len(found) > least
    for text, box in found:
        assert min(box.x0, box.y0) >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    level = [(text, box) for text, box in found if text not in slanted]
    for (one, a), (other, b) in combinations(level, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1 or up <= 2, (one, other)  # a pixel or two of empty margin


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_equal_byte_for_byte_and_dateless(kind, tmp_path):
    first = figures.save(drawn(4, kind), tmp_path / "one", title="t")
    second = figures.save(drawn(4, kind), tmp_path / "two", title="t")
    assert [path.suffix for path in first] == [".svg", ".png", ".pdf"]
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.suffix
    assert b"<dc:date>" not in first[0].read_bytes()
    assert b"CreationDate" not in first[2].read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_only_synthetic_data_wears_the_banner(kind):
    texts = {text.get_text() for axes in drawn(2, kind).axes for text in axes.texts}
    assert figures.BANNER in texts
    texts = {text.get_text() for a in drawn(2, kind, "prepared").axes for text in a.texts}
    assert figures.BANNER not in texts


def test_a_graph_without_edges_or_with_one_node_is_drawn(tmp_path):
    empty = edges_of(NAMES[:2]).iloc[:0]
    node = {"name": "alone", "kind": "k", "metric": "m", "domain": "d"}
    graph = TransferGraph.from_edges(empty, nodes=[node], data_source="prepared")
    figure = figures.draw_graph(lay_out(graph), caption="c", source="prepared")
    assert all(path.stat().st_size for path in figures.save(figure, tmp_path / "g", title="t"))


def test_an_interval_beyond_the_axis_and_an_edge_without_one_are_drawn():
    edges = edges_of(NAMES[:4])
    edges.loc[0, ["ci_low", "ci_high"]] = [-3.0, 3.0]
    edges.loc[1, ["ci_low", "ci_high"]] = np.nan
    figure = figures.draw_forest(edges, smallest_effect=0.005, caption="c", source="prepared")
    low, high = figure.axes[1].get_xlim()
    assert high < 110
    for line in figure.axes[1].lines[1:]:
        assert low <= min(line.get_xdata())
        assert max(line.get_xdata()) <= high


@pytest.mark.parametrize(("gain", "axes"), [(0.02, 1), (0.7, 2)])
def test_the_band_of_what_does_not_matter_can_be_seen(gain, axes):
    edges = edges_of(NAMES[:3]).assign(ci_low=lambda e: e["gain"] - 0.01, ci_high=lambda e: e["gain"] + 0.01)
    edges.loc[0, "gain"] = gain
    figure = figures.draw_forest(edges, smallest_effect=0.005, caption="c", source="prepared")
    assert len(figure.axes) == 1 + axes  # and the page
    low, high = figure.axes[-1].get_xlim()
    assert 1.0 / (high - low) > 1 / 20


@pytest.mark.parametrize("kind", ["graph", "forest", "panels"])
def test_of_many_corpora_a_figure_says_what_it_leaves_out(kind):
    said = " ".join(text.get_text() for axes in drawn(24, kind).axes for text in axes.texts)
    assert "edges that improve or harm, of 552 edges measured; edges.csv has every edge." in said
    assert "edges.csv" not in " ".join(t.get_text() for a in drawn(4, kind).axes for t in a.texts)


def test_in_a_large_square_only_what_is_claimed_has_its_number():
    edges, names = edges_of(NAMES[:24]), NAMES[:24]
    edges.loc[:9, "verdict"], edges.loc[10:14, "verdict"] = "inconclusive", "no effect"
    squares = [tables.gain_matrix(edges, column=column, order=names) for column in ("gain", "verdict")]
    figure = figures.gains_heatmap(*squares, caption="c", source="prepared")
    texts = [text.get_text() for text in figure.axes[1].texts]
    assert texts.count("=") == 5
    assert len(texts) == 5 + edges["verdict"].isin(["improves", "harms"]).sum()
    assert not {"", "?"} & set(texts)


def test_no_two_partners_have_the_same_mark():
    figure = drawn(16, "scatter")
    marks = [(line.get_color(), line.get_marker()) for line in figure.axes[0].lines]
    assert len(marks) == len(set(marks)) == 16
