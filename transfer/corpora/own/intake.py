"""Files to predict, read as tables: choice of the reader, and checks that they fit the model."""

import re
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from transfer.corpora.base import Card
from transfer.corpora.own import plain
from transfer.corpora.own.arrow import arrow, parquet, saved_dataset
from transfer.corpora.own.conll import conll, delimiter_of
from transfer.corpora.own.delimited import CANDIDATES, separated
from transfer.corpora.own.jsonfiles import jsonl
from transfer.corpora.own.plain import Layout
from transfer.corpora.own.rows import Columns
from transfer.corpora.own.sources import DATA, Format, format_of, suffix_of
from transfer.corpora.own.sources import TABLES as SEPARATORS
from transfer.corpora.own.tables import Dialect, Table, check_regular, text_of
from transfer.corpora.own.tokens import TOKENS, usual
from transfer.inputs import InputError, nearby
from transfer.kinds import kind_of


class Tokenization(StrEnum):
    """Tokenization of running text: at spaces, or by the rules of `prepare own` for brat text."""

    SPACES = "spaces"
    RULES = "rules"


@dataclass(frozen=True)
class Asked:
    """Options of ``predict`` on how to read its file; None is detected."""

    text: str | None = None
    text_b: str | None = None
    id: str | None = None
    doc: str | None = None
    sentence: str | None = None
    layout: Layout | None = None
    tokenization: Tokenization | None = None
    dialect: Dialect = field(default_factory=Dialect)


def is_pair(card: Card) -> bool:
    """Whether the model takes two texts."""
    return len(kind_of(card.kind).text_keys(card)) == 2


def check_options(card: Card, asked: Asked) -> None:
    """Raise InputError for options that do not go together or do not fit the model."""
    if not kind_of(card.kind).tokenized:
        if asked.layout in (Layout.TOKENS, Layout.CONLL):
            raise InputError(
                f"--format {asked.layout} is for taggers; {card.name} is a {card.kind} model and reads texts"
            )
        if asked.sentence or asked.doc:
            option = "--sentence" if asked.sentence else "--doc"
            raise InputError(f"{option} is for taggers; {card.name} is a {card.kind} model")
        if asked.tokenization:
            raise InputError(f"--tokenize is for taggers; {card.name} is a {card.kind} model")
    if asked.text_b and not is_pair(card):
        raise InputError(f"--text-b: {card.name} takes one text; only models of pairs take a second")
    named = Counter(filter(None, (asked.text, asked.text_b, asked.id, asked.doc, asked.sentence)))
    for column, count in named.items():
        if count > 1:
            raise InputError(f"the column '{column}' is named by two options")


def unlabelled_table(card: Card, path: Path, asked: Asked, notes: list[str]) -> Table:
    """Read the records of a file or folder for a model, and add assumptions to ``notes``.

    Raises InputError where it cannot be read, does not fit the model, or can be read in two ways.
    """
    check_regular(path)
    if not path.exists():
        raise InputError(f"{path}: no such file{nearby(path)}")
    if path.is_dir():
        return _folder(card, path, asked)
    dialect = asked.dialect
    found = Format.COLUMNS if asked.layout else _format(path, asked)
    if found in _READERS:
        _refuse_table_options(path, asked)
        return _READERS[found](path, dialect)
    suffix = suffix_of(path)
    names = [] if asked.layout else _names(path, dialect)
    tokenized = kind_of(card.kind).tokenized
    wanted = [asked.text] if asked.text in names else usual(names, TOKENS if tokenized else TEXTS)
    if found is Format.COLUMNS and suffix == ".txt":
        if wanted:
            notes.append(
                f"{path}: read as a table, since its first line names the column '{wanted[0]}'; --format "
                "text reads one text per line"
            )
        # an option on the columns of a table asks for one
        if wanted or dialect != Dialect(encoding=dialect.encoding):
            found = Format.TABLE
    if tokenized and found is Format.TABLE and dialect.header:
        delimiter = delimiter_of(path, _columns(asked), dialect, suffix=suffix)
        if delimiter is not None and (wanted or suffix == ".csv"):
            return _conll(path, asked, delimiter)
        if delimiter is not None:  # many releases call their CoNLL columns .tsv
            found = Format.COLUMNS
    if found is Format.TABLE:
        return separated(path, dialect, SEPARATORS.get(suffix, ","))
    return _plain(card, path, asked, notes)


TEXTS = ("text", "text_a")


def _columns(asked: Asked) -> Columns:
    return Columns(text=asked.text, id=asked.id, doc=asked.doc, sentence=asked.sentence)


def _conll(path: Path, asked: Asked, delimiter: str | None = None) -> Table:
    return conll(path, _columns(asked), tags=False, delimiter=delimiter, encoding=asked.dialect.encoding)


def _format(path: Path, asked: Asked) -> Format:
    decoded_by_now = suffix_of(path) in DATA or text_of(path, asked.dialect.encoding)
    try:
        return format_of(path, asked.dialect.encoding)
    except InputError as error:
        if suffix_of(path) in DATA or not decoded_by_now:
            raise
        raise InputError(f"{error}; --format text reads it as one text per line") from None


def _refuse_table_options(path: Path, asked: Asked) -> None:
    """Raise InputError for an option on delimited columns if the file has none."""
    dialect = asked.dialect
    given = {
        "--no-header": not dialect.header,
        "--delimiter": dialect.delimiter is not None,
        "--quoting": dialect.quoting is not None,
    }
    for option in (option for option, is_given in given.items() if is_given):
        raise InputError(f"{option} is for tables in text (CSV, TSV), and {path} is none; leave it out")


_READERS = {Format.JSON: jsonl, Format.PARQUET: parquet, Format.ARROW: arrow}


def _names(path: Path, dialect: Dialect) -> list[str]:
    """Cells in the first line of a text file; none if it has a single cell."""
    first = next(filter(str.strip, re.split(r"[\r\n]+", text_of(path, dialect.encoding))), "")
    for delimiter in dialect.delimiter or CANDIDATES:
        if delimiter in first:
            return [name.strip(' "') for name in first.split(delimiter)]
    return []


def _folder(card: Card, folder: Path, asked: Asked) -> Table:
    if asked.layout:
        raise InputError(f"{folder}: is a folder; --format is for files")
    if any(folder.glob("*.arrow")):
        return saved_dataset(folder, asked.dialect)
    tokenized = kind_of(card.kind).tokenized
    if any(folder.glob("*.txt")) and tokenized:
        return plain.documents(folder, asked.dialect.encoding)
    inner = sorted(path.name for path in folder.iterdir() if path.is_dir() or suffix_of(path) in DATA)
    hint = f"; name one of what is in it, as in {folder / inner[0]}" if inner else ""
    wanted = "a saved dataset (.arrow)"
    if tokenized:
        wanted += " or documents (.txt)"
    raise InputError(f"{folder}: a folder to predict should hold {wanted}{hint}")


def _plain(card: Card, path: Path, asked: Asked, notes: list[str]) -> Table:
    if is_pair(card):
        raise InputError(
            f"{path}: a line holds one text, and {card.name} takes pairs; give a table (CSV, TSV, JSON "
            "lines, Parquet) with the columns text_a and text_b"
        )
    tokenized = kind_of(card.kind).tokenized
    if not tokenized and asked.layout is None and suffix_of(path) not in (".txt", ""):
        raise InputError(
            f"{path}: holds tokens, and {card.name} takes texts; --format text reads one text per line"
        )
    _refuse_table_options(path, asked)
    lines = plain.numbered_lines(path, asked.dialect.encoding)
    layout = asked.layout or Layout.TEXT
    if tokenized and asked.layout is None:
        named = asked.text or asked.sentence  # columns, which only this layout has
        layout = Layout.CONLL if named else plain.layout_of(path, lines, card.tags)
        if layout is not Layout.CONLL or suffix_of(path) == ".txt":
            others = " or ".join(f"--format {other}" for other in Layout if other is not layout)
            notes.append(f"{path}: read as {plain.READ_AS[layout]}; {others} reads it otherwise")
    elif asked.layout is None:
        plain.check_no_columns(path, lines)
        notes.append(f"{path}: read as {plain.READ_AS[layout]}")
    blank = sum(not line.strip() for _, line in lines) if layout is Layout.TEXT else 0
    if blank:
        notes.append(f"{path}: blank lines hold no text and get no answer: {blank}; ids are line numbers")
    if layout is Layout.CONLL:
        return _conll(path, asked)
    given = {"--text": asked.text, "--id": asked.id, "--sentence": asked.sentence, "--doc": asked.doc}
    for option in (option for option, value in given.items() if value is not None):
        raise InputError(f"{option} names a column, but {path} has no named columns; leave it out")
    return plain.read(path, lines, layout)
