"""The graph: round trips through files, refusals."""

import json
import math

import networkx as nx
import pandas as pd
import pytest

from tests.graphs import NAMES, fabricated, graph_of, nodes
from transfer.analysis.graph import TransferGraph


def test_graphml_comes_back_as_it_went(tmp_path):
    known = graph_of(4)
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
    known = graph_of(4)
    known.write_json(tmp_path / "graph.json")
    data = json.loads((tmp_path / "graph.json").read_text())
    assert {(edge["source"], edge["target"]) for edge in data["edges"]} == set(known.digraph.edges)
    back = nx.node_link_graph(data, edges="edges")
    assert nx.utils.graphs_equal(back, nx.DiGraph(known.digraph))


def test_the_graph_cannot_be_changed():
    with pytest.raises(nx.NetworkXError):
        graph_of(2).digraph.add_node("x")


def test_unknown_corpora_and_two_stages_are_refused():
    edges = fabricated(NAMES[:2])
    with pytest.raises(ValueError, match="not described: 'i2b2-2010-re'"):
        TransferGraph.from_edges(edges, nodes=nodes(NAMES[:1]), data_source="prepared")
    both = pd.concat([edges, edges.assign(stage="fine-tune")])
    with pytest.raises(ValueError, match="one stage"):
        TransferGraph.from_edges(both, nodes=nodes(NAMES[:2]), data_source="prepared")
