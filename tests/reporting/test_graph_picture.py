"""The graph's picture: fixed places, forms of the verdicts, labels that cover nothing."""

import math
from itertools import combinations

import numpy as np
import pytest

from tests.graphs import NAMES, fabricated, graph_of, nodes
from transfer.analysis.graph import TransferGraph
from transfer.analysis.verdicts import CLAIMS
from transfer.reporting.graph_layout import LABEL_SIZE, half_head, text_width
from transfer.reporting.graph_picture import PALE, STRONGEST, lay_out


def test_a_larger_claim_is_drawn_wider_and_what_is_not_claimed_thin():
    edges = fabricated(NAMES[:3]).assign(verdict="improves", gain=[0.024, 0.08, 0.33, 0.76, 0.01, 0.5])
    edges.loc[5, "verdict"] = "inconclusive"
    marks = lay_out(TransferGraph.from_edges(edges, nodes=nodes(NAMES[:3]), data_source="prepared")).edges
    widths = {(mark.source, mark.target): mark.width for mark in marks}
    ranked = [widths[tuple(edge)] for edge in edges[["source", "target"]].to_numpy()[[5, 4, 0, 1, 2, 3]]]
    assert ranked == sorted(set(ranked))


def test_of_many_nodes_only_claims_have_numbers():
    names = [f"corpus-{n:02d}" for n in range(14)]
    known = TransferGraph.from_edges(fabricated(names), nodes=nodes(names), data_source="prepared")
    marks = lay_out(known).edges
    claimed = [mark for mark in marks if mark.verdict in CLAIMS]
    assert not [mark for mark in marks if mark.label and mark not in claimed]
    assert len([mark for mark in claimed if mark.label]) > 0.8 * len(claimed)
    assert {mark.color for mark in marks if mark not in claimed} == {PALE}


def test_of_very_many_nodes_the_largest_claims_alone_are_drawn():
    names = [f"corpus-{n:02d}" for n in range(24)]
    edges = fabricated(names)
    picture = lay_out(TransferGraph.from_edges(edges, nodes=nodes(names), data_source="prepared"))
    claims = edges[edges["verdict"].isin(CLAIMS)]
    largest = claims.loc[claims["gain"].abs().sort_values(ascending=False).index[:STRONGEST]]
    assert {mark[:2] for mark in picture.edges} == set(zip(largest["source"], largest["target"], strict=True))
    assert picture.note.startswith(f"Drawn: the {STRONGEST} largest of {len(claims)} edges")
    few = edges.assign(verdict=["improves", "harms", *["no effect"] * (len(edges) - 2)])
    picture = lay_out(TransferGraph.from_edges(few, nodes=nodes(names), data_source="prepared"))
    assert len(picture.edges) == 2
    assert picture.note.startswith("Drawn: all 2 edges that improve or harm, of 552")


def test_places_are_fixed_by_the_order_of_the_nodes():
    marks = lay_out(graph_of(4)).nodes
    assert [mark.name for mark in marks] == NAMES[:4]
    corner = 2.04 * math.sqrt(0.5)
    places = [(mark.x, mark.y) for mark in marks]
    assert np.array(places) == pytest.approx(
        corner * np.array([[-1, 1], [1, 1], [1, -1], [-1, -1]]), abs=1e-5
    )


def test_the_picture_does_not_depend_on_the_order_of_the_edges():
    edges = fabricated(NAMES[:4])
    turned = TransferGraph.from_edges(edges[::-1], nodes=nodes(NAMES[:4]), data_source="synthetic")
    assert lay_out(turned) == lay_out(graph_of(4))


def test_every_verdict_differs_in_form_and_an_edge_ends_at_its_target():
    picture = lay_out(graph_of(8))
    forms = {(mark.verdict, mark.dashed, mark.head) for mark in picture.edges}
    assert forms == {
        ("improves", False, "arrow"),
        ("harms", False, "tee"),
        ("no effect", False, "open"),
        ("inconclusive", True, "open"),
    }
    places = {mark.name: (mark.x, mark.y) for mark in picture.nodes}
    for mark in picture.edges:
        assert math.dist(mark.path[-1], places[mark.target]) < picture.node_radius + 0.1
        assert math.dist(mark.path[0], places[mark.source]) < picture.node_radius + 0.1


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_labels_cover_neither_each_other_nor_a_node(count):
    picture = lay_out(graph_of(count))
    marks = [mark for mark in picture.edges if mark.label]
    assert len(marks) == len(picture.edges)
    for index, one in enumerate(marks):
        width = text_width(one.label, LABEL_SIZE)
        for other in marks[:index]:
            aside = abs(one.label_x - other.label_x) >= width
            above = abs(one.label_y - other.label_y) >= LABEL_SIZE / 72
            assert aside or above, (one.label, other.label)
        for node in picture.nodes:
            assert math.dist((one.label_x, one.label_y), (node.x, node.y)) > picture.node_radius


@pytest.mark.parametrize("count", [2, 3, 4, 8, 12, 16, 20])
def test_no_edge_runs_over_a_node(count):
    names = [f"corpus-{n:02d}" for n in range(count)]
    picture = lay_out(TransferGraph.from_edges(fabricated(names), nodes=nodes(names), data_source="prepared"))
    centres = np.array([(node.x, node.y) for node in picture.nodes])
    for edge in picture.edges:
        away = np.hypot(*(np.array(edge.path)[:, None, :] - centres).transpose(2, 0, 1))
        assert away.min() > picture.node_radius + 0.02, edge[:2]
    assert len(picture.edges) == count * (count - 1)


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_the_ends_of_edges_at_a_node_lie_beside_each_other(count):
    picture = lay_out(graph_of(count))
    for node in picture.nodes:
        ends = [(e.path[0], e.width / 144) for e in picture.edges if e.source == node.name]
        ends += [(e.path[-1], half_head(e.head, e.width)) for e in picture.edges if e.target == node.name]
        assert len(ends) == 2 * (count - 1)
        for (one, half), (other, its_half) in combinations(ends, 2):
            assert math.dist(one, other) > 0.97 * (half + its_half)  # a chord is shorter than its arc


def test_the_two_edges_of_a_pair_part():
    for count in (2, 4, 8, 16):
        names = [f"corpus-{n:02d}" for n in range(count)]
        edges = fabricated(names)
        picture = lay_out(TransferGraph.from_edges(edges, nodes=nodes(names), data_source="prepared"))
        middles = {edge[:2]: edge.path[len(edge.path) // 2] for edge in picture.edges}
        for (source, target), middle in middles.items():
            assert math.dist(middle, middles[target, source]) > 0.2, (source, target)


def test_what_was_not_measured_is_counted():
    edges = fabricated(NAMES[:4])
    some = TransferGraph.from_edges(edges.iloc[:-2], nodes=nodes(NAMES[:4]), data_source="prepared")
    assert lay_out(some).note == "Not measured: 2 of 12 directed pairs."
    assert lay_out(graph_of(4)).note == ""
