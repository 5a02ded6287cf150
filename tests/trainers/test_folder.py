"""The folder that an external trainer receives."""

import json
from pathlib import Path

import pytest

from tests.trainers.conftest import RIGHT
from transfer.trainers.folder import JobFile

# secrets that only the gold values of test hold
COPY = (
    RIGHT
    + "\nimport shutil\nshutil.copytree(pathlib.Path(sys.argv[1]).parent, {place!r} + '/' + job['id'])\n"
)


@pytest.fixture
def received(trial, tmp_path: Path, write_corpus) -> Path:
    """Copies of the folders that the jobs of a grid got; labels and tags of test occur nowhere else."""
    folder = tmp_path / "corpora"
    splits = {
        split: [{"id": f"{split}{i}", "text": f"words {split} {i}", "label": "ab"[i % 2]} for i in range(12)]
        for split in ("train", "dev", "test")
    }
    card = {"kind": "classification", "metric": "accuracy", "labels": ["a", "b", "secret"]}
    for row in splits["train"][:2]:
        row["label"] = "secret"
    for row in splits["test"]:
        row["label"] = "secret"
    write_corpus(folder, {"name": "one", **card}, splits)
    scores = {
        split: [
            {
                "id": f"{split}{i}",
                "text_a": "x",
                "text_b": f"{i}",
                "score": 4.25 if split == "test" and i else 1.5 + i % 2,
            }
            for i in range(12)
        ]
        for split in ("train", "dev", "test")
    }
    write_corpus(folder, {"name": "two", "kind": "similarity", "metric": "pearson", "pair": True}, scores)
    place = tmp_path / "received"
    made = trial(
        COPY.replace("{place!r}", repr(str(place))),
        corpora=str(folder),
        tasks=["one", "two"],
        jobs=["single", "pairs"],
        seeds=2,
    )
    assert {r.status for r in made.run().values()} == {"done"}
    return place


def test_test_labels_are_nowhere_in_it(received: Path):
    for folder in received.iterdir():
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert any(path.name == "test.jsonl" for path in files)
        for path in files:
            text = path.read_text(encoding="utf-8")
            assert "4.25" not in text, path
            if path.name == "job.json":
                text = text.replace('"secret"', "", 1)  # the label's name
            elif path.name == "train.jsonl":
                text = text.replace('"label": "secret"', "")
            assert "secret" not in text, path


def test_test_rows_have_the_ids_and_texts_alone(received: Path):
    for path in received.rglob("test.jsonl"):
        for line in path.read_text().splitlines():
            assert set(json.loads(line)) in ({"id", "text"}, {"id", "text_a", "text_b"})


def test_a_corpus_has_the_same_seed_and_rows_whatever_its_partners(received: Path):
    jobs = [json.loads((folder / "job.json").read_text()) for folder in received.iterdir()]
    seen: dict[tuple[int, str], set[str]] = {}
    for job, folder in zip(jobs, received.iterdir(), strict=True):
        for corpus in job["corpora"]:
            rows = (folder / "corpora" / corpus["name"] / "train.jsonl").read_text()
            seen.setdefault((job["seed"], corpus["name"]), set()).add(f"{corpus['seed']} {rows}")
    assert len(seen) == 4
    assert all(len(what) == 1 for what in seen.values())
    assert len({next(iter(what)).split()[0] for what in seen.values()}) == 4


def test_it_fits_the_schema(received: Path):
    schema = json.loads((Path(__file__).parents[2] / "docs" / "trainers.schema.json").read_text())
    for path in received.rglob("job.json"):
        found = json.loads(path.read_text())
        assert set(found) == set(schema["properties"])
        assert set(found["corpora"][0]) == set(schema["$defs"]["CorpusFile"]["properties"])
        assert JobFile.model_validate(found)
        assert [c["name"] for c in found["corpora"]] == sorted(c["name"] for c in found["corpora"])
