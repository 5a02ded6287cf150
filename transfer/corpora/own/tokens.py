"""Tables with one token per row: usual names of their columns, and grouping of rows into sentences."""

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from transfer.corpora.own.rows import Columns
from transfer.corpora.own.tables import Record, Table
from transfer.inputs import InputError
from transfer.kinds.printed import is_printed

TOKENS = ("tokens", "token", "words", "word", "form", "text")
SPANS = ("tags", "ner_tags", "tag", "ner_tag", "ner", "iob", "bio", "labels", "label")
LABELS = ("tags", "pos_tags", "upos", "pos", "tag", "pos_tag", "xpos", "labels", "label")
SENTENCES = (
    "sentence_id", "sentence id", "sent_id", "sentence #", "sentence_idx", "sentence_number", "sentence_no",
    "sentenceid", "sentid", "sentence", "sent",
)  # fmt: skip


def usual(there: Collection[str], wanted: Sequence[str]) -> list[str]:
    """Columns with a usual name, the most usual first; case does not matter.

    >>> usual(["Word", "Tag", "POS"], TOKENS)
    ['Word']
    """
    names: dict[str, str] = {}
    for name in sorted(there):
        names.setdefault(name.strip().lower(), name)
    return [names[name] for name in wanted if name in names]


def runs(keys: Sequence[Hashable], places: Sequence[str]) -> Iterator[slice]:
    """Runs of equal keys, which are the sentences. Raises InputError if a key recurs after another one."""
    began: dict[Hashable, str] = {}
    start = 0
    for i in range(1, len(keys) + 1):
        if i < len(keys) and keys[i] == keys[start]:
            continue
        if keys[start] in began:
            raise InputError(
                f"{places[start]}: goes on with a sentence that began at {began[keys[start]]}, after others; "
                "sort the rows by sentence or, where each document numbers its sentences anew, name the "
                "column of the document with --doc"
            )
        began[keys[start]] = places[start]
        yield slice(start, i)
        start = i


def filled(cells: Sequence[Any], places: Sequence[str], column: str) -> list[str]:
    """Fill the empty cells of a sentence column with the sentence of the previous row."""
    keys: list[str] = []
    for cell, place in zip(cells, places, strict=True):
        if cell is None or cell != cell or not str(cell).strip():  # NaN is what a data frame leaves
            if not keys:
                raise InputError(f"{place}: the column '{column}' is empty, and no sentence is before it")
            keys.append(keys[-1])
        else:
            keys.append(str(cell).strip())
    return keys


def in_sentences(table: Table, text: str, tags: str, columns: Columns) -> tuple[Table, str | None]:
    """Join rows of one token into sentences. Returns the table, and the column that numbers the sentences.

    Rows of one token are joined where a column numbers the sentences. Raises InputError where each row
    has one token and nothing says which belong together.
    """
    records = table.records
    single = len(records) > 1 and all(_is_single(record.values.get(text)) for record in records)
    found = [columns.sentence] if columns.sentence else usual(table.columns - {text, tags}, SENTENCES)
    if not columns.sentence and not single:
        return table, None
    listed = all(isinstance(record.values.get(text), list) for record in records)
    if not found:
        told = "every item has one token"
        if listed:
            return replace(table, doubts=(*table.doubts, f"{table.path.name}: {told}; {_MEND}")), None
        raise InputError(f"{table.path}: {told}, '{records[0].values[text]}' the first; {_MEND}")
    sentence = found[0]
    doubts = list(table.doubts)
    if not columns.sentence:
        doubts.append(
            f"{table.path.name}: each row holds one token; the column '{sentence}' says which are a sentence "
            "(--sentence COLUMN names another)"
        )
    joined = list(_joined(table, text, tags, sentence, columns))
    told = f"{table.format}; {len(records)} rows of one token".removeprefix("; ")
    return replace(table, records=joined, doubts=doubts, format=told), sentence


_MEND = "if its rows are the tokens of sentences, name the column that numbers these with --sentence COLUMN"


def _is_single(cell: Any) -> bool:
    if isinstance(cell, list):
        return len(cell) == 1
    return not isinstance(cell, str) or (" " not in cell.strip(" ") and not is_printed(cell))


def _joined(table: Table, text: str, tags: str, sentence: str, columns: Columns) -> Iterator[Record]:
    records = table.records
    for record in records:
        if sentence not in record.values:
            raise InputError(f"{record.where}: the column '{sentence}' is missing")
    places = [record.where for record in records]
    doc = columns.doc or "doc"
    numbers = filled([record.values[sentence] for record in records], places, sentence)
    keys = [
        (str(record.values.get(doc)), str(record.values.get("split")), number)
        for record, number in zip(records, numbers, strict=True)
    ]
    for run in runs(keys, places):
        part = records[run]
        values = {key: value for key, value in part[0].values.items() if key != "id" or columns.id}
        for column in (text, tags):
            values[column] = [_cell(record, column) for record in part]
        yield Record(part[0].where, values, tuple(places[run]))


def _cell(record: Record, column: str) -> Any:
    cell = record.values.get(column)
    cell = cell[0] if isinstance(cell, list) and len(cell) == 1 else cell
    return cell.strip(" ") if isinstance(cell, str) else cell
