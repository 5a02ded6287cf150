"""Which columns are read: a usual one that is there is never left out in silence."""

import json
from pathlib import Path

import pytest

from tests.corpora.own.files import csv_text, items, read, write
from transfer.corpora.own.rows import Columns
from transfer.inputs import InputError


def jsonl(path: Path, rows: list[dict]) -> Path:
    return write(path, "".join(json.dumps(row) + "\n" for row in rows))


def nli(path: Path, *head: str) -> Path:
    rows = [tuple(f"{name} {i}" if name != "label" else "ab"[i % 2] for name in head) for i in range(20)]
    return write(path, csv_text([head, *rows]))


@pytest.mark.parametrize(("kind", "wins"), [("multilabel", "labels"), ("classification", "label")])
def test_the_usual_name_of_the_kind_wins_and_the_other_is_said(tmp_path: Path, kind: str, wins: str):
    rows = [
        {"text": f"n {i}", "label": f"main{i % 2}", "labels": [["z"], ["x", "y"]][i % 2]} for i in range(20)
    ]
    path = jsonl(tmp_path / "d.jsonl", rows)
    _, reading = read(kind, path)
    assert items(reading, wins) == [(row[wins],) for row in rows]
    assert [doubt for doubt in reading.doubts if f"'{wins}' was read" in doubt and "--label" in doubt]


def test_an_option_that_names_the_other_is_no_doubt(tmp_path: Path):
    rows = [{"text": f"n {i}", "label": f"main{i % 2}", "labels": ["x"]} for i in range(20)]
    _, reading = read("multilabel", jsonl(tmp_path / "d.jsonl", rows), columns=Columns(label="label"))
    assert items(reading, "labels") == [([row["label"]],) for row in rows]
    assert not reading.doubts


@pytest.mark.parametrize("kind", ["classification", "multilabel"])
@pytest.mark.parametrize(
    ("head", "columns", "texts", "doubt"),
    [
        (("text", "text_b", "label"), {}, ("text", "text_b"), ""),
        (("text_a", "text_b", "label"), {}, ("text_a", "text_b"), ""),
        (("text", "text_a", "text_b", "label"), {}, ("text_a", "text_b"), "'text' was not"),
        (("note", "text_b", "label"), {"text": "note"}, ("note", "text_b"), "--text-b ''"),
        (("text", "text_b", "reply", "label"), {"text_b": "reply"}, ("text", "reply"), ""),
    ],
)
def test_a_second_text_is_read(tmp_path: Path, kind: str, head, columns: dict, texts, doubt: str):
    card, reading = read(kind, nli(tmp_path / "d.csv", *head), columns=Columns(**columns))
    assert card.pair
    assert items(reading, "text_a", "text_b") == [tuple(f"{name} {i}" for name in texts) for i in range(20)]
    assert doubt in " ".join(reading.doubts)
    assert bool(doubt) == bool(reading.doubts)


def test_a_second_text_is_declined_by_an_option(tmp_path: Path):
    path = nli(tmp_path / "d.csv", "text", "text_b", "label")
    card, reading = read("classification", path, columns=Columns(text_b=""))
    assert not card.pair
    assert items(reading, "text") == [(f"text {i}",) for i in range(20)]


def test_a_second_text_that_only_some_rows_have_is_an_error(tmp_path: Path):
    rows = [{"text": f"n {i}", "text_b": "b", "label": "ab"[i % 2]} for i in range(20)]
    del rows[4]["text_b"]
    with pytest.raises(InputError, match=r"line 5: the key 'text_b' is missing"):
        read("classification", jsonl(tmp_path / "d.jsonl", rows))
    rows[4]["text_b"] = ""
    with pytest.raises(InputError, match=r"line 5: the column 'text_b' .*--text-b '' reads one text"):
        read("classification", jsonl(tmp_path / "d.jsonl", rows))


def test_similarity_says_of_three_texts_which_two_were_read(tmp_path: Path):
    rows = [
        ("text", "text_a", "text_b", "score"),
        *((f"t {i}", f"a {i}", "b", str(i % 5)) for i in range(20)),
    ]
    _, reading = read("similarity", write(tmp_path / "d.csv", csv_text(rows)))
    assert items(reading, "text_a", "text_b")[0] == ("a 0", "b")
    assert "'text' was not" in reading.doubts[0]


@pytest.mark.parametrize(
    "twice", ['{"text": "t", "label": "a", "label": "b"}', '[{"text": "t", "text": "u"}]']
)
def test_a_key_that_stands_twice_is_an_error(tmp_path: Path, twice: str):
    path = write(tmp_path / "d.json", twice)
    with pytest.raises(InputError, match=r"line 1: not valid JSON: the key '(label|text)' is there twice"):
        read("classification", path)


def test_numbers_as_labels_are_spelled_as_the_file_has_them(tmp_path: Path):
    rows = [{"text": f"n {i}", "label": [1, 0, 2.5][i % 3]} for i in range(21)]
    card, _ = read("classification", jsonl(tmp_path / "d.jsonl", rows))
    assert card.labels == ("0", "1", "2.5")
