"""The page's graph: the curves of the picture, in pixels, within the frame, for wide and narrow screens."""

import re

import numpy as np
import pytest

from tests.graphs import NAMES, fabricated, graph_of, nodes
from transfer.analysis.graph import TransferGraph
from transfer.reporting.graph_picture import lay_out
from transfer.reporting.page_graph import NARROW, RADIAL, WIDE, page_pictures


def numbers(path):
    return np.array([float(n) for n in re.findall(r"-?[\d.]+", path)]).reshape(-1, 2)


@pytest.mark.parametrize("place", [0, 1])
def test_the_page_draws_the_curves_of_the_picture(place):
    graph, scale = graph_of(6), (WIDE, NARROW)[place]
    known = lay_out(graph, frame=scale.frame)
    order = [(mark.source, mark.target) for mark in known.edges][::-1]
    shown = page_pictures(graph, order)[place]
    centers = {node.name: np.array(one[:2]) for node, one in zip(known.nodes, shown["nodes"], strict=True)}
    # from inches to pixels, by two nodes
    first, last = known.nodes[0], known.nodes[-1]
    origin = centers[first.name] - scale.per_inch * np.array([first.x, -first.y])
    np.testing.assert_allclose(
        centers[last.name] - origin, scale.per_inch * np.array([last.x, -last.y]), atol=0.2
    )
    for mark, drawn in zip(known.edges[::-1], shown["edges"], strict=True):
        start, bow, base, end = numbers(drawn["line"])
        path = np.array(mark.path) * [1, -1] * scale.per_inch + origin
        half = 0.25 * start + 0.5 * bow + 0.25 * base
        assert np.hypot(*(path - half).T).min() < 0.03 * scale.per_inch, "on the arc"
        np.testing.assert_allclose(start, path[0], atol=0.2)
        assert np.hypot(*(end - path[-1])) < 0.11 * scale.per_inch
        tip = numbers(drawn["head"])
        assert np.hypot(*(tip - path[-1]).T).min() < 0.2 * scale.per_inch
        for name, center in centers.items():
            if name not in (mark.source, mark.target):
                assert np.hypot(*(path - center).T).min() > scale.node, "no line runs over a node"


@pytest.mark.parametrize("count", [2, 5, 8, 13])
def test_names_lines_and_numbers_stand_within_the_frame(count):
    names = [*NAMES, "adverse-drug-events-in-discharge-summaries", "a", "b", "c", "d"][-count:]
    graph = TransferGraph.from_edges(fabricated(names), nodes=nodes(names), data_source="prepared")
    order = list(graph.digraph.edges)
    pictures = page_pictures(graph, order)
    assert len(pictures) == (1 if count > 12 else 2)
    for scale, shown in zip((RADIAL,) if count > 12 else (WIDE, NARROW), pictures, strict=True):
        assert len(shown["edges"]) == len(order)
        for edge in shown["edges"]:
            line, head = numbers(edge["line"])[[0, 2, 3]], numbers(edge["head"])
            for x, y in [*line, *head, edge.get("label", (9, 9))[:2]]:
                assert 0 <= x <= scale.pixels
                assert 0 <= y <= shown["height"]
        for x, y, text_x, text_y, align, turn, name in shown["nodes"]:
            width = 0.6 * 13 * len(name)
            before = {"left": 0, "center": width / 2, "right": width}[align]
            if count <= 12:
                assert turn == 0
                assert text_x - before >= 0
                assert text_x - before + width <= scale.pixels
            assert min(y, text_y) >= 0
            assert max(y, text_y) <= shown["height"]
            assert len(name) <= 18
            assert 0 <= x <= scale.pixels
