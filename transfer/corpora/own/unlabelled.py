"""Texts to be labelled: a file of one's own, read as the texts of a corpus whose card is known."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from transfer.corpora import own
from transfer.corpora.base import Card, Example
from transfer.corpora.own.rows import Columns, rows_of, words_in
from transfer.corpora.own.tables import Table
from transfer.corpora.prepared import examples
from transfer.inputs import InputError


def texts_of(card: Card, path: Path, columns: Columns | None = None) -> list[Example]:
    """The items of a file (JSON lines, CSV, TSV, Parquet; for tagging also CoNLL columns), in its order.

    What the file says of labels is not looked at; an Example's ``gold`` means nothing. Raises InputError,
    with file and line, for what is wrong in the file or does not fit the card.
    """
    columns = columns or Columns()
    if not path.exists():
        raise InputError(f"{path}: no such file")
    table = own.table_of(own.Request(card.kind, card.name, (), columns), path)
    if not table.records:
        raise InputError(f"{path}: holds no example")
    two = card.pair or card.kind == "similarity"
    wanted = columns.text or ("tokens" if card.kind == "tagging" else "text_a" if two else "text")
    if two:
        # said of both, so that a file's other columns do not decide whether it holds pairs
        columns = replace(columns, text=wanted, text_b=columns.text_b or "text_b")
    elif card.kind != "tagging":
        columns = replace(columns, text=wanted)
    made, _ = rows_of(card.kind, {path.stem: _blank(card, table, wanted)}, columns, ";")
    return list(examples(card, ((one.where, one.row) for one in made[0])))


def _blank(card: Card, table: Table, text: str) -> Table:
    """The table with a label in each record that the card allows, in place of whatever it has."""
    key, value = {
        "similarity": ("score", card.range[0] if card.range else 0.0),
        "tagging": ("tags", None),
        "multilabel": ("labels", []),
    }.get(card.kind, ("label", card.labels[0] if card.labels else None))

    said = {"label", "labels", "score"} - {text}

    def values(of: Mapping[str, Any], where: str) -> dict[str, Any]:
        if key != "tags":
            return {**{name: of[name] for name in of if name not in said}, key: value}
        count = len(words_in(of[text], f"{where}: the column '{text}'")) if text in of else 0
        return {**of, key: ["O"] * count}

    records = [
        replace(record, values=values(record.values, record.where), extra={}) for record in table.records
    ]
    return replace(table, records=records, columns=(table.columns - said) | {key})
