"""Reader for plain text to predict: texts or tokens per line, CoNLL columns, or a folder of documents."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from transfer.corpora.own.sources import COLUMNS, stem_of, suffix_of
from transfer.corpora.own.tables import Record, Table, text_of
from transfer.corpora.releases.base import wrong
from transfer.corpora.releases.mentions import tagged_rows
from transfer.corpora.releases.text import sentences
from transfer.inputs import InputError


class Layout(StrEnum):
    """Unit of a line in a plain text file."""

    TEXT = "text"
    TOKENS = "tokens"
    CONLL = "conll"


READ_AS: Mapping[Layout, str] = {
    Layout.TEXT: "one text per line",
    Layout.TOKENS: "one token per line, with a blank line between sentences",
    Layout.CONLL: "CoNLL columns, of which only that of the token is read",
}

# a tag that names its type (B-Drug), and one that is only a prefix
_TYPED = re.compile(r"[BIESLU][-_]\S+|\S+[-_][BIESLU]", re.ASCII)
_BARE = re.compile(r"[OBIESLU]", re.ASCII)
Line = tuple[int, str]


def numbered_lines(path: Path, encoding: str | None = None) -> list[Line]:
    """Numbered lines of a text file with LF, CRLF or CR line ends.

    A carriage return ends a line only in a file without line feeds. Raises InputError where one
    stands inside a line: the file could be divided in two ways.
    """
    text = text_of(path, encoding).replace("\r\n", "\n")
    if "\r" in text:
        if "\n" in text:
            line = text.count("\n", 0, text.index("\r")) + 1
            raise wrong(
                path,
                line,
                "a carriage return stands inside the line; end all lines in the same way (LF or CRLF), "
                "or write the texts as CSV or JSON lines",
            )
        text = text.replace("\r", "\n")
    return list(enumerate(text.removesuffix("\n").split("\n"), 1)) if text else []


def layout_of(path: Path, lines: Sequence[Line], tags: Collection[str]) -> Layout:
    """Detect the layout of a file for a tagger from its lines; ``tags`` are those of the model.

    Raises InputError where two readings are equally likely.
    """
    named = suffix_of(path) in COLUMNS and suffix_of(path) != ".txt"
    rows = [_fields(line) for line in _blocks(lines)]
    widths = {len(row) for row in rows}
    if widths <= {1}:
        return Layout.TOKENS
    last = [row[-1] for row in rows]
    typed = any((tag in tags and not _BARE.fullmatch(tag)) or _TYPED.fullmatch(tag) for tag in last)
    tagged = all(tag in tags or _BARE.fullmatch(tag) or _TYPED.fullmatch(tag) for tag in last)
    tabs = all("\t" in line for line in _blocks(lines))
    if len(widths) == 1 and tagged and (typed or tabs or named):
        return Layout.CONLL
    if named and (tabs or any(map(_adjacent, lines, lines[1:]))):
        return Layout.CONLL
    if named or (len(widths) == 1 and (tagged or tabs)):
        raise InputError(
            f"{path}: can be read in two ways; --format text reads one text per line, --format conll "
            "reads columns of which the first is the token"
        )
    return Layout.TEXT


def check_no_columns(path: Path, lines: Sequence[Line]) -> None:
    """Raise InputError if the lines look like rows of columns instead of texts."""
    widths = {line.count("\t") for line in _blocks(lines)}
    if len(widths) == 1 and widths != {0}:
        raise InputError(
            f"{path}: every line has {widths.pop() + 1} columns with tabs between them, and no header names "
            "the one of the texts; --no-header --text NUMBER reads a column, --format text whole lines"
        )


def _blocks(lines: Sequence[Line]) -> Iterator[str]:
    """Lines with a token or a text: neither blank nor a comment nor the beginning of a document."""
    for _, line in lines:
        if line.strip() and not line.startswith(("-DOCSTART-", "# ")):
            yield line


def _fields(line: str) -> list[str]:
    return [field for field in line.split("\t" if "\t" in line else " ") if field.strip()]


def _adjacent(one: Line, other: Line) -> bool:
    return bool(one[1].strip() and other[1].strip())


def read(path: Path, lines: Sequence[Line], layout: Layout) -> Table:
    """Read the texts (``text``) or sentences (``tokens``) of a file without columns. Raises InputError."""
    records = list(_texts(path, lines) if layout is Layout.TEXT else _sentences(path, lines))
    column = "text" if layout is Layout.TEXT else "tokens"
    return Table(path, records, frozenset({"id", column}), named=False)


def _texts(path: Path, lines: Sequence[Line]) -> Iterator[Record]:
    for number, line in lines:
        if line.strip():
            values = {"id": f"{stem_of(path)}-{number}", "text": line}
            yield Record(f"{path} line {number}", values)


def _sentences(path: Path, lines: Sequence[Line]) -> Iterator[Record]:
    found: list[tuple[int, str]] = []
    doc = count = 0
    for number, line in (*lines, (0, "")):
        token = line.strip(" \t")
        if not token or token.split()[:1] == ["-DOCSTART-"]:
            if found:
                count += 1
                places = tuple(f"{path} line {at}" for at, _ in found)
                values: dict[str, Any] = {
                    "id": f"{stem_of(path)}-{count}",
                    "tokens": [each for _, each in found],
                }
                yield Record(
                    places[0], values | ({"doc": f"{stem_of(path)}-doc{doc}"} if doc else {}), places
                )
                found = []
            doc += bool(token)
        elif not token.strip():
            raise wrong(path, number, f"the token is only white space ({line!a}); remove the line")
        elif " " in token or "\t" in token:
            raise wrong(
                path,
                number,
                f"more than one token ({token[:60]!r}); --format conll reads columns, --format text reads "
                "one text per line",
            )
        else:
            found.append((number, token))


def documents(folder: Path, encoding: str | None = None) -> Table:
    """Read the sentences of each .txt of a folder; stand-off files (.ann) are not read."""
    records = []
    for path in sorted(folder.glob("*.txt")):
        text = text_of(path, encoding)
        for row in tagged_rows(stem_of(path), text, sentences(text), [])[0]:
            values = {key: row[key] for key in ("id", "doc", "tokens")}
            records.append(Record(f"{path} sentence {row['id']}", values, extra={"starts": row["starts"]}))
    return Table(folder, records, frozenset({"id", "doc", "tokens"}), named=False)
