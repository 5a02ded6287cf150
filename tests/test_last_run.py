"""A grid's file, its record in a store, and its report: found by the options that it was run with."""

import shutil
from pathlib import Path

import pytest

from tests.test_cli import changed
from transfer import Study
from transfer.grid import Grid
from transfer.last_run import report_name, with_changes

ONE_SEED = ("--set", "seeds=[1]")


def name_of(path: Path, *overrides: str, corpora: str | None = None) -> str:
    grid = Grid.load(path, overrides=overrides, corpora=corpora)
    return report_name(grid, path, overrides=overrides, corpora=corpora)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ((), "tiny"),
        (("seeds=2",), "tiny"),  # as the file has it
        (("seeds=[0, 1]",), "tiny"),
        (("keep=models",), "tiny"),  # the same jobs and rules
        (("seeds=[7]",), "tiny+seeds=[7]"),
        (("seeds=3", "seeds=[7]"), "tiny+seeds=[7]"),
        (("seeds=1", "recipe.epochs=1"), "tiny+recipe.epochs=1+seeds=1"),
        (("name=mine", "seeds=1"), "mine"),
    ],
)
def test_a_grid_that_the_command_line_changes_has_a_report_of_its_own(tiny_grid: Path, overrides, name: str):
    assert name_of(tiny_grid, *overrides) == name


def test_only_synthetic_data_in_place_of_real_is_another_grid(tiny_grid: Path, tiny_corpora: Path):
    assert name_of(tiny_grid, corpora=str(tiny_corpora)) == "tiny"
    changed(tiny_grid, corpora="synthetic")
    assert name_of(tiny_grid, corpora=str(tiny_corpora)).startswith("tiny+corpora=corpora")


def test_a_name_is_a_folder_and_no_two_changes_share_it():
    texts = ["a/b", "c/b", "{train: 3}", "{train: 4}", "a:b", "a;b", "x" * 200, "x" * 201, "../..", "é", "è"]
    names = [with_changes("g", {"limit": text}) for text in texts]
    assert len(set(names)) == len(texts)
    for name in names:
        assert name.startswith("g+limit=")
        assert len(name) < 120
        assert not set(name) & set('/\\:;*?"<>|{} ')


def test_one_seed_leaves_the_full_report_alone_and_is_found_again(transfer, tiny_run, tmp_path: Path):
    places = ("--store", shutil.copytree(tiny_run.store, tmp_path / "runs"), "--out", tmp_path / "reports")
    run = ("run-grid", tiny_run.grid, *places, "--executor", "inline")
    assert transfer(*run)[0] == 0
    full = (tmp_path / "reports" / "tiny" / "edges.csv").read_bytes()
    code, out, _ = transfer(*run, *ONE_SEED)
    assert code == 0
    assert f"open {tmp_path / 'reports' / 'tiny+seeds=[1]' / 'report.html'}" in out
    assert (tmp_path / "reports" / "tiny" / "edges.csv").read_bytes() == full
    edges = tmp_path / "reports" / "tiny+seeds=[1]" / "edges.csv"
    before = edges.read_bytes()
    edges.unlink()
    assert transfer("report", tiny_run.grid, *places, *ONE_SEED)[0] == 0
    assert edges.read_bytes() == before
    assert (
        "7 done, 0 running, 0 failed, 0 pending"
        in transfer("status", tiny_run.grid, "--store", tmp_path / "runs", *ONE_SEED)[1]
    )
    store = tmp_path / "runs"
    assert Study.open(tiny_run.grid, store=store, overrides=["seeds=[1]"]).name == "tiny+seeds=[1]"
    assert Study.open(edges.parent).name == "tiny+seeds=[1]"
    assert transfer("recommend", "rel", "--from", tiny_run.grid, "--store", store, *ONE_SEED)[0] == 0


def test_a_store_without_records_of_grids_says_which_file_is_missing(transfer, tiny_run, tmp_path: Path):
    store = Path(shutil.copytree(tiny_run.store, tmp_path / "copy"))
    shutil.rmtree(store / "grids")
    for command in ("status", "report"):
        code, _, err = transfer(command, tiny_run.grid, "--store", store)
        assert code == 2
        assert f"{store}: 14 jobs are here but not the record of the grid 'tiny'" in err
        assert f"grids/{Grid.load(tiny_run.grid).id}.json; copy the folder grids/" in err
    places = ("--store", store, "--out", tmp_path / "reports", "--executor", "inline")
    assert "14 jobs, 14 done, 0 to run" in transfer("run-grid", tiny_run.grid, *places)[1]
    assert transfer("status", tiny_run.grid, "--store", store)[0] == 0


def test_a_grid_that_was_run_otherwise_is_named_with_what_differs(transfer, tiny_run, tmp_path: Path):
    code, _, err = transfer("status", tiny_run.grid, "--store", tiny_run.store, "--set", "recipe.epochs=3")
    assert code == 2
    assert "which has it with recipe.epochs: 2 (here 3); pass what it was run with" in err
    code, _, err = transfer("status", tiny_run.grid, "--store", tiny_run.store, "--set", "name=other")
    assert code == 2
    assert "the grid 'other' was never run into this store, which has tiny; run it first" in err
    code, _, err = transfer("status", tiny_run.grid, "--store", tmp_path / "nowhere")
    assert code == 2
    assert (
        f"{tmp_path / 'nowhere'}: the grid 'tiny' was never run into this store, which has no results" in err
    )


def test_the_same_grid_on_other_data_does_not_replace_its_record(
    transfer, tiny_run, tiny_corpora: Path, tmp_path: Path
):
    store = Path(shutil.copytree(tiny_run.store, tmp_path / "runs"))
    other = Path(shutil.copytree(tiny_corpora, tmp_path / "others"))
    places = ("--store", store, "--out", tmp_path / "reports", "--executor", "inline")
    code, out, _ = transfer("run-grid", tiny_run.grid, "--corpora", other, *places)
    assert code == 0, "a copy of the data is the same data"
    lines = (other / "rel" / "test.jsonl").read_text().splitlines(keepends=True)
    (other / "rel" / "test.jsonl").write_text("".join(lines[:-1]))
    assert transfer("run-grid", tiny_run.grid, *places)[0] == 0
    code, out, err = transfer("run-grid", tiny_run.grid, "--corpora", other, *places)
    assert (code, out) == (2, "")
    assert f"those in {other} have other data (rel); keep both apart with --set name=NAME" in err
    code, out, _ = transfer("status", tiny_run.grid, "--store", store)
    assert "14 done" in out
