"""A grid over corpora whose test scores are undefined: no file that it writes has a number for them."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest

CARDS = {
    "flat": {"kind": "similarity", "metric": "pearson", "pair": True, "range": [0, 5]},
    "lone": {"kind": "similarity", "metric": "pearson", "pair": True, "range": [0, 5]},
    "nopos": {"kind": "classification", "metric": "micro_f1", "labels": ["yes", "no"], "negative": "no"},
    "nof1": {"kind": "classification", "metric": "f1", "labels": ["yes", "no"], "negative": "no"},
    "single": {"kind": "classification", "metric": "accuracy", "labels": ["yes", "no"]},
    "bare": {"kind": "tagging", "metric": "span_f1", "entities": ["Sign"]},
    "none": {"kind": "multilabel", "metric": "example_f1", "labels": ["x", "y"]},
}
REASONS = {
    "flat": "all 12 gold scores are 3",
    "lone": "a single item",
    "nopos": "none of the 12 gold items is positive (other than 'no')",
    "nof1": "none of the 12 gold items is positive (other than 'no')",
    "single": "a single item",
    "bare": "none of the 12 gold items has a mention",
    "none": "none of the 12 gold items has a label",
}


def row(name: str, split: str, i: int) -> dict:
    """An item; those of test are what makes the score undefined."""
    kind, test, id_ = CARDS[name]["kind"], split == "test", f"{split}-{i}"
    word = ("fever", "cough", "pain")[i % 3]
    if kind == "similarity":
        score = 3.0 if test else float(i % 5)
        return {"id": id_, "text_a": f"{word} {i}", "text_b": f"the {word}", "score": score}
    if kind == "tagging":
        tags = ["O", "O"] if test else ["O", "B-Sign" if i % 2 else "O"]
        return {"id": id_, "tokens": ["has", word], "tags": tags}
    if kind == "multilabel":
        return {"id": id_, "text": f"{word} {i}", "labels": [] if test else [["x"], ["y"], []][i % 3]}
    return {"id": id_, "text": f"{word} {i}", "label": "no" if test or i % 2 else "yes"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory, write_corpus) -> Path:
    """A corpus for each way in which a test score is undefined, and one (`sound`) with a defined score."""
    folder = tmp_path_factory.mktemp("undefined")
    for name, card in CARDS.items():
        test = 1 if name in ("lone", "single") else 12
        sizes = {"train": 18, "dev": 12, "test": test}
        splits = {split: [row(name, split, i) for i in range(n)] for split, n in sizes.items()}
        write_corpus(folder, {"name": name, **card}, splits)
    card = {"name": "sound", **CARDS["single"]}
    splits = {
        s: [row("single", "dev", i) | {"id": f"{s}-{i}"} for i in range(12)] for s in ("train", "dev", "test")
    }
    write_corpus(folder, card, splits)
    return folder


@pytest.fixture(scope="module")
def grid(folder: Path, tiny_encoder: Path) -> Path:
    file = folder / "undefined.yaml"
    file.write_text(
        json.dumps(
            {
                "name": "undefined",
                "corpora": str(folder),
                "tasks": ["sound", *CARDS],
                "encoder": str(tiny_encoder),
                "recipe": {"base": "quick", "epochs": 1, "batch_size": 9, "lr": 0.001},
                "jobs": ["single", ["sound", "flat"], *(["flat", name] for name in CARDS if name != "flat"),
                         list(CARDS)],
                "seeds": 1,
            }
        )
    )  # fmt: skip
    return file


def test_no_undefined_score_is_a_number_in_any_file(grid: Path, transfer, tmp_path: Path):
    out, store = tmp_path / "out", tmp_path / "runs"
    code, said, err = transfer("run-grid", grid, "--store", store, "--out", out, "--executor", "inline")
    assert code == 0, err
    for name, reason in REASONS.items():
        metric = CARDS[name]["metric"]
        assert f"{name}: the test score ({metric}) is undefined, so no gain can be measured: {reason}" in said
    home = out / "undefined"
    results = pd.read_csv(home / "results.csv", keep_default_na=False)
    tested = results[(results["split"] == "test") & (results["target"] != "sound")]
    assert len(tested) == 27
    assert set(tested["value"]) == {""}
    assert all(REASONS[row["target"]] in row["error"] for row in tested.to_dict("records"))
    assert (results.loc[(results["split"] == "test") & (results["target"] == "sound"), "value"] != "").all()

    edges = pd.read_csv(home / "edges.csv", keep_default_na=False)
    edges = edges[edges["target"] != "sound"]
    assert len(edges) == 13
    numbers = [c for c in edges if c.startswith(("single", "joint", "gain", "ci", "p", "se_", "det"))]
    assert set(edges[numbers].to_numpy().ravel()) == {""}
    assert set(edges["verdict"]) == {"inconclusive"}
    assert all(REASONS[row["target"]] in row["flag"] for row in edges.to_dict("records"))

    scores = pd.read_csv(home / "table_scores.csv", keep_default_na=False)
    assert set(scores.loc[scores["target"] != "sound", "mean"]) == {""}
    missing = pd.read_csv(home / "table_missing.csv")
    assert set(missing["state"]) == {"undefined"}
    graph = json.loads((home / "graph.json").read_text())
    drawn = [edge for edge in graph["edges"] if edge["target"] != "sound"]
    assert len(drawn) == 13
    assert all("gain" not in edge and "p_adjusted" not in edge and edge["flag"] for edge in drawn)
    for file in home.iterdir():
        if file.suffix in (".png", ".pdf"):
            continue
        text = re.sub(r"<script>.*?</script>", "", file.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not re.search(r"(?<![\w-])nan(?![\w-])", text, re.IGNORECASE), file.name
        for line in text.splitlines():  # of sentences and tables
            named = [name for name in CARDS if f"→ {name}:" in line]
            assert not named or "undefined gain, inconclusive" in line or len(line) > 5000, line
    page = (home / "report.html").read_text()
    data = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])
    names = [node["name"] for node in data["nodes"]]
    shown = [e for e in data["stages"][0]["edges"] if names[e["target"]] != "sound"]
    assert len(shown) == 13
    assert {(e["points"], e["gain"], e["single"], e["joint"]) for e in shown} == {(None, "undefined", "", "")}

    # advice says why it has none, and what rests on it is left out
    code, _, err = transfer("recommend", "nopos", "--from", home)
    assert code == 2
    assert REASONS["nopos"] in err
    code, said, err = transfer("recommend", "sound", "--from", home)
    assert code == 0, err
    code, _, err = transfer("group", home, "--models", 1)
    assert code == 2
    assert "undefined" in err


def test_plan_and_check_foresee_every_undefined_score(grid: Path, folder: Path, transfer):
    _, planned, _ = transfer("plan", grid)
    code, checked, _ = transfer("corpora", "check", folder)
    assert code == 0
    for name, reason in REASONS.items():
        metric = CARDS[name]["metric"]
        told = f"{name}: the test score ({metric}) is undefined, so no gain can be measured: {reason}"
        assert f"note: {told}" in planned
        assert f"warning: {told}" in checked
    assert "sound: the test score" not in planned + checked
