"""Reader for JSON lines and JSON arrays; each record has the line on which its object starts."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from transfer.corpora.own.tables import Dialect, Record, Table, decoded
from transfer.corpora.prepared import HALF_CHARACTER, check_characters
from transfer.inputs import InputError


def jsonl(path: Path, dialect: Dialect) -> Table:
    """Read one JSON object per line (blank lines are skipped), or one array of objects.

    Raises InputError with file and line where a value is no object, a key stands in it twice, or a text
    holds half a character.
    """
    text, encoding = decoded(path, dialect.encoding)
    array = text.lstrip(_SPACE).startswith("[")
    found = _in_array(path, text) if array else _in_lines(path, text)
    records = [Record(where, value) for where, value in _objects(found)]
    columns = frozenset(key for record in records for key in record.values)
    return Table(path, records, columns, format=f"{encoding}, {'a JSON array' if array else 'JSON lines'}")


_SPACE = " \t\r\n"


class _Twice(ValueError):
    """Duplicate key in an object, of which JSON parsers silently keep the last."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _Twice(f"the key '{next(key for key in keys if keys.count(key) > 1)}' is there twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _in_lines(path: Path, text: str) -> Iterator[tuple[str, Any, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not (line := line.strip(_SPACE)):
            continue
        where = f"{path} line {number}"
        try:
            value = _DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            if not isinstance(error, _Twice) and (keys := _keys_of_one_object(text)):
                raise InputError(
                    f"{path}: is one JSON object, with the keys {keys}; write its items as an array of "
                    "objects, or one object a line"
                ) from None
            mend = "" if isinstance(error, _Twice) else "; each line is an object of its own"
            raise InputError(f"{where}: not valid JSON: {error}{mend}") from None
        yield where, value, line


def _keys_of_one_object(text: str) -> str:
    """Keys of a single JSON object over several lines; empty if the text is none."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    return ", ".join(list(value)[:5]) if isinstance(value, dict) else ""


def _in_array(path: Path, text: str) -> Iterator[tuple[str, Any, str]]:
    at = text.index("[") + 1
    line = 1 + text.count("\n", 0, at)
    closed = False
    while not closed:
        start = _skipped(text, at)
        line += text.count("\n", at, start)
        where = f"{path} line {line}"
        if text.startswith("]", start):  # an empty array
            at = start + 1
            break
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            told = error.msg if isinstance(error, json.JSONDecodeError) else error
            line += text.count("\n", start, error.pos) if isinstance(error, json.JSONDecodeError) else 0
            raise InputError(f"{path} line {line}: not valid JSON: {told}") from None
        yield where, value, text[start:end]
        at = _skipped(text, end)
        line += text.count("\n", start, at)
        closed = text.startswith("]", at)
        if not closed and not text.startswith(",", at):
            raise InputError(
                f"{path} line {line}: not valid JSON: there should be a comma or the array's end"
            )
        at += 1
    if text[at:].strip(_SPACE):
        line += text.count("\n", at, _skipped(text, at))
        raise InputError(f"{path} line {line}: something stands behind the end of the JSON array")


def _skipped(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at


def _objects(found: Iterable[tuple[str, Any, str]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for where, value, raw in found:
        if not isinstance(value, dict):
            raise InputError(
                f'{where}: should be a JSON object, as in {{"id": "1", …}}, not {json.dumps(value)[:40]}'
            )
        if HALF_CHARACTER.search(raw.encode("utf-8", "surrogatepass")):
            check_characters(where, value)
        yield where, value
