"""Tables with one token a row become sentences; a table that does not say which is refused."""

import csv
import json
from pathlib import Path

import pytest

from transfer.corpora import own
from transfer.corpora.own.rows import Columns
from transfer.inputs import InputError

SENTENCES = [
    (["no", "gout"], ["O", "B-F"]),
    (["old", "gout", "pain", ","], ["O", "B-F", "I-F", "O"]),
    (["rest"], ["O"]),
]
ROWS = [(f"{i}", *pair) for i, (a, b) in enumerate(SENTENCES) for pair in zip(a, b, strict=True)]


def table(path: Path, head: list[str], rows: list[tuple]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writerows([head, *rows])
    return path


def read(path: Path, **columns):
    sources = tuple((path, split) for split in ("train", "dev", "test"))
    request = own.Request("tagging", "mine", sources, columns=Columns(**columns))
    _, reading = own.read(request)
    return [(row["tokens"], row["tags"]) for row in reading.rows["test"]], reading


def filled_once(rows: list[tuple]) -> list[tuple]:
    """Only the first row of a sentence names it, as in tables that people print."""
    return [
        (f"Sentence: {s}" if i == 0 or rows[i - 1][0] != s else "", *rest)
        for i, (s, *rest) in enumerate(rows)
    ]


FORMS = {
    "usual names": ("d.csv", ["sentence_id", "words", "labels"], ROWS, {}),
    "tabs": ("d.tsv", ["sentence_id", "words", "labels"], ROWS, {}),
    "other capitals": ("d.csv", ["Sentence #", "Word", "Tag"], ROWS, {}),
    "named once": ("d.csv", ["Sentence #", "Word", "Tag"], filled_once(ROWS), {}),
    "another order": ("d.csv", ["tag", "sent_id", "token"], [(t, s, w) for s, w, t in ROWS], {}),
    "columns between": (
        "d.csv",
        ["sentence_idx", "pos", "word", "lemma", "tag"],
        [(s, "NN", w, w, t) for s, w, t in ROWS],
        {},
    ),
    "named by options": (
        "d.csv",
        ["nr", "what", "how"],
        ROWS,
        {"sentence": "nr", "text": "what", "label": "how"},
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_rows_of_one_token_become_sentences(tmp_path: Path, name: str):
    file, head, rows, columns = FORMS[name]
    found, reading = read(table(tmp_path / file, head, rows), **columns)
    assert found == SENTENCES
    assert [row["id"] for row in reading.rows["test"]] == ["d(3)-1", "d(3)-2", "d(3)-3"]
    assert any("--sentence COLUMN" in note for note in reading.doubts) == (not columns)


def test_json_lines_of_one_token_become_sentences(tmp_path: Path):
    lines = [json.dumps({"sentence_id": s, "token": w, "tag": t}) for s, w, t in ROWS]
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    assert read(tmp_path / "d.jsonl")[0] == SENTENCES


def test_documents_may_number_their_sentences_anew(tmp_path: Path):
    rows = [(doc, *row) for doc in ("x", "y") for row in ROWS]
    path = table(tmp_path / "d.csv", ["doc", "sentence_id", "token", "tag"], rows)
    found, reading = read(path)
    assert found == SENTENCES * 2
    assert [row["doc"] for row in reading.rows["test"]] == ["x"] * 3 + ["y"] * 3


@pytest.mark.parametrize(
    ("head", "rows", "columns", "message"),
    [
        (
            ["token", "tag"],
            [r[1:] for r in ROWS],
            {},
            r"every item has one token, 'no' the first; .*--sentence",
        ),
        (
            ["sentence_id", "token", "tag"],
            [*ROWS, ROWS[0]],
            {},
            r"d\.csv line 9: goes on with a sentence that began at .*d\.csv line 2, .*--doc",
        ),
        (
            ["sentence_id", "token", "tag"],
            [("", "a", "O"), *ROWS],
            {},
            r"line 2: the column 'sentence_id' is empty",
        ),
        (
            ["s", "token", "tag"],
            ROWS,
            {"sentence": "t"},
            "line 1: there is no column 't', which --sentence names",
        ),
        (
            ["s", "wort", "tag"],
            ROWS,
            {"sentence": "s"},
            r"no column has a usual name for tokens .*--text COLUMN",
        ),
        (
            ["sentence_id", "token", "tag"],
            [*ROWS, ("9", "", "O")],
            {},
            r"line 9: the token is empty; delete it",
        ),
        (["sentence_id", "token", "tag"], [*ROWS, ("9", "x", "")], {}, r"line 9: the token has no tag"),
        (["sentence_id", "token", "tag"], [*ROWS, ("9", "x", "F")], {}, r"line 9: the tag is 'F'"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(
    tmp_path: Path, head: list, rows: list, columns: dict, message: str
):
    with pytest.raises(InputError, match=message):
        read(table(tmp_path / "d.csv", head, rows), **columns)


def test_sentences_in_cells_stay_sentences(tmp_path: Path):
    rows = [(f"{i}", " ".join(a), " ".join(b)) for i, (a, b) in enumerate(SENTENCES)]
    found, reading = read(table(tmp_path / "d.csv", ["sentence_id", "tokens", "tags"], rows))
    assert found == SENTENCES
    assert not any("--sentence" in note for note in reading.doubts)


def test_lists_of_one_token_are_items_and_doubted(tmp_path: Path):
    lines = [json.dumps({"tokens": [w], "tags": [t]}) for _, w, t in ROWS if t != "I-F"]
    (tmp_path / "d.jsonl").write_text("\n".join(lines))
    found, reading = read(tmp_path / "d.jsonl")
    assert len(found) == len(lines)
    assert any("every item has one token" in note for note in reading.doubts)


def test_the_usual_columns_that_are_not_read_are_said(tmp_path: Path):
    rows = [{"tokens": ["no", "gout"], "tags": ["O", "B-F"], "ner_tags": ["O", "B-G"], "words": ["x", "y"]}]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows * 3)))
    _, reading = read(tmp_path / "d.jsonl")
    assert any(
        "from the column 'tags', not from 'ner_tags' (--label COLUMN" in note for note in reading.doubts
    )
    assert any("from the column 'tokens', not from 'words' (--text COLUMN" in note for note in reading.doubts)
    assert read(tmp_path / "d.jsonl", label="ner_tags")[0][0] == (["no", "gout"], ["O", "B-G"])
