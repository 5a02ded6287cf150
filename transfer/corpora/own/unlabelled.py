"""Texts to predict: a user's file, read as the texts or tokens that a trained model takes."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Example
from transfer.corpora.own.intake import Asked, Tokenization, check_options, is_pair, unlabelled_table
from transfer.corpora.own.rows import Columns
from transfer.corpora.own.sources import stem_of
from transfer.corpora.own.tables import Record, Table
from transfer.corpora.own.tokens import SENTENCES, TOKENS, in_sentences, usual
from transfer.corpora.releases.text import tokens
from transfer.inputs import InputError, did_you_mean
from transfer.kinds import kind_of
from transfer.kinds.cells import shown, words_in
from transfer.kinds.printed import is_printed

DIVIDED: Mapping[Tokenization, str] = {
    Tokenization.SPACES: "at spaces",
    Tokenization.RULES: "by rules (runs of letters, runs of digits, other characters one by one)",
}


@dataclass(frozen=True)
class UnlabelledTexts:
    """Texts of a file for a model, in order.

    ``examples`` have a ``gold`` that means nothing. ``starts`` are the tokens' offsets, for items
    whose tokens were made from running text. ``notes`` are sentences on what was assumed.
    """

    examples: list[Example] = field(default_factory=list)
    starts: list[list[int] | None] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def texts_of(card: Card, path: Path, asked: Asked | None = None) -> UnlabelledTexts:
    """Read the texts of a file or folder, one for each row, line or sentence, in its order.

    Labels that the file has are not read. Raises InputError, with file and line, where a row has no
    text, and where the file does not fit the model.
    """
    asked = asked or Asked()
    check_options(card, asked)
    notes: list[str] = []
    table = unlabelled_table(card, path, asked, notes)
    if not table.records:
        raise InputError(f"{path}: holds no text; there is nothing to predict")
    columns = _columns(card, table, asked, notes)
    kind = kind_of(card.kind)
    if kind.tokenized and table.named:
        table = _sentences(table, columns[0], asked, notes)
    notes += table.doubts
    made = UnlabelledTexts(notes=notes)
    for number, record in enumerate(table.records, 1):
        id_ = _id(record, asked.id or "id", f"{stem_of(path)}-{number}")
        text, starts = _text(card, record, columns, asked, named=table.named)
        doc = record.values.get(asked.doc or "doc") if asked.doc or not table.named else None
        made.examples.append(Example(id_, text, kind.blank(card, len(text)), "" if doc is None else str(doc)))
        made.starts.append(starts)
    notes += _notes(card, table, made, columns, asked)
    return made


def _columns(card: Card, table: Table, asked: Asked, notes: list[str]) -> list[str]:
    """Choose the one or two columns of texts. Raises InputError if the table lacks them."""
    there = table.columns
    if not table.named:
        return ["text" if "text" in there else "tokens"]
    if not asked.dialect.header:
        defaults = ["1", "2"] if is_pair(card) else ["1"]
    elif kind_of(card.kind).tokenized:
        defaults = usual(there, TOKENS)[:1] or ["tokens"]
    elif is_pair(card):
        defaults = ["text" if "text" in there and "text_a" not in there else "text_a", "text_b"]
    else:
        defaults = ["text"]
    said = [asked.text, asked.text_b]
    columns = [name or column for name, column in zip(said, defaults, strict=False)]
    options = dict(zip(columns, ("--text", "--text-b"), strict=False))
    beside = {asked.id: "--id", asked.doc: "--doc", asked.sentence: "--sentence"}
    options |= {column: option for column, option in beside.items() if column}
    _check_columns(table, options, asked)
    for name in sorted({"text", "text_a", "text_b", "tokens"} & there - {*columns}):
        notes.append(f"{table.path}: the column '{name}' is not read; the texts are in {_list(columns)}")
    return columns


def _sentences(table: Table, column: str, asked: Asked, notes: list[str]) -> Table:
    """Join rows of one token if a column says which are a sentence."""
    if asked.sentence or usual(table.columns - {column}, SENTENCES):
        named = Columns(id=asked.id, doc=asked.doc, sentence=asked.sentence)
        return in_sentences(table, column, column, named)[0]
    words = [record.values.get(column) for record in table.records]
    single = all(isinstance(one, str) and len(one.split(" ")) == 1 and not is_printed(one) for one in words)
    if len(words) > 1 and single:
        notes.append(
            f"{table.path}: every row has one token, and gets an answer by itself; --sentence COLUMN names "
            "the column that numbers the sentences, if rows are their tokens"
        )
    return table


def _list(columns: Sequence[str]) -> str:
    return " and ".join(f"'{column}'" for column in columns)


def _check_columns(table: Table, wanted: Mapping[str, str], asked: Asked) -> None:
    """Raise InputError for the first column that is missing; ``wanted`` are columns and their options."""
    named = (asked.text, asked.text_b, asked.id, asked.doc, asked.sentence)
    # a table in text has its columns in a line, which may be a text if it names nothing usual
    doubtful = table.head not in ("", str(table.path)) and asked.dialect.header and not _USUAL & table.columns
    for column, option in wanted.items():
        if table.head and column not in table.columns:
            told = f", which {option} names" if column in named else f"; {option} names another"
            hint = did_you_mean(column, table.columns)
            hint += "; if this line is a text and no header, --no-header reads it as one" if doubtful else ""
            raise InputError(f"{table.head}: there is no column '{column}'{told}{hint}")
        if option not in ("--text", "--text-b"):  # a row may lack it
            if column not in table.columns:
                hint = did_you_mean(column, table.columns)
                raise InputError(f"{table.path}: no row has the key '{column}', which {option} names{hint}")
            continue
        for record in table.records:
            if column not in record.values:
                hint = did_you_mean(column, record.values)
                raise InputError(
                    f"{record.where}: the key '{column}' is missing{hint or f'; {option} names another'}"
                )


_USUAL = {"id", "text", "text_a", "text_b", "tokens", "label", "labels", "score", "tags"}


def _text(
    card: Card, record: Record, columns: Sequence[str], asked: Asked, *, named: bool
) -> tuple[tuple[str, ...], list[int] | None]:
    """Texts or tokens of a record, and the offsets of tokens that were made here."""
    wheres = [f"{record.where}: the column '{c}'" if named else record.where for c in columns]
    values = [record.values[column] for column in columns]
    if not kind_of(card.kind).tokenized:
        return tuple(_running(value, where) for value, where in zip(values, wheres, strict=True)), None
    value, where = values[0], wheres[0]
    by_rules = _tokenization(columns[0], asked) is Tokenization.RULES
    if not isinstance(value, str) or (is_printed(value) and not by_rules):
        for token, place in zip(value, record.places, strict=False):
            if isinstance(token, str) and not token.strip():
                raise InputError(
                    f"{place}: the token is nothing but white space ({token!a}); remove the line"
                )
        return tuple(words_in(value, where)), record.extra.get("starts")
    text = _running(value, where)
    if by_rules:
        spans = tokens(text)
    else:
        words_in(text, where)  # raises where a token is only white space
        spans = [match.span() for match in _BETWEEN_SPACES.finditer(text)]
    return tuple(text[a:b] for a, b in spans), [a for a, _ in spans]


_BETWEEN_SPACES = re.compile("[^ ]+")


def _tokenization(column: str, asked: Asked) -> Tokenization:
    # --text names tokens, as it does in `prepare own`
    tokens_said = asked.text or column.strip().lower() in {*TOKENS} - {"text"}
    return asked.tokenization or (Tokenization.SPACES if tokens_said else Tokenization.RULES)


def _running(value: Any, where: str) -> str:
    if isinstance(value, str) and value.strip():
        return value
    raise InputError(f"{where} should hold a text, not {shown(value)}; fill it in or remove the row")


def _id(record: Record, column: str, otherwise: str) -> str:
    """Id of a record as it is, or ``otherwise`` if it has none."""
    value = record.values.get(column)
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        return otherwise
    if not isinstance(value, str | int | float):
        raise InputError(
            f"{record.where}: the column '{column}' should hold an id, not a {type(value).__name__}; "
            "--id names another column"
        )
    return str(value)


def _notes(
    card: Card, table: Table, made: UnlabelledTexts, columns: Sequence[str], asked: Asked
) -> list[str]:
    notes = []
    if kind_of(card.kind).tokenized and any(isinstance(one.values[columns[0]], str) for one in table.records):
        tokenization = _tokenization(columns[0], asked)
        other = next(each for each in Tokenization if each is not tokenization)
        notes.append(
            f"{table.path}: texts are divided into tokens {DIVIDED[tokenization]}; "
            f"--tokenize {other} divides them {DIVIDED[other]}"
        )
    repeated = sum(count - 1 for count in Counter(one.id for one in made.examples).values())
    if repeated:
        notes.append(
            f"{table.path}: {repeated} rows repeat the id of an earlier row; the answers are in the order "
            "of the file"
        )
    return notes
