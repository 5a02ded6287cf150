"""``transfer compare`` as a user meets it: from stores and reports, without a GPU stack; what it refuses."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from transfer import Study, cli
from transfer.inputs import InputError

STUDIES = Path(__file__).parents[2] / "studies"
CLINICAL, BIOMEDICAL = STUDIES / "public_clinical_pairs", STUDIES / "public_biomedical_pairs"
FILES = {"compare.md", "compare.csv", "compare_cost.csv", "compare.svg", "compare.png", "compare.pdf"}
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


@dataclass(frozen=True)
class Two:
    """The tiny grid, and one of two of its tasks with another rate, in one store."""

    grids: tuple[Path, Path]
    store: Path
    out: Path


@pytest.fixture(scope="module")
def two(tiny_run, tmp_path_factory: pytest.TempPathFactory) -> Two:
    folder = tmp_path_factory.mktemp("two")
    store = Path(shutil.copytree(tiny_run.store, folder / "runs"))
    grid = json.loads(tiny_run.grid.read_text())
    other = {**grid, "name": "faster", "tasks": ["sim", "rel"], "jobs": ["single", "pairs"]}
    other["recipe"] = {**grid["recipe"], "lr": 0.006}
    (folder / "faster.yaml").write_text(json.dumps(other))
    run(folder / "faster.yaml", store, folder / "reports")
    shutil.copytree(tiny_run.out / "tiny", folder / "reports" / "tiny")
    return Two((tiny_run.grid, folder / "faster.yaml"), store, folder / "reports")


def run(grid: Path, store: Path, out: Path) -> None:
    """An inline run with one thread."""
    arguments = ["run-grid", grid, "--store", store, "--out", out, "--executor", "inline"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "cpu_count", lambda: 1)
        patch.setattr(sys, "argv", ["transfer", *map(str, arguments)])
        try:
            cli.main()
        except SystemExit as end:
            if end.code:
                raise RuntimeError("the grid did not run") from end


def test_two_grids_of_a_store_are_compared_without_torch_transformers_or_ray(two: Two, tmp_path: Path):
    arguments = ["compare", *two.grids, "--store", two.store, "--out", tmp_path]
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED, *map(str, arguments)],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "faster against tiny: 2 edges, " in ran.stdout
    assert "SYNTHETIC" not in ran.stdout
    home = tmp_path / "tiny+vs+faster"
    assert {path.name for path in home.iterdir()} == FILES
    table = pd.read_csv(home / "compare.csv").set_index(["source", "target"])
    assert set(table["test_items"]) == {"random"}
    scores = {
        name: pd.read_csv(two.out / name / "results.csv").query("split == 'test'")
        for name in ("tiny", "faster")
    }
    for source, target in (("sim", "rel"), ("rel", "sim")):
        gains = []
        for results in scores.values():
            own = results[results["target"] == target].set_index(["corpora", "seed"])["value"]
            gains.append((own["rel+sim"] - own[target]).mean())
        assert table.loc[(source, target), "base_gain"] == pytest.approx(gains[0], abs=2e-6)
        assert table.loc[(source, target), "difference"] == pytest.approx(gains[1] - gains[0], abs=2e-6)
    assert "| lr | 0.003 | 0.006 |" in (home / "compare.md").read_text()
    cost = pd.read_csv(home / "compare_cost.csv").set_index("method")
    # 2 seeds; the tiny grid has a third task
    assert cost["jobs"].to_dict() == {"tiny": 12, "faster": 6}
    assert (cost["seconds_joint"] > 0).all()


def test_reports_alone_are_enough_and_say_that_test_items_are_taken_as_given(transfer, two: Two, tmp_path):
    code, shown, _ = transfer("compare", two.out / "tiny", two.out / "faster", "--out", tmp_path)
    assert code == 0
    assert "with fixed test items" in " ".join(shown.split())
    by_report = pd.read_csv(tmp_path / "tiny+vs+faster" / "compare.csv")
    by_store = Study.open(two.grids[0], store=two.store).compare(Study.open(two.grids[1], store=two.store))
    assert set(by_report["test_items"]) == {"given"}
    np.testing.assert_allclose(by_report["difference"], by_store.table["difference"], atol=3e-6)


def test_a_notebook_has_the_table_the_page_and_the_figure(two: Two):
    first, second = (Study.open(grid, store=two.store) for grid in two.grids)
    found = first.compare(second)
    assert len(found.table) == 2
    assert found.settings["setting"].tolist() == ["lr", "tasks"]
    assert "# faster against tiny" in found._repr_markdown_()
    assert "compare.svg" not in found._repr_markdown_()
    assert first.compare_figure(second).svg == first.compare_figure(second).svg
    with pytest.raises(InputError, match="two of the grids are named 'tiny'"):
        first.compare(first)


def synthetic_copy(folder: Path) -> Path:
    """The real report, said to be of generated corpora."""
    copy = shutil.copytree(CLINICAL, folder / "invented")
    table = pd.read_csv(copy / "table_corpora.csv").assign(source="synthetic")
    table.to_csv(copy / "table_corpora.csv", index=False)
    return copy


def other_rule(folder: Path) -> Path:
    copy = shutil.copytree(CLINICAL, folder / "stricter")
    pd.read_csv(copy / "edges.csv").assign(smallest_effect=0.01).to_csv(copy / "edges.csv", index=False)
    return copy


def other_p(folder: Path) -> Path:
    copy = shutil.copytree(CLINICAL, folder / "edited")
    pd.read_csv(copy / "edges.csv").assign(p_adjusted=0.01).to_csv(copy / "edges.csv", index=False)
    return copy


@pytest.mark.parametrize(
    ("second", "what"),
    [
        (lambda _: None, "is the only grid; compare holds one or more against the first"),
        (lambda _: CLINICAL / ".." / CLINICAL.name, "is given twice"),
        (lambda folder: shutil.copytree(CLINICAL, folder / "copy"), "copy are the same jobs"),
        (lambda _: BIOMEDICAL, "have no edge in common: the one is about "),
        (synthetic_copy, "the data differs: prepared in public_clinical_pairs, synthetic in invented"),
        (other_rule, "0.5 points in public_clinical_pairs, 1 points in stricter"),
        (other_p, "edited: its tables are not those of a report"),
        (lambda folder: folder, "results.csv is missing, so this is no report"),
        (lambda folder: folder / "nothing.yaml", "nothing.yaml: no such file"),
    ],
)
def test_what_cannot_be_compared_is_one_message_and_nothing_is_written(transfer, tmp_path, second, what):
    given = [path for path in (CLINICAL, second(tmp_path)) if path]
    code, _, err = transfer("compare", *given, "--out", tmp_path / "out")
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert what in err
    assert not (tmp_path / "out").exists()


def test_other_test_items_are_refused(transfer, two: Two, tmp_path: Path):
    grid = json.loads(two.grids[1].read_text())
    path = tmp_path / "short.yaml"
    path.write_text(json.dumps({**grid, "name": "short", "limit": {"test": 6}}))
    run(path, two.store, tmp_path / "reports")
    code, _, err = transfer("compare", two.grids[1], path, "--store", two.store, "--out", tmp_path / "out")
    assert code == 2
    assert "the number of test items of rel differs: 12 in faster, 6 in short" in err
    assert not (tmp_path / "out").exists()


def test_what_is_synthetic_says_so_in_the_terminal(transfer, tmp_path: Path):
    copy = Path(shutil.copytree(STUDIES / "clinical_pairs", tmp_path / "other"))
    saved = json.loads((copy / "study.json").read_text(encoding="utf-8"))
    texts = saved["tables"]["results"]["texts"]
    texts["job"] = [f"other {job}" for job in texts["job"]]
    (copy / "study.json").write_text(json.dumps(saved), encoding="utf-8")
    code, shown, err = transfer("compare", STUDIES / "clinical_pairs", copy, "--out", tmp_path / "out")
    assert code == 0, err
    assert shown.startswith("SYNTHETIC DATA")
    table = pd.read_csv(tmp_path / "out" / "clinical_pairs+vs+other" / "compare.csv")
    assert set(table["data_source"]) == {"synthetic"}
    assert (table["difference"] == 0).all()
    assert table["p"].isna().all(), "differences that do not vary claim nothing"
