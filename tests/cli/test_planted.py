"""``planted``: every claim is counted, and what is known of edges that nothing was planted for is shown."""

from pathlib import Path

import pandas as pd
import pytest

from transfer.cli.planted import counts, shown
from transfer.corpora.synthetic_plan import PLAN, STUDIED, Studied

NAN = float("nan")


@pytest.fixture
def table() -> pd.DataFrame:
    """A table of ``against_plan``: one planted edge, and three others of which one is claimed."""
    rows = [
        ("a", "b", "improves", "improves", 0.3, 0.2, 0.4, "yes"),
        ("a", "c", "harms", "inconclusive", -0.1, -0.3, 0.1, "open"),
        ("b", "c", "", "improves", 0.01, 0.005, 0.015, ""),
        ("c", "a", "", "inconclusive", 0.02, NAN, NAN, ""),
        ("c", "b", "", "no effect", 0.0, -0.001, 0.001, ""),
    ]
    columns = ["source", "target", "planted", "measured", "gain", "ci_low", "ci_high", "holds"]
    return pd.DataFrame(rows, columns=columns)


def test_claims_that_nothing_was_planted_for_are_counted_and_named(table):
    assert counts(table) == [
        "planted 'improves': 1 of 1 found, 0 inconclusive, 0 contradicted",
        "planted 'harms': 0 of 1 found, 1 inconclusive, 0 contradicted",
        "nothing planted: 1 of 3 claimed (b → c improves)",
    ]
    assert counts(table[table["measured"] != "improves"])[-1] == "nothing planted: 0 of 2 claimed"


def test_an_edge_shows_what_repeated_studies_found_of_it(table):
    rows = {row["edge"]: row for row in shown(table, [Studied("b", "c", 1.5, -0.9, 2.2, 4, 20)])}
    assert rows["b → c"]["in repeated studies"] == "+1.5 (-0.9 to +2.2), claimed in 4 of 20"
    assert rows["c → a"]["in repeated studies"] == "-"
    assert rows["b → c"]["planted"] == "nothing"
    assert rows["a → b"]["gain, points (95 % CI)"] == "+30.0 (+20.0 to +40.0)"


def test_an_interval_that_is_undefined_is_no_number(table):
    rows = {row["edge"]: row for row in shown(table, [])}
    assert rows["c → a"]["gain, points (95 % CI)"] == "+2.0 (no interval)"
    assert not any("nan" in cell for row in rows.values() for cell in row.values())


def test_studied_edges_are_between_the_synthetic_tasks():
    tasks = {name for planted in PLAN for name in (planted.source, planted.target)}
    assert {name for s in STUDIED for name in (s.source, s.target)} <= tasks
    for studied in STUDIED:
        assert studied.low < studied.gain < studied.high
        assert 0 <= studied.claimed <= studied.studies


def test_the_command_prints_table_and_counts(transfer, tmp_path: Path, tiny_encoder: Path):
    grid = tmp_path / "g.yaml"
    grid.write_text(
        f"name: g\ncorpora: synthetic\ntasks: [mednli, shareclefe]\nencoder: {tiny_encoder}\n"
        "recipe: {base: quick, epochs: 1}\njobs: [single, pairs]\nseeds: 1\n"
        "limit: {train: 16, dev: 8, test: 8}\n"
    )
    run = ("run-grid", grid, "--store", tmp_path / "runs", "--out", tmp_path, "--executor", "inline")
    assert transfer(*run)[0] == 0
    code, out, _ = transfer("corpora", "planted", grid, "--store", tmp_path / "runs")
    assert code == 0
    assert "mednli → shareclefe" in out
    assert "planted 'improves': 0 of 2 found, 2 inconclusive, 0 contradicted" in out
    assert "nan" not in out
