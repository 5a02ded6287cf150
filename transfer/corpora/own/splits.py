"""Splits of a user's data: named by the user, or made by hash."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from transfer.corpora.base import SPLITS, Split
from transfer.corpora.own.labels import check_drift, labels_of
from transfer.corpora.own.rows import Made, check_ids
from transfer.corpora.releases.base import Row, by_hash, dev_by_hash
from transfer.inputs import InputError, did_you_mean

Given = Mapping[Split, Sequence[Made]]

_NAMES: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("dev", "devel", "development", "valid", "validation", "val"), "dev"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def split_named(name: str) -> Split | None:
    """Split that a word names: train, dev (valid, validation, …) or test."""
    return _NAMES.get(name.strip().lower())


def split_in_name(path: Path) -> Split | None:
    """Split named by a word in a file's name. Raises InputError if its words name two."""
    found: set[Split] = set()
    for word in re.findall(r"[a-z]+", path.stem.lower()):
        if split := split_named(re.sub(r"(set|data)$", "", word)):
            found.add(split)
    if len(found) > 1:
        raise InputError(f"{path}: its name tells two splits; say which with --train, --dev and --test")
    return found.pop() if found else None


def splits_of_paths(paths: Sequence[Path]) -> list[Split] | None:
    """Split named by each file's name; None if no name has one.

    A single file is never taken for a split. Raises InputError where some names tell one and others
    do not, or a name tells two.
    """
    if len(paths) < 2:
        return None
    told: list[Split | None] = [split_in_name(path) for path in paths]
    if not any(told):
        return None
    splits: list[Split] = []
    for path, split in zip(paths, told, strict=True):
        if split is None:
            raise InputError(
                f"{path}: its name tells no split, as those of other files do; "
                "say which is which with --train, --dev and --test"
            )
        splits.append(split)
    return splits


def by_column(rows: Sequence[Made]) -> dict[Split, list[Made]] | None:
    """Group rows by their ``split`` column; None without such a column."""
    if not any(made.split for made in rows):
        return None
    parts: dict[Split, list[Made]] = {}
    for made in rows:
        split = split_named(made.split)
        if split is None:
            hint = did_you_mean(made.split, SPLITS) if made.split.strip() else "; it is empty"
            raise InputError(f"{made.where}: the column 'split' names no split: '{made.split[:40]}'{hint}")
        parts.setdefault(split, []).append(made)
    return parts


def completed(given: Given, how: str) -> tuple[dict[Split, list[Row]], str]:
    """Complete the given splits to three. Returns them, and a sentence on where they come from.

    Where dev is not given it is cut from train. Raises InputError where train or test is not given,
    a split is left without an example, an id is used twice in one, or test or dev has a label that train
    lacks.
    """
    for split in given:
        check_ids(given[split], f" in {split}")
    rows: dict[Split, list[Row]] = {split: [made.row for made in given.get(split, ())] for split in SPLITS}
    for split in ("train", "test"):
        if not rows[split]:
            there = ", ".join(given) or "nothing"
            raise InputError(f"there is no example for {split}, only for {there}; --{split} FILE gives some")
    check_drift({split: [(made.row, made.where) for made in given[split]] for split in given})
    if "dev" not in given:
        rows["train"], rows["dev"], told = dev_by_hash(rows["train"])
        how = f"{how}; {told}" + _kept_in_train(rows, ("dev",))
    return _none_empty(rows), how


def made_by_hash(rows: Sequence[Made]) -> tuple[dict[Split, list[Row]], str]:
    """Split the rows 80/10/10 into train, dev and test: whole documents, in the order of their SHA-256.

    Raises InputError where an id is used twice, or the documents are too few for three splits.
    """
    check_ids(rows, "")
    sizes: dict[str, int] = {}
    for made in rows:
        sizes[_document(made.row)] = sizes.get(_document(made.row), 0) + 1
    want = max(1, len(rows) // 10)
    where: dict[str, Split] = {}
    documents = iter(by_hash(sizes))
    for split in ("test", "dev"):
        have = 0
        while have < want and (doc := next(documents, None)) is not None:
            where[doc] = split
            have += sizes[doc]
    parts: dict[Split, list[Row]] = {split: [] for split in SPLITS}
    for made in rows:
        parts[where.get(_document(made.row), "train")].append(made.row)
    what = "documents" if any("doc" in made.row for made in rows) else "items"
    told = f"made here: 80, 10 and 10 % of the items, whole {what}, in order of the SHA-256 of their id"
    told += _kept_in_train(parts, ("test", "dev"))
    return _none_empty(parts), told


def _kept_in_train(rows: dict[Split, list[Row]], made: Sequence[Split]) -> str:
    """Move documents from the splits made here to train, if it lacks their labels otherwise.

    A split that this leaves empty gets the first document, by hash, whose labels train has elsewhere too.
    Returns the sentence that says what was moved, empty where nothing was.
    """
    order = [row["id"] for split in ("train", *made) for row in rows[split]]
    known = {label for row in rows["train"] for label in labels_of(row)}
    rare: set[str] = set()
    moved: set[str] = set()
    for split in made:
        docs = {_document(row) for row in rows[split] if not known.issuperset(labels_of(row))}
        rare |= {label for row in rows[split] for label in labels_of(row)} - known
        known |= {label for row in rows[split] if _document(row) in docs for label in labels_of(row)}
        _move(rows, docs, split, "train")
        moved |= docs
    if not moved:
        return ""
    for split in made:
        if not rows[split] and (spare := _spare_document(rows["train"], moved)):
            _move(rows, {spare}, "train", split)
    place = {id_: i for i, id_ in enumerate(order)}
    rows["train"].sort(key=lambda row: place[row["id"]])
    names = ", ".join(f"'{label}'" for label in sorted(rare)[:5]) + (", …" if len(rare) > 5 else "")
    return f"; {len(moved)} more stay in train, which has the labels {names} from nowhere else"


def _move(rows: dict[Split, list[Row]], docs: set[str], source: Split, to: Split) -> None:
    rows[to] = [*rows[to], *(row for row in rows[source] if _document(row) in docs)]
    rows[source] = [row for row in rows[source] if _document(row) not in docs]


def _spare_document(train: Sequence[Row], kept: set[str]) -> str | None:
    """First document by hash that is not ``kept`` and has only labels of other train documents."""
    labels: dict[str, set[str]] = {}
    for row in train:
        labels.setdefault(_document(row), set()).update(labels_of(row))
    docs_with = Counter(label for some in labels.values() for label in some)
    for doc in by_hash(labels):
        if doc not in kept and all(docs_with[label] > 1 for label in labels[doc]) and len(labels) > 1:
            return doc
    return None


def _none_empty(rows: dict[Split, list[Row]]) -> dict[Split, list[Row]]:
    for split in SPLITS:
        if not rows[split]:
            count = sum(map(len, rows.values()))
            raise InputError(
                f"no example is left for {split}: {count} in all, or in all too few documents; "
                "each of the three splits needs some"
            )
    return rows


def _document(row: Row) -> str:
    return row.get("doc") or row["id"]
