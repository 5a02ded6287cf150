"""Overrides of a grid on the command line: ``--set key=value``."""

from collections.abc import Sequence
from typing import Any

import yaml

from transfer.inputs import YAML_ERRORS, InputError


def override(data: dict[str, Any], text: str, places: dict[tuple, int | str] | None = None) -> None:
    """Write ``recipe.epochs=3`` into the raw mapping; a named recipe or encoder becomes a mapping first.

    ``places`` (where each key was given) then has the option in place of the file's lines.
    """
    key, equals, value_text = text.partition("=")
    if not equals or not key:
        raise InputError(f"--set {text}: should be key=value, as in --set recipe.epochs=3")
    try:
        value = yaml.safe_load(value_text)
    except YAML_ERRORS:
        raise InputError(f"--set {text}: the value is not valid YAML") from None
    *outer, last = key.split(".")
    place: dict[str, Any] = data
    for part in outer:
        inner = place.setdefault(part, {})
        if isinstance(inner, str) and part in ("recipe", "encoder"):
            inner = place[part] = {"base" if part == "recipe" else "name": inner}
        if not isinstance(inner, dict):
            raise InputError(f"--set {text}: '{part}' has no keys of its own")
        place = inner
    place[last] = value
    if places is not None:
        keys = (*outer, last)
        for inner in [path for path in places if path[: len(keys)] == keys]:
            del places[inner]
        places[keys] = f"--set {text}"


def changes(overrides: Sequence[str]) -> dict[str, str]:
    """The changes of ``--set``: each key with the text of its last value."""
    return dict(text.split("=", 1) for text in overrides)
