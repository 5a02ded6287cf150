"""Random corpora, written by the library of each format, are read back item for item or refused."""

import csv
import gzip
import itertools
import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from datasets import Dataset, DatasetDict, disable_progress_bars
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.corpora.own.files import csv_text, items, read
from transfer.corpora.base import SPLITS
from transfer.inputs import InputError

disable_progress_bars()

QUICK, MANY = 20, 300
FEW = 6  # items a corpus has at least, so that three splits can be made

# separators, marks, line ends, Unicode forms of one letter, what cannot be seen or looks like a format
ODD = st.sampled_from(
    [*',;|\t"\'\\ \n\r', "\r\n", '""', "é", "e\u0301", "Å", "\u200b", "\ufeff", "\u00a0", "\u2028", "\x85",
     "\x0b", "😀", "a", "b", "yes", "[", "]", "['a']", "{", "}", "#", "sep=;", "NaN", "1.0", "null", "//"]
)  # fmt: skip
# mostly with a letter in it: one blank text is enough to refuse a corpus
TEXTS = st.one_of(
    *[
        st.tuples(st.lists(ODD, max_size=4), st.sampled_from("xyz"), st.lists(ODD, max_size=4)).map(
            lambda three: "".join([*three[0], three[1], *three[2]])
        )
    ]
    * 15,
    st.lists(ODD, max_size=3).map("".join),
)
LABELS = st.sampled_from(["yes", "no", "a b", "1", "x,y", 'say "a"', "naïve", "p|q"])
TOKENS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=4)


@st.composite
def corpora(draw: st.DrawFn) -> list[dict]:
    count = draw(st.integers(FEW, 12))
    plain = [{"text": f"text {i}", "label": "yes" if i % 2 else "no"} for i in range(count)]
    for i in draw(st.sets(st.integers(0, count - 1), max_size=count)):
        plain[i] = {"text": draw(TEXTS), "label": draw(LABELS)}
    return plain


@st.composite
def pairs(draw: st.DrawFn) -> list[dict]:
    rows, seconds = draw(corpora()), draw(corpora())
    return [
        {"text_a": row["text"], "text_b": second["text"], "label": row["label"]}
        for row, second in zip(rows, itertools.cycle(seconds), strict=False)
    ]


@st.composite
def label_sets(draw: st.DrawFn) -> list[dict]:
    odd, plain = st.lists(LABELS, max_size=3, unique=True), st.sampled_from([[], ["yes"], ["no", "yes"]])
    rows = draw(corpora())
    return [
        {"text": row["text"], "labels": draw(plain if row["text"].startswith("text ") else odd)}
        for row in rows
    ]


@st.composite
def scores(draw: st.DrawFn) -> list[dict]:
    values = st.floats(-1e6, 1e6) | st.integers(-5, 5).map(float)
    rows = draw(pairs())
    for i, row in enumerate(rows):
        row["score"] = draw(values) if row.pop("label") not in ("yes", "no") else float(i % 5)
    return rows


def _csv(path: Path, rows: Sequence[dict], **dialect) -> Path:
    head = list(rows[0])
    text = csv_text([head, *([row[key] for key in head] for row in rows)], **dialect)
    path.write_bytes(text.encode("utf-8"))
    return path


def _jsonl(path: Path, rows: Sequence[dict], ascii_: bool) -> Path:
    path.write_bytes("".join(json.dumps(row, ensure_ascii=ascii_) + "\n" for row in rows).encode("utf-8"))
    return path


def _packed(path: Path) -> Path:
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return packed


def _in_utf_16(path: Path) -> Path:
    path.write_bytes(path.read_bytes().decode("utf-8").encode("utf-16"))
    return path


def _json(path: Path, rows: Sequence[dict]) -> Path:
    path.write_bytes(json.dumps(rows, ensure_ascii=False, indent=1).encode("utf-8"))
    return path


def _parquet(path: Path, rows: Sequence[dict]) -> Path:
    pyarrow.parquet.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def _saved(folder: Path, rows: Sequence[dict]) -> Path:
    Dataset.from_list(list(rows)).save_to_disk(folder)
    return folder


def _in_splits(rows: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Train has all rows, so that it lacks no label of the others."""
    return {"train": rows, "validation": rows[1::3], "test": rows[2::3]}


def _saved_in_splits(folder: Path, rows: Sequence[dict]) -> Path:
    saved = {split: Dataset.from_list(list(some)) for split, some in _in_splits(rows).items()}
    DatasetDict(saved).save_to_disk(folder)
    return folder


WRITERS: dict[str, Callable[[Path, Sequence[dict]], Path]] = {
    "csv": lambda folder, rows: _csv(folder / "d.csv", rows),
    "csv, all quoted": lambda folder, rows: _csv(folder / "d.csv", rows, quoting=csv.QUOTE_ALL),
    "csv, texts quoted": lambda folder, rows: _csv(folder / "d.csv", rows, quoting=csv.QUOTE_NONNUMERIC),
    "csv with line feeds": lambda folder, rows: _csv(folder / "d.csv", rows, lineterminator="\n"),
    "csv with semicolons": lambda folder, rows: _csv(folder / "d.csv", rows, delimiter=";"),
    "csv with pipes": lambda folder, rows: _csv(folder / "d.csv", rows, delimiter="|"),
    "tsv": lambda folder, rows: _csv(folder / "d.tsv", rows, delimiter="\t"),
    "tsv, all quoted": lambda folder, rows: _csv(
        folder / "d.tsv", rows, delimiter="\t", quoting=csv.QUOTE_ALL
    ),
    "tsv in a .txt": lambda folder, rows: _csv(folder / "d.txt", rows, delimiter="\t", lineterminator="\n"),
    "jsonl": lambda folder, rows: _jsonl(folder / "d.jsonl", rows, False),
    "jsonl in ASCII": lambda folder, rows: _jsonl(folder / "d.jsonl", rows, True),
    "jsonl in a .txt": lambda folder, rows: _jsonl(folder / "d.txt", rows, False),
    "jsonl in gzip": lambda folder, rows: _packed(_jsonl(folder / "d.jsonl", rows, False)),
    "csv in UTF-16": lambda folder, rows: _in_utf_16(_csv(folder / "d.csv", rows)),
    "a json array": lambda folder, rows: _json(folder / "d.json", rows),
    "parquet": lambda folder, rows: _parquet(folder / "d.parquet", rows),
    "saved": lambda folder, rows: _saved(folder / "d", rows),
    "saved in splits": lambda folder, rows: _saved_in_splits(folder / "d", rows),
}


def _told(key: str, value: Any) -> Any:
    """A value of a row as it is compared: a set of labels has no order, a label no white space around it."""
    return sorted(value) if key == "labels" else value.strip() if key == "label" else value


def outcome(kind: str, name: str, rows: Sequence[dict], keys: Sequence[str]) -> str:
    """The outcome for a corpus: 'read' item for item, or 'refused'. Anything else is an AssertionError."""
    folder = Path(tempfile.mkdtemp())
    try:
        try:
            _, reading = read(kind, WRITERS[name](folder, rows))
        except InputError:
            return "refused"
        wanted = [tuple(_told(key, row[key]) for key in keys) for row in rows]
        if name == "saved in splits":
            for split, some in zip(SPLITS, _in_splits(wanted).values(), strict=True):
                assert [tuple(_told(key, row[key]) for key in keys) for row in reading.rows[split]] == some
        else:
            assert [tuple(map(_told, keys, row)) for row in items(reading, *keys)] == wanted
        return "read"
    finally:
        shutil.rmtree(folder)


def try_many(name: str, kind: str, strategy, keys: Sequence[str], most: int) -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=most, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def run(rows: list[dict]) -> None:
        outcomes[outcome(kind, name, rows, keys)] += 1

    run()
    assert outcomes["read"] >= most // 10, outcomes


SHAPES = {
    "texts": ("classification", corpora(), ("text", "label")),
    "pairs": ("classification", pairs(), ("text_a", "text_b", "label")),
    "label sets": ("multilabel", label_sets(), ("text", "labels")),
    "scores": ("similarity", scores(), ("text_a", "text_b", "score")),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_few_random_corpora_are_read_back_or_refused(name: str, shape: str):
    try_many(name, *SHAPES[shape], QUICK)


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("shape", SHAPES)
def test_many_random_corpora_are_read_back_or_refused(name: str, shape: str):
    try_many(name, *SHAPES[shape], MANY)


LISTS = st.lists(st.lists(TOKENS.filter(str.strip), min_size=1, max_size=4), min_size=FEW, max_size=10)


def _tagged(tokens: list[list[str]]) -> list[dict]:
    return [{"tokens": some, "tags": ["B-X", *["O"] * (len(some) - 1)]} for some in tokens]


def _printed(rows: Sequence[dict], show: Callable[[list], str]) -> list[dict]:
    return [{key: show(value) for key, value in row.items()} for row in rows]


@pytest.mark.parametrize(
    "show", [repr, json.dumps, lambda value: repr(tuple(value))], ids=["python", "json", "tuple"]
)
@settings(max_examples=QUICK, deadline=None, suppress_health_check=list(HealthCheck))
@given(tokens=LISTS)
def test_printed_lists_of_tokens_are_read_back(show: Callable[[list], str], tokens: list[list[str]]):
    rows = _tagged(tokens)
    folder = Path(tempfile.mkdtemp())
    try:
        _, reading = read("tagging", _csv(folder / "d.csv", _printed(rows, show)))
    finally:
        shutil.rmtree(folder)
    assert items(reading, "tokens", "tags") == [(row["tokens"], row["tags"]) for row in rows]
