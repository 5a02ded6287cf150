"""``transfer paper``: one command fills every cell, and what is wrong with a folder is one message."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).parents[2]
QUICK, PAPER = ROOT / "grids" / "quick", ROOT / "grids" / "paper"
TINY = [
    *("--set", "recipe.epochs=1", "--set", "recipe.fine_tune.epochs=1", "--set", "recipe.max_length=16"),
    *("--set", "seeds=1", "--set", "limit={train: 8, dev: 4, test: 8}", "--executor", "inline"),
]


@pytest.mark.timeout(1500)
@pytest.mark.slow  # about a minute on an idle core
def test_one_command_fills_every_cell_and_both_halves(transfer, tmp_path: Path, tiny_encoder: Path):
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports", "--set", f"encoder={tiny_encoder}"]
    code, out, err = transfer("paper", QUICK, *places, *TINY)
    assert code == 0, err
    (home,) = (tmp_path / "reports").glob("quick+encoder=tiny-bert*")
    assert out.splitlines()[-1].endswith(f"open {home / 'paper.md'}")
    for number in range(1, 7):
        cells = pd.read_csv(home / f"table_{number}.csv", keep_default_na=False, na_values=[""])
        filled = "count" if number == 1 else "mean"
        assert not cells[filled].isna().any(), f"table {number} has empty cells"
        assert set(cells["data_source"]) == {"synthetic"}
        for form in ("md", "tex"):
            assert "SYNTHETIC DATA" in (home / f"table_{number}.{form}").read_text(encoding="utf-8")
    six = pd.read_csv(home / "table_6.csv")
    assert six["measured_with"].str.contains(tiny_encoder.name).all(), "who was really measured is told"
    edges = pd.read_csv(home / "figure_2.csv")
    assert len(edges[edges["panel"] == "a"]) == len(edges[edges["panel"] == "b"]) == 12
    assert (home / "figure_2.svg").stat().st_size > 10_000
    page = (home / "paper.md").read_text(encoding="utf-8")
    assert "Empty or incomplete" not in page
    for footnote in (
        "copying slip",
        "macro and micro F1",
        "claims 2.4 points",
        "best test epoch",
        "mentions",
    ):
        assert footnote in page
    assert (home / "figure_2a" / "report.html").is_file()
    assert "not measured" not in page

    # the stand-ins are one encoder here, so all grids share their jobs: 19 of each half, 9 of all eight
    jobs = list((tmp_path / "runs" / "jobs").iterdir())
    assert len(jobs) == 2 * (4 + 4 + 1 + 4 + 6) + 1 + 8

    code, out, err = transfer("paper", QUICK, *places, *TINY, "--report-only")
    assert code == 0, err
    assert "to run" not in out
    assert (home / "paper.md").read_text(encoding="utf-8") == page

    code, out, err = transfer("paper", PAPER, *places, *TINY, "--report-only")
    assert code == 2
    assert "none of its grids can be shown" in err
    assert len(err.splitlines()) == 1


def test_a_grid_whose_corpora_are_not_there_leaves_named_empty_cells(
    transfer, tmp_path: Path, tiny_encoder: Path, tiny_corpora: Path
):
    folder = tmp_path / "mine"
    folder.mkdir()
    corpora = tmp_path / "corpora"
    shutil.copytree(tiny_corpora / "ner", corpora / "bc5cdr-chemical")
    card = corpora / "bc5cdr-chemical" / "corpus.yaml"
    card.write_text(card.read_text(encoding="utf-8").replace('"ner"', '"bc5cdr-chemical"'), encoding="utf-8")
    for name, tasks in (("there", ["bc5cdr-chemical"]), ("gone", ["bc5cdr-chemical", "mednli"])):
        grid = {
            "name": name,
            "tasks": tasks,
            "encoder": str(tiny_encoder),
            "stands_for": "bluebert-biomedical",
            "recipe": {"base": "quick"},
            "jobs": ["single"],
            "seeds": 1,
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(grid), encoding="utf-8")
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports", "--corpora", corpora]
    code, _, err = transfer("paper", folder, *places, *TINY)
    assert code == 1, "a cell that was asked for is not there"
    assert "gone: left out: " in err
    assert "there is no corpus 'mednli'" in err
    (home,) = (tmp_path / "reports").glob("mine+*")
    cells = pd.read_csv(home / "table_3.csv").set_index(["arm", "corpus"])
    assert cells.loc[("single", "bc5cdr-chemical"), "seeds"] == 1
    assert pd.isna(cells.loc[("single", "ddi2013"), "mean"])
    six = pd.read_csv(home / "table_6.csv").set_index(["model", "corpus"])
    assert "there is no corpus 'mednli'" in six.loc[("BlueBERT biomedical", "mednli"), "why"]
    page = (home / "paper.md").read_text(encoding="utf-8")
    assert "The figure is not drawn: no grid of half (a) and (b)" in page
    assert "SYNTHETIC" not in page


def grids_of(folder: Path, **grids: dict) -> Path:
    folder.mkdir()
    base = yaml.safe_load((QUICK / "table_2.yaml").read_text(encoding="utf-8"))
    for name, change in grids.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(base | {"name": name} | change), encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("grids", "told"),
    [
        ({}, "no grid is in it"),
        ({"a": {"stands_for": "clinical-bert"}}, "no encoder 'clinical-bert'; did you mean 'clinicalbert'?"),
        ({"a": {"stands_for": "minilm-l6"}}, "a.yaml: stands_for: the paper has no encoder 'minilm-l6'"),
        ({"a": {"stand_for": "biobert"}}, "unknown key 'stand_for'; did you mean 'stands_for'?"),
        ({"a": {}, "b": {"name": "a"}}, "has the name 'a' too"),
        ({"a": {}, "b": {"recipe": "quick"}}, "Table 2 has one cell for BlueBERT clinical on ClinicalSTS"),
        ({"a": {}, "b": {"corpora": "elsewhere", "stands_for": "biobert"}}, "is on synthetic corpora and"),
    ],
)
def test_what_is_wrong_with_a_folder_is_one_message(transfer, tmp_path: Path, grids: dict, told: str):
    folder = grids_of(tmp_path / "mine", **grids)
    code, _, err = transfer("paper", folder, "--store", tmp_path / "runs", "--out", tmp_path / "out")
    assert code == 2
    assert told in err
    assert len(err.splitlines()) == 1
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "out").exists()


def test_a_file_in_place_of_a_folder(transfer, tmp_path: Path):
    code, _, err = transfer("paper", QUICK / "table_2.yaml", "--store", tmp_path / "runs")
    assert code == 2
    assert "is a file; this takes a folder of grids" in err


@pytest.mark.parametrize("folder", [PAPER, QUICK], ids=lambda folder: folder.name)
def test_the_grids_ask_for_every_cell_and_no_two_disagree(folder: Path):
    from transfer.grid import Grid
    from transfer.replication import paper
    from transfer.replication.cells import Source, checked, halves, key_of

    sources = [Source(file, Grid.load(file)) for file in sorted(folder.glob("*.yaml"))]
    checked(sources)
    assert set(halves(sources)) == {"a", "b"}
    asked = {key for source in sources for key in source.cells()}
    for table in paper.tables():
        for row in table.rows:
            assert {key_of(row, table, corpus) for corpus in table.corpora} <= asked, (
                table.number,
                row.model,
            )
    assert all(source.grid.name == source.file.stem for source in sources)


def test_a_paper_grid_without_its_corpora_is_one_message(transfer, tmp_path: Path):
    code, _, err = transfer("plan", PAPER / "table_2.yaml", "--store", tmp_path / "runs")
    assert code == 2
    assert err.count("\n") == 1
    assert "say where they are with --corpora DIR" in err
    (tmp_path / "corpora").mkdir()
    code, _, err = transfer("plan", PAPER / "table_2.yaml", "--corpora", tmp_path / "corpora")
    assert code == 2
    assert err.count("\n") == 1
    assert "'clinicalsts'" in err
