"""Tags without spans, from a file to a report and a model: prepare, check, stats, run-grid, predict."""

import csv
import json
from pathlib import Path

import pytest

from transfer.metrics import measure_of, token_accuracy
from transfer.store import Store

SENTENCES = [
    (["the", "patient", "has", "pain"], ["DT", "NN", "VB", "NN"]),
    (["severe", "cough", "and", "fever"], ["JJ", "NN", "CC", "NN"]),
    (["aspirin", "treats", "the", "old", "pain"], ["NN", "VB", "DT", "JJ", "NN"]),
]


def test_token_accuracy_counts_tokens_and_not_sentences():
    gold = [["DT", "NN", "VB"], ["NN"]]
    assert token_accuracy(gold, [["DT", "NN", "NN"], ["NN"]]) == pytest.approx(3 / 4)
    assert token_accuracy(gold, gold) == 1
    # a token that is rightly outside counts as any other, where span F1 has nothing to count
    assert token_accuracy([["O", "O"]], [["O", "X"]]) == pytest.approx(1 / 2)
    with pytest.raises(ValueError, match="equal"):
        token_accuracy([["DT", "NN"]], [["DT"]])
    measure = measure_of("token_accuracy")
    parts = measure.parts(gold, [["DT", "NN", "NN"], ["VB"]])
    assert parts.tolist() == [[2, 3], [0, 1]]  # so that a document can be left out of the sum


def test_part_of_speech_runs_from_a_file_to_a_model(tmp_path: Path, tiny_encoder: Path, transfer):
    text = "".join(
        "".join(f"{word}\t{tag}\n" for word, tag in zip(*SENTENCES[i % 3], strict=True)) + "\n"
        for i in range(40)
    )
    (tmp_path / "pos.conll").write_text(text)
    corpora = tmp_path / "corpora"
    code, out, err = transfer(
        "corpora", "prepare", "own", "--kind", "tagging", "--metric", "token_accuracy", "--name", "pos",
        "--from", tmp_path / "pos.conll", "--to", corpora,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert "metric: token_accuracy" in out
    code, out, err = transfer("corpora", "check", corpora)
    assert code == 0, out
    assert "that no line has" not in out
    code, out, _ = transfer("corpora", "stats", corpora)
    assert code == 0
    assert "tokens" in out
    grid = {
        "name": "pos",
        "corpora": str(corpora),
        "tasks": ["pos"],
        "encoder": str(tiny_encoder),
        "recipe": {"base": "quick", "epochs": 8, "batch_size": 8, "lr": 0.003},
        "jobs": ["single"],
        "seeds": 1,
        "keep": ["all"],
    }
    (tmp_path / "pos.yaml").write_text(json.dumps(grid))
    stores = ["--store", tmp_path / "runs"]
    code, out, err = transfer(
        "run-grid", tmp_path / "pos.yaml", *stores, "--out", tmp_path / "reports", "--executor", "inline"
    )
    assert code == 0, err
    with (tmp_path / "reports" / "pos" / "results.csv").open(newline="") as file:
        (row,) = [row for row in csv.DictReader(file) if row["split"] == "test"]
    assert row["metric"] == "token_accuracy"
    gold = [json.loads(line) for line in (corpora / "pos" / "test.jsonl").read_text().splitlines()]
    (job,) = Store(tmp_path / "runs").files.names("jobs")
    code, out, err = transfer("models", "export", job, *stores, "--to", tmp_path / "model")
    assert code == 0, err
    card = (tmp_path / "model" / "README.md").read_text()
    assert "One label for each token of a sentence: `CC`, `DT`, `JJ`, `NN`, `VB`." in card
    labels = json.loads((tmp_path / "model" / "config.json").read_text())["id2label"]
    assert list(labels.values()) == ["CC", "DT", "JJ", "NN", "VB"]
    lines = [json.dumps({"id": item["id"], "tokens": item["tokens"]}) for item in gold]
    (tmp_path / "new.jsonl").write_text("\n".join(lines))
    code, out, err = transfer("models", "predict", tmp_path / "model", tmp_path / "new.jsonl")
    assert code == 0, err
    predicted = [json.loads(line) for line in out.splitlines()]
    assert [item["id"] for item in predicted] == [item["id"] for item in gold]
    # the score of the report is that of the predictions, counted by hand
    pairs = [
        pair for g, p in zip(gold, predicted, strict=True) for pair in zip(g["tags"], p["tags"], strict=True)
    ]
    assert float(row["value"]) == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    # three sentences of 14 words are learned
    assert float(row["value"]) > 0.8


@pytest.mark.parametrize(
    ("card", "row", "message"),
    [
        ({"entities": ["X"]}, {}, "a tagging corpus measured by token_accuracy needs the key 'labels'"),
        ({"labels": ["DT"]}, {}, "the label 'NN' is not in the card's set"),
        ({"labels": ["DT", "NN"]}, {"starts": [0, 2], "mentions": []}, "'mentions' is for mentions"),
    ],
)
def test_what_does_not_fit_is_one_message(tmp_path: Path, write_corpus, transfer, card, row, message):
    line = {"id": "a", "tokens": ["the", "pain"], "tags": ["DT", "NN"], **row}
    whole = {"name": "pos", "kind": "tagging", "metric": "token_accuracy", **card}
    write_corpus(tmp_path, whole, {split: [line] for split in ("train", "dev", "test")})
    code, out, err = transfer("corpora", "check", tmp_path)
    assert code != 0
    assert message in out + err
