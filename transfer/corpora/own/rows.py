"""From records to the rows of a prepared corpus: which column is what, and what its cells may hold."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from transfer.corpora.base import Kind
from transfer.corpora.own.tables import Record, Table
from transfer.corpora.releases.base import Row
from transfer.inputs import InputError, did_you_mean


@dataclass(frozen=True)
class Columns:
    """The columns that a user names; None where the usual name is meant."""

    text: str | None = None
    text_b: str | None = None
    label: str | None = None
    score: str | None = None
    id: str | None = None
    doc: str | None = None
    sentence: str | None = None

    def said(self) -> dict[str, str]:
        """What was named, by the option that names it."""
        named = {f"--{key.replace('_', '-')}": value for key, value in vars(self).items()}
        return {option: value for option, value in named.items() if value is not None}


@dataclass(frozen=True)
class Made:
    """A row, the place it is from, and what its ``split`` column says (empty without one)."""

    row: Row
    where: str
    split: str


def rows_of(
    kind: Kind, tables: Mapping[str, Table], columns: Columns, separator: str
) -> tuple[list[list[Made]], bool]:
    """The rows of each table, and whether an item has two texts.

    ``tables`` are under the beginnings of the ids that are made where there is no column of ids.
    Raises InputError for a column that is missing and for a cell that holds what it should not.
    """
    there = frozenset().union(*(table.columns for table in tables.values()))
    wanted = _keys(kind, there, columns)
    for table in tables.values():
        _check_columns(table, wanted, columns)
    made = []
    for stem, table in tables.items():
        made.append([])
        for number, record in enumerate(table.records, 1):
            row: Row = {"id": _name(record, columns.id or "id", f"{stem}-{number}")}
            if doc := _name(record, columns.doc or "doc", ""):
                row["doc"] = doc
            for key, column in wanted.items():
                row[key] = _cell(key, record, column, separator)
            split = record.values.get("split") if table.named else None
            made[-1].append(Made({**row, **record.extra}, record.where, "" if split is None else str(split)))
    return made, "text_b" in wanted


def _keys(kind: Kind, there: frozenset[str], columns: Columns) -> dict[str, str]:
    """The keys that a row of this kind has, and the column that each is read from."""
    if kind == "tagging":
        return {"tokens": columns.text or "tokens", "tags": columns.label or "tags"}
    two = {"text_a", "text_b"} <= there and columns.text is None and "text" not in there
    if kind == "similarity" or columns.text_b or two:
        first = columns.text or ("text" if "text" in there and "text_a" not in there else "text_a")
        keys = {"text_a": first, "text_b": columns.text_b or "text_b"}
    else:
        keys = {"text": columns.text or "text"}
    if kind == "similarity":
        return keys | {"score": columns.score or "score"}
    if kind == "classification":
        return keys | {"label": columns.label or "label"}
    return keys | {"labels": columns.label or ("label" if "label" in there - {"labels"} else "labels")}


def _check_columns(table: Table, wanted: Mapping[str, str], columns: Columns) -> None:
    said = columns.said()
    if not table.named:  # see conll and tagged, which look into what is said of such columns
        return
    for column in (*wanted.values(), *said.values()):
        option = next((option for option, name in said.items() if name == column), "")
        told = f"there is no column '{column}'" + (f", which {option} names" if option else "")
        if table.head:
            if column not in table.columns:
                raise InputError(f"{table.head}: {told}{did_you_mean(column, table.columns)}")
            continue
        for record in table.records:
            if column not in record.values:
                hint = did_you_mean(column, record.values)
                raise InputError(f"{record.where}: the key '{column}' is missing{hint}")


def _cell(key: str, record: Record, column: str, separator: str) -> Any:
    value, where = record.values[column], f"{record.where}: the column '{column}'"
    if key == "score":
        return _score(value, where)
    if key == "label":
        return _label(value, where)
    if key == "labels":
        return _labels(value, where, separator)
    if key in ("tokens", "tags"):
        return words_in(value, where)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where} should hold a text, not {_shown(value)}")
    return value


def _name(record: Record, column: str, otherwise: str) -> str:
    if column not in record.values:
        return otherwise
    value = record.values[column]
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise InputError(f"{record.where}: the column '{column}' should hold a name, not {_shown(value)}")
    return str(value).strip()


def _label(value: Any, where: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where} should hold a label, not {_shown(value)}")
    return value.strip()


def _labels(value: Any, where: str, separator: str) -> list[str]:
    if isinstance(value, str):  # an empty cell: none of the labels
        value = value.split(separator) if value.strip() else []
    if not isinstance(value, list):
        raise InputError(f"{where} should hold labels with '{separator}' between them, not {_shown(value)}")
    labels = [_label(one, where) for one in value]
    if len(set(labels)) < len(labels):
        raise InputError(f"{where} names a label twice: {_shown(value)}")
    return labels


# of ASCII alone; float() takes 1_000, infinity and digits of every script as well
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def _score(value: Any, where: str) -> float:
    number = math.nan
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            number = float(value)
        except (OverflowError, ValueError):
            number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{where} should hold a number, as in 3.5, not {_shown(value)}")
    return number


def words_in(value: Any, where: str, *, blanks: bool = False) -> list[str]:
    """Tokens or tags: a list of texts, or a text with spaces between them; ``blanks`` may be among them."""
    # a space that does not break is part of a token
    words = [word for word in value.split(" ") if word] if isinstance(value, str) else value
    if not isinstance(words, list) or not words:
        raise InputError(f"{where} should hold a list of texts, not {_shown(value)}")
    for word in words:
        if not isinstance(word, str) or not (blanks or word.strip()):
            raise InputError(f"{where} should hold texts that are not empty, not {_shown(word)}")
    return words


def _shown(value: Any) -> str:
    if value is None or (isinstance(value, str) and not value.strip()):
        return "nothing"
    if isinstance(value, str | int | float):
        return repr(value)[:60]
    return f"a {type(value).__name__}"


def check_ids(rows: Sequence[Made], what: str) -> None:
    """Raises InputError where two of the rows have one id, naming both places."""
    seen: dict[str, str] = {}
    for made in rows:
        id_ = made.row["id"]
        if id_ in seen:
            raise InputError(f"{made.where}: the id '{id_}' is used twice{what}; the first is at {seen[id_]}")
        seen[id_] = made.where
