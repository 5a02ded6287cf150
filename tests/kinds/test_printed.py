"""Lists that a program printed into a cell are lists, or refused with the mend; never a label."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.corpora.own.files import csv_text, items, read, write
from transfer.inputs import InputError

LABELS = [["fever", "dry cough"], ["it's"], [], ['say "a"', "x,y"], ["fever"]] * 4

PRINTS = {
    "python": repr,
    "json": json.dumps,
    "numpy": lambda value: str(np.array(value, dtype=object)),
    "tuple": lambda value: repr(tuple(value)),
}


def table(path: Path, column: str, cells: list[str]) -> Path:
    rows = [("text", column), *((f"note {i}", cell) for i, cell in enumerate(cells))]
    return write(path, csv_text(rows))


@pytest.mark.parametrize("how", PRINTS)
def test_printed_lists_of_labels_are_lists(tmp_path: Path, how: str):
    path = table(tmp_path / "d.csv", "labels", [PRINTS[how](value) for value in LABELS])
    card, reading = read("multilabel", path)
    assert [labels for (labels,) in items(reading, "labels")] == LABELS
    assert set(card.labels) == {"fever", "dry cough", "it's", 'say "a"', "x,y"}


@pytest.mark.parametrize(
    "cell",
    [
        "[fever, cough]",
        "['a' 'b' ... 'z']",
        "['a', ['b']]",
        "['a', None]",
        "['a' 'b', 'c']",
        "array(['a'], dtype=object)",
        "frozenset({'a'})",
    ],
)
def test_prints_that_cannot_be_read_are_refused_with_the_mend(tmp_path: Path, cell: str):
    path = table(tmp_path / "d.csv", "labels", ["a;b"] * 9 + [cell])
    with pytest.raises(
        InputError, match=r"d\.csv line 11: the column 'labels' holds .*with ';' between them"
    ):
        read("multilabel", path)


@pytest.mark.parametrize("cell", ["['fever']", '["fever", "cough"]', "[]", "('a', 'b')", "[3]"])
def test_a_printed_list_is_no_label_of_a_classification(tmp_path: Path, cell: str):
    path = table(tmp_path / "d.csv", "label", ["a", "b"] * 5 + [cell])
    with pytest.raises(InputError, match=r"d\.csv line 12: .*printed list.*--kind multilabel"):
        read("classification", path)


def test_a_name_in_brackets_is_a_label(tmp_path: Path):
    card, _ = read("classification", table(tmp_path / "d.csv", "label", ["[NEG]", "(none)"] * 6))
    assert card.labels == ("(none)", "[NEG]")


HOT = [[1, 0, 1], [0, 0, 0], [0, 1, 0]] * 5
NAMES = ("fever", "gout", "cough")
NAMED = [["fever", "cough"], [], ["gout"]] * 5


@pytest.mark.parametrize(
    "kind", [None, int, float, bool], ids=["a list", "numpy", "numpy's floats", "numpy's booleans"]
)
def test_multi_hot_labels_need_names_and_get_them(tmp_path: Path, kind: type | None):
    cells = [repr(hot) if kind is None else str(np.array(hot, dtype=kind)) for hot in HOT]
    path = table(tmp_path / "d.csv", "labels", cells)
    with pytest.raises(InputError, match=r"d\.csv line 2: .*each of 3 labels; .*--labels NAME"):
        read("multilabel", path)
    _, reading = read("multilabel", path, names=NAMES)
    assert [labels for (labels,) in items(reading, "labels")] == NAMED
    with pytest.raises(InputError, match=r"line 2: .*each of the 2 names"):
        read("multilabel", path, names=NAMES[:2])


def test_a_column_of_0_and_1_for_each_label_needs_their_names(tmp_path: Path):
    rows = [("text", *NAMES), *((f"note {i}", *map(str, hot)) for i, hot in enumerate(HOT))]
    path = write(tmp_path / "d.csv", csv_text(rows))
    with pytest.raises(InputError, match="no column 'labels'"):
        read("multilabel", path)
    _, reading = read("multilabel", path, names=NAMES)
    assert [labels for (labels,) in items(reading, "labels")] == NAMED


def test_numbers_of_labels_are_no_multi_hot(tmp_path: Path):
    path = table(tmp_path / "d.csv", "labels", ["[0, 1]", "[1]", "[]", "[0]"] * 3)
    _, reading = read("multilabel", path)
    assert [labels for (labels,) in items(reading, "labels")] == [["0", "1"], ["1"], [], ["0"]] * 3


def test_printed_tokens_and_tags_are_lists(tmp_path: Path):
    tokens, tags = ["No", "dry", "cough", "'", "5'"], ["O", "B-Sign", "I-Sign", "O", "O"]
    for i, show in enumerate((PRINTS["python"], PRINTS["json"], PRINTS["numpy"])):
        rows = [("tokens", "tags"), *[(show(tokens), show(tags))] * 10]
        _, reading = read("tagging", write(tmp_path / f"d{i}.csv", csv_text(rows)))
        assert items(reading, "tokens", "tags") == [(tokens, tags)] * 10


def test_brackets_among_tokens_are_tokens(tmp_path: Path):
    rows = [("tokens", "tags"), *[("[ 1 ] fever [ 'a' ]", "O O O B-Sign O O O")] * 10]
    _, reading = read("tagging", write(tmp_path / "d.csv", csv_text(rows)))
    assert items(reading, "tokens")[0] == (["[", "1", "]", "fever", "[", "'a'", "]"],)
