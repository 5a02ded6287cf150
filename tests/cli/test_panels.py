"""``transfer panels`` as a user meets it: from stores and reports, without a GPU stack; what it refuses."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

STUDIES = Path(__file__).parents[2] / "studies"
CLINICAL, BIOMEDICAL = STUDIES / "public_clinical_pairs", STUDIES / "public_biomedical_pairs"
BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "ray"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
from transfer.cli import main
main()
"""


def test_a_grid_of_a_store_beside_a_report_needs_no_torch_transformers_or_ray(tiny_run, tmp_path: Path):
    arguments = ["panels", tiny_run.grid, CLINICAL, "--store", tiny_run.store, "--out", tmp_path]
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    home = tmp_path / "tiny+public_clinical_pairs"
    assert {p.name for p in home.iterdir()} == {"panels.csv", "panels.svg", "panels.png", "panels.pdf"}
    table = pd.read_csv(home / "panels.csv")
    assert table.groupby("panel")["grid"].unique().map(list).to_dict() == {
        "a": ["tiny"], "b": ["public_clinical_pairs"],
    }  # fmt: skip
    ours = table[table["panel"] == "a"].set_index(["source", "target"])["gain"]
    theirs = pd.read_csv(tiny_run.out / "tiny" / "edges.csv").set_index(["source", "target"])["gain"]
    pd.testing.assert_series_equal(ours.sort_index(), theirs.sort_index())


def test_reports_alone_are_enough_and_what_is_synthetic_says_so(transfer, tmp_path: Path):
    code, shown, _ = transfer("panels", STUDIES / "clinical_pairs", BIOMEDICAL, "--out", tmp_path)
    assert code == 0
    first, second, last = shown.splitlines()
    assert first.startswith("(a) clinical_pairs: 12 edges")
    assert first.endswith("SYNTHETIC DATA")
    assert second.startswith("(b) public_biomedical_pairs: ")
    assert "SYNTHETIC" not in second
    assert str(tmp_path / "clinical_pairs+public_biomedical_pairs") in last


def other_rule(folder: Path) -> Path:
    """A report whose smallest effect is a whole point."""
    copy = shutil.copytree(BIOMEDICAL, folder / "stricter")
    pd.read_csv(copy / "edges.csv").assign(smallest_effect=0.01).to_csv(copy / "edges.csv", index=False)
    return copy


def same_name(folder: Path) -> Path:
    return shutil.copytree(BIOMEDICAL, folder / CLINICAL.name)


def without_edges(folder: Path) -> Path:
    copy = shutil.copytree(BIOMEDICAL, folder / "empty")
    pd.read_csv(copy / "edges.csv").iloc[:0].to_csv(copy / "edges.csv", index=False)
    return copy


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (lambda _: None, "is the only grid; panels sets two or more side by side"),
        (lambda _: CLINICAL / ".." / CLINICAL.name, "is given twice; each is to be another grid"),
        (same_name, "two of the grids are named 'public_clinical_pairs'"),
        (other_rule, "0.5 points in public_clinical_pairs, 1 points in stricter"),
        (without_edges, "empty: no gain was measured"),
        (lambda folder: folder, "results.csv is missing, so this is no report"),
        (lambda folder: folder / "nothing.yaml", "nothing.yaml: no such file"),
    ],
)
def test_what_cannot_be_drawn_is_one_message_and_nothing_is_written(transfer, tmp_path: Path, second, what):
    given = [path for path in (CLINICAL, second(tmp_path)) if path]
    code, _, err = transfer("panels", *given, "--out", tmp_path / "out")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert what in err
    assert not (tmp_path / "out").exists()


def test_a_grid_that_was_never_run_is_named(transfer, tiny_run, tmp_path: Path):
    other = tmp_path / "other.yaml"
    other.write_text(json.dumps({**json.loads(tiny_run.grid.read_text()), "name": "other"}))
    code, _, err = transfer(
        "panels", tiny_run.grid, other, "--store", tiny_run.store, "--out", tmp_path / "out"
    )
    assert code == 2
    assert "the grid 'other' was never run into this store, which has tiny; run it first" in err
    assert not (tmp_path / "out").exists()


def test_a_stage_that_not_all_have_is_refused(transfer, tmp_path: Path):
    code, _, err = transfer("panels", CLINICAL, BIOMEDICAL, "--stage", "fine-tune", "--out", tmp_path / "out")
    assert code == 2
    assert "no gain was measured in the stage 'fine-tune'; known: refine" in err
