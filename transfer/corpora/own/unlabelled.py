"""Texts to be labelled: a file of one's own, read as the texts that a trained model takes."""

import csv
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from transfer.corpora import own
from transfer.corpora.base import Card, Example
from transfer.corpora.own import plain
from transfer.corpora.own.plain import Layout
from transfer.corpora.own.rows import words_in
from transfer.corpora.own.tables import Record, Table, saved_dataset, text_of
from transfer.corpora.releases.text import tokens
from transfer.inputs import InputError, did_you_mean

TABLES = (".jsonl", ".json", ".csv", ".tsv", ".parquet")


class Division(StrEnum):
    """How running text is divided into tokens: at spaces, or as `prepare own` divides brat text."""

    SPACES = "spaces"
    RULES = "rules"


DIVIDED: Mapping[Division, str] = {
    Division.SPACES: "at spaces",
    Division.RULES: "by rules (runs of letters, runs of digits, other characters one by one)",
}


@dataclass(frozen=True)
class Asked:
    """The options of ``predict`` that say how its file is read; None where the file decides."""

    text: str | None = None
    text_b: str | None = None
    id: str | None = None
    layout: Layout | None = None
    division: Division | None = None


@dataclass(frozen=True)
class Texts:
    """What a file holds for a model, in its order.

    ``examples`` have a ``gold`` that means nothing. ``starts`` are the tokens' offsets, for items
    whose tokens were made from running text. ``notes`` are sentences on what was assumed.
    """

    examples: list[Example] = field(default_factory=list)
    starts: list[list[int] | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def texts_of(card: Card, path: Path, asked: Asked | None = None) -> Texts:
    """The texts of a file or folder, one for each row, line or sentence, in its order.

    Labels that the file has are not read. Raises InputError, with file and line, where a row has no
    text, and where the file does not fit the model.
    """
    asked = asked or Asked()
    _check_options(card, asked)
    notes: list[str] = []
    table = _table(card, path, asked, notes)
    if not table.records:
        raise InputError(f"{path}: holds no text; there is nothing to predict")
    columns = _columns(card, table, asked, notes)
    notes += table.doubts
    made = Texts(notes=notes)
    for number, record in enumerate(table.records, 1):
        id_ = _id(record, asked.id or "id", f"{path.stem}-{number}")
        text, starts = _text(card, record, columns, asked, named=table.named)
        doc = "" if table.named else record.values.get("doc", "")
        made.examples.append(Example(id_, text, _blank(card, len(text)), doc))
        made.starts.append(starts)
    notes += _notes(card, table, made, columns, asked)
    return made


def _check_options(card: Card, asked: Asked) -> None:
    if card.kind != "tagging":
        if asked.layout in (Layout.TOKENS, Layout.CONLL):
            raise InputError(
                f"--format {asked.layout} is for taggers; {card.name} is a {card.kind} model and reads texts"
            )
        if asked.division:
            raise InputError(f"--tokenize is for taggers; {card.name} is a {card.kind} model")
    if asked.text_b and not _is_pair(card):
        raise InputError(f"--text-b: {card.name} takes one text; only models of pairs take a second")
    named = Counter(filter(None, (asked.text, asked.text_b, asked.id)))
    for column, count in named.items():
        if count > 1:
            raise InputError(f"two of --text, --text-b and --id name the same column '{column}'")


def _is_pair(card: Card) -> bool:
    return card.pair or card.kind == "similarity"


def _table(card: Card, path: Path, asked: Asked, notes: list[str]) -> Table:
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if path.is_dir():
        return _folder(card, path, asked)
    if not path.is_file():
        raise InputError(f"{path}: is a pipe or a device; save the texts as a file first")
    if asked.layout is None and _is_table(card, path, asked):
        return own.table_of(own.Request(card.kind, card.name, (), _named(asked)), path)
    return _plain(card, path, asked, notes)


def _named(asked: Asked) -> own.Columns:
    return own.Columns(text=asked.text, text_b=asked.text_b, id=asked.id)


def _is_table(card: Card, path: Path, asked: Asked) -> bool:
    suffix = path.suffix.lower()
    if suffix == ".tsv" and card.kind == "tagging":
        # many releases call their CoNLL columns .tsv; a table names the column of its texts
        first = next(filter(str.strip, re.split(r"[\r\n]+", text_of(path))), "")
        names = [name.strip() for name in next(csv.reader([first], delimiter="\t"))] if first else []
        return any(name in names for name in (asked.text, "tokens", "text"))
    return suffix in TABLES


def _folder(card: Card, folder: Path, asked: Asked) -> Table:
    if asked.layout:
        raise InputError(f"{folder}: is a folder; --format is for files")
    if any(folder.glob("*.arrow")):
        return saved_dataset(folder)
    if any(folder.glob("*.txt")) and card.kind == "tagging":
        return plain.documents(folder)
    inner = sorted(path.name for path in folder.iterdir() if path.is_dir() or path.suffix in TABLES)
    hint = f"; name one of what is in it, as in {folder / inner[0]}" if inner else ""
    wanted = "a saved dataset (.arrow)"
    if card.kind == "tagging":
        wanted += " or documents (.txt)"
    raise InputError(f"{folder}: a folder to predict should hold {wanted}{hint}")


def _plain(card: Card, path: Path, asked: Asked, notes: list[str]) -> Table:
    suffixes = (*TABLES, ".txt", *(plain.CONLL_SUFFIXES if card.kind == "tagging" else ()))
    if asked.layout is None and path.suffix.lower() not in suffixes:
        known = ", ".join(suffixes)
        raise InputError(
            f"{path}: unknown kind of file '{path.suffix}' for a {card.kind} model (known: {known}); "
            "--format text reads any file as one text per line"
        )
    if _is_pair(card):
        raise InputError(
            f"{path}: a line holds one text, and {card.name} takes pairs; give a table (CSV, TSV, JSON "
            "lines, Parquet) with the columns text_a and text_b"
        )
    for option, value in (("--text", asked.text), ("--id", asked.id)):
        if value is not None:
            raise InputError(f"{option} names a column, but {path} has no named columns; leave it out")
    lines = plain.lines_of(path)
    layout = asked.layout or Layout.TEXT
    if card.kind == "tagging" and asked.layout is None:
        layout = plain.layout_of(path, lines, _tags(card))
        if layout is not Layout.CONLL or path.suffix.lower() not in plain.CONLL_SUFFIXES:
            others = " or ".join(f"--format {other}" for other in Layout if other is not layout)
            notes.append(f"{path}: read as {plain.READ_AS[layout]}; {others} reads it otherwise")
    elif asked.layout is None:
        notes.append(f"{path}: read as {plain.READ_AS[layout]}")
    blank = sum(not line.strip() for _, line in lines) if layout is Layout.TEXT else 0
    if blank:
        notes.append(f"{path}: blank lines hold no text and get no answer: {blank}; ids are line numbers")
    return plain.read(path, lines, layout)


def _tags(card: Card) -> Collection[str]:
    return {*card.labels, *(f"{prefix}-{name}" for name in card.entities for prefix in "BI")}


def _columns(card: Card, table: Table, asked: Asked, notes: list[str]) -> list[str]:
    """The one or two columns of the texts. Raises InputError where the table does not have them."""
    there = table.columns
    if card.kind == "tagging":
        usual = ["tokens" if "tokens" in there or "text" not in there else "text"]
    elif _is_pair(card):
        usual = ["text" if "text" in there and "text_a" not in there else "text_a", "text_b"]
    else:
        usual = ["text"]
    said = [asked.text, asked.text_b]
    columns = [name or column for name, column in zip(said, usual, strict=False)]
    if table.named:
        options = dict(zip(columns, ("--text", "--text-b"), strict=False))
        _check_columns(table, {**options, **({asked.id: "--id"} if asked.id else {})})
        for name in sorted({"text", "text_a", "text_b", "tokens"} & there - {*columns}):
            notes.append(f"{table.path}: the column '{name}' is not read; the texts are in {_list(columns)}")
    return columns


def _list(columns: Sequence[str]) -> str:
    return " and ".join(f"'{column}'" for column in columns)


def _check_columns(table: Table, wanted: Mapping[str, str]) -> None:
    """Raises InputError for the first column that is missing; ``wanted`` are columns and their options."""
    for column, option in wanted.items():
        if table.head and column not in table.columns:
            hint = did_you_mean(column, table.columns)
            raise InputError(f"{table.head}: there is no column '{column}', which {option} names{hint}")
        if option == "--id":  # rows without an id are numbered
            if column not in table.columns:
                hint = did_you_mean(column, table.columns)
                raise InputError(f"{table.path}: no row has the key '{column}', which --id names{hint}")
            continue
        for record in table.records:
            if column not in record.values:
                hint = did_you_mean(column, record.values)
                raise InputError(
                    f"{record.where}: the key '{column}' is missing{hint or f'; {option} names another'}"
                )


def _text(
    card: Card, record: Record, columns: Sequence[str], asked: Asked, *, named: bool
) -> tuple[tuple[str, ...], list[int] | None]:
    """The texts or tokens of a record, and the tokens' offsets where they were made here."""
    wheres = [f"{record.where}: the column '{c}'" if named else record.where for c in columns]
    values = [record.values[column] for column in columns]
    if card.kind != "tagging":
        return tuple(_running(value, where) for value, where in zip(values, wheres, strict=True)), None
    value, where = values[0], wheres[0]
    if not isinstance(value, str):
        return tuple(words_in(value, where)), record.extra.get("starts")
    text = _running(value, where)
    if _division(columns[0], asked) is Division.RULES:
        spans = tokens(text)
    else:
        words_in(text, where)  # raises where a token is only white space
        spans = [match.span() for match in _BETWEEN_SPACES.finditer(text)]
    return tuple(text[a:b] for a, b in spans), [a for a, _ in spans]


_BETWEEN_SPACES = re.compile("[^ ]+")


def _division(column: str, asked: Asked) -> Division:
    # --text names tokens, as it does in `prepare own`
    usual = Division.SPACES if column == "tokens" or asked.text else Division.RULES
    return asked.division or usual


def _running(value: Any, where: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise InputError(f"{where} should hold a text, not {_shown(value)}; fill it in or remove the row")


def _shown(value: Any) -> str:
    if value is None or isinstance(value, str):
        return "nothing"
    return repr(value)[:60] if isinstance(value, int | float) else f"a {type(value).__name__}"


def _id(record: Record, column: str, otherwise: str) -> str:
    """The record's own id as it is; ``otherwise`` where it has none."""
    value = record.values.get(column)
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        return otherwise
    if not isinstance(value, str | int | float):
        raise InputError(
            f"{record.where}: the column '{column}' should hold an id, not a {type(value).__name__}; "
            "--id names another column"
        )
    return str(value)


def _blank(card: Card, length: int) -> Any:
    """A gold value that the card allows: encoding an example asks for one, a prediction does not."""
    match card.kind:
        case "tagging":
            return (card.labels[0] if card.labels else "O",) * length
        case "similarity":
            return card.range[0] if card.range else 0.0
        case "multilabel":
            return ()
    return card.labels[0]


def _notes(card: Card, table: Table, made: Texts, columns: Sequence[str], asked: Asked) -> list[str]:
    notes = []
    if card.kind == "tagging" and any(isinstance(one.values[columns[0]], str) for one in table.records):
        division = _division(columns[0], asked)
        other = next(each for each in Division if each is not division)
        notes.append(
            f"{table.path}: texts are divided into tokens {DIVIDED[division]}; "
            f"--tokenize {other} divides them {DIVIDED[other]}"
        )
    repeated = sum(count - 1 for count in Counter(one.id for one in made.examples).values())
    if repeated:
        notes.append(
            f"{table.path}: {repeated} rows repeat the id of an earlier row; the answers are in the order "
            "of the file"
        )
    return notes
