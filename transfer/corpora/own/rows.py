"""Conversion of records to rows of a prepared corpus: choice of columns, and checks of cells."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transfer.corpora.own.tables import Record, Table
from transfer.corpora.releases.base import Row
from transfer.inputs import InputError, did_you_mean
from transfer.kinds import Kind
from transfer.kinds.cells import named_by, shown, words_in


@dataclass(frozen=True)
class Columns:
    """Columns that the user named; None stands for the usual name."""

    text: str | None = None
    text_b: str | None = None
    label: str | None = None
    score: str | None = None
    id: str | None = None
    doc: str | None = None
    sentence: str | None = None

    def said(self) -> dict[str, str]:
        """Named columns, by the option that names them."""
        named = {f"--{key.replace('_', '-')}": value for key, value in vars(self).items()}
        return {option: value for option, value in named.items() if value is not None}


@dataclass(frozen=True)
class Made:
    """Row, the place it is from, and the value of its ``split`` column (empty without one)."""

    row: Row
    where: str
    split: str


@dataclass(frozen=True)
class Chosen:
    """Columns that the keys of a row are read from, and doubts about the choice."""

    keys: Mapping[str, str]
    doubts: Sequence[str] = ()


def rows_of(
    kind: Kind,
    tables: Mapping[str, Table],
    columns: Columns,
    separator: str,
    names: Sequence[str] = (),
) -> tuple[list[list[Made]], bool]:
    """Make the rows of each table. Returns them, and whether an item has two texts.

    ``tables`` are under the beginnings of the ids that are made where there is no column of ids; ``names``
    are those of the positions of multi-hot labels. Raises InputError for a column that is missing and for
    a cell that holds what it should not.
    """
    there = frozenset().union(*(table.columns for table in tables.values()))
    wanted = dict(chosen(kind, there, columns).keys)
    hot = kind.hot_columns(columns, there, names)
    if hot:
        del wanted[kind.gold]
    for table in tables.values():
        _check_columns(table, wanted, columns, hot)
    if not names:
        column = wanted[kind.gold]
        records = [record for table in tables.values() for record in table.records]
        values = [record.values[column] for record in records]
        kind.check_cells(values, f"{records[0].where}: the column '{column}'")
    made = []
    for stem, table in tables.items():
        made.append([])
        for number, record in enumerate(table.records, 1):
            row: Row = {"id": _name(record, columns.id or "id", f"{stem}-{number}")}
            if doc := _name(record, columns.doc or "doc", ""):
                row["doc"] = doc
            for key, column in wanted.items():
                value, where = record.values[column], f"{record.where}: the column '{column}'"
                if key == kind.gold:
                    row[key] = kind.gold_in(value, where, separator=separator, names=names)
                else:
                    row[key] = words_in(value, where) if kind.tokenized else _text(key, column, value, where)
            if hot:
                row[kind.gold] = named_by(names, [record.values[name] for name in names], record.where)
            split = record.values.get("split") if table.named else None
            made[-1].append(Made({**row, **record.extra}, record.where, "" if split is None else str(split)))
    return made, "text_b" in wanted


def chosen(kind: Kind, there: frozenset[str], columns: Columns) -> Chosen:
    """Choose the columns for a kind among those ``there``, as far as the user named none."""
    doubts: list[str] = []
    keys = _token_or_text_columns(kind, there, columns, doubts)
    gold, doubtful = kind.gold_column(columns, there)
    return Chosen(keys | {kind.gold: gold}, [*doubts, *doubtful])


def _token_or_text_columns(
    kind: Kind, there: frozenset[str], columns: Columns, doubts: list[str]
) -> dict[str, str]:
    """Choose the columns of tokens or texts; a second text is read if there is one, unless declined."""
    if kind.tokenized:
        return {"tokens": columns.text or "tokens"}
    second = columns.text_b if columns.text_b is not None else "text_b" * ("text_b" in there)
    if not kind.paired and not second:
        if columns.text is None and columns.text_b is None and {"text", "text_a"} <= there:
            doubts.append("the column 'text' was read and 'text_a' was not; --text names another")
        return {"text": columns.text or "text"}
    if columns.text is None and {"text", "text_a"} <= there:
        doubts.append("the columns 'text_a' and 'text_b' were read and 'text' was not; --text names another")
    elif columns.text is not None and columns.text_b is None and not kind.paired:
        doubts.append("the column 'text_b' was read as the second text; --text-b '' reads one text alone")
    first = columns.text or ("text" if "text" in there and "text_a" not in there else "text_a")
    return {"text_a": first, "text_b": second or "text_b"}


# the names that a column has where no option names it
_USUAL = {"id", "doc", "split", "text", "text_a", "text_b", "label", "labels", "score", "tokens", "tags"}


def _check_columns(
    table: Table, wanted: Mapping[str, str], columns: Columns, others: Sequence[str] = ()
) -> None:
    said = {option: name for option, name in columns.said().items() if name}
    if not table.named:  # see conll and tagged, which look into what is said of such columns
        return
    alone = "; the file has one column, --delimiter names what separates columns"
    for column in (*wanted.values(), *others, *said.values()):
        option = next((option for option, name in said.items() if name == column), "")
        told = f"there is no column '{column}'" + (f", which {option} names" if option else "")
        if table.head:
            if column not in table.columns:
                mend = alone if len(table.columns) == 1 and len(wanted) > 1 else ""
                if not mend and table.columns.isdisjoint({*wanted.values(), *_USUAL}):
                    mend = _on_headers(table)
                raise InputError(f"{table.head}: {told}{did_you_mean(column, table.columns)}{mend}")
            continue
        for record in table.records:
            if column not in record.values:
                hint = did_you_mean(column, record.values)
                raise InputError(f"{record.where}: the key '{column}' is missing{hint}")


def _on_headers(table: Table) -> str:
    """A hint for tables in which no column has a requested or usual name."""
    if table.columns == {str(number + 1) for number in range(len(table.columns))}:
        return "; without a header columns are named by their number, as in --text 1"
    return (
        "; the first row should name the columns; if it is data, --no-header reads it, and options name "
        "columns by their number, as in --text 1"
    )


def _text(key: str, column: str, value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        mend = "; --text-b '' reads one text alone" if key == "text_b" and column == "text_b" else ""
        raise InputError(f"{where} should hold a text, not {shown(value)}{mend}")
    return value


def _name(record: Record, column: str, otherwise: str) -> str:
    if column not in record.values:
        return otherwise
    value = record.values[column]
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise InputError(f"{record.where}: the column '{column}' should hold a name, not {shown(value)}")
    return str(value).strip()


def check_ids(rows: Sequence[Made], what: str) -> None:
    """Raise InputError, with both places, if two rows have the same id."""
    seen: dict[str, str] = {}
    for made in rows:
        id_ = made.row["id"]
        if id_ in seen:
            raise InputError(f"{made.where}: the id '{id_}' is used twice{what}; the first is at {seen[id_]}")
        seen[id_] = made.where
