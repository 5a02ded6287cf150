"""Parquet, Arrow files and saved `datasets`, as records with row numbers."""

import io
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transfer.corpora.own.tables import Dialect, Record, Table, bytes_of, text_of
from transfer.inputs import InputError


def parquet(path: Path, dialect: Dialect) -> Table:
    """Read a Parquet file. Raises InputError where it is not one."""
    import pyarrow.parquet

    data = bytes_of(path)
    return _arrow_table(path, lambda: [pyarrow.parquet.read_table(io.BytesIO(data))], "a Parquet file")


def arrow(path: Path, dialect: Dialect) -> Table:
    """Read an Arrow file or stream (Feather). Raises InputError where it is neither."""
    data = bytes_of(path)
    return _arrow_table(path, lambda: [_opened(data)], "an Arrow file")


def saved_dataset(folder: Path, dialect: Dialect) -> Table:
    """Read a folder written by `datasets.save_to_disk`: Arrow files in the order of state.json.

    Raises InputError where a file is missing or is not one.
    """
    files = [bytes_of(path) for path in _data_files(folder)]
    return _arrow_table(folder, lambda: map(_opened, files), "a dataset as save_to_disk writes it")


def _opened(data: bytes) -> Any:
    import pyarrow.ipc

    opened = pyarrow.ipc.open_file if data.startswith(b"ARROW1") else pyarrow.ipc.open_stream
    return opened(data).read_all()


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
        records, columns, twice = [], set(), ""
        for table in read():
            table.validate(full=True)
            names = _class_names(table.schema)
            columns.update(table.column_names)
            twice = twice or next((n for n, count in Counter(table.column_names).items() if count > 1), "")
            for row in table.to_pylist():
                values = {key: _named(value, names.get(key)) for key, value in row.items()}
                records.append(Record(f"{path} row {len(records) + 1}", values))
    # whatever a library of another language says of bytes that are not its own
    except Exception as error:
        first = str(error).split("\n")[0]
        raise InputError(f"{path}: cannot be read as {what} ({first})") from None
    if twice:
        raise InputError(f"{path}: the column '{twice}' is there twice")
    return Table(path, records, frozenset(columns), head=str(path), format=what)


def _class_names(schema: Any) -> dict[str, list[str]]:
    """Class names for the numbers in label columns, from the metadata that `datasets` writes."""
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
