"""docs/extending.md keeps its promises: its corpus and its task kind are added to a copy of the package."""

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from transfer.corpora.base import SPLITS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "extending.md"


@pytest.fixture(scope="module")
def extended(runner, blocks_of):
    """A copy of the package with the page's files and edits, and the page's commands run with it."""
    ran = runner()
    ran.package = ran.folder / "package"
    shutil.copytree(ROOT / "transfer", ran.package / "transfer", ignore=shutil.ignore_patterns("__pycache__"))
    for block in blocks_of(PAGE):
        if block.language == "diff":
            edit(ran.package, block.content)
        elif block.file:
            path = ran.package / block.file
            assert not path.exists(), f"{block.file} is there already"
            path.write_text(block.content, encoding="utf-8")
    for block in blocks_of(PAGE):
        if block.language == "sh":
            ran.sh(block)
    return ran


def edit(package: Path, diff: str) -> None:
    """Replaces each run of ``-`` lines by the ``+`` lines that follow it, as the page says."""
    first, *lines = diff.splitlines()
    path = package / first.removeprefix("# ")
    text = path.read_text(encoding="utf-8")
    for old, new in re.findall(r"((?:^-.*\n)+)((?:^\+.*\n)+)", "\n".join(lines) + "\n", flags=re.MULTILINE):
        before, after = (re.sub(r"^[-+]", "", part, flags=re.MULTILINE) for part in (old, new))
        assert text.count(before) == 1, (
            f"{first}: the page replaces {before!r}, found {text.count(before)} times"
        )
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")


def test_the_new_corpus_is_prepared_and_checked(extended):
    rows = [json.loads(line) for line in (extended.folder / "corpora/greetings/train.jsonl").open()]
    assert [row["label"] for row in rows] == ["friendly", "curt"]
    assert "errors: 0" in extended.said


def test_the_new_kind_trains_scores_and_gains_beside_an_old_one(
    extended, tiny_corpora: Path, tiny_encoder: Path, write_corpus
):
    corpora = extended.folder / "both"
    labels = ["mild", "moderate", "severe"]
    texts = {"mild": "mild pain", "moderate": "acute pain", "severe": "severe pain"}
    rows = [
        {"id": f"{i}", "text": f"{texts[label]} left knee {i}", "label": label}
        for i, label in enumerate(8 * labels)
    ]
    card = {"name": "severity", "kind": "ordinal", "metric": "accuracy", "labels": labels}
    write_corpus(corpora, card, dict.fromkeys(SPLITS, rows))
    shutil.copytree(tiny_corpora / "rel", corpora / "rel")
    grid = {
        "name": "both", "corpora": "both", "tasks": ["severity", "rel"], "encoder": str(tiny_encoder),
        "recipe": {"base": "quick", "epochs": 3, "batch_size": 8}, "jobs": ["single", "pairs"], "seeds": 2,
    }  # fmt: skip
    (extended.folder / "both.yaml").write_text(json.dumps(grid))
    extended.command("transfer run-grid both.yaml --executor inline")
    results = pd.read_csv(extended.folder / "reports/both/results.csv")
    assert set(results["status"]) == {"done"}
    alone = results.query("corpora == 'severity' and split == 'test'")["value"]
    assert alone.between(0.3, 1.0).all(), (
        "three labels that the text names are not learnt worse than by chance"
    )
    edges = pd.read_csv(extended.folder / "reports/both/edges.csv")
    assert set(edges["target"]) == {"severity", "rel"}


def test_the_new_method_trains_and_is_named(extended, tiny_corpora: Path, tiny_encoder: Path):
    recipe = {"base": "quick", "epochs": 2, "batch_size": 8}
    grid = {"name": "weighed", "corpora": str(tiny_corpora), "tasks": ["sim", "rel"], "seeds": 1}
    grid |= {"encoder": str(tiny_encoder), "recipe": recipe | {"weigh": {"random": 0.3}}}
    grid |= {"jobs": ["single", "pairs"]}
    (extended.folder / "weighed.yaml").write_text(json.dumps(grid))
    extended.command("transfer run-grid weighed.yaml --executor inline")
    results = pd.read_csv(extended.folder / "reports/weighed/results.csv")
    assert set(results["status"]) == {"done"}
    assert "weigh random 0.3" in (extended.folder / "reports/weighed/report.md").read_text()
    (extended.folder / "equal.yaml").write_text(json.dumps(grid | {"recipe": recipe}))
    extended.command("transfer plan equal.yaml")
    assert "3 jobs, 1 to run" in extended.said, "alone nothing is weighed: those are the same jobs"


def test_the_new_kind_is_read_from_a_users_table(extended):
    card = (extended.folder / "corpora/pain/corpus.yaml").read_text()
    assert "kind: ordinal\nmetric: accuracy\nlabels:\n- mild\n- moderate\n- severe\n" in card


def test_a_label_that_the_card_lacks_is_refused_in_the_new_kind_too(extended, write_corpus):
    card = {"name": "wrong", "kind": "ordinal", "metric": "accuracy", "labels": ["a", "b"]}
    row = {"id": "1", "text": "x", "label": "c"}
    write_corpus(extended.folder / "bad", card, {split: [row] for split in SPLITS})
    extended.command("! transfer corpora check bad")
    assert "the label 'c' is not in the card's set" in extended.said
