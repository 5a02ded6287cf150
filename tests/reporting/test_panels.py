"""Graphs side by side: one table with a column for the panel, one scale of width, one rule for all."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from transfer.analysis import gains
from transfer.analysis.graph import TransferGraph
from transfer.analysis.verdicts import CLAIMS
from transfer.reporting.graph_picture import lay_out, width_key, width_of
from transfer.reporting.panels import Panel, Panels


def side(name, tasks, gain, *, source="prepared", smallest=0.005, stage="refine"):
    """A grid whose edges all gain about so much."""
    rng = np.random.default_rng(5)
    rows = [
        (stage, f"{a}+{b}", a, b, "f1", seed, 0.5, 0.5 + one, one)
        for a, b in permutations(tasks, 2)
        for seed, one in enumerate(gain + 0.0005 * rng.normal(size=4))
    ]
    edges = gains.edges(pd.DataFrame(rows, columns=pd.Index(gains.SEED_GAINS)), smallest_effect=smallest)
    nodes = [{"name": task, "metric": "F1"} for task in tasks]
    graph = TransferGraph.from_edges(edges, nodes=nodes, data_source=source)
    return Panel(name, edges, graph, "encoder e, recipe r, 4 seeds")


def test_the_table_has_every_edge_of_every_panel_once():
    left, right = side("clinical", "abc", 0.2, source="synthetic"), side("biomedical", "de", 0.02)
    table = Panels((left, right)).table
    assert list(table.columns[:2]) == ["panel", "grid"]
    assert table.columns[-1] == "data_source"
    assert table.groupby(["panel", "grid", "data_source"]).size().to_dict() == {
        ("a", "clinical", "synthetic"): 6,
        ("b", "biomedical", "prepared"): 2,
    }
    for letter, part in (("a", left), ("b", right)):
        own = table[table["panel"] == letter].reset_index(drop=True)[part.edges.columns]
        pd.testing.assert_frame_equal(own, part.edges)


def test_equal_widths_mean_equal_gains_in_all_panels():
    large, small = side("large", "abc", 0.2), side("small", "de", 0.02)
    alone = lay_out(small.graph).edges[0].width
    first, second = (panel.picture for panel in Panels((large, small)).pictures)
    assert first.widest == second.widest == large.graph.largest_claim > 0.19
    for picture, part in ((first, large), (second, small)):
        known = part.edges.set_index(["source", "target"])["gain"]
        for edge in picture.edges:
            assert edge.verdict in CLAIMS
            assert edge.width == width_of(known[edge.source, edge.target], widest=first.widest)
    assert second.edges[0].width < alone < first.edges[0].width + 0.01


def test_the_key_of_widths_spans_what_is_claimed():
    for widest in (0.05, 0.0731, 0.6, 0.7):
        small, large = width_key(widest)
        assert large == widest
        assert widest / 25 < small <= widest / 10
        assert width_of(small, widest=widest) < width_of(large, widest=widest)


@pytest.mark.parametrize(
    ("sides", "what"),
    [
        ([side("one", "ab", 0.1)], "1 grids; panels show 2 to 26"),
        ([side("one", "ab", 0.1), side("one", "cd", 0.1)], "two of the grids are named 'one'"),
        (
            [side("one", "ab", 0.1), side("two", "cd", 0.1, smallest=0.01)],
            "the smallest effect that matters differs: 0.5 points in one, 1 points in two",
        ),
        (
            [side("one", "ab", 0.1), side("two", "cd", 0.1, stage="fine-tune")],
            "the stage differs: refine in one, fine-tune in two",
        ),
    ],
)
def test_what_cannot_stand_side_by_side_is_refused(sides, what):
    with pytest.raises(ValueError, match=what):
        Panels(tuple(sides))


def test_the_caption_says_of_each_panel_how_it_was_run_and_which_rule_holds():
    caption = Panels((side("one", "ab", 0.1, smallest=0.01), side("two", "cd", 0.1, smallest=0.01))).caption
    assert "(a) one: encoder e, recipe r, 4 seeds." in caption
    assert "(b) two: encoder e, recipe r, 4 seeds." in caption
    assert "at least 1 points" in caption


def test_files_are_whole_and_equal_for_equal_grids(tmp_path):
    sides = (side("one", "abc", 0.1, source="synthetic"), side("two", "cd", 0.1))
    first = Panels(sides).write(tmp_path / "first")
    again = Panels(sides).write(tmp_path / "again")
    assert [path.name for path in first] == ["panels.svg", "panels.png", "panels.pdf", "panels.csv"]
    assert {path.parent for path in first} == {tmp_path / "first" / "one+two"}
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert sorted(p.name for p in first[0].parent.iterdir()) == sorted(p.name for p in first)
    assert b"SYNTHETIC DATA: transfer graphs of one and two" in first[0].read_bytes()
    pd.testing.assert_frame_equal(
        pd.read_csv(first[-1]), Panels(sides).table, check_dtype=False, atol=1e-6, rtol=1e-3
    )
