"""Own data as a corpus: files of many formats in, a card and three splits of rows out.

``sources`` finds the files and their formats; ``delimited``, ``jsonfiles``, ``arrow``, ``conll`` and
``brat`` read them; ``tagged`` makes sentences in BIO of tokens; ``rows`` says which column is what,
``labels`` which labels are one; ``splits`` makes the splits; and this module puts them together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from transfer.corpora.base import SPLITS, Card, Split
from transfer.corpora.own.arrow import arrow, parquet, saved_dataset
from transfer.corpora.own.brat import brat
from transfer.corpora.own.cells import DELIMITERS
from transfer.corpora.own.conll import conll, delimiter_of
from transfer.corpora.own.delimited import separated
from transfer.corpora.own.jsonfiles import jsonl
from transfer.corpora.own.labels import (
    check_look_alikes,
    labels_of,
    one_spelling,
    respelled,
    told_of_spelling,
)
from transfer.corpora.own.rows import Columns, Made, chosen, rows_of
from transfer.corpora.own.sources import TABLES, Format, format_of, leaves_of, stem_of, suffix_of
from transfer.corpora.own.splits import by_column, completed, made_by_hash, splits_of_paths
from transfer.corpora.own.tables import Dialect, Table, decoded
from transfer.corpora.own.tagged import TaggingOptions, tagged
from transfer.corpora.releases.base import Reading, Row
from transfer.corpora.releases.mentions import told
from transfer.inputs import InputError, did_you_mean, validated
from transfer.kinds import KindName, Metric, kind_of


@dataclass(frozen=True)
class Request:
    """Request to read a user's files as a corpus.

    ``sources`` are files or folders; a split is theirs or None. ``dialect`` says how text files are written,
    ``names`` what the positions of multi-hot labels stand for, ``tagging`` how tags are to be read.
    """

    kind: KindName
    name: str
    sources: tuple[tuple[Path, Split | None], ...]
    columns: Columns = field(default_factory=Columns)
    separator: str = ";"
    negative: str | None = None
    metric: Metric | None = None
    dialect: Dialect = field(default_factory=Dialect)
    names: tuple[str, ...] = ()
    tagging: TaggingOptions = field(default_factory=TaggingOptions)

    @property
    def plain(self) -> bool:
        """Whether tags are labels of their own and name no mentions."""
        return self.metric == "token_accuracy"


@dataclass
class OwnReading(Reading):
    """Rows from a user's files, with the tables and columns that were read and the assumptions made.

    ``columns`` are those that were read, by the key of a row; ``doubts`` are sentences, each with the option
    that chooses otherwise.
    """

    tables: Sequence[Table] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    doubts: list[str] = field(default_factory=list)


def read(request: Request) -> tuple[Card, OwnReading]:
    """Read the files of a request as a card and rows.

    Raises InputError, with file and line (or row and column), for whatever is wrong in the files.
    """
    sources, notes = leaves_of(request.sources)
    tables = [table_of(request, path) for path, _ in sources]
    for table in tables:
        if not table.records:
            raise InputError(f"{table.path}: holds no example")
    kind, columns = kind_of(request.kind), request.columns
    if kind.tokenized:
        tables, columns = tagged(
            tables,
            columns,
            request.tagging,
            name=request.name,
            plain=request.plain,
            numbered=request.names,
        )
    given: Sequence[Split | None] = [split for _, split in sources]
    how = "as they were given"
    if any(given) and not any(split for _, split in request.sources):
        how = "by the names of the files and folders"
    if not any(given) and (named := splits_of_paths([path for path, _ in sources])):
        given, how = named, "by the names of the files"
    stems = _stems([path for path, _ in sources])
    by_stem = dict(zip(stems, tables, strict=True))
    made, pair = rows_of(kind, by_stem, columns, request.separator, request.names)
    made, negative, doubts = _settled(made, request.negative)
    request = replace(request, negative=negative)
    rows, how = _divided(made, given, how)
    card = _card(request, rows, pair)
    notes += _notes_on_mentions(tables, given)
    unit, gold = _counted(card, rows)
    read_, choice = _columns_read(replace(request, columns=columns), tables)
    doubts = [*choice, *(doubt for table in tables for doubt in table.doubts), *doubts]
    reading = OwnReading(rows, gold, how, notes, tables=tables, columns=read_, doubts=doubts)
    return card.model_copy(update={"unit": unit, "gold": gold, "splits": how, "notes": tuple(notes)}), reading


def table_of(request: Request, path: Path) -> Table:
    """Read the records of a file or folder in the format that its content shows. Raises InputError."""
    dialect = request.dialect
    found = format_of(path, dialect.encoding)
    suffix = suffix_of(path)
    tokenized = kind_of(request.kind).tokenized
    if tokenized and found in (Format.TABLE, Format.COLUMNS):
        delimiter = delimiter_of(path, request.columns, dialect, suffix=suffix)
        if delimiter is not None:
            return conll(
                path,
                request.columns,
                plain=request.plain,
                delimiter=delimiter,
                encoding=dialect.encoding,
                header=dialect.header,
            )
        found = Format.TABLE
    elif found is Format.COLUMNS and suffix == ".txt" and _is_table(request, path):
        found = Format.TABLE
    if found in (Format.COLUMNS, Format.STANDOFF) and not tokenized:
        if suffix == ".txt" and path.is_file():
            raise InputError(
                f"{path}: its first line names no columns; a table does (text, label), JSON lines have keys, "
                "and CoNLL columns, tokens with tags, are for --kind tagging; --no-header reads a table that "
                "has no header"
            )
        raise InputError(f"{path}: holds tokens with tags; --kind tagging reads it, {request.kind} has none")
    readers = {
        Format.JSON: jsonl,
        Format.PARQUET: parquet,
        Format.ARROW: arrow,
        Format.SAVED: saved_dataset,
    }
    if found is Format.TABLE:
        return separated(path, dialect, TABLES.get(suffix, ","))
    if not dialect.header:
        raise InputError(f"--no-header is for tables in text (CSV, TSV), and {path} is none; leave it out")
    if found in readers:
        return readers[found](path, dialect)
    return brat(path, dialect.encoding)


def _is_table(request: Request, path: Path) -> bool:
    """Whether a text file is a table: its first line names columns, or it is said to have no header."""
    if not request.dialect.header:
        return True
    text = decoded(path, request.dialect.encoding)[0].lstrip()
    line = text.splitlines()[0] if text else ""
    usual = ("text", "text_a", "label", "labels", "score")
    wanted = {request.columns.text or usual[0], *(() if request.columns.text else usual)}
    delimiters = request.dialect.delimiter or "".join(DELIMITERS.values())
    return any(
        wanted & {name.strip(' "') for name in line.split(delimiter)}
        for delimiter in delimiters
        if delimiter in line
    )


def _columns_read(request: Request, tables: Sequence[Table]) -> tuple[dict[str, str], Sequence[str]]:
    """Columns that the rows were read from, by key, and doubts about the choice."""
    there = frozenset().union(*(table.columns for table in tables if table.named))
    if not there:
        return {}, ()
    kind = kind_of(request.kind)
    choice = chosen(kind, there, request.columns)
    found = dict(choice.keys)
    if hot := kind.hot_columns(request.columns, there, request.names):
        del found[kind.gold]
        found |= {name: name for name in hot}
    for key in ("id", "doc", "split"):
        column = getattr(request.columns, key, None) or key
        if column in there:
            found[key] = column
    if request.columns.sentence:
        found["sentence"] = request.columns.sentence
    return found, choice.doubts


def _settled(
    made: Sequence[Sequence[Made]], negative: str | None
) -> tuple[list[list[Made]], str | None, list[str]]:
    """Give each label one spelling. Returns the rows, the negative label, and doubts about labels."""
    places: dict[str, str] = {}
    for some in made:
        for one in some:
            for label in sorted(labels_of(one.row)):
                places.setdefault(label, one.where)
    spelling = one_spelling(places) if not any("tags" in one.row for one in made[0][:1]) else {}
    doubts = told_of_spelling(spelling)
    doubts += check_look_alikes({label: at for label, at in places.items() if label not in spelling})
    if spelling:
        made = [[replace(one, row=respelled(one.row, spelling)) for one in some] for some in made]
    return [list(some) for some in made], spelling.get(negative or "", negative), doubts


def _stems(paths: Sequence[Path]) -> list[str]:
    """Prefix for the ids of each file's rows: the file's name, numbered if another file has the same name."""
    names = [stem_of(path) for path in paths]
    taken, stems = set(), []
    for i, name in enumerate(names):
        stem, number = name, 1
        while stem in taken or (number > 1 and stem in names[i:]):
            number += 1
            stem = f"{name}({number})"
        taken.add(stem)
        stems.append(stem)
    return stems


def _divided(
    made: Sequence[Sequence[Made]], given: Sequence[Split | None], how: str
) -> tuple[dict[Split, list[Row]], str]:
    parts: dict[Split, list[Made]] = {}
    for split, some in zip(given, made, strict=True):
        if split:
            parts.setdefault(split, []).extend(some)
    if parts:
        return completed(parts, how)
    every = [one for some in made for one in some]
    if columned := by_column(every):
        return completed(columned, "as the column 'split' tells")
    return made_by_hash(every)


def _card(request: Request, rows: Mapping[Split, Sequence[Row]], pair: bool) -> Card:
    kind = kind_of(request.kind)
    every = [row for split in SPLITS for row in rows[split]]
    card: dict[str, Any] = {"name": request.name, "kind": kind.name, "pair": pair}
    card |= kind.card_keys(every, request.metric)
    if request.negative is not None:
        if request.negative not in card["labels"]:
            hint = did_you_mean(request.negative, card["labels"])
            raise InputError(f"--negative: no item has the label '{request.negative}'{hint}")
        card["negative"] = request.negative
    usual = "micro_f1" if request.negative is not None else kind.metrics[0]
    card["metric"] = request.metric or usual
    return validated(Card, card, path=Path(request.name))


def _counted(card: Card, rows: Mapping[Split, Sequence[Row]]) -> tuple[str, dict[Split, int]]:
    """Unit that is counted in a corpus, and its count in each split."""
    kind = kind_of(card.kind)
    positive = "" if card.negative is None else "positive "
    unit = kind.unit(card) or positive + ("pairs" if card.pair else "items")

    def count(row: Row) -> int:
        return len(row["mentions"]) if "mentions" in row else kind.count(card, row[kind.gold])

    return unit, {split: sum(map(count, rows[split])) for split in SPLITS}


def _notes_on_mentions(tables: Sequence[Table], given: Sequence[Split | None]) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    for table, split in zip(tables, given, strict=True):
        counts.setdefault(split or "all splits", Counter()).update(table.counts)
    return [note for what, count in counts.items() for note in told(what, count)]
