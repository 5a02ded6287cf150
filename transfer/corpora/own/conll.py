"""Reader for CoNLL columns and relatives: one token per line, a blank line between sentences."""

import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from transfer.corpora.own.rows import Columns
from transfer.corpora.own.schemes import is_outside, names_mentions
from transfer.corpora.own.tables import Dialect, Record, Table, decoded
from transfer.corpora.own.tokens import LABELS, SENTENCES, SPANS, TOKENS, filled, runs, usual
from transfer.corpora.releases.base import wrong
from transfer.inputs import InputError, did_you_mean

CONLL_U = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_NAMES = {*TOKENS, *SPANS, *LABELS, *SENTENCES, *(name.lower() for name in CONLL_U)}
_NAMES |= {"id", "chunk", "chunks", "chunk_tags", "entity", "doc"}
_COMMENT = re.compile(r"#(\s.*|begin .*|end .*)?", re.DOTALL)
_TAG = re.compile(r"[BIESLU]-\S+")
_DOCUMENT = re.compile(r"#\s*newdoc\b.*|#begin document.*")
_NUMBERS = re.compile(r"#\s*global\.columns\s*=(.*)")


@dataclass(frozen=True)
class _Row:
    line: int
    fields: list[str]
    block: int
    doc: int


@dataclass
class _File:
    """Lines of a file: tokens, column names (empty if it has none), number of comments."""

    path: Path
    rows: list[_Row] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    comments: int = 0
    header: bool = False

    @property
    def width(self) -> int:
        return len(self.rows[0].fields) if self.rows else 0

    def column(self, i: int) -> list[str]:
        return [row.fields[i].strip() for row in self.rows]

    def called(self, i: int) -> str:
        return f"'{self.names[i]}'" if self.names else f"{i + 1}"


def conll(
    path: Path,
    columns: Columns | None = None,
    *,
    plain: bool = False,
    tags: bool = True,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool = True,
) -> Table:
    """Read a file of columns: the first is the token and the last the tag, unless ``columns`` says otherwise.

    Columns are named by their number, from 1, or by a header. They are separated by ``delimiter``,
    else by tabs, or by spaces in a line without a tab. Comments, as of CoNLL-U, are left out;
    ``-DOCSTART-`` lines separate documents. ``plain`` looks for labels and not for tags of mentions;
    without ``tags`` only tokens are read; without ``header`` the first line is a token. Raises
    InputError where a line has more or fewer columns than the others, or a column is not there.
    """
    columns = columns or Columns()
    text, encoded = decoded(path, encoding)
    file = _file(path, text, delimiter, header=header)
    if not file.rows:
        return Table(path, [], frozenset({"tokens", "tags"}), named=False)
    if tags and file.width < 2:
        raise wrong(path, file.rows[0].line, "one column; the first should be the token and the last its tag")
    doubts: list[str] = []
    token = _token(file, columns, doubts)
    sentence = _sentence(file, columns, doubts)
    label = _label(file, columns, {token, sentence}, doubts, plain=plain) if tags else None
    chosen = {"tokens": token} | ({"tags": label} if label is not None else {})
    if columns.doc:
        chosen["doc"] = _place(file, "--doc", columns.doc)
    if columns.id:
        raise InputError(f"--id: {path} has tokens in its lines, and no ids of sentences; leave it out")
    records = list(_records(file, chosen, sentence, doc=columns.doc or "doc"))
    if len(records) == 1 and len(file.rows) > _LONGEST:
        doubts.append(
            f"all {len(file.rows)} tokens are one sentence, since no line is blank; --sentence COLUMN names "
            "the column that numbers the sentences"
        )
    told = f"{encoded}, {len(file.rows)} lines of tokens in {file.width} columns"
    told += f", the token in {file.called(token)}"
    told += f", the tag in {file.called(label)}" if label is not None else ""
    told += "; the first line names the columns" if file.header else ""
    told += f"; {file.comments} lines of comments" if file.comments else ""
    doubts = [f"{path.name}: {doubt}" for doubt in doubts]
    return Table(
        path, records, frozenset({*chosen, columns.doc or "doc"}), named=False, format=told, doubts=doubts
    )


_LONGEST = 300  # tokens that a sentence hardly has


def delimiter_of(path: Path, columns: Columns, dialect: Dialect, *, suffix: str) -> str | None:
    """Delimiter of a file of CoNLL columns (a tab also stands for spaces); None if it is a table.

    A file with a suffix of tables or .txt is a table where its first line names the tokens, or it is
    a .csv, but not where there are blank lines between its rows of one token each.
    """
    if suffix not in (".csv", ".tsv", ".tab", ".txt", ""):
        return "\t"
    lines = [line.strip("\r") for line in decoded(path, dialect.encoding)[0].rstrip().split("\n")]
    first = next((line for line in lines if line.strip()), "")
    usual_one = dialect.delimiter or ("," if suffix == ".csv" else "\t")
    delimiters = [usual_one, *(each for each in ",\t;|" if each != usual_one and not dialect.delimiter)]
    for delimiter in delimiters:
        # a header in quotation marks is that of a table that is quoted throughout
        names = [name.strip(' "') for name in _fields(first, delimiter)] if delimiter in first else []
        named = [columns.text] if columns.text in names else usual(names, TOKENS)
        if named:
            at = names.index(named[0])
            return delimiter if _has_blocks(lines, delimiter, at) else None
    if suffix != ".csv":
        return "\t"
    return usual_one if _has_blocks(lines, usual_one, 0) else None


def _has_blocks(lines: Sequence[str], delimiter: str, at: int) -> bool:
    """Whether blank lines separate rows of one token each, which is in column ``at``."""
    split = [_fields(line, delimiter) for line in lines]
    rows = [cells for cells in split if any(cell.strip() for cell in cells)]
    single = not any(
        " " in cells[at : at + 1][0].strip(" ") or cells[at].startswith("[") for cells in rows if cells[at:]
    )
    return len(rows) < len(split) and len({len(cells) for cells in rows}) == 1 < len(rows[0]) and single


def _fields(line: str, delimiter: str | None) -> list[str]:
    if delimiter not in (None, "\t", " "):
        try:
            return next(csv.reader([line], delimiter=delimiter or ",", strict=True), [])
        except csv.Error:  # the line is then one column too few
            return [line]
    if "\t" in line:
        return line.split("\t")
    return [part for part in line.split(" ") if part]


def _file(path: Path, text: str, delimiter: str | None, *, header: bool) -> _File:
    if "\n" not in text:
        text = text.replace("\r", "\n")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    split = [_fields(line, delimiter) for line in lines]
    likely = [
        _trimmed(cells)
        for line, cells in zip(lines, split, strict=True)
        if not _COMMENT.fullmatch(line) and not line.startswith("-DOCSTART-")
    ]
    # of token lines most have the right number of columns; the first such number is meant
    widths = Counter(len(cells) for cells in likely if cells)
    width = widths.most_common(1)[0][0] if widths else 0
    lasts = {"O", *(cells[-1] for cells in likely if cells)}
    file = _File(path)
    block = doc = 0
    fresh = True  # whether a sentence may begin here, and comments stand
    numbered: list[str] = []
    for number, (line, cells) in enumerate(zip(lines, split, strict=True), 1):
        cut = _trimmed(cells)
        if not any(cell.strip() for cell in cells):
            block, fresh = block + 1, True
        elif cells[0].strip() == "-DOCSTART-":
            block, doc, fresh = block + 1, doc + 1, True
        elif fresh and _COMMENT.fullmatch(line) and not (len(cut) == width and _is_token(line, cut, lasts)):
            file.comments += 1
            block += 1
            doc += bool(_DOCUMENT.match(line))
            if match := _NUMBERS.match(line):
                numbered = match[1].split()
        else:
            file.rows.append(_Row(number, _checked(path, number, cells, width), block, doc))
            fresh = False
    return _named(file, numbered, header=header)


def _is_token(line: str, cells: Sequence[str], lasts: set[str]) -> bool:
    """Whether a line that looks like a comment is a row, whose token may be ``#``."""
    tagged = "\t" in line or _TAG.fullmatch(cells[-1]) is not None
    return cells[-1] in lasts or (tagged and " " not in cells[0])


def _trimmed(cells: Sequence[str]) -> list[str]:
    """Cells of a line without empty ones at its end."""
    kept = list(cells)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _checked(path: Path, line: int, cells: list[str], width: int) -> list[str]:
    if len(cells) > width and not any(cell.strip() for cell in cells[width:]):
        cells = cells[:width]
    if len(cells) == width:
        return cells
    if len(cells) == 1:
        raise wrong(path, line, "one column; the first should be the token and the last its tag")
    raise wrong(path, line, f"{len(cells)} columns, but most lines have {width}")


def _named(file: _File, numbered: list[str], *, header: bool) -> _File:
    """Name the columns of a file: from a header, a comment, or CoNLL-U."""
    if not file.rows:
        return file
    head, *rest = file.rows
    if len(numbered) == file.width:
        file.names = numbered
    elif file.width == len(CONLL_U) and _counts(file.column(0)):
        file.names = list(CONLL_U)
    elif header and rest and _is_header(head, rest):
        file.names = [name.strip().removeprefix("#").strip() for name in head.fields]
        file.rows, file.header = rest, True
    if "ID" in file.names and "FORM" in file.names:
        # "3-4 du" is written beside its words 3 and 4, and "8.1" is a word that was left unsaid
        at = file.names.index("ID")
        file.rows = [row for row in file.rows if row.fields[at].strip().isdecimal()] or file.rows
    return file


def _is_header(head: _Row, rest: Sequence[_Row]) -> bool:
    names = [cell.strip().removeprefix("#").strip().lower() for cell in head.fields]
    if len(set(names)) < len(names):
        return False
    known = sum(name in _NAMES for name in names)
    columns = zip(*(row.fields for row in rest), strict=True)
    odd = any(
        names_mentions({cell.strip() for cell in column})
        and not names_mentions({name})
        and not is_outside(name)
        for name, column in zip(names, columns, strict=True)
    )
    return known > 1 or (known == 1 and odd)


def _counts(cells: Sequence[str]) -> bool:
    """Whether cells number the tokens of each sentence: from 0 or 1 in steps of one."""
    numbers = [int(cell) for cell in cells if re.fullmatch(r"\d{1,6}", cell, re.ASCII)]
    plain = all(re.fullmatch(r"\d{1,6}([-.]\d{1,6})?", cell, re.ASCII) for cell in cells)
    start = numbers[0] if numbers else 2
    steps = all(b in (a + 1, start) for a, b in pairwise(numbers))
    return plain and start < 2 and len(set(numbers)) > 1 and steps


def _place(file: _File, option: str, said: str) -> int:
    """Index of the column that an option names by name or by number from 1."""
    if said in file.names:
        return file.names.index(said)
    if said.isdecimal() and said.isascii() and 1 <= int(said) <= file.width:
        return int(said) - 1
    there = f"there are {file.width}, named by their number from 1"
    hint = did_you_mean(said, file.names) if file.names else f"; {there}"
    raise InputError(f"{file.path}: there is no column '{said}', which {option} names{hint}")


def _token(file: _File, columns: Columns, doubts: list[str]) -> int:
    if columns.text:
        return _place(file, "--text", columns.text)
    if named := usual(file.names, TOKENS):
        return file.names.index(named[0])
    if file.width > 2 and _counts(file.column(0)):
        doubts.append("column 1 numbers the tokens; they are read from column 2 (--text 1 chooses column 1)")
        return 1
    return 0


def _sentence(file: _File, columns: Columns, doubts: list[str]) -> int | None:
    if columns.sentence:
        return _place(file, "--sentence", columns.sentence)
    found = usual(file.names, SENTENCES)
    if not found or len({row.block for row in file.rows}) > 1:
        return None
    doubts.append(
        f"the column '{found[0]}' says which tokens are a sentence (--sentence COLUMN names another)"
    )
    return file.names.index(found[0])


def _label(file: _File, columns: Columns, taken: set[int | None], doubts: list[str], *, plain: bool) -> int:
    """Index of the tag column: named by the user, named as usual, or the last one with tags."""
    if columns.label:
        return _place(file, "--label", columns.label)
    places = [i for i in range(file.width) if i not in taken]
    named = [file.names.index(name) for name in usual(file.names, LABELS if plain else SPANS)]
    named = [i for i in named if i in places]
    fits = places if plain else [i for i in places if names_mentions(set(file.column(i)))]
    # a split without a mention has its tags in the same column as the others
    empty = set(file.column(places[-1])) <= {"O", "o"}
    if named and (plain or named[0] in fits or not fits):
        chosen = named[0]
    else:
        chosen = places[-1] if empty or places[-1] in fits or not fits else fits[-1]
    # columns without a mention are no tags in doubt
    others = [i for i in (named[1:] if plain and named else fits) if i != chosen]
    if others or chosen != places[-1]:
        listed = " and ".join(file.called(i) for i in others)
        also = f"; {'columns' if len(others) > 1 else 'column'} {listed} could be meant too" if others else ""
        doubts.append(
            f"the tags are read from column {file.called(chosen)} of {file.width}{also} (--label COLUMN "
            "chooses; several, with commas between them, make a corpus of each)"
        )
    return chosen


def _records(file: _File, chosen: dict[str, int], sentence: int | None, *, doc: str) -> Iterator[Record]:
    places = [f"{file.path} line {row.line}" for row in file.rows]
    numbers = [""] * len(places)
    if sentence is not None:
        numbers = filled(file.column(sentence), places, file.called(sentence))
    docs = file.column(chosen["doc"]) if "doc" in chosen else [f"{row.doc}" for row in file.rows]
    # where a column says which sentence a token is of, blank lines do not
    blocks = [row.block if sentence is None else 0 for row in file.rows]
    keys = list(zip(blocks, docs, numbers, strict=True))
    for run in runs(keys, places):
        some = file.rows[run]
        values: dict[str, Any] = {
            # a tag has no space around it; a token is as it stands
            key: [row.fields[i].strip() if key == "tags" else row.fields[i] for row in some]
            for key, i in chosen.items()
            if key != "doc"
        }
        if "doc" in chosen:
            values[doc] = docs[run.start]
        elif some[0].doc:
            values[doc] = f"{file.path.stem}-doc{some[0].doc}"
        yield Record(places[run.start], values, tuple(places[run]))
