"""A prepared corpus is written whole or not at all."""

from pathlib import Path

import pytest

from transfer.corpora import prepared
from transfer.corpora.base import Card
from transfer.corpora.writing import write
from transfer.inputs import InputError

CARD = Card(
    name="c",
    kind="classification",
    metric="accuracy",
    labels=("a", "b"),
    gold={"train": 2},
    notes=("so: so",),
)


def rows(label: str = "a"):
    return {
        split: [{"id": "1", "text": f"Größe in {split}", "label": label}]
        for split in ("train", "dev", "test")
    }


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_what_is_written_reads_back_and_has_the_same_bytes_each_time(tmp_path: Path):
    written = write(CARD, rows(), tmp_path / "one")
    assert written == prepared.read(tmp_path / "one", "c")
    assert written.card == CARD
    write(CARD, rows(), tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert set(contents(tmp_path / "one")) == {f"c/{s}.jsonl" for s in ("train", "dev", "test")} | {
        "c/corpus.yaml"
    }


def test_a_corpus_that_is_there_is_replaced_only_when_asked(tmp_path: Path):
    write(CARD, rows(), tmp_path)
    before = contents(tmp_path)
    with pytest.raises(InputError, match="--force"):
        write(CARD, rows("b"), tmp_path)
    assert contents(tmp_path) == before
    write(CARD, rows("b"), tmp_path, replace=True)
    assert prepared.read(tmp_path, "c").train[0].gold == "b"
    assert [p.name for p in tmp_path.iterdir()] == ["c"]


def test_rows_that_are_wrong_leave_nothing_and_name_the_file_as_it_would_be(tmp_path: Path):
    with pytest.raises(InputError, match=r"new/c/train\.jsonl line 1: the label 'z'"):
        write(CARD, rows("z"), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_wrong_rows_do_not_touch_what_was_there(tmp_path: Path):
    write(CARD, rows(), tmp_path)
    before = contents(tmp_path)
    with pytest.raises(InputError):
        write(CARD, rows("z"), tmp_path, replace=True)
    assert contents(tmp_path) == before


def test_a_target_that_is_a_file_is_one_message(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write(CARD, rows(), tmp_path / "file")
