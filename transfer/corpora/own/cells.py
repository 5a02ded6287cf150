"""Rows of cells in a text (CSV, TSV and their relatives), with the quoting found in it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from transfer.corpora.own.tables import Quoting

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}


@dataclass(frozen=True)
class Row:
    """The cells of a row and the physical line it starts on.

    ``quoted`` has the positions of the cells that stood in quotation marks, with the lines on which these
    open; ``raw`` is the row as the file has it where it runs over several lines, else empty.
    """

    line: int
    cells: Sequence[str]
    quoted: Mapping[int, int] = field(default_factory=dict)
    raw: str = ""


class BrokenQuoting(Exception):
    """A quotation mark opens a cell and does not close it; ``line`` is the one it opens on."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


@dataclass(frozen=True)
class Reading:
    """One way to read a text as rows.

    ``problem`` says why the text cannot be read so, ``doubts`` what else it could mean; both begin with the
    line.
    """

    delimiter: str
    quoting: Quoting
    rows: Sequence[Row]
    problem: str = ""
    doubts: Sequence[str] = ()

    @property
    def width(self) -> int:
        """The number of columns that the header names."""
        return len(self.rows[0].cells) if self.rows else 0


def rows_in(text: str, delimiter: str, quoting: Quoting) -> Iterator[Row]:
    """The rows of a text as in RFC 4180, without blank lines; spaces around a quoted cell are dropped.

    Raises BrokenQuoting.

    >>> [row.cells for row in rows_in('a, "b ""c"" d"', ",", "double")]
    [['a', 'b "c" d']]
    """
    mark = re.escape(delimiter)
    space = "" if delimiter == " " else " *"
    body = r'[^"\\]*(?:\\.[^"\\]*)*' if quoting == "backslash" else r'[^"]*(?:""[^"]*)*'
    in_marks = re.compile(rf'{space}"({body})"{space}(?=[{mark}\r\n]|\Z)', re.DOTALL)
    bare = re.compile(rf"[^{mark}\r\n]*")
    openings = () if quoting == "none" else ('"', " ")
    at, line = 0, 1
    while at < len(text):
        start, first = at, line
        cells: list[str] = []
        quoted: dict[int, int] = {}
        while True:
            match = in_marks.match(text, at) if text[at : at + 1] in openings else None
            if match:
                quoted[len(cells)] = line
                cells.append(_unescaped(match[1], quoting))
                line += line_breaks(match[1])
            else:
                if quoting != "none" and text.startswith('"', at):
                    raise BrokenQuoting(line)
                match = bare.match(text, at)
                assert match  # it matches nothing, too
                cells.append(match[0])
            at = match.end()
            if not text.startswith(delimiter, at):
                break
            at += 1
        raw = text[start:at] if line > first else ""
        at += 2 if text.startswith("\r\n", at) else 1
        line += 1
        if len(cells) > 1 or quoted or cells[0].strip(" "):
            yield Row(first, cells, quoted, raw)


def line_breaks(text: str) -> int:
    r"""The number of line ends in a text: \n, \r\n or \r."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _unescaped(body: str, quoting: Quoting) -> str:
    if quoting == "backslash":
        return re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL)
    return body.replace('""', '"')


def read_as(text: str, delimiter: str, quoting: Quoting | None) -> Reading:
    """The reading of a text with this separator; the quoting is detected where ``quoting`` is None.

    Quotation marks are those of RFC 4180, but for files with tabs: there they are ordinary characters
    unless the file is quoted throughout or nothing else explains it. A quoted cell that takes in what could
    be whole rows is a problem unless something shows that it was meant.
    """
    if quoting is not None:
        return _checked(text, delimiter, quoting)
    plain = _checked(text, delimiter, "none")
    if '"' not in text:
        return plain
    try:
        rows = list(rows_in(text, delimiter, "double"))
    except BrokenQuoting as error:
        if delimiter == "\t":
            return plain
        return _broken(text, delimiter, error.line, plain)
    marked = _checked(text, delimiter, "double", rows)
    if not any(row.quoted for row in rows):
        return plain
    return _tabbed(marked, plain) if delimiter == "\t" else _comma_like(marked, plain)


def _checked(text: str, delimiter: str, quoting: Quoting, rows: Sequence[Row] | None = None) -> Reading:
    """The rows, and a problem where one has more or fewer cells than the header, or its quoting is broken."""
    if rows is None:
        try:
            rows = list(rows_in(text, delimiter, quoting))
        except BrokenQuoting as error:
            return Reading(delimiter, quoting, (), _is_broken(error.line))
    width = len(rows[0].cells) if rows else 0
    ragged = next((row for row in rows if len(row.cells) != width), None)
    if ragged is None:
        return Reading(delimiter, quoting, rows)
    name = name_of(delimiter)
    mend = f"a cell with a {name} in it stands in double quotes"
    if quoting == "none" and '"' in text:
        mend = "quotation marks were read as characters, --quoting double reads them as quoting"
    return Reading(
        delimiter,
        quoting,
        rows,
        f" line {ragged.line}: {len(ragged.cells)} cells, but the header names {width} columns; {mend}",
    )


def name_of(delimiter: str) -> str:
    """The word for a separator: comma, tab, …, else the character itself."""
    return next((name for name, each in DELIMITERS.items() if each == delimiter), f"'{delimiter}'")


def _is_broken(line: int) -> str:
    return (
        f" line {line}: the quoting of the cell that starts here is broken; a cell with a quotation mark in "
        "it stands in double quotes, the mark doubled"
    )


def _broken(text: str, delimiter: str, line: int, plain: Reading) -> Reading:
    problem = _is_broken(line)
    if not plain.problem:
        problem += "; --quoting none reads the marks as ordinary characters"
    if '\\"' in text and not _checked(text, delimiter, "backslash").problem:
        problem += '; --quoting backslash reads \\" as a mark'
    return Reading(delimiter, "double", (), problem)


def _tabbed(marked: Reading, plain: Reading) -> Reading:
    """The likelier of two readings of a file with tabs, quotation marks at the beginning of some cells."""
    swallowing = [row for row in marked.rows if row.raw]
    # the lines of a file of one column may all lie between two marks by chance
    one_cell = swallowing and marked.width == 1 and len(marked.rows) == 2
    if _throughout(marked) and not one_cell:
        return marked
    if marked.problem:
        return plain
    if plain.problem:
        across = [row for row in swallowing if any(_takes_rows(row, i, "\t") for i in row.quoted)]
        return replace(marked, problem=_swallowed(across[0], marked)) if across else marked
    if swallowing:
        # by chance the lines of one quoted cell look like rows, hardly those of two
        if len(swallowing) == 1 or plain.width == 1:
            return replace(marked, problem=_swallowed(swallowing[0], marked))
        told = f"{_swallowed(swallowing[0], marked)}; they were read as characters"
        return replace(plain, doubts=(told,))
    line = next(row.line for row in marked.rows if row.quoted)
    if _quoted_by_need(marked):
        told = "cells with a quotation mark in them stand in double quotes, which were taken off"
        return replace(marked, doubts=(f" line {line}: {told}; --quoting none keeps them",))
    told = "some cells stand in double quotes, which were read as characters of the text"
    return replace(plain, doubts=(f" line {line}: {told}; --quoting double takes them off",))


def _comma_like(marked: Reading, plain: Reading) -> Reading:
    if marked.problem or _throughout(marked):
        mend = "; --quoting none reads quotation marks as ordinary characters"
        return (
            replace(marked, problem=marked.problem + mend) if marked.problem and not plain.problem else marked
        )
    for row in marked.rows:
        # a mark in a cell that is doubled shows that the quoting was meant
        meant = any('"' in row.cells[i] for i in row.quoted)
        if row.raw and not meant and _lines_are_rows(row, marked):
            told = _swallowed(row, marked)
            if not plain.problem:
                return replace(marked, problem=told)
            return replace(marked, doubts=(f"{told}; it was read as one cell",))
    return marked


def _throughout(reading: Reading) -> bool:
    """Whether some column has all its cells in quotation marks, empty ones aside."""
    body = reading.rows[1:]
    always = set(range(reading.width))
    for row in body:
        always &= {i for i, cell in enumerate(row.cells) if i in row.quoted or not cell.strip()}
    return any(i in row.quoted for row in body for i in always)


def _quoted_by_need(reading: Reading) -> bool:
    """Whether just those cells are quoted that programs quote: with marks in them, or (Excel) with commas."""
    cells = [(i in row.quoted, cell) for row in reading.rows for i, cell in enumerate(row.cells)]
    return any(
        all(quoted == any(c in cell for c in needing) for quoted, cell in cells) for needing in ('"', '",')
    )


def _takes_rows(row: Row, i: int, delimiter: str) -> bool:
    return delimiter in row.cells[i] and line_breaks(row.cells[i]) > 0


def _lines_are_rows(row: Row, reading: Reading) -> bool:
    """Whether each line of a row that runs over several would be a row of the file by itself."""
    lines = re.split(r"\r\n|\r|\n", row.raw)
    return all(line.count(reading.delimiter) + 1 == reading.width for line in lines)


def _swallowed(row: Row, reading: Reading) -> str:
    """The sentence on a quoted cell that runs over several lines."""
    i = next(i for i in row.quoted if line_breaks(row.cells[i]))
    first = row.quoted[i]
    return (
        f" line {first}: the quotation mark that opens here closes on line "
        f"{first + line_breaks(row.cells[i])}, around what may be rows by themselves; --quoting none reads "
        "quotation marks as characters and each line as a row, --quoting double keeps this one cell"
    )
