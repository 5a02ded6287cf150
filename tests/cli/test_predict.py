"""``predict`` gives one answer for each text of a file, in its order, or an error in its own terms.

The model is a fake that echoes: a classifier answers a text with the text, a tagger a token with the
token, so an answer shows what the model was given. ``test_models.py`` has real ones.
"""

import contextlib
import csv
import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, disable_progress_bars
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transfer.corpora.base import Card
from transfer.corpora.own.intake import Asked
from transfer.corpora.own.plain import Layout
from transfer.corpora.own.tables import Dialect, Quoting
from transfer.corpora.own.unlabelled import texts_of
from transfer.inputs import InputError
from transfer.learning.export import read as exported

CARDS = {
    "text": Card(name="topic", kind="classification", metric="accuracy", labels=("a", "b")),
    "pair": Card(name="nli", kind="classification", metric="accuracy", labels=("a", "b"), pair=True),
    "similarity": Card(name="sts", kind="similarity", metric="pearson", pair=True),
    "multilabel": Card(name="many", kind="multilabel", metric="example_f1", labels=("a", "b")),
    "tagging": Card(name="drugs", kind="tagging", metric="span_f1", entities=("Drug",)),
}
PAIRS = ("pair", "similarity")
ANSWER = {"similarity": "score", "multilabel": "labels", "tagging": "tags"}


class FakeModel:
    """A fake of exported.Model that echoes what it is given; it also has no more texts than it was given."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def predict(self, examples: Sequence[Any]) -> list[Any]:
        return [list(e.text) if self.kind == "tagging" else " / ".join(e.text) for e in examples]


@dataclass
class Answered:
    """The output of ``predict``: answers, notes and the error message."""

    code: int
    rows: list[dict[str, Any]]
    err: str
    kind: str

    @property
    def given(self) -> list[Any]:
        """The model's input, as the fake echoes it."""
        assert self.code == 0, self.err
        return [row[ANSWER.get(self.kind, "label")] for row in self.rows]

    @property
    def ids(self) -> list[str]:
        assert self.code == 0, self.err
        return [row["id"] for row in self.rows]

    @property
    def message(self) -> str:
        """The error, on one line and without a traceback."""
        assert self.code == 2, (self.rows, self.err)
        assert not self.rows
        assert "Traceback" not in self.err
        (line,) = [line for line in self.err.splitlines() if line.startswith("error: ")]
        return line


Predict = Callable[..., Answered]


@pytest.fixture
def predict(transfer, monkeypatch: pytest.MonkeyPatch) -> Predict:
    """``predict(kind, file, *options)`` is the command with a fake model of the kind."""

    def call(kind: str, file: Path, *options: object) -> Answered:
        monkeypatch.setattr(exported, "record_of", lambda folder: SimpleNamespace(card=CARDS[kind]))
        monkeypatch.setattr(exported, "open_model", lambda folder: FakeModel(kind))
        code, out, err = transfer("models", "predict", "fake-model", file, *options)
        return Answered(code, [json.loads(line) for line in out.splitlines()], " ".join(err.split(" ")), kind)

    return call


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """``write(name, content)`` writes the bytes as they are."""

    def call(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return call


def squeezed(text: str) -> str:
    """Notes are wrapped to the terminal's width."""
    return " ".join(text.split())


# ---- case 22 and its relatives: quotation marks in a TSV


def test_a_tsv_whose_quotation_marks_could_merge_rows_is_an_error_with_the_way_out(predict: Predict, write):
    text = 'text\tnote\n"fever at night\tx\nslept well\ty\nate a meal"\tz\nrested\tw\n'
    path = write("quotes2.tsv", text)
    expected = [line.split("\t")[0] for line in text.splitlines()[1:]]
    assert (
        "quotes2.tsv line 2: the quotation mark that opens here closes on line 4"
        in predict("text", path).message
    )
    assert predict("text", path, "--quoting", "none").given == expected
    one_column = write("one.tsv", 'text\n"fever at\nslept\nmeal"\n')
    assert "--quoting none" in predict("text", one_column).message
    assert predict("text", one_column, "--quoting", "none").given == ['"fever at', "slept", 'meal"']
    assert predict("text", one_column, "--quoting", "double").given == ["fever at\nslept\nmeal"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param(
            "one.tsv", 'text\tn\n"fever\tx\nrested\ty\n', ['"fever', "rested"], id="an opening mark alone"
        ),
        pytest.param(
            "in.tsv", 'text\tn\n5" scar\tx\nsaid "no"\ty\n', ['5" scar', 'said "no"'], id="marks within cells"
        ),
        pytest.param(
            "quoted.tsv",
            'text\tn\n"fever ""now"""\tx\n"a\nb"\ty\n',
            ['fever "now"', "a\nb"],
            id="quoted throughout",
        ),
        pytest.param("q.txt", '"fever at\nslept\nmeal"\n', ['"fever at', "slept", 'meal"'], id="plain text"),
        pytest.param("q.csv", 'text,n\n"a, ""b""",x\n"c\nd",y\n', ['a, "b"', "c\nd"], id="CSV"),
    ],
)
def test_quotation_marks_merge_no_rows(predict: Predict, write, name: str, text: str, expected: list[str]):
    assert predict("text", write(name, text)).given == expected


def test_a_csv_whose_quotation_mark_is_never_closed_is_an_error(predict: Predict, write):
    assert "a.csv line 2" in predict("text", write("a.csv", 'text,n\n"fever,x\nrested,y\n')).message


# ---- case 22 and its relatives: raw text


def test_a_file_of_one_sentence_is_one_text_for_a_tagger(predict: Predict, write):
    found = predict("tagging", write("sent.txt", "aspirin was given .\n"))
    assert found.given == [["aspirin", "was", "given", "."]]
    assert found.rows[0]["starts"] == [0, 8, 12, 18]
    assert "sent.txt: read as one text per line; --format tokens or --format conll reads it" in squeezed(
        found.err
    )
    assert "by rules (runs of letters" in squeezed(found.err)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            "Given aspirin.\nNo pain.\n", [["Given", "aspirin", "."], ["No", "pain", "."]], id="sentences"
        ),
        pytest.param("blood group O\n", [["blood", "group", "O"]], id="ends like a tag"),
        pytest.param("p53-like cell\n", [["p", "53", "-", "like", "cell"]], id="punctuation"),
        pytest.param("given it\nno pain", [["given", "it"], ["no", "pain"]], id="same number of words"),
        pytest.param("a fever\r\nno pain\r\n", [["a", "fever"], ["no", "pain"]], id="CRLF"),
        pytest.param("a fever\rno pain\r", [["a", "fever"], ["no", "pain"]], id="CR"),
        pytest.param("\ufeffa fever\n", [["a", "fever"]], id="byte order mark"),
        pytest.param("a\u2028b c\x0bd e\x85f\n", [["a", "b", "c", "d", "e", "f"]], id="other line ends"),
        pytest.param("a\u200bb fever\n", [["a", "\u200b", "b", "fever"]], id="zero-width space"),
        pytest.param("x" * 300_000 + " fever\n", [["x" * 300_000, "fever"]], id="a long line"),
    ],
)
def test_raw_text_for_a_tagger_is_one_text_per_line(predict: Predict, write, content: str, expected: list):
    assert predict("tagging", write("a.txt", content), "--format", "text").given == expected


def test_raw_text_that_could_be_columns_is_read_so_only_when_asked(predict: Predict, write):
    columns = write("columns.txt", "12\tthe patient has pain\n13\tno pain\n")
    assert "--no-header --text NUMBER" in predict("text", columns).message
    assert predict("text", columns, "--no-header", "--text", "2").given == ["the patient has pain", "no pain"]
    assert len(predict("text", columns, "--format", "text").rows) == 2
    for content in ("blood group O\nblood group B\n", "12\tthe patient has pain\n13\tno pain\n"):
        path = write("a.txt", content)
        assert "--format text" in predict("tagging", path).message
        assert len(predict("tagging", path, "--format", "text").rows) == 2
        assert len(predict("tagging", path, "--format", "conll").rows) == 1


def test_blank_lines_get_no_answer_and_move_no_id(predict: Predict, write):
    for kind in ("text", "multilabel", "tagging"):
        found = predict(kind, write("a.txt", "\n fever now \n\n \t\nno pain\n\n"), "--format", "text")
        assert found.ids == ["a-2", "a-5"]
        assert "blank lines hold no text and get no answer: 4" in squeezed(found.err)
    found = predict("text", write("b.txt", " fever now \n"))
    assert found.given == [" fever now "]


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", " \t\n\r\n \n", "\u00a0\n"])
@pytest.mark.parametrize("name", ["a.txt", "a.conll", "a.jsonl"])
def test_a_file_without_text_is_an_error(predict: Predict, write, name: str, content: str):
    found = predict("tagging", write(name, content))
    assert re.search(r"holds no text|only white space|not valid JSON", found.message)


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.tsv", "a.conll", "a.jsonl"])
@pytest.mark.parametrize("kind", CARDS)
def test_null_characters_are_an_error_with_the_line(predict: Predict, write, kind: str, name: str):
    found = predict(kind, write(name, b"text\nfever\n\0now\n"))
    assert name in found.message


def test_a_carriage_return_inside_a_line_is_an_error(predict: Predict, write):
    path = write("a.txt", "one\ntwo\rthree\n")
    for kind in ("text", "tagging"):
        assert "a.txt line 2: a carriage return" in predict(kind, path).message


# ---- case 22 and its relatives: tables without a header


def test_a_table_without_a_header_loses_no_row(predict: Predict, write):
    path = write("nohead.csv", "fever now\nrested\n")
    found = predict("text", path)
    assert "nohead.csv line 1: there is no column 'text'" in found.message
    assert "--no-header" in found.message
    assert predict("text", path, "--no-header").given == ["fever now", "rested"]
    assert predict("text", path, "--format", "text").given == ["fever now", "rested"]


def test_columns_without_a_header_are_numbered(predict: Predict, write):
    path = write("a.tsv", 'x1\tfever now\tno "pain"\nx2\trested\t"a"\n')
    found = predict("text", path, "--no-header", "--text", "2", "--id", "1")
    assert (found.given, found.ids) == (["fever now", "rested"], ["x1", "x2"])
    found = predict("pair", path, "--no-header", "--text", "2", "--text-b", "3", "--quoting", "none")
    assert found.given == ['fever now / no "pain"', 'rested / "a"']
    assert predict("pair", path, "--no-header").given == ["x1 / fever now", "x2 / rested"]
    assert (
        "no column '4', which --text names; known: 1, 2, 3"
        in predict("text", path, "--no-header", "--text", "4").message
    )
    found = predict("tagging", write("b.csv", "no pain\nfever\n"), "--no-header", "--tokenize", "rules")
    assert found.given == [["no", "pain"], ["fever"]]
    assert (
        "--no-header is for tables"
        in predict("text", write("a.jsonl", '{"text": "a"}\n'), "--no-header").message
    )


def test_the_content_decides_and_what_was_assumed_is_said(predict: Predict, write):
    assert predict("text", write("json.txt", '{"text": "a b"}\n{"text": "c"}\n')).given == ["a b", "c"]
    assert predict("tagging", write("array.txt", '[{"tokens": ["a"]}, {"tokens": ["b"]}]')).given == [
        ["a"],
        ["b"],
    ]
    found = predict("text", write("table.txt", "id\ttext\n1\ta b\n2\tc\n"))
    assert found.given == ["a b", "c"]
    assert "read as a table, since its first line names the column 'text'" in squeezed(found.err)
    prose = "The text of the letter\nis a text\n"
    assert predict("text", write("prose.txt", prose)).given == ["The text of the letter", "is a text"]
    assert "--format text reads it" in predict("text", write("a.md", "a b\n")).message
    assert predict("text", write("a.md", "a b\nc\n"), "--format", "text").given == ["a b", "c"]
    assert predict("text", write("a.csv", "id;text\n1;a, b\n2;c\n")).given == ["a, b", "c"]
    assert predict(
        "text", write("l.csv", "text,n\ncafé,1\n".encode("cp1252")), "--encoding", "cp1252"
    ).given == ["café"]
    assert predict("text", write("u.txt", "café\nno\n".encode("utf-16"))).given == ["café", "no"]


# ---- case 22 and its relatives: a token per line


def test_a_token_per_line_without_tags(predict: Predict, write):
    found = predict("tagging", write("tok.conll", "aspirin\nand\n\nheparin\n"))
    assert found.given == [["aspirin", "and"], ["heparin"]]
    assert "tok.conll: read as one token per line, with a blank line between sentences" in squeezed(found.err)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(
            "aspirin\r\nand\r\n\r\nheparin", [["aspirin", "and"], ["heparin"]], id="CRLF, no last end"
        ),
        pytest.param("\n\naspirin\n \t\n\nheparin\n\n", [["aspirin"], ["heparin"]], id="many blank lines"),
        pytest.param("-DOCSTART-\n\na\nb\n\n-DOCSTART-\n\nc\n", [["a", "b"], ["c"]], id="documents"),
        pytest.param("aspirin\tO\nand\tO\n\nheparin\tB-Drug\n", [["aspirin", "and"], ["heparin"]], id="tags"),
        pytest.param(
            "aspirin B-Drug\nand O\n\nit O\n", [["aspirin", "and"], ["it"]], id="tags behind spaces"
        ),
        pytest.param("aspirin\tB-Disease\n", [["aspirin"]], id="tags that the model lacks"),
        pytest.param("aspirin\tNN\nand\tCC\n\nit\tPR\n", [["aspirin", "and"], ["it"]], id="another column"),
        pytest.param("-\n,\n\n#\n", [["-", ","], ["#"]], id="punctuation"),
        pytest.param('"\naspirin\n"\n', [['"', "aspirin", '"']], id="quotation marks"),
        pytest.param("\ufeffaspirin\nand\n", [["aspirin", "and"]], id="byte order mark"),
    ],
)
@pytest.mark.parametrize("suffix", [".conll", ".iob", ".bio"])
def test_tokens_with_and_without_tags(predict: Predict, write, suffix: str, content: str, expected: list):
    assert predict("tagging", write(f"a{suffix}", content)).given == expected


def test_a_line_that_is_no_single_token_is_an_error_with_its_line(predict: Predict, write):
    found = predict("tagging", write("a.txt", "aspirin\nwas given\n"), "--format", "tokens")
    assert "a.txt line 2: more than one token ('was given')" in found.message
    found = predict("tagging", write("c.conll", "aspirin\tO\n\u00a0\tO\n"))
    assert "c.conll line 2: the token is nothing but white space" in found.message
    found = predict("tagging", write("b.txt", "aspirin\n\u00a0\ngiven\n"), "--format", "tokens")
    assert "b.txt line 2: the token is only white space" in found.message


# ---- tables for taggers


def test_a_tagger_reads_tokens_or_text_from_json_lines(predict: Predict, write):
    tokens = write("a.jsonl", '{"tokens": ["p53-like", "cell"]}\n{"tokens": "no pain."}\n')
    assert predict("tagging", tokens).given == [["p53-like", "cell"], ["no", "pain."]]
    text = write("b.jsonl", '{"text": "p53-like cell"}\n{"text": "no pain."}\n')
    assert predict("tagging", text).given == [["p", "53", "-", "like", "cell"], ["no", "pain", "."]]
    found = predict("tagging", text, "--tokenize", "spaces")
    assert found.given == [["p53-like", "cell"], ["no", "pain."]]
    assert [row["starts"] for row in found.rows] == [[0, 9], [0, 3]]
    # as in `prepare own`, --text names tokens
    assert predict("tagging", text, "--text", "text").given == [["p53-like", "cell"], ["no", "pain."]]
    assert predict("tagging", text, "--text", "text", "--tokenize", "rules").given[1] == ["no", "pain", "."]


def test_offsets_lead_back_to_the_text(predict: Predict, write):
    text = "Gave\u00a0aspirin (p53) 😀 to [**Name 1**]."
    found = predict("tagging", write("a.txt", text + "\n"), "--format", "text")
    (row,) = found.rows
    assert [text[a : a + len(t)] for a, t in zip(row["starts"], row["tokens"], strict=True)] == row["tokens"]


def test_a_folder_of_documents_is_read_sentence_by_sentence(predict: Predict, tmp_path: Path):
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "b.txt").write_text("Given aspirin. No pain.\n")
    (folder / "a.txt").write_text("Fever.")
    (folder / "a.ann").write_text("not looked at")
    found = predict("tagging", folder)
    assert found.given == [["Fever", "."], ["Given", "aspirin", "."], ["No", "pain", "."]]
    assert [row["doc"] for row in found.rows] == ["a", "b", "b"]
    assert found.rows[2]["starts"] == [15, 18, 22]
    assert "should hold a saved dataset" in predict("text", folder).message


def test_tables_with_one_token_a_row_are_answered_by_sentence(predict: Predict, write):
    path = write("a.csv", "sentence_id,words,tag\n1,no,O\n1,pain,B\n2,fever,B\n")
    found = predict("tagging", path)
    assert found.given == [["no", "pain"], ["fever"]]
    assert "the column 'sentence_id' says which are a sentence" in squeezed(found.err)
    path = write("b.csv", "s,words\n1,no\n1,pain\n2,fever\n")
    assert predict("tagging", path, "--sentence", "s").given == [["no", "pain"], ["fever"]]
    found = predict("tagging", path)
    assert found.given == [["no"], ["pain"], ["fever"]]
    assert "--sentence COLUMN names the column" in squeezed(found.err)
    assert "no column 'z', which --sentence names" in predict("tagging", path, "--sentence", "z").message
    assert "no column 'z', which --doc names" in predict("tagging", path, "--doc", "z").message
    header = write("c.tsv", "tokens\ttags\nno\tO\npain\tB-Drug\n\nfever\tO\n")
    assert predict("tagging", header).given == [["no", "pain"], ["fever"]]
    numbered = write("d.conll", "1\tno\tO\n2\tpain\tO\n\n1\tfever\tO\n")
    assert predict("tagging", numbered).given == [["no", "pain"], ["fever"]]
    assert predict("tagging", numbered, "--text", "1").given == [["1", "2"], ["1"]]


# ---- ids


def test_ids_are_kept_and_rows_without_one_are_numbered(predict: Predict, write):
    found = predict(
        "text", write("a.jsonl", '{"id": " x", "text": "a"}\n{"text": "b"}\n{"id": 7, "text": "c"}\n')
    )
    assert found.ids == [" x", "a-2", "7"]
    found = predict("text", write("a.csv", "text,id\na,\nb,2\nc,2\n"))
    assert found.ids == ["a-1", "2", "2"]
    assert "a.csv: 1 rows repeat the id of an earlier row" in squeezed(found.err)
    found = predict("text", write("a.csv", "text,key\na,k\nb,l\n"), "--id", "key")
    assert found.ids == ["k", "l"]
    assert (
        "no column 'kye', which --id names; did you mean 'key'"
        in predict("text", write("a.csv", "text,key\na,k\n"), "--id", "kye").message
    )


def test_an_answer_is_one_line_whatever_its_texts_hold(predict: Predict, write):
    ends = "a\x85b\u2028c\u2029d\x0be\x1cf"
    found = predict("tagging", write("a.jsonl", json.dumps({"id": ends, "tokens": [ends]}) + "\n"))
    assert (found.ids, found.given) == ([ends], [[ends]])


# ---- what does not fit the model


@pytest.mark.parametrize("kind", PAIRS)
def test_plain_text_is_refused_for_pairs_with_the_columns_that_they_need(predict: Predict, write, kind: str):
    assert "the columns text_a and text_b" in predict(kind, write("a.txt", "one\ntwo\n")).message


def test_options_that_do_not_fit_the_model_are_refused(predict: Predict, write):
    path = write("a.txt", "one\n")
    assert "--format conll is for taggers" in predict("text", path, "--format", "conll").message
    assert "--tokenize is for taggers" in predict("text", path, "--tokenize", "rules").message
    assert "should be text or tokens or conll, not 'x'" in predict("text", path, "--format", "x").message
    assert "takes one text" in predict("text", write("a.csv", "text,b\nx,y\n"), "--text-b", "b").message
    assert "has no named columns" in predict("text", path, "--text", "a").message


def test_a_usual_column_that_is_not_read_is_said(predict: Predict, write):
    found = predict("text", write("a.csv", "text,text_b\nx,y\n"))
    assert found.given == ["x"]
    assert "the column 'text_b' is not read; the texts are in 'text'" in squeezed(found.err)
    found = predict("pair", write("a.csv", "text,text_b\nx,y\n"))
    assert found.given == ["x / y"]


def test_what_cannot_be_read_is_refused_before_the_model_is_opened(predict: Predict, tmp_path: Path, write):
    assert "is a pipe or a device" in predict("text", Path("/dev/null")).message
    assert "no such file" in predict("text", tmp_path / "none.txt").message
    assert "there is no folder" in predict("text", write("a.txt", "x\n"), "--to", tmp_path / "none/o").message


# ---- every format by every kind


def rows_for(kind: str, texts: Sequence[str]) -> list[dict[str, Any]]:
    if kind in PAIRS:
        return [{"text_a": text, "text_b": text} for text in texts]
    return [{"tokens": [text]} if kind == "tagging" else {"text": text} for text in texts]


def expected_of(kind: str, texts: Sequence[str]) -> list[Any]:
    if kind in PAIRS:
        return [f"{text} / {text}" for text in texts]
    return [[text] for text in texts] if kind == "tagging" else list(texts)


def write_jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text(
        "".join(json.dumps(row, ensure_ascii=len(rows) % 2 == 0) + "\n" for row in rows),
        encoding="utf-8",
        newline="",
    )


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


def write_saved(path: Path, rows: list[dict[str, Any]]) -> None:
    Dataset.from_list(rows).save_to_disk(path)


def separated(delimiter: str, quoting: int) -> Callable[[Path, list[dict[str, Any]]], None]:
    def to(path: Path, rows: list[dict[str, Any]]) -> None:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, delimiter=delimiter, quoting=quoting)  # type: ignore[arg-type]
        writer.writerow([*rows[0], "note"])
        for row in rows:
            cells = [json.dumps(cell) if isinstance(cell, list) else cell for cell in row.values()]
            writer.writerow([*cells, "n"])
        path.write_bytes(buffer.getvalue().encode("utf-8"))

    return to


def write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_bytes("".join(f"{row['text']}\n" for row in rows).encode())


def write_tokens(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_bytes("".join(f"{token}\n" for row in rows for token in [*row["tokens"], ""]).encode())


def write_conll(path: Path, rows: list[dict[str, Any]]) -> None:
    lines = [f"{token}\tO" if token else "" for row in rows for token in [*row["tokens"], ""]]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())


disable_progress_bars()


@dataclass(frozen=True)
class Format:
    """A way to write texts: the file's name, its writer, the kinds that it holds, and what it cannot hold."""

    name: str
    write: Callable[[Path, list[dict[str, Any]]], None]
    kinds: tuple[str, ...] = tuple(CARDS)
    without: str = "\0"
    quoting: Quoting | None = None
    layout: Layout | None = None


TEXTS = ("text", "multilabel")
FORMATS = [
    Format("a.jsonl", write_jsonl, without=""),
    Format("a.csv", separated(",", csv.QUOTE_MINIMAL), quoting="double"),
    Format("b.csv", separated(",", csv.QUOTE_ALL)),
    Format("a.tsv", separated("\t", csv.QUOTE_ALL)),
    Format("a.parquet", write_parquet, without=""),
    Format("saved", write_saved, without=""),
    Format("a.txt", write_lines, TEXTS, "\0\n\r", layout=Layout.TEXT),
    Format("b.txt", write_tokens, ("tagging",), "\0\n\r\t "),
    Format("a.conll", write_conll, ("tagging",), "\0\n\r\t "),
    Format("b.conll", write_tokens, ("tagging",), "\0\n\r\t "),
]
CASES = [pytest.param(form, kind, id=f"{form.name}-{kind}") for form in FORMATS for kind in form.kinds]
USUAL = ["fever now", 'said "no"', "a, b; c", "naïve 😀", "fever now"]


def written(form: Format, kind: str, texts: Sequence[str], folder: Path) -> tuple[Path, list[str]]:
    """The texts in a new file, without what the format cannot hold."""
    # a token in a cell of CSV has no space in it
    gone = form.without + (" " if kind == "tagging" and form.name.endswith("sv") else "")
    kept = ["".join(c for c in text if c not in gone) for text in texts]
    kept = [text for text in kept if text.strip()] or ["fever"]
    path = folder / str(len(list(folder.iterdir()))) / form.name
    path.parent.mkdir()
    rows = rows_for(kind, kept)
    if kind == "tagging" and form.name.endswith("sv"):
        rows = [{"tokens": text} for text in kept]
    form.write(path, rows)
    return path, kept


@pytest.mark.parametrize(("form", "kind"), CASES)
def test_each_format_gives_one_answer_for_each_text_in_order(
    predict: Predict, tmp_path: Path, form: Format, kind: str
):
    path, texts = written(form, kind, USUAL, tmp_path)
    found = predict(kind, path)
    assert found.given == expected_of(kind, texts)
    assert len(set(found.ids)) == len(texts)


@pytest.mark.parametrize(("form", "kind"), CASES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=8))
def test_any_texts_in_any_format_are_answered_once_and_in_order(
    tmp_path: Path, form: Format, kind: str, texts: list[str]
):
    path, texts = written(form, kind, texts, tmp_path)
    expected = [(text, text) if kind in PAIRS else (text,) for text in texts]
    asked = Asked(dialect=Dialect(quoting=form.quoting), layout=form.layout)
    assert [example.text for example in texts_of(CARDS[kind], path, asked).examples] == expected
    # cells of several lines may look like rows, and tabs in texts like columns: refused, or read as written
    if form.quoting or form.layout:
        with contextlib.suppress(InputError):
            assert [example.text for example in texts_of(CARDS[kind], path).examples] == expected


OPTIONS = {
    "--sentence",
    "--doc",
    "--to",
    "--text",
    "--text-b",
    "--id",
    "--format",
    "--tokenize",
    "--no-header",
    "--delimiter",
    "--quoting",
    "--encoding",
}


@pytest.mark.parametrize(("form", "kind"), CASES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_what_is_said_of_a_spoilt_file_names_only_options_of_predict(
    tmp_path: Path, form: Format, kind: str, data: st.DataObject
):
    path, _ = written(form, kind, USUAL, tmp_path)
    target = path if path.is_file() else path / "state.json"
    content = bytearray(target.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 6))] = data.draw(
            st.sampled_from(
                [b"", b'"', b"\t", b",", b"\n", b"\0", b"\xff", b"\r", b"{", b"[", b"x y", b"text"]
            )
        )
    target.write_bytes(content)
    try:
        said = " ".join(texts_of(CARDS[kind], path).notes)
    except InputError as error:
        said = str(error)
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", said)) <= OPTIONS
