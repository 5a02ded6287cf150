"""The graph and its picture's numbers: fixed places, round trips, labels that cover nothing."""

import json
import math
from itertools import combinations, permutations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from transfer.analysis import gains
from transfer.analysis.graph import CLAIMS, PALE, STRONGEST, TransferGraph
from transfer.reporting.graph_layout import LABEL_SIZE, half_head, text_width

NAMES = ["clinicalsts", "i2b2-2010-re", "mednli", "shareclefe", "bc5cdr-chemical",
         "bc5cdr-disease", "ddi2013", "chemprot"]  # fmt: skip


def nodes(names):
    return [{"name": n, "kind": "tagging", "metric": "span F1", "domain": "d"} for n in names]


def fabricated(names):
    """Edges with every verdict, from a fixed generator."""
    rng = np.random.default_rng(len(names))
    rows = []
    for source, target in permutations(names, 2):
        middle = rng.choice([0.02, -0.02, 0.0])
        spread = (0.001, 0.01)[names.index(target) % 2]  # edges of one target lend each other variance
        for seed in range(3):
            gain = middle + spread * rng.normal()
            rows.append(("refine", f"{source}+{target}", source, target, "f1", seed, 0.7, 0.7 + gain, gain))
    table = pd.DataFrame(rows, columns=pd.Index(gains.SEED_GAINS))
    return gains.edges(table, smallest_effect=0.005)


def graph(count):
    names = NAMES[:count]
    return TransferGraph.from_edges(fabricated(names), nodes=nodes(names), data_source="synthetic")


def test_graphml_comes_back_as_it_went(tmp_path):
    known = graph(4)
    known.write_graphml(tmp_path / "graph.graphml")
    back = nx.read_graphml(tmp_path / "graph.graphml")
    assert back.graph["data_source"] == "synthetic"
    assert dict(back.nodes(data=True)) == dict(known.digraph.nodes(data=True))
    assert {e[:2]: e[2] for e in back.edges(data=True)} == {
        e[:2]: e[2] for e in known.digraph.edges(data=True)
    }


def test_what_is_undefined_is_left_out_of_graphml(tmp_path):
    lonely = fabricated(NAMES[:2]).assign(ci_low=math.nan, ci_high=math.nan, p_adjusted=math.nan)
    known = TransferGraph.from_edges(lonely, nodes=nodes(NAMES[:2]), data_source="prepared")
    known.write_graphml(tmp_path / "graph.graphml")
    assert "nan" not in (tmp_path / "graph.graphml").read_text()


def test_json_is_read_by_other_programs(tmp_path):
    known = graph(4)
    known.write_json(tmp_path / "graph.json")
    data = json.loads((tmp_path / "graph.json").read_text())
    assert {(edge["source"], edge["target"]) for edge in data["edges"]} == set(known.digraph.edges)
    back = nx.node_link_graph(data, edges="edges")
    assert nx.utils.graphs_equal(back, nx.DiGraph(known.digraph))


def test_a_larger_claim_is_drawn_wider_and_what_is_not_claimed_thin():
    edges = fabricated(NAMES[:3]).assign(verdict="improves", gain=[0.024, 0.08, 0.33, 0.76, 0.01, 0.5])
    edges.loc[5, "verdict"] = "inconclusive"
    marks = TransferGraph.from_edges(edges, nodes=nodes(NAMES[:3]), data_source="prepared").picture().edges
    widths = {(mark.source, mark.target): mark.width for mark in marks}
    ranked = [widths[tuple(edge)] for edge in edges[["source", "target"]].to_numpy()[[5, 4, 0, 1, 2, 3]]]
    assert ranked == sorted(set(ranked))


def test_of_many_nodes_only_claims_have_numbers():
    names = [f"corpus-{n:02d}" for n in range(14)]
    known = TransferGraph.from_edges(fabricated(names), nodes=nodes(names), data_source="prepared")
    marks = known.picture().edges
    claimed = [mark for mark in marks if mark.verdict in CLAIMS]
    assert not [mark for mark in marks if mark.label and mark not in claimed]
    assert len([mark for mark in claimed if mark.label]) > 0.8 * len(claimed)
    assert {mark.color for mark in marks if mark not in claimed} == {PALE}


def test_of_very_many_nodes_the_largest_claims_alone_are_drawn():
    names = [f"corpus-{n:02d}" for n in range(24)]
    edges = fabricated(names)
    picture = TransferGraph.from_edges(edges, nodes=nodes(names), data_source="prepared").picture()
    claims = edges[edges["verdict"].isin(CLAIMS)]
    largest = claims.loc[claims["gain"].abs().sort_values(ascending=False).index[:STRONGEST]]
    assert {mark[:2] for mark in picture.edges} == set(zip(largest["source"], largest["target"], strict=True))
    assert picture.note.startswith(f"Drawn: the {STRONGEST} largest of {len(claims)} edges")
    few = edges.assign(verdict=["improves", "harms", *["no effect"] * (len(edges) - 2)])
    picture = TransferGraph.from_edges(few, nodes=nodes(names), data_source="prepared").picture()
    assert len(picture.edges) == 2
    assert picture.note.startswith("Drawn: all 2 edges that improve or harm, of 552")


def test_the_graph_cannot_be_changed():
    with pytest.raises(nx.NetworkXError):
        graph(2).digraph.add_node("x")


def test_unknown_corpora_and_two_stages_are_refused():
    edges = fabricated(NAMES[:2])
    with pytest.raises(ValueError, match="not described: 'i2b2-2010-re'"):
        TransferGraph.from_edges(edges, nodes=nodes(NAMES[:1]), data_source="prepared")
    both = pd.concat([edges, edges.assign(stage="fine-tune")])
    with pytest.raises(ValueError, match="one stage"):
        TransferGraph.from_edges(both, nodes=nodes(NAMES[:2]), data_source="prepared")


def test_places_are_fixed_by_the_order_of_the_nodes():
    marks = graph(4).picture().nodes
    assert [mark.name for mark in marks] == NAMES[:4]
    corner = 2.04 * math.sqrt(0.5)
    places = [(mark.x, mark.y) for mark in marks]
    assert np.array(places) == pytest.approx(
        corner * np.array([[-1, 1], [1, 1], [1, -1], [-1, -1]]), abs=1e-5
    )


def test_the_picture_does_not_depend_on_the_order_of_the_edges():
    edges = fabricated(NAMES[:4])
    turned = TransferGraph.from_edges(edges[::-1], nodes=nodes(NAMES[:4]), data_source="synthetic")
    assert turned.picture() == graph(4).picture()


def test_every_verdict_differs_in_form_and_an_edge_ends_at_its_target():
    picture = graph(8).picture()
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
    picture = graph(count).picture()
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
    picture = TransferGraph.from_edges(
        fabricated(names), nodes=nodes(names), data_source="prepared"
    ).picture()
    centres = np.array([(node.x, node.y) for node in picture.nodes])
    for edge in picture.edges:
        away = np.hypot(*(np.array(edge.path)[:, None, :] - centres).transpose(2, 0, 1))
        assert away.min() > picture.node_radius + 0.02, edge[:2]
    assert len(picture.edges) == count * (count - 1)


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_the_ends_of_edges_at_a_node_lie_beside_each_other(count):
    picture = graph(count).picture()
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
        picture = TransferGraph.from_edges(edges, nodes=nodes(names), data_source="prepared").picture()
        middles = {edge[:2]: edge.path[len(edge.path) // 2] for edge in picture.edges}
        for (source, target), middle in middles.items():
            assert math.dist(middle, middles[target, source]) > 0.2, (source, target)


def test_what_was_not_measured_is_counted():
    edges = fabricated(NAMES[:4])
    some = TransferGraph.from_edges(edges.iloc[:-2], nodes=nodes(NAMES[:4]), data_source="prepared")
    assert some.picture().note == "Not measured: 2 of 12 directed pairs."
    assert graph(4).picture().note == ""
