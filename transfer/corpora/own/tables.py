"""Tables that people have (JSON lines, CSV, TSV, Parquet, saved `datasets`), as records with places."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transfer.corpora.prepared import row_at
from transfer.inputs import InputError


@dataclass(frozen=True)
class Record:
    """One item as its file has it, and the place that a message names.

    ``places`` are those of the single tokens, where each has a line; ``extra`` goes into the row as
    it is.
    """

    where: str
    values: Mapping[str, Any]
    places: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """The records of one file or folder.

    ``columns`` are the names that it has; ``head`` is where they stand, empty where each record has
    its own. A format without named columns has ``named`` false. ``counts`` are those of mentions
    (see releases/mentions.py), for stand-off alone. ``format`` says what was detected (encoding,
    separator, quoting). ``doubts`` are the assumptions that were made where the file can be read in
    two ways, each with the option that chooses otherwise; ``--strict`` turns them into errors.
    """

    path: Path
    records: Sequence[Record]
    columns: frozenset[str]
    head: str = ""
    named: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    format: str = ""
    doubts: Sequence[str] = ()


def text_of(path: Path) -> str:
    """A file of UTF-8, with or without a byte order mark; line ends stay as they are.

    Raises InputError where it cannot be read, is not UTF-8, or holds a null character.
    """
    data = bytes_of(path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path} line {line}: not UTF-8 (byte {data[error.start]:#04x}); save the file as UTF-8"
        ) from None
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(f"{path} line {line}: holds a null character; save the file as UTF-8 text")
    return text


def bytes_of(path: Path) -> bytes:
    """The bytes of a file. Raises InputError where it cannot be read, or its name is not UTF-8."""
    if not path.name.isprintable():  # the name goes into ids; bytes that are not UTF-8 are no text
        raise InputError(f"{str(path)!a}: the file's name holds characters that cannot be shown; rename it")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def jsonl(path: Path) -> Table:
    """One JSON object a line; blank lines are skipped. Raises InputError with file and line."""
    lines = bytes_of(path).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    places = ((f"{path} line {number}", line) for number, line in enumerate(lines, 1) if line.strip())
    records = [Record(where, row_at(where, line)) for where, line in places]
    return Table(path, records, frozenset(key for record in records for key in record.values))


def separated(path: Path, delimiter: str) -> Table:
    """CSV (RFC 4180: fields in double quotes, a quotation mark in them doubled), or the same with tabs.

    The first line names the columns. A row's place is the physical line on which it starts. Raises
    InputError where the quoting is broken, a row has more or fewer cells than the header, or a
    column is named twice.
    """
    rows = list(_cells(path, text_of(path), delimiter))
    if not rows:
        raise InputError(f"{path}: is empty; its first line should name the columns")
    head, *body = rows
    names = [name.strip() for name in head[1]]
    # a column without a name is what a data frame's index leaves behind
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        raise InputError(f"{path} line {head[0]}: the column '{twice[0]}' is named twice")
    records = []
    for line, cells in body:
        if len(cells) != len(names):
            raise InputError(
                f"{path} line {line}: {len(cells)} cells, but the header names {len(names)} columns; "
                f"a cell with {'a tab' if delimiter == chr(9) else 'a comma'} in it stands in double quotes"
            )
        values = {name: cell for name, cell in zip(names, cells, strict=True) if name}
        records.append(Record(f"{path} line {line}", values))
    return Table(path, records, frozenset(filter(None, names)), head=f"{path} line {head[0]}")


def _cells(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the physical line on which it starts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = csv.field_size_limit(len(text) + 1)  # a clinical note is longer than the module's limit
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            f"{path} line {line}: the quoting of the row that starts here is broken ({error}); "
            "a cell with a quotation mark in it stands in double quotes, the mark doubled"
        ) from None
    finally:
        csv.field_size_limit(before)


def parquet(path: Path) -> Table:
    """A Parquet file. Raises InputError where it is not one."""
    import pyarrow.parquet

    data = bytes_of(path)
    return _arrow_table(path, lambda: [pyarrow.parquet.read_table(io.BytesIO(data))], "a Parquet file")


def saved_dataset(folder: Path) -> Table:
    """A folder that `save_to_disk` of `datasets` wrote: Arrow streams, in the order of its state.json.

    Raises InputError where a file is missing or is not such a stream.
    """
    import pyarrow.ipc

    def read():
        return [pyarrow.ipc.open_stream(data).read_all() for data in files]

    files = [bytes_of(path) for path in _data_files(folder)]
    return _arrow_table(folder, read, "a dataset as save_to_disk writes it")


def _data_files(folder: Path) -> list[Path]:
    state = folder / "state.json"
    if not state.is_file():
        return sorted(folder.glob("*.arrow"))
    # beside the data may lie caches, which are Arrow files too
    try:
        names = [entry["filename"] for entry in json.loads(text_of(state))["_data_files"]]
        return [folder / Path(name).name for name in names]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(
            f'{state}: should name the data files, as in {{"_data_files": [{{"filename": …}}]}}'
        ) from None


def _arrow_table(path: Path, read: Any, what: str) -> Table:
    try:
        records, columns = [], set()
        for table in read():
            table.validate(full=True)
            names = _class_names(table.schema)
            columns.update(table.column_names)
            for row in table.to_pylist():
                values = {key: _named(value, names.get(key)) for key, value in row.items()}
                records.append(Record(f"{path} row {len(records) + 1}", values))
    # whatever a library of another language says of bytes that are not its own
    except Exception as error:
        first = str(error).split("\n")[0]
        raise InputError(f"{path}: cannot be read as {what} ({first})") from None
    return Table(path, records, frozenset(columns), head=str(path))


def _class_names(schema: Any) -> dict[str, list[str]]:
    """The names of the numbers in columns of labels, as `datasets` keeps them beside the data."""
    told = (schema.metadata or {}).get(b"huggingface")
    features = json.loads(told).get("info", {}).get("features", {}) if told else {}
    found = {}
    for column, feature in features.items():
        # a list of labels is [feature], or {"feature": …}, by the version that wrote it
        inner = feature[0] if isinstance(feature, list) and feature else feature
        inner = inner.get("feature", inner) if isinstance(inner, dict) else inner
        if isinstance(inner, dict) and inner.get("_type") == "ClassLabel" and inner.get("names"):
            found[column] = inner["names"]
    return found


def _named(value: Any, names: Sequence[str] | None) -> Any:
    if names is None:
        return value
    if isinstance(value, list):
        return [_named(one, names) for one in value]
    # -1 is how a test split without labels is written: no label
    return names[value] if isinstance(value, int) and 0 <= value < len(names) else None
