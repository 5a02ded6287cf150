"""Gold values and tokens from the cells of a user's table: numbers, labels, and lists in several forms.

``where`` is the place of a cell, with which every InputError begins.
"""

import math
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from transfer.inputs import InputError
from transfer.kinds.printed import is_printed, listed

# of ASCII alone; float() takes 1_000, infinity and digits of every script as well
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)


def number_in(value: Any, where: str) -> float:
    """The number of a cell, as a program or a person writes it. Raises InputError."""
    number = math.nan
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        number = float(value)
    elif isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        try:
            number = float(value)
        except (OverflowError, ValueError):
            number = math.inf
    if not math.isfinite(number):
        raise InputError(f"{where} should hold a number, as in 3.5, not {shown(value)}")
    return number


def label_in(value: Any, where: str) -> str:
    """The label of a cell: a text, a number, true or false."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float) and math.isfinite(value):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        mend = ", --kind multilabel reads several" if isinstance(value, list) else ""
        raise InputError(f"{where} should hold a label{mend}, not {shown(value)}")
    try:
        printed = listed(value) if value.strip()[0] == "[" or is_printed(value) else None
    except ValueError:  # a name in brackets
        printed = None
    if printed is not None:
        raise InputError(
            f"{where} holds a printed list, {value.strip()[:60]}, not a label; --kind multilabel reads lists"
        )
    return value.strip()


def labels_in(value: Any, where: str, separator: str, names: Sequence[str] = ()) -> list[str]:
    """The labels of a cell: a list, a printed list, or a text with separators; by ``names`` if multi-hot."""
    if isinstance(value, str):
        try:
            items = listed(value)
        except ValueError as error:
            raise InputError(
                f"{where} holds what looks like a printed list, {value.strip()[:60]}, but {error}; write the "
                f'labels with \'{separator}\' between them, or as in ["a", "b"]'
            ) from None
        if items is None and value.strip():
            items = value.replace(separator, " ").split() if names else value.split(separator)
        value = items or []
    if not isinstance(value, list):
        raise InputError(f"{where} should hold labels with '{separator}' between them, not {shown(value)}")
    if names:
        return named_by(names, value, where)
    labels = [label_in(one, where) for one in value]
    if len(set(labels)) < len(labels):
        raise InputError(f"{where} names a label twice: {', '.join(labels)[:60]}")
    return labels


def named_by(names: Sequence[str], value: Sequence[Any], where: str) -> list[str]:
    """The names whose positions hold 1; the others hold 0."""
    numbers = [_HOT.get(one.strip() if isinstance(one, str) else one) for one in value]
    if len(numbers) != len(names) or None in numbers:
        raise InputError(
            f"{where} should hold 0 or 1 for each of the {len(names)} names of --labels, not {value!r:.60}"
        )
    return [name for name, number in zip(names, numbers, strict=True) if number]


_HOT: Mapping[Any, int] = {0: 0, 1: 1, "0": 0, "1": 1, "0.0": 0, "1.0": 1}


def check_multi_hot(values: Sequence[Any], where: str) -> None:
    """Raise InputError where all cells of a column are lists of 0 and 1, equally long, two or more."""
    lengths = set()
    for value in values:
        try:
            value = listed(value) if isinstance(value, str) else value
        except ValueError:
            return
        if not isinstance(value, list) or any(one not in (0, 1) for one in value):
            return
        lengths.add(len(value))
    if len(lengths) == 1 and (count := lengths.pop()) > 1:
        raise InputError(
            f"{where} holds 0 or 1 for each of {count} labels; name these in their order with "
            "--labels NAME,NAME,…"
        )


def words_in(value: Any, where: str, *, blanks: bool = False) -> list[str]:
    """Tokens or tags: a list of texts, or a text with spaces between them; ``blanks`` may be among them."""
    words = value
    if isinstance(value, str) and is_printed(value):
        try:
            words = listed(value)
        except ValueError as error:
            raise InputError(
                f"{where} holds what looks like a printed list, {value.strip()[:60]}, but {error}; write "
                "spaces between the texts, or a list as JSON has it"
            ) from None
    elif isinstance(value, str):
        # a space that does not break is part of a token
        words = [word for word in value.split(" ") if word]
    if not isinstance(words, list) or not words:
        raise InputError(f"{where} should hold a list of texts, not {shown(value)}")
    for word in words:
        if not isinstance(word, str) or not (blanks or word.strip()):
            raise InputError(f"{where} should hold texts that are not empty, not {shown(word)}")
    return words


def shown(value: Any) -> str:
    """A cell as a message shows it."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return "nothing"
    if isinstance(value, str | int | float):
        return repr(value)[:60]
    return f"a {type(value).__name__}"
