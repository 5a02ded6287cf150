"""Values: rows without gold values, a mean as the score, and no built-in trainer."""

from pathlib import Path

import pandas as pd
import pytest

from transfer import corpora
from transfer.inputs import InputError
from transfer.kinds import KINDS, kind_of
from transfer.metrics import measure_of, why_undefined
from transfer.planning import GridFile, expand
from transfer.tasks import TASKS


@pytest.fixture
def folder(tmp_path: Path, write_corpus) -> Path:
    splits = {
        split: [{"id": f"{split}{i}", "text": f"question {i} of {split}"} for i in range(12)]
        for split in ("train", "dev", "test")
    }
    for i, row in enumerate(splits["train"]):
        row["value"] = i / 4  # a trainer may use it
    for name in ("answers", "calls"):
        write_corpus(tmp_path / "corpora", {"name": name, "kind": "values", "metric": "mean"}, splits)
    return tmp_path / "corpora"


def test_a_row_may_lack_the_value(folder: Path):
    corpus = corpora.load_one(folder, "answers")
    assert [example.gold for example in corpus.train][:3] == [0, 0.25, 0.5]
    assert {example.gold for example in corpus.test} == {0}


@pytest.mark.parametrize("value", ["1", True, None, [], float("nan")])
def test_a_value_is_a_number(value):
    with pytest.raises(InputError, match=r"^x: 'value' should be a number"):
        kind_of("values").gold_of(None, "x", {"value": value})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"^x: 'predicted' should be a number"):
        kind_of("values").answer_of(None, "x", value, ("text",))  # type: ignore[arg-type]


def test_the_score_is_the_mean_of_the_predictions():
    assert measure_of("mean")([0, 0, 0, 0], [1, 0, 0.5, 0]) == 0.375
    assert not why_undefined("mean", [0, 0], [0.5, 0.5], negative=None)


def test_the_built_in_trainer_refuses_it(folder: Path, tmp_path: Path, tiny_encoder: Path):
    assert [name for name in KINDS if not KINDS[name].external] == list(TASKS)
    grid = tmp_path / "g.yaml"
    text = f"name: g\ncorpora: {folder}\ntasks: [answers, calls]\nencoder: {tiny_encoder}\n"
    grid.write_text(text + "recipe: quick\nseeds: 1\n")
    with pytest.raises(
        InputError, match=r"g.yaml line 3: .*'answers' is of the kind values, which only an ext"
    ):
        expand(GridFile(grid))


SCRIPT = """
import json, pathlib, sys
job = json.loads(pathlib.Path(sys.argv[1]).read_text())
out = pathlib.Path(sys.argv[2]) / "predictions"
out.mkdir()
for corpus in job["corpora"]:
    rows = [json.loads(line) for line in open(corpus["test"])]
    right = 0.5 + 0.25 * (len(job["corpora"]) - 1)  # a partner helps by 25 points
    with open(out / f"{corpus['name']}.jsonl", "w") as file:
        for i, row in enumerate(rows):
            value = right + (0.01 if (i + job["seed"]) % 2 else -0.01)
            print(json.dumps({"id": row["id"], "predicted": value}), file=file)
"""


def test_a_grid_of_values_has_edges(folder: Path, tmp_path: Path, transfer):
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "g.yaml").write_text(
        f"name: g\ncorpora: {folder}\ntasks: [answers, calls]\nseeds: 3\njobs: [single, pairs]\n"
        'trainer: {command: [python, train.py, "{job}", "{out}"]}\n'
    )
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports"]
    code, out, err = transfer("run-grid", tmp_path / "g.yaml", "--executor", "inline", *places)
    assert code == 0, out + err
    edges = pd.read_csv(tmp_path / "reports" / "g" / "edges.csv")
    assert list(edges["gain"].round(9)) == [0.25, 0.25]
    assert set(edges["metric"]) == {"mean"}
    results = pd.read_csv(tmp_path / "reports" / "g" / "results.csv")
    assert set(results["encoder"]) == {"external"}
    assert set(results["recipe"]) == {"python train.py {job} {out}"}
    page = (tmp_path / "reports" / "g" / "report.html").read_text()
    assert "python train.py {job} {out}" in page
    assert "max_length" not in page
    code, out, err = transfer("plan", tmp_path / "g.yaml", "--store", tmp_path / "other")
    assert code == 0, err
    assert "known from its finished jobs" in out
    code, out, err = transfer("plan", tmp_path / "g.yaml", "--store", tmp_path / "runs", "--set", "seeds=4")
    assert "by the 9 jobs that are done" in out
