"""BIOSSES, how much two biomedical sentences mean the same: 100 pairs, each scored by five people.

The release is a Word file of pairs and an Excel file of scores, which are first saved as text.
Either as two tables, ``pairs`` (id, sentence1, sentence2) and ``scores`` (id, Annotator A to
Annotator E), or as one, ``pairs`` or ``annotation_pairs_scores``, that has all eight columns; the
latter is how it mostly goes round. A name ends in ``.tsv`` (tabs) or ``.csv`` (commas), a field may
be in quotation marks, the first line names the columns, in any order. Case, spaces and ``_`` do not
matter in a column's name, and ``sentence_id`` is the id too: the number of the pair, from 1.

What can be downloaded has already been divided as the BLUE benchmark has it: ``train.tsv``, ``dev.tsv`` and
``test.tsv`` with the columns ``pair_id``, ``sent1``, ``sent2`` and ``score``, the mean of the five.

A score is 0 (nothing in common) to 4 (the same); that of a pair is the mean of its five.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    by_hash,
    part_of,
    score,
    whole,
    wrong,
)
from transfer.corpora.releases.delimited import records_of
from transfer.inputs import InputError

LOW, HIGH = 0.0, 4.0
SEPARATORS = {".tsv": "\t", ".csv": ","}
PAIRS = tuple(f"{name}{end}" for name in ("pairs", "annotation_pairs_scores") for end in SEPARATORS)
SCORES = tuple(f"scores{end}" for end in SEPARATORS)
PARTS = ("train.tsv", "dev.tsv", "test.tsv")
OFFICE = (".xls", ".xlsx", ".doc", ".docx")

SENTENCES = ("sentence1", "sentence2")
ALIASES = {"sentenceid": "id", "pairid": "id", "sent1": "sentence1", "sent2": "sentence2"}
ANNOTATORS = tuple(f"annotator{letter}" for letter in "abcde")

# the numbers of the pairs in the division of the BLUE benchmark; the other 64 are train
BLUE: Mapping[Split, tuple[int, ...]] = {
    "dev": (2, 8, 9, 24, 40, 41, 47, 63, 68, 72, 80, 82, 88, 90, 91, 100),
    "test": (7, 20, 22, 23, 25, 33, 38, 49, 52, 57, 59, 64, 69, 70, 71, 81, 83, 89, 96, 97),
}

# the line of a record and its fields by column
_Record = tuple[int, dict[str, str]]


def read(release: Path, watch: Watch) -> Reading:
    """Every pair, by number, divided by the hash of the id. Raises InputError, see Release."""
    path, rows = _rows(release, watch)
    if len(rows) < 3:
        raise wrong(path, None, f"train, dev and test need a pair each, it holds {len(rows)}")
    order = by_hash(row["id"] for row in rows.values())
    test, dev = max(len(order) * 20 // 100, 1), max(len(order) * 16 // 100, 1)
    chosen: dict[Split, set[str]] = {"test": set(order[:test]), "dev": set(order[test : test + dev])}
    return _divided(
        list(rows.values()),
        chosen,
        "64, 16 and 20 % of the pairs, by SHA-256 of their id: the release is not divided",
    )


def read_blue(release: Path, watch: Watch) -> Reading:
    """Every pair, by number, divided as the BLUE benchmark has it. Raises InputError, see Release."""
    path, rows = _rows(release, watch)
    if odd := sorted(rows.keys() ^ set(range(1, 101))):
        there = "is there" if odd[0] in rows else "is missing"
        raise wrong(path, None, f"the division is one of pairs 1 to 100, but pair {odd[0]} {there}")
    chosen: dict[Split, set[str]] = {
        split: {rows[number]["id"] for number in numbers} for split, numbers in BLUE.items()
    }
    return _divided(list(rows.values()), chosen, "the BLUE benchmark's, by the numbers of the pairs")


def _divided(rows: Sequence[Row], chosen: Mapping[Split, set[str]], told: str) -> Reading:
    parts: dict[Split, list[Row]] = {
        "train": [row for row in rows if not any(row["id"] in ids for ids in chosen.values())],
        "dev": [row for row in rows if row["id"] in chosen["dev"]],
        "test": [row for row in rows if row["id"] in chosen["test"]],
    }
    return Reading(parts, {split: len(part) for split, part in parts.items()}, told)


def _rows(release: Path, watch: Watch) -> tuple[Path, dict[int, Row]]:
    """A file of pairs, and the pairs by number."""
    if any(release.glob(PARTS[0])) or any(release.glob(f"*/{PARTS[0]}")):
        return _rows_of_parts(release, watch)
    path = _table(release, PAIRS)
    pairs = _records(path, SENTENCES)
    beside, scores = path, pairs
    if not any(name in record for _, record in pairs.values() for name in ANNOTATORS):
        beside = _table(release, SCORES)
        scores = _records(beside, ANNOTATORS)
    elif missing := [name for name in ANNOTATORS if name not in next(iter(pairs.values()))[1]]:
        raise wrong(path, 1, f"there is no column {missing[0]}; each of the five has one")
    for number in sorted(pairs.keys() ^ scores.keys()):
        has, lacks = (path, beside) if number in pairs else (beside, path)
        raise wrong(lacks, None, f"there is no pair {number}; {has.name} has it")
    rows = {}
    for number in watch(sorted(pairs), "BIOSSES"):
        line, given = scores[number]
        mean = statistics.fmean(score(beside, line, given[name], LOW, HIGH) for name in ANNOTATORS)
        rows[number] = _row(path, number, pairs[number], mean)
    return path, rows


def _rows_of_parts(release: Path, watch: Watch) -> tuple[Path, dict[int, Row]]:
    rows: dict[int, Row] = {}
    for name in PARTS:
        path = part_of(release, name)
        for number, record in watch(sorted(_records(path, (*SENTENCES, "score")).items()), f"BIOSSES {name}"):
            line, fields = record
            if number in rows:
                raise wrong(path, line, f"the pair {number} is in another part already")
            rows[number] = _row(path, number, record, score(path, line, fields["score"], LOW, HIGH))
    return part_of(release, PARTS[0]), rows


def _row(path: Path, number: int, record: _Record, mean: float) -> Row:
    line, pair = record
    for name in SENTENCES:
        if not pair[name]:
            raise wrong(path, line, f"{name} is empty")
    return {
        "id": f"biosses-{number}",
        "text_a": pair["sentence1"],
        "text_b": pair["sentence2"],
        "score": mean,
    }


def _table(release: Path, names: Sequence[str]) -> Path:
    """The table that has one of ``names``; where it was not saved as text yet, the error says to."""
    try:
        return part_of(release, *names)
    except InputError:
        there = [*release.glob("*"), *release.glob("*/*")]
        office = sorted(path.name for path in there if path.suffix.lower() in OFFICE)
        if not office or any(path.name in names for path in there):
            raise
        what = f"save what {' and '.join(office[:2])} hold as text with tabs, {names[0]}; see docs/corpora.md"
        raise wrong(release, None, f"holds no {' or '.join(names)}: {what}") from None


def _records(path: Path, needed: Sequence[str]) -> dict[int, _Record]:
    """The records of a table by the number of the pair."""
    columns: list[str] = []
    found: dict[int, _Record] = {}
    for line, fields in records_of(path, SEPARATORS[path.suffix]):
        if not columns:
            columns = _columns(path, line, fields, needed)
            continue
        if len(fields) != len(columns):
            raise wrong(path, line, f"{len(fields)} fields; there are {len(columns)} columns")
        record = dict(zip(columns, fields, strict=True))
        number = whole(path, line, "the id", record["id"])
        if number in found:
            raise wrong(path, line, f"the pair {number} was at line {found[number][0]} already")
        found[number] = line, record
    if not found:
        raise wrong(path, None, "holds no pair; the first line names the columns, each other line is one")
    return found


def _columns(path: Path, line: int, names: Sequence[str], needed: Sequence[str]) -> list[str]:
    columns = ["".join(c for c in name.lower() if c not in " _-") for name in names]
    columns = [ALIASES.get(column, column) for column in columns]
    there = f"the first line has {', '.join(names)[:80]!r}"
    for name in ("id", *needed):
        if name not in columns:
            raise wrong(path, line, f"there is no column {name}; {there}")
    for name in ("id", *SENTENCES, *ANNOTATORS):
        if columns.count(name) > 1:
            raise wrong(path, line, f"there is more than one column {name}; {there}")
    return columns


RELEASES = (
    Release(
        card=Card(
            name="biosses",
            kind="similarity",
            metric="pearson",
            pair=True,
            range=(LOW, HIGH),
            domain="biomedical",
            text="biomedical articles",
            licence="GPL 3.0",
            source="BIOSSES, Sogancioglu et al. 2017",
        ),
        unit="pairs",
        seen="the divided tables; fixtures of the others",
        readers={"official": read, "blue": read_blue},
        access=github(
            "hieunguyen7337/KeBioLM",
            "bc7c3667c786236252ba5b26b3b921197465b7a3",
            (
                ("train.tsv", 20669, "19dfcb8d4f07636422cb4b945992131383bf0dfa87847012673abcfc026aa9e7"),
                ("dev.tsv", 5237, "15902014e1cf828aaf39ab83051063af3b4aec0f6e38edc3ea609299221d4735"),
                ("test.tsv", 6639, "dd68d01d5cc0f73d6790a94b054fdb14b0cd443979f7fc42d1d98aba2cb6791b"),
            ),
            page="https://tabilab.cmpe.boun.edu.tr/BIOSSES",
            below="data/BIOSSES/",
        ),
        sizes=(64, 16, 20),
    ),
)
