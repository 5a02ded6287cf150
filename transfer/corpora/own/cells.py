"""Parser for CSV, TSV and similar text, with detection of the quoting."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from transfer.corpora.own.tables import Quoting

DELIMITERS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}


@dataclass(frozen=True)
class CellRow:
    """Cells of a row and the physical line on which it starts.

    ``quoted`` has the positions of the cells that stood in quotation marks, with the lines on which these
    open; ``raw`` is the row as the file has it where it runs over several lines, else empty.
    """

    line: int
    cells: Sequence[str]
    quoted: Mapping[int, int] = field(default_factory=dict)
    raw: str = ""


class Broken(Exception):
    """Text that cannot be parsed as rows; the message begins with the line.

    ``quoting`` says whether that is because a quotation mark opens a cell and does not close it.
    """

    def __init__(self, problem: str, *, quoting: bool) -> None:
        super().__init__(problem)
        self.quoting = quoting


@dataclass(frozen=True)
class Parse:
    """Result of parsing a text with one delimiter and one quoting style.

    ``problem`` says why the text cannot be read so, ``doubts`` what else it could mean; both begin with the
    line.
    """

    delimiter: str
    quoting: Quoting
    rows: Sequence[CellRow]
    problem: str = ""
    doubts: Sequence[str] = ()

    @property
    def width(self) -> int:
        """The number of columns that the header names."""
        return len(self.rows[0].cells) if self.rows else 0


_UNCLOSED = (
    " line {}: the quoting of the cell that starts here is broken; a cell with a quotation mark in it stands "
    "in double quotes, the mark doubled"
)
_STRAY_RETURN = (
    " line {}: a carriage return stands inside the line; end all lines alike, and put a cell with a line "
    "break in double quotes"
)


def rows_in(text: str, delimiter: str, quoting: Quoting) -> Iterator[CellRow]:
    """Parse rows as in RFC 4180, without blank lines; spaces around a quoted cell are dropped.

    Raises Broken where a quotation mark is not closed, or where a carriage return stands by itself although
    lines end otherwise: readers differ in whether it ends a row.

    >>> [row.cells for row in rows_in('a, "b ""c"" d"', ",", "double")]
    [['a', 'b "c" d']]
    """
    mark = re.escape(delimiter)
    space = "" if delimiter == " " else " *"
    body = r'[^"\\]*(?:\\.[^"\\]*)*' if quoting == "backslash" else r'[^"]*(?:""[^"]*)*'
    in_marks = re.compile(rf'{space}"({body})"{space}(?=[{mark}\r\n]|\Z)', re.DOTALL)
    bare = re.compile(rf"[^{mark}\r\n]*")
    openings = () if quoting == "none" else ('"', " ")
    feeds = "\n" in text
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
                    raise Broken(_UNCLOSED.format(line), quoting=True)
                match = bare.match(text, at)
                assert match  # it matches nothing, too
                cells.append(match[0])
            at = match.end()
            if not text.startswith(delimiter, at):
                break
            at += 1
        raw = text[start:at] if line > first else ""
        if feeds and text.startswith("\r", at) and not text.startswith("\r\n", at):
            raise Broken(_STRAY_RETURN.format(line), quoting=False)
        at += 2 if text.startswith("\r\n", at) else 1
        line += 1
        if len(cells) > 1 or quoted or cells[0].strip(" "):
            yield CellRow(first, cells, quoted, raw)


def line_breaks(text: str) -> int:
    r"""The number of line ends in a text: \n, \r\n or \r."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _unescaped(body: str, quoting: Quoting) -> str:
    if quoting == "backslash":
        return re.sub(r"\\(.)", r"\1", body, flags=re.DOTALL)
    return body.replace('""', '"')


def read_as(text: str, delimiter: str, quoting: Quoting | None) -> Parse:
    """Parse a text with this delimiter; the quoting is detected if ``quoting`` is None.

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
    except Broken as error:
        if delimiter == "\t":
            return plain
        return _broken(text, delimiter, error, plain)
    marked = _checked(text, delimiter, "double", rows)
    if not any(row.quoted for row in rows):
        return plain
    return _tabbed(marked, plain) if delimiter == "\t" else _comma_like(marked, plain)


def _checked(text: str, delimiter: str, quoting: Quoting, rows: Sequence[CellRow] | None = None) -> Parse:
    """Parse a text; a row of another length than the header, or broken quoting, is a problem."""
    if rows is None:
        try:
            rows = list(rows_in(text, delimiter, quoting))
        except Broken as error:
            return Parse(delimiter, quoting, (), str(error))
    width = len(rows[0].cells) if rows else 0
    ragged = next((row for row in rows if len(row.cells) != width), None)
    if ragged is None:
        return Parse(delimiter, quoting, rows)
    name = name_of(delimiter)
    mend = f"a cell with a {name} in it stands in double quotes"
    if quoting == "none" and '"' in text:
        mend = "quotation marks were read as characters, --quoting double reads them as quoting"
    columns = "1 column" if width == 1 else f"{width} columns"
    problem = f" line {ragged.line}: {len(ragged.cells)} cells, but the header names {columns}; {mend}"
    return Parse(delimiter, quoting, rows, problem)


def name_of(delimiter: str) -> str:
    """Name of a delimiter: comma, tab, …, or the character itself."""
    return next((name for name, each in DELIMITERS.items() if each == delimiter), f"'{delimiter}'")


def _broken(text: str, delimiter: str, error: Broken, plain: Parse) -> Parse:
    problem = str(error)
    if error.quoting and not plain.problem:
        problem += "; --quoting none reads the marks as ordinary characters"
    if error.quoting and '\\"' in text and not _checked(text, delimiter, "backslash").problem:
        problem += '; --quoting backslash reads \\" as a mark'
    return Parse(delimiter, "double", (), problem)


def _tabbed(marked: Parse, plain: Parse) -> Parse:
    """Choose between two parses of a tab-separated file in which some cells begin with quotation marks."""
    swallowing = [row for row in marked.rows if row.raw]
    # the lines of a file of one column may all lie between two marks by chance
    one_cell = swallowing and marked.width == 1 and len(marked.rows) == 2
    if _throughout(marked) and not one_cell:
        return marked
    if marked.problem:
        return plain
    if plain.problem:
        across = [row for row in swallowing if any(_takes_rows(row, i, "\t") for i in row.quoted)]
        return replace(marked, problem=_undecided(across[0])) if across else marked
    if swallowing:
        # by chance the lines of one quoted cell look like rows, hardly those of two
        if len(swallowing) == 1 or plain.width == 1:
            return replace(marked, problem=_undecided(swallowing[0]))
        told = (
            f"{_opens(swallowing[0])}; quotation marks were read as characters and each line as a row, "
            "--quoting double reads one cell"
        )
        return replace(plain, doubts=(told,))
    line = next(row.line for row in marked.rows if row.quoted)
    if _quoted_by_need(marked):
        told = "cells with a quotation mark in them stand in double quotes, which were taken off"
        return replace(marked, doubts=(f" line {line}: {told}; --quoting none keeps them",))
    told = "some cells stand in double quotes, which were read as characters of the text"
    return replace(plain, doubts=(f" line {line}: {told}; --quoting double takes them off",))


def _comma_like(marked: Parse, plain: Parse) -> Parse:
    if marked.problem or _throughout(marked):
        mend = "; --quoting none reads quotation marks as ordinary characters"
        return (
            replace(marked, problem=marked.problem + mend) if marked.problem and not plain.problem else marked
        )
    for row in marked.rows:
        if _may_be_rows(row, marked):
            if not plain.problem:
                return replace(marked, problem=_undecided(row))
            told = f"{_opens(row)}; it was read as one cell, --quoting none reads each line as a row"
            return replace(marked, doubts=(told,))
    return marked


def _throughout(reading: Parse) -> bool:
    """Whether all non-empty cells of the header or of some column are quoted.

    A column does not tell where cells of it could be several rows: then these marks made it look so.
    """
    head, body = reading.rows[0], reading.rows[1:]
    if reading.width > 1 and len(head.quoted) == reading.width:
        return True
    if any(_may_be_rows(row, reading) for row in body):
        return False
    always = set(range(reading.width))
    for row in body:
        always &= {i for i, cell in enumerate(row.cells) if i in row.quoted or not cell.strip()}
    return any(i in row.quoted for row in body for i in always)


def _quoted_by_need(reading: Parse) -> bool:
    """Whether the quoted cells are those that programs quote: with marks or (Excel) commas in them."""
    cells = [(i in row.quoted, cell) for row in reading.rows for i, cell in enumerate(row.cells)]
    return any(
        all(quoted == any(c in cell for c in needing) for quoted, cell in cells) for needing in ('"', '",')
    )


def _takes_rows(row: CellRow, i: int, delimiter: str) -> bool:
    return delimiter in row.cells[i] and line_breaks(row.cells[i]) > 0


def _may_be_rows(row: CellRow, reading: Parse) -> bool:
    """Whether each line of a multi-line row could be a row by itself."""
    # a mark that is doubled shows that the quoting was meant
    if not row.raw or any('"' in row.cells[i] for i in row.quoted):
        return False
    lines = re.split(r"\r\n|\r|\n", row.raw)
    return all(line.count(reading.delimiter) + 1 == reading.width for line in lines)


def _opens(row: CellRow) -> str:
    """Beginning of a message about the first quoted cell of a multi-line row."""
    i = next(i for i in row.quoted if line_breaks(row.cells[i]))
    first = row.quoted[i]
    last = first + line_breaks(row.cells[i])
    return f" line {first}: the quotation mark that opens here closes on line {last}, around what may be rows"


def _undecided(row: CellRow) -> str:
    return (
        f"{_opens(row)} by themselves; --quoting none reads quotation marks as characters and each line as a "
        "row, --quoting double keeps it all in one cell"
    )
