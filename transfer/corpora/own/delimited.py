"""Reader for CSV, TSV and similar tables, with detection of the delimiter."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

from transfer.corpora.own.cells import Parse, line_breaks, name_of, read_as
from transfer.corpora.own.tables import Dialect, Record, Table, decoded
from transfer.inputs import InputError

# what is tried where the separator that the file's name tells does not fit
CANDIDATES = (",", "\t", ";", "|")


def separated(path: Path, dialect: Dialect, usual: str = ",") -> Table:
    """Read a table whose first line names the columns, or that has no header.

    ``usual`` is the separator that the file's name tells; where it does not divide the header and another
    one fits every row, that one is taken. A row's place is the physical line on which it starts. Raises
    InputError where the quoting is broken, a row has more or fewer cells than the header, a column is
    named twice, or several readings are equally likely.
    """
    text, encoding = decoded(path, dialect.encoding)
    text, skipped, said = _without_sep_line(text)
    reading = _reading(path, text, dialect, said or usual)
    before = line_breaks(skipped)
    if reading.problem:
        raise InputError(f"{path}{_moved(reading.problem, before)}")
    if not reading.rows:
        mend = "; its first line should name the columns" if dialect.header else ""
        raise InputError(f"{path}: is empty{mend}")
    head, *body = reading.rows
    names = [name.strip() for name in head.cells]
    if not dialect.header:
        names, body = [str(number) for number in range(1, len(names) + 1)], list(reading.rows)
    where = f"{path} line {head.line + before}"
    # a column without a name is what a data frame's index leaves behind
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise InputError(f"{where}: the column '{twice[0]}' is named twice")
    doubts = [f"{path}{_moved(doubt, before)}" for doubt in reading.doubts]
    full = len(body)
    while full and not any(cell.strip() for cell in body[full - 1].cells):
        full -= 1
    if full < len(body):
        doubts.append(
            f"{path} line {body[full].line + before}: the rows from here on have empty cells alone and were "
            "left out; delete them"
        )
    records = [
        Record(
            f"{path} line {row.line + before}",
            {name: cell for name, cell in zip(names, row.cells, strict=True) if name},
        )
        for row in body[:full]
    ]
    marks = {"none": "no quoting", "double": "double quotes", "backslash": "quotes with backslashes"}
    return Table(
        path,
        records,
        frozenset(filter(None, names)),
        head=where,
        format=f"{encoding}, separator {name_of(reading.delimiter)}, {marks[reading.quoting]}",
        doubts=tuple(doubts),
        skipped={"empty rows at the end": len(body) - full} if full < len(body) else {},
    )


def _without_sep_line(text: str) -> tuple[str, str, str]:
    """Split off Excel's line ``sep=;``. Returns the rest, that line, and its delimiter."""
    match = re.match(r'"?sep=([^\r\n"])"?[ ,;\t]*(?:\r\n|\r|\n)', text, re.IGNORECASE)
    return (text[match.end() :], match[0], match[1]) if match else (text, "", "")


def _moved(told: str, lines: int) -> str:
    """Add ``lines`` to the line numbers in a message."""
    return re.sub(r"\bline (\d+)", lambda match: f"line {int(match[1]) + lines}", told) if lines else told


def _reading(path: Path, text: str, dialect: Dialect, usual: str) -> Parse:
    if dialect.delimiter is not None:
        return read_as(text, dialect.delimiter, dialect.quoting)
    first = read_as(text, usual, dialect.quoting)
    # a comma on every line of a table without a header can be a comma in its texts; a tab cannot
    certain = dialect.header or usual == "\t"
    if first.width > 1 and not first.problem and certain:
        return first
    others = [read_as(text, each, dialect.quoting) for each in CANDIDATES if each != usual]
    dividing = [reading for reading in others if reading.width > 1]
    fitting = [reading for reading in dividing if not reading.problem]
    if first.width > 1 and not first.problem:
        fitting = [first, *fitting]
    if len(fitting) > 1:
        names = " or ".join(name_of(reading.delimiter) for reading in fitting)
        raise InputError(f"{path}: its columns may be separated by {names}; say which with --delimiter")
    if not fitting:
        # the header alone may tell the separator
        if first.width > 1 or len(dividing) != 1:
            return first
        mend = f" (the separator seems to be {name_of(dividing[0].delimiter)}; --delimiter names another)"
        return replace(dividing[0], problem=dividing[0].problem + mend)
    if first.width <= 1 or fitting[0] is first:
        return fitting[0]
    told = (
        f": was read with {name_of(fitting[0].delimiter)} between columns, since {name_of(usual)} does not "
        f"fit all rows; --delimiter {name_of(usual)} insists on it"
    )
    return replace(fitting[0], doubts=(*fitting[0].doubts, told))
