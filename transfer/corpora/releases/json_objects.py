"""JSON of releases: objects whose texts are checked, with file and line (or key) in every error."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from transfer.corpora.releases.base import lines_of, text_of, wrong


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The numbered lines of a file, an object each."""
    for line, text in lines_of(path):
        yield line, _object(path, line, text, 'as in {"text": "…", …}')


def json_mapping(path: Path) -> dict[str, Any]:
    """The one object of a file, which has an entry for each item."""
    return _object(path, None, text_of(path), "with an entry for each item")


def _object(path: Path, line: int | None, text: str, such: str) -> dict[str, Any]:
    try:
        found = json.loads(text, object_pairs_hook=_once)
        json.dumps(found, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise wrong(path, line, f"holds half a character ({error.object[error.start]!a})") from None
    except (ValueError, RecursionError) as error:
        raise wrong(path, line, f"not valid JSON ({error}); is the file cut?") from None
    if not isinstance(found, dict):
        raise wrong(path, line, f"should be a JSON object, {such}")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys differ: of two entries with one key, json would silently keep the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} is there twice")
    return found


def text_in(path: Path, line: int | None, entry: Mapping[str, Any], key: str, *, of: str = "") -> str:
    """The text of a key; ``of`` names the entry in errors where its line is not known.

    Raises InputError where it is missing, no text, or blank.
    """
    where = f"{of}: " if of else ""
    if key not in entry:
        raise wrong(path, line, f"{where}the key '{key}' is missing")
    value = entry[key]
    if not isinstance(value, str) or not value.strip():
        said = json.dumps(value)[:60]
        raise wrong(path, line, f"{where}'{key}' should be a text that is not empty, not {said}")
    return value
