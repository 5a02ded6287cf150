"""Labels: spellings of one number, names that look alike, and names that train does not have."""

import unicodedata
from pathlib import Path

import pytest

from tests.corpora.own.files import csv_text, items, read, write
from transfer.corpora import own
from transfer.corpora.own.labels import one_spelling
from transfer.inputs import InputError

BOTH = ("text", "label")


def table(path: Path, labels: list[str], what: str = "note") -> Path:
    rows = [BOTH, *((f"{what} {i}", label) for i, label in enumerate(labels))]
    return write(path, csv_text(rows))


def given(kind: str, **paths: Path):
    request = own.Request(
        kind=kind,  # type: ignore[arg-type]
        name="mine",
        sources=tuple((path, split) for split, path in paths.items()),  # type: ignore[misc]
    )
    return own.read(request)


# labels of test that train lacks


def test_spellings_of_one_number_are_one_label_and_that_is_said(tmp_path: Path):
    train = table(tmp_path / "train.csv", ["1.0", "0.0"] * 10)
    test = table(tmp_path / "test.csv", ["1", "0"] * 5, "visit")
    card, reading = given("classification", train=train, test=test)
    assert card.labels == ("0", "1")
    assert [row["label"] for row in reading.rows["test"]] == ["1", "0"] * 5
    assert sum("are equal as numbers" in doubt for doubt in reading.doubts) == 2


@pytest.mark.parametrize(
    ("labels", "one"),
    [
        (["1", "1.0"], {"1.0": "1"}),
        (["1.", "1e0", "+1"], {"1e0": "+1", "1.": "+1"}),
        (["0.5", "0.50"], {"0.50": "0.5"}),
        (["-0", "0"], {"-0": "0"}),
        (["01", "1"], {}),  # a code
        (["1", "one", "1a", "1,0", "١"], {}),
    ],
)
def test_which_labels_are_one_number(labels: list[str], one: dict[str, str]):
    found = one_spelling(labels)
    assert found.keys() == one.keys() or set(found.values()) == set(one.values())
    assert {**{label: label for label in labels}, **found}.keys() == set(labels)
    assert len({found.get(label, label) for label in labels}) == len(labels) - len(one)


def test_the_negative_label_may_be_spelled_either_way(tmp_path: Path):
    path = table(tmp_path / "d.csv", ["1.0", "0", "1", "0.0"] * 5)
    card, _ = read("classification", path, negative="0.0")
    assert (card.negative, card.labels) == ("0", ("0", "1"))


@pytest.mark.parametrize("split", ["test", "dev"])
@pytest.mark.parametrize("drifted", ["Yes", "yes.", "maybe", "01"])
def test_a_label_that_train_lacks_is_an_error_with_its_line(tmp_path: Path, split: str, drifted: str):
    paths = {
        name: table(tmp_path / f"{name}.csv", ["yes", "no"] * 6, name) for name in ("train", "test", "dev")
    }
    paths[split] = table(tmp_path / "drifted.csv", ["yes", "no", drifted] * 4)
    with pytest.raises(
        InputError, match=rf"drifted\.csv line 4: {split} has labels .*'{drifted}' \(4 of 12 items\)"
    ):
        given("classification", **paths)


def test_several_labels_and_types_of_mentions_that_train_lacks_are_errors_too(tmp_path: Path):
    for kind, column, known, other in (
        ("multilabel", "labels", "a;b", "a;c"),
        ("tagging", "tags", "O B-a", "O B-c"),
    ):
        head = ("tokens" if kind == "tagging" else "text", column)
        train = write(tmp_path / f"{kind}1.csv", csv_text([head, *[("a word", known)] * 9]))
        test = write(tmp_path / f"{kind}2.csv", csv_text([head, *[("a word", known)] * 5, ("a word", other)]))
        with pytest.raises(InputError, match=r"2\.csv line 7: test has labels that train lacks: 'c'"):
            given(kind, train=train, test=test)


def test_labels_drift_between_values_of_a_split_column_too(tmp_path: Path):
    rows = [(f"note {i}", "ab"[i % 2], ["train", "test"][i % 3 == 0]) for i in range(20)]
    rows.append(("note 20", "c", "test"))
    path = write(tmp_path / "d.csv", csv_text([("text", "label", "split"), *rows]))
    with pytest.raises(InputError, match=r"d\.csv line 22: test has labels that train lacks: 'c'"):
        read("classification", path)


def test_a_rare_label_stays_in_train_where_the_splits_are_made_here(tmp_path: Path):
    labels = ["a", "b"] * 30
    for i, rare in ((7, "c"), (20, "d"), (33, "e"), (50, "f")):
        labels[i] = rare
    card, reading = read("classification", table(tmp_path / "d.csv", labels))
    train = {row["label"] for row in reading.rows["train"]}
    assert train == set(card.labels) == set("abcdef")
    assert items(reading, "label") == [(label,) for label in labels]
    moved = {label for label in "cdef" if f"'{label}'" in reading.splits}
    assert moved, "none of four rare labels fell into dev or test: choose others"


# labels that look alike


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("yes", "yes\u200b", "U+200B"),
        ("no", "\ufeffno", "U+FEFF"),
        ("no", "n\u00ado", "U+00AD"),
        ("dry cough", "dry\u00a0cough", "U+00A0"),
        ("dry cough", "dry  cough", "U+0020"),
        ("naïve", unicodedata.normalize("NFD", "naïve"), "U+0308"),
        ("❤", "❤\ufe0f", "U+FE0F"),
    ],
)
def test_labels_that_look_alike_are_an_error_that_shows_code_points(
    tmp_path: Path, one: str, other: str, shown: str
):
    path = table(tmp_path / "d.csv", [one, "other", "other", other] * 5)
    with pytest.raises(InputError, match=r"d\.csv line 5: the label .* looks like") as error:
        read("classification", path)
    assert shown in str(error.value)


def test_types_of_mentions_that_look_alike_are_an_error(tmp_path: Path):
    rows = [("tokens", "tags"), *[("a b", "B-Sign O"), ("a b", "B-Sign\u200b O")] * 6]
    with pytest.raises(InputError, match=r"line 3: .*U\+200B"):
        read("tagging", write(tmp_path / "d.csv", csv_text(rows)))


@pytest.mark.parametrize(
    ("one", "other"), [("yes", "Yes"), ("yes", "уes"), ("fine", "\ufb01ne"), ("2", "２")]
)
def test_labels_that_differ_little_are_two_and_that_is_said(tmp_path: Path, one: str, other: str):
    card, reading = read("classification", table(tmp_path / "d.csv", [one, other] * 8))
    assert set(card.labels) == {one, other}
    assert "were taken for two" in " ".join(reading.doubts)


def test_a_label_that_may_stand_for_a_missing_one_is_said(tmp_path: Path):
    _, reading = read("classification", table(tmp_path / "d.csv", ["a", "nan", "None"] * 6))
    assert [doubt.partition(": ")[2][:15] for doubt in reading.doubts] == ["the label 'nan'"]
