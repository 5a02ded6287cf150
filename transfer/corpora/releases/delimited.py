"""Tables with quoted fields, as spreadsheets save them."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from transfer.corpora.releases.base import text_of, wrong


def records_of(path: Path, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The records that are not blank, each with the number of its last line.

    A field may stand in quotation marks and go on over several lines; white space around it is left out.
    """
    lines = csv.reader(io.StringIO(text_of(path), newline=""), delimiter=separator, strict=True)
    try:
        for values in lines:
            fields = [value.strip() for value in values]
            if any(fields):
                yield lines.line_num, fields
    except csv.Error as error:
        what = f"not a valid table ({error}); a quotation mark in a quoted field is doubled"
        raise wrong(path, lines.line_num, what) from None
