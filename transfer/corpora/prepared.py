"""Prepared corpora: ``<folder>/<corpus>/{corpus.yaml,train.jsonl,dev.jsonl,test.jsonl}``.

Each line is checked where it is read; a finding names file, line, what is wrong and what is right.
"""

import codecs
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from transfer.corpora.base import SPLITS, Card, Corpus, Example, Limit, Split, build
from transfer.inputs import (
    InputError,
    NotThere,
    did_you_mean,
    nearby,
    placed,
    problems,
    read_bytes,
    read_yaml,
    validated,
)
from transfer.kinds import kind_of
from transfer.kinds.base import Row, string


def read(folder: Path, name: str, *, limit: Limit | None = None) -> Corpus:
    """Read the prepared corpus ``name`` below ``folder``. Raises InputError if anything is wrong."""
    home = home_of(folder, name)
    card = card_of(home)
    splits: dict[Split, list[Example]] = {
        split: [example for _, example in lines_of(home, card, split)] for split in SPLITS
    }
    return build(card, splits, source="prepared", limit=limit)


def names_in(folder: Path) -> list[str]:
    """Names of the prepared corpora below ``folder``: the folders with a card or a split in them.

    Raises InputError where there is no such folder.
    """
    if not folder.is_dir():
        raise NotThere(f"there is no such folder of prepared corpora: {folder}")
    files = ("corpus.yaml", *(f"{split}.jsonl" for split in SPLITS))
    return sorted(
        home.name
        for home in folder.iterdir()
        # what begins with a full stop is the draft of a corpus that is being written
        if not home.name.startswith(".") and any((home / file).is_file() for file in files)
    )


def home_of(folder: Path, name: str) -> Path:
    """Folder of a prepared corpus. Raises InputError if it is missing."""
    home = folder / name
    if not os.path.isdir(folder):  # False for names that no file can have, where pathlib raises
        raise NotThere(f"there is no such folder of prepared corpora: {folder}{nearby(folder)}")
    if not home.is_dir():
        there = [p.name for p in folder.iterdir() if (p / "corpus.yaml").is_file()]
        itself = (folder / "corpus.yaml").is_file()
        hint = f"; it is a corpus itself, name the folder above it: {folder.parent}" if itself else ""
        raise NotThere(f"there is no corpus '{name}' in {folder}{hint or did_you_mean(name, there)}")
    return home


def card_of(home: Path) -> Card:
    """Read the card of the corpus in ``home``. Raises InputError with the first problem."""
    card, wrong = card_or_errors(home)
    if card is None:
        raise wrong[0]
    return card


def card_or_errors(home: Path) -> tuple[Card | None, list[InputError]]:
    """Read the card of the corpus in ``home``, or all its errors."""
    path = home / "corpus.yaml"
    try:
        data, lines = read_yaml(path)
    except NotThere as error:
        mend = (
            "a corpus has a card; 'transfer corpora prepare' makes a corpus of a release or of your own files"
        )
        return None, [InputError(f"{error}; {mend}")]
    except InputError as error:
        return None, [error]
    if wrong := problems(Card, data, path=path, lines=lines):
        return None, wrong
    card = Card.model_validate(data)
    # records hold null for a card without the key; in a file it is a label that lost its quotation marks
    if card.metric == "micro_f1" and "negative" in data and card.negative is None:
        wrong = InputError(
            f"{placed(path, lines, ('negative',))}: without quotation marks, null is no label in YAML; quote "
            "it, as in 'null', or leave the key out to count all labels"
        )
        return None, [wrong]
    if card.name != home.name:
        wrong = [InputError(f"{path}: the card's name is '{card.name}', its folder's '{home.name}'")]
        return None, wrong
    return card, []


def lines_of(
    home: Path, card: Card, split: Split, refused: list[InputError] | None = None
) -> Iterator[tuple[str, Example]]:
    """Read each line of a split as a checked Example, with the place that messages name.

    What is wrong is raised; where ``refused`` is given it is put there instead, one error a line,
    and the lines after it are read too.
    """
    file = home / f"{split}.jsonl"
    before = len(refused or ())
    empty = True
    for line in _located(card, objects_in(file, refused), refused):
        empty = False
        yield line
    if empty and len(refused or ()) == before:
        _refuse(InputError(f"{file}: holds no example; each of the three splits needs some"), refused)


def from_rows(
    card: Row, rows: Mapping[Split, Iterable[Row]], *, source: str, limit: Limit | None = None
) -> Corpus:
    """Make a corpus of rows from a program, checked as those of a file are."""
    name = card.get("name", "card")
    checked = validated(Card, card, path=Path(name))
    splits: dict[Split, list[Example]] = {
        split: list(
            examples(checked, ((f"{name} {split} row {i}", row) for i, row in enumerate(rows[split], 1)))
        )
        for split in SPLITS
    }
    return build(checked, splits, source=source, limit=limit)


def objects_in(path: Path, refused: list[InputError] | None = None) -> Iterator[tuple[str, Row]]:
    """Read the JSON objects of a file with their places; errors go to ``refused`` as in ``lines_of``."""
    try:
        lines = read_bytes(path).split(b"\n")
    except NotThere:
        files = ", ".join(f"{split}.jsonl" for split in SPLITS)
        own = sorted(p.name for p in path.parent.glob(f"{path.stem}.*"))
        mend = f"; 'transfer corpora prepare own' makes one of {own[0]}" if own else ""
        _refuse(InputError(f"{path}: no such file; a prepared corpus has {files}{mend}"), refused)
        return
    except InputError as error:
        _refuse(error, refused)
        return
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path} line {number}"
        try:
            row = row_at(where, line)
        except InputError as error:
            _refuse(error, refused)
        else:
            yield where, row


def _refuse(error: InputError, refused: list[InputError] | None) -> None:
    if refused is None:
        raise error from None
    refused.append(error)


def row_at(where: str, line: bytes) -> Row:
    """Parse the JSON object of a line; ``where`` is the place that an InputError names."""
    try:
        row = json.loads(line.removeprefix(codecs.BOM_UTF8).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(
            f"{where}: not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8"
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: not valid JSON: {error}; each line is an object of its own") from None
    if not isinstance(row, dict):
        raise InputError(f'{where}: should be a JSON object, one a line, as in {{"id": "1", …}}')
    if HALF_CHARACTER.search(line):
        check_characters(where, row)
    return row


# the escape of half a character: harmless where its other half follows
HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def check_characters(where: str, row: Row) -> None:
    """Raise InputError where a text of a row holds half a character (a lone surrogate)."""
    try:
        json.dumps(row, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: holds half a character ({error.object[error.start]!a})") from None


def examples(card: Card, rows: Iterable[tuple[str, Row]]) -> Iterator[Example]:
    """Convert the rows of a split, each with the place to name in errors, to checked Examples."""
    return (example for _, example in _located(card, rows))


def _located(
    card: Card, rows: Iterable[tuple[str, Row]], refused: list[InputError] | None = None
) -> Iterator[tuple[str, Example]]:
    seen: dict[str, str] = {}
    for where, row in rows:
        try:
            example = _example(card, where, row, seen)
        except InputError as error:
            _refuse(error, refused)
        else:
            yield where, example


def _example(card: Card, where: str, row: Row, seen: dict[str, str]) -> Example:
    kind = kind_of(card.kind)
    wanted = {"id", *kind.text_keys(card), kind.gold} - kind.optional
    for key in sorted(wanted - row.keys()):
        raise InputError(
            f"{where}: the key '{key}' is missing; a {card.kind} row has {', '.join(sorted(wanted))}"
        )
    allowed = wanted | {"doc"} | kind.optional
    for key in sorted(row.keys() - allowed):
        raise InputError(f"{where}: unknown key '{key}'{did_you_mean(key, allowed)}")
    id_ = string(where, row, "id")
    if id_ in seen:
        raise InputError(f"{where}: the id '{id_}' is used twice; the first is at {seen[id_]}")
    seen[id_] = where
    text, gold = kind.texts_of(card, where, row), kind.gold_of(card, where, row)
    return Example(id=id_, text=text, gold=gold, doc=string(where, row, "doc") if "doc" in row else "")
