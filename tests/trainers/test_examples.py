"""The trainers of examples/: each produces a report of the synthetic corpora."""

from pathlib import Path

import pandas as pd
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
FEW = ("limit={train: 40, test: 30, resample: false}", "jobs=[single, pairs]")


def report_of(transfer, tmp_path: Path, name: str, tasks: str, *overrides: str) -> pd.DataFrame:
    """The edges of a report over two of the example's corpora, all of whose jobs are done."""
    sets = [f"--set={each}" for each in (f"tasks={tasks}", "name=e", *FEW, *overrides)]
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports"]
    code, out, err = transfer("run-grid", EXAMPLES / name / "grid.yaml", "--executor=inline", *places, *sets)
    assert code == 0, out + err
    (report,) = (tmp_path / "reports").iterdir()
    assert {"edges.csv", "graph.svg", "report.html"} <= {path.name for path in report.iterdir()}
    results = pd.read_csv(report / "results.csv")
    assert set(results["status"]) == {"done"}
    assert set(results["source"]) == {"synthetic"}
    edges = pd.read_csv(report / "edges.csv")
    assert len(edges) == 2
    return edges


def test_awk(transfer, tmp_path: Path):
    edges = report_of(transfer, tmp_path, "awk", "[i2b2-2010-re, shareclefe]", "seeds=1")
    assert set(edges["gain"]) == {0}


@pytest.mark.slow
@pytest.mark.parametrize("tasks", ["[clinicalsts, i2b2-2010-re]", "[mednli, shareclefe]"])
def test_sklearn(transfer, tmp_path: Path, tasks: str):
    edges = report_of(transfer, tmp_path, "sklearn", tasks, "seeds=2")
    assert edges["single"].notna().all()


@pytest.mark.slow
@pytest.mark.parametrize("tasks", ["[clinicalsts, i2b2-2010-re]", "[mednli, shareclefe]"])
def test_transformers(transfer, tmp_path: Path, tiny_encoder: Path, tasks: str):
    settings = (f"trainer.settings.encoder={tiny_encoder}", "trainer.settings.layers=2")
    edges = report_of(transfer, tmp_path, "transformers", tasks, "seeds=1", *settings)
    assert edges["single"].notna().all()


@pytest.mark.slow
def test_lora(transfer, tmp_path: Path):
    edges = report_of(transfer, tmp_path, "lora", "[i2b2-2010-re, mednli]", "seeds=1")
    assert edges["single"].notna().all()
