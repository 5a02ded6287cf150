"""Shared by the tests of own files: read what was written, in the shape that the tests compare."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transfer.corpora import own


def read(kind: str, *sources: Path, **more: Any):
    """The card and the reading of files, as ``prepare own --from`` reads them."""
    request = own.Request(kind=kind, name="mine", sources=tuple((path, None) for path in sources), **more)  # type: ignore[arg-type]
    return own.read(request)


def items(reading, *keys: str) -> list[tuple]:
    """Values of ``keys`` in the rows of all splits, in the order of the numbers in their made ids."""
    rows = [row for split in ("train", "dev", "test") for row in reading.rows[split]]
    rows.sort(key=lambda row: int(row["id"].rpartition("-")[2]))
    return [tuple(row[key] for key in keys) for row in rows]


def csv_text(rows: Sequence[Sequence[str]], **dialect: Any) -> str:
    """Rows as Python's csv module writes them."""
    text = io.StringIO(newline="")
    csv.writer(text, **dialect).writerows(rows)
    return text.getvalue()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path
