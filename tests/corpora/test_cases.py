"""The small files of ../shared/cases, each against values that were made without the product's readers.

The relatives of a case are tested beside its reader, below ``own/``.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.corpora.own.files import items, read
from transfer.corpora.base import SPLITS, Card
from transfer.corpora.own.intake import Asked
from transfer.corpora.own.plain import Layout
from transfer.corpora.own.rows import Columns
from transfer.corpora.own.tables import Dialect
from transfer.corpora.own.tagged import TaggingOptions
from transfer.corpora.own.unlabelled import texts_of
from transfer.inputs import InputError


def table(path: Path, **dialect) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, **dialect))


def column(rows: list[dict], *keys: str) -> list[tuple]:
    return [tuple(row[key] for key in keys) for row in rows]


def blocks(path: Path) -> list[list[list[str]]]:
    """The sentences of a file of tabs, as lists of cells."""
    text = path.read_text(encoding="utf-8").rstrip("\n")
    return [[line.split("\t") for line in block.split("\n")] for block in text.split("\n\n")]


def sentences(path: Path, tag: int = -1) -> list[tuple]:
    return [([cells[0] for cells in some], [cells[tag] for cells in some]) for some in blocks(path)]


def every(reading) -> Iterator[dict]:
    return (row for split in SPLITS for row in reading.rows[split])


def mentions(card: Card) -> int:
    assert card.unit == "mentions"
    return sum(card.gold.values())


def two_files(folder: Path, suffix: str, **more):
    """The card, the reading and the sentences of its test split, which no split is cut from."""
    card, reading = read("tagging", folder / f"train{suffix}", folder / f"test{suffix}", **more)
    return card, reading, [(row["tokens"], row["tags"]) for row in reading.rows["test"]]


def test_01_untyped_tags_take_the_name_of_the_corpus(cases: Path):
    folder = cases / "01-untyped-bio"
    wanted = [
        (tokens, [tag if tag == "O" else f"{tag}-mine" for tag in tags])
        for tokens, tags in sentences(folder / "test.tsv")
    ]
    card, reading, found = two_files(folder, ".tsv")
    assert found == wanted
    assert card.entities == ("mine",)
    both = sentences(folder / "train.tsv") + sentences(folder / "test.tsv")
    assert mentions(card) == sum(tags.count("B") for _, tags in both)
    assert any("--entity" in doubt for doubt in reading.doubts)
    card, reading, _ = two_files(folder, ".tsv", tagging=TaggingOptions(entity="Finding"))
    assert (card.entities, reading.doubts) == (("Finding",), [])


def test_02_an_orphan_inside_tag_begins_a_mention(cases: Path):
    folder = cases / "02-orphan-inside"
    orphans = wanted = 0
    for name in ("train.txt", "test.txt"):
        for _, tags in sentences(folder / name):
            for before, now in pairwise(["O", *tags]):
                orphans += (before, now) == ("O", "I-Entity")
                wanted += (before, now) in {("O", "I-Entity"), ("O", "B-Entity")}
    card, reading, found = two_files(folder, ".txt")
    assert mentions(card) == wanted
    assert any(doubt.startswith(f"{orphans} mentions begin with a tag") for doubt in reading.doubts)
    assert [tokens for tokens, _ in found] == [tokens for tokens, _ in sentences(folder / "test.txt")]
    # "Severe gout" and "Liver failure occurred", in turns
    tags = {"Severe": ["O", "B-Entity", "O", "O"], "Liver": ["B-Entity", "I-Entity", "O"]}
    assert [tags for _, tags in found] == [tags[tokens[0]] for tokens, _ in found]


@pytest.mark.parametrize(
    ("name", "keys", "doubted"), [("merged", ["text"], True), ("pairs", ["text_a", "text_b"], False)]
)
def test_06_quotation_marks_of_a_tsv_merge_no_rows(cases: Path, name: str, keys: list[str], doubted: bool):
    path = cases / "06-tsv-quotes" / f"{name}.tsv"
    wanted = table(path, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert len(wanted) == 60
    _, reading = read("classification", path)
    assert items(reading, *keys, "label") == column(wanted, *keys, "label")
    # only in merged.tsv the marks lie around whole rows; in pairs.tsv a row would lose a column
    assert [bool(re.search(r"line 3: .*--quoting double", doubt)) for doubt in reading.doubts] == [
        True
    ] * doubted
    if not doubted:
        with pytest.raises(InputError, match=r"pairs\.tsv line 3: 2 cells, but the header names 3"):
            read("classification", path, dialect=Dialect(quoting="double"))


def test_07_printed_lists_are_lists(cases: Path):
    path = cases / "07-printed-lists" / "pandas.csv"
    wanted = [(row["text"], sorted(json.loads(row["labels"].replace("'", '"')))) for row in table(path)]
    card, reading = read("multilabel", path)
    assert [(text, sorted(labels)) for text, labels in items(reading, "text", "labels")] == wanted
    assert card.labels == ("cough", "fever")
    path = path.with_name("tagging.csv")
    wanted = [
        tuple(json.loads(row[key].replace("'", '"')) for key in ("tokens", "tags")) for row in table(path)
    ]
    card, reading = read("tagging", path)
    assert items(reading, "tokens", "tags") == wanted
    assert card.entities == ("Finding",)


@pytest.mark.parametrize("name", ["bio", "io"])
def test_08_rows_of_one_token_are_joined_to_sentences(cases: Path, name: str):
    path = cases / "08-token-a-row" / f"{name}.csv"
    tokens: dict[str, list[str]] = {}
    tags: dict[str, list[str]] = {}
    for row in table(path):
        tokens.setdefault(row["sentence_id"], []).append(row["words"])
        tags.setdefault(row["sentence_id"], []).append(row["labels"])
    assert len(tokens) == 40
    if name == "io":  # the first token of each run is B-
        tags = {
            key: [now.replace("I-", "B-") if before == "O" else now for before, now in pairwise(["O", *some])]
            for key, some in tags.items()
        }
    _, reading = read("tagging", path)
    assert items(reading, "tokens", "tags") == list(zip(tokens.values(), tags.values(), strict=True))
    assert any("'sentence_id'" in doubt and "--sentence" in doubt for doubt in reading.doubts)
    assert any("--scheme io" in doubt for doubt in reading.doubts) == (name == "io")


def test_11_mentions_over_a_line_end_are_reached(cases: Path):
    folder = cases / "11-line-end-mention" / "two-fragments"
    lines = [line for path in folder.glob("*.ann") for line in path.read_text().splitlines() if line]
    assert len(lines) == 90
    card, reading = read("tagging", folder)
    assert mentions(card) == len(lines)
    # "Left … knee pain" stays in two pieces, which tags cannot name
    named = [line for line in lines if "Left knee pain" not in line]
    assert sum(tag.startswith("B-") for row in every(reading) for tag in row["tags"]) == len(named) == 60
    texts = Counter(
        " ".join(token for token, tag in zip(row["tokens"], row["tags"], strict=True) if tag != "O")
        for row in every(reading)
    )
    assert texts == Counter(line.split("\t")[2] for line in named)


@pytest.mark.parametrize("name", ["blank", "nbsp"])
def test_13_a_blank_token_is_named_in_its_own_line(cases: Path, name: str):
    path = cases / "13-blank-token" / f"{name}.conll"
    # a mention that began with the blank token begins with the next one
    wanted: list[list[tuple[str, str]]] = []
    for tokens, tags in sentences(path):
        kept = [pair for pair in zip(tokens, tags, strict=True) if pair[0].strip()]
        befores = ["O", *(tag for _, tag in kept)]
        wanted.append(
            [
                (token, tag.replace("I-", "B-") if before == "O" else tag)
                for before, (token, tag) in zip(befores, kept, strict=False)
            ]
        )
    assert sum(map(len, wanted)) < sum(map(len, blocks(path)))
    with pytest.raises(InputError, match=rf"{name}\.conll line 3: the token .*--blank-tokens drop"):
        read("tagging", path)
    _, reading = read("tagging", path, tagging=TaggingOptions(drop_blanks=True))
    assert [list(zip(*some, strict=True)) for some in items(reading, "tokens", "tags")] == wanted


def test_15_labels_that_look_alike_show_their_characters(cases: Path):
    path = cases / "15-tables" / "label-invisible.csv"
    assert {row["label"] for row in table(path)} == {"yes", "yes\u200b", "no", "no\ufeff"}
    with pytest.raises(InputError, match=r"line 3: the label 'yes\\u200b' \(with U\+200B\) looks like 'yes'"):
        read("classification", path)


@pytest.mark.parametrize(
    ("name", "dialect"), [("semicolon", {"delimiter": ";"}), ("space-quote", {"skipinitialspace": True})]
)
def test_15_separators_and_spaces_before_quotation_marks(cases: Path, name: str, dialect: dict):
    path = cases / "15-tables" / f"{name}.csv"
    wanted = table(path, **dialect)
    assert len(wanted) == 60
    _, reading = read("classification", path)
    assert items(reading, "text", "label") == column(wanted, "text", "label")


@pytest.mark.parametrize(
    ("kind", "key", "other"), [("multilabel", "labels", "label"), ("classification", "label", "labels")]
)
def test_17_the_usual_name_of_the_kind_is_read_and_the_other_is_said(
    cases: Path, kind: str, key: str, other: str
):
    path = cases / "17-two-columns" / "both.jsonl"
    wanted = [json.loads(line) for line in path.read_text().splitlines()]
    card, reading = read(kind, path)
    assert items(reading, "text", key) == column(wanted, "text", key)
    values = [row[key] if key == "labels" else [row[key]] for row in wanted]
    assert set(card.labels) == {label for some in values for label in some}
    assert any(f"'{other}' was not" in doubt and f"--label {other}" in doubt for doubt in reading.doubts)


def test_18_labels_that_are_equal_as_numbers_are_one(cases: Path, tmp_path: Path):
    folder = cases / "18-label-drift"
    card, reading = read("classification", folder / "train.csv", folder / "test.csv")
    assert card.labels == ("0", "1")
    for split, names in {"test": ["test"], "train and dev": ["train"]}.items():
        found = Counter(row["label"] for part in split.split(" and ") for row in reading.rows[part])
        wanted = Counter(
            str(int(float(row["label"]))) for name in names for row in table(folder / f"{name}.csv")
        )
        assert found == wanted
    assert any("'1' and '1.0' are equal as numbers" in doubt for doubt in reading.doubts)
    # a label that train lacks; for a run see tests/test_label_drift.py
    test = tmp_path / "test.csv"
    test.write_text((folder / "test.csv").read_text().replace(",1", ",yes"))
    with pytest.raises(InputError, match=r"test\.csv line 3: test has labels that train lacks: 'yes'"):
        read("classification", folder / "train.csv", test)


def test_20_files_of_one_name_are_three_files(cases: Path):
    paths = sorted((cases / "20-same-stems").glob("*/*.csv"))
    assert len(paths) == 3
    _, reading = read("classification", *paths)
    assert sorted((row["text"], row["label"]) for row in every(reading)) == sorted(
        (row["text"], row["label"]) for path in paths for row in table(path)
    )
    assert len({row["id"] for row in every(reading)}) == 90


UNDEFINED = {
    "allneg": ("classification", ["--negative", "false"], "none of the 10 gold items is positive"),
    "simconst": ("similarity", [], "all 10 gold scores are 2"),
    "simone": ("similarity", [], "a single item"),
}


@pytest.mark.parametrize("name", UNDEFINED)
def test_21_prepare_and_check_say_that_the_score_is_undefined(
    cases: Path, tmp_path: Path, transfer, name: str
):
    """Plan, run and report are in tests/test_undefined.py."""
    kind, options, reason = UNDEFINED[name]
    files = [
        word
        for split in SPLITS
        for word in (f"--{split}", cases / "21-undefined-scores" / f"{name}-{split}.jsonl")
    ]
    order = [
        "corpora",
        "prepare",
        "own",
        "--kind",
        kind,
        "--name",
        name,
        *files,
        *options,
        "--to",
        tmp_path / "to",
    ]
    code, _, err = transfer(*order, "--strict")
    assert code == 2
    assert re.search(rf"^error: --strict: the test score \(\w+\) is undefined, .*{reason}", err)
    assert not (tmp_path / "to").exists()
    code, out, err = transfer(*order)
    assert (code, err) == (0, "")
    assert re.search(rf"^warning: the test score \(\w+\) is undefined, .*{reason}", out, re.M)
    code, out, _ = transfer("corpora", "check", tmp_path / "to")
    assert code == 0
    assert re.search(rf"^warning: {name}: the test score \(\w+\) is undefined, .*{reason}", out, re.M)


ONE = Card(name="topic", kind="classification", metric="accuracy", labels=("a", "b"))
TAGS = Card(name="drugs", kind="tagging", metric="span_f1", entities=("Drug",))


def given(card: Card, path: Path, **asked) -> list[tuple[str, ...]]:
    return [example.text for example in texts_of(card, path, Asked(**asked)).examples]


def test_22_predict_answers_each_text_once_and_in_order(cases: Path):
    """The command, its answers and its messages are in tests/cli/test_predict.py."""
    folder = cases / "22-predict"
    quoted = folder / "quotes2.tsv"
    with pytest.raises(InputError, match=r"quotes2\.tsv line 2: .*--quoting"):
        given(ONE, quoted)
    wanted = table(quoted, delimiter="\t", quoting=csv.QUOTE_NONE)
    assert given(ONE, quoted, dialect=Dialect(quoting="none")) == column(wanted, "text")
    bare = folder / "nohead.csv"
    with pytest.raises(InputError, match=r"nohead\.csv line 1: there is no column 'text'.*--no-header"):
        given(ONE, bare)
    assert given(ONE, bare, dialect=Dialect(header=False)) == [("fever now",), ("rested",)]
    assert given(TAGS, folder / "sent.txt") == [("aspirin", "was", "given", ".")]
    assert given(TAGS, folder / "tok.conll") == [("aspirin", "and"), ("heparin",)]
    assert given(TAGS, folder / "tok.conll", layout=Layout.TOKENS) == [("aspirin", "and"), ("heparin",)]


@pytest.mark.parametrize(("name", "first"), [("ab", "text_a"), ("nli", "text")])
def test_29_a_second_text_makes_pairs(cases: Path, name: str, first: str):
    path = cases / "29-second-text" / f"{name}.csv"
    card, reading = read("classification", path)
    assert card.pair
    assert items(reading, "text_a", "text_b", "label") == column(table(path), first, "text_b", "label")
    assert any("'text' was not" in doubt for doubt in reading.doubts) == (name == "ab")


def test_30_a_column_of_tags_is_chosen_by_number_or_by_header(cases: Path):
    folder = cases / "30-columns"
    for label, entity in (("2", "Skill"), ("3", "Knowledge")):
        card, reading = read("tagging", folder / "skills.conll", columns=Columns(label=label))
        assert items(reading, "tokens", "tags") == sentences(folder / "skills.conll", int(label) - 1)
        assert (card.entities, reading.doubts) == ((entity,), [])
    _, reading = read("tagging", folder / "skills.conll")
    assert any("column 2 could be meant too (--label" in doubt for doubt in reading.doubts)
    head, *rest = (folder / "head.tsv").read_text().split("\n", 1)
    assert head == "tokens\ttags"
    wanted = [
        [line.split("\t") for line in block.split("\n")] for block in rest[0].rstrip("\n").split("\n\n")
    ]
    _, reading = read("tagging", folder / "head.tsv")
    assert [list(map(list, zip(*some, strict=True))) for some in items(reading, "tokens", "tags")] == wanted
    # a corpus for each column: tests/corpora/own/test_tagged.py
