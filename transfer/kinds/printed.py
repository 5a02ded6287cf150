"""Lists that a program printed into a cell: ['fever', 'cough'], ["fever"], ['fever' 'cough'], [0. 1. 0.]."""

import ast
import json
import re
import warnings
from typing import Any

_PAIRS = {"[": "]", "(": ")", "{": "}"}
_WORD = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[Tt]rue|[Ff]alse"
_ITEM = re.compile(rf"\s*({_WORD})\s*(,?)", re.DOTALL)


def listed(text: str) -> list[Any] | None:
    """The items (texts, numbers, true and false) of a printed list; None where the text is not one.

    Python's lists, tuples and sets, JSON's arrays and numpy's arrays are read. Raises ValueError where a
    text begins and ends as a printed list and cannot be read as one.

    >>> listed("['fever' 'dry cough']"), listed('["fever"]'), listed("[]"), listed("fever")
    (['fever', 'dry cough'], ['fever'], [], None)
    """
    text = text.strip()
    if re.fullmatch(r"(array|set|frozenset|list|tuple|Index|Series)\(.*\)", text, re.DOTALL):
        raise ValueError("it is printed with the name of its type")
    if len(text) < 2 or _PAIRS.get(text[0]) != text[-1]:
        return None
    inner = text[1:-1]
    # a text may well stand in parentheses or braces
    if text[0] != "[" and inner.strip() and not inner.lstrip().startswith(("'", '"')):
        return None
    try:
        return _plain(json.loads(text))
    except (ValueError, RecursionError):
        return _items(inner)


def is_printed(text: str) -> bool:
    """Whether a text can be nothing but a printed list of texts: its first item is in quotation marks."""
    text = text.strip()
    return text in ("[]", "()") or (
        len(text) > 3 and text[0] in "[(" and text[1] in "'\"" and text[-1] in "])"
    )


def _plain(value: Any) -> list[Any]:
    if not isinstance(value, list) or not all(isinstance(one, str | int | float) for one in value):
        raise ValueError("it holds other things than texts and numbers")
    return value


def _items(inner: str) -> list[Any]:
    """The items between the brackets: all with commas between them, or all without, as numpy prints."""
    found, commas, at = [], [], 0
    while inner[at:].strip():
        match = _ITEM.match(inner, at)
        if not match:
            raise ValueError(
                f"at {inner[at : at + 20].strip()!r} it holds what is no quoted text and no number"
            )
        found.append(_read(match[1]))
        commas.append(bool(match[2]))
        at = match.end()
    if len(set(commas[:-1])) > 1 or (commas and commas[-1] and not all(commas)):
        raise ValueError("commas stand between some of its items and not between others")
    return found


def _read(word: str) -> Any:
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    if word[0] not in "'\"":
        number = float(word)
        return int(number) if number.is_integer() and abs(number) < 1e15 else number
    if "\\" not in word:
        return word[1:-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # an escape that Python does not know
        try:
            value = ast.literal_eval(word)
        except (SyntaxError, ValueError, Warning):
            raise ValueError(f"the escapes in {word[:40]} are not Python's") from None
    value.encode("utf-8")  # half a character is a UnicodeEncodeError, which is a ValueError
    return value
