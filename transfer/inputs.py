"""User input, read and validated at the edge: a valid object, or one message with file, line and fix."""

import difflib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


LONGEST_MESSAGE = 1000  # characters
MOST_VALUES = 100_000  # in a YAML file


class InputError(Exception):
    """Invalid user input; the message says where, what, and how to fix it (exit code 2).

    It is one line whatever it quotes: control characters are shown as escapes, and what is very long
    loses its middle.
    """

    def __init__(self, message: str) -> None:
        line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in message)
        if len(line) > LONGEST_MESSAGE:
            line = f"{line[: LONGEST_MESSAGE // 2]} … {line[-LONGEST_MESSAGE // 2 :]}"
        super().__init__(line)


class NotThere(InputError):
    """Something that a grid names does not exist; whoever reads the grid adds where it is named."""


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The nearest known word as the end of a message, or the list of all of them.

    >>> did_you_mean("chemprt", ["chemprot", "hoc"])
    "; did you mean 'chemprot'?"
    """
    known = sorted(known)
    near = difflib.get_close_matches(wrong, known, n=1, cutoff=0.6)
    if near:
        return f"; did you mean '{near[0]}'?"
    return f"; known: {', '.join(known)}" if known else ""


def nearby(path: Path) -> str:
    """The file that was probably meant by a path that is not there, as the end of a message, or nothing."""
    try:
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], n=1)
    except (OSError, ValueError):
        return ""
    return f"; did you mean '{path.parent / near[0]}'?" if near else ""


def read_bytes(path: Path) -> bytes:
    """Read a file. Raises InputError (NotThere if it is missing) that names the file.

    A pipe or a device is refused: a command would wait for it for ever.
    """
    try:
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "no regular file"
            raise InputError(f"{path}: cannot be read, it is {what}")
        return path.read_bytes()
    except FileNotFoundError:
        raise NotThere(f"{path}: no such file{nearby(path)}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except ValueError as error:  # a NUL in the name
        raise InputError(f"{path}: is no name of a file ({error})") from None


# what PyYAML raises for a text that is no YAML, or whose tags do not fit what they stand before
YAML_ERRORS = (yaml.YAMLError, ValueError, RecursionError, AttributeError, TypeError, KeyError)
YAML_MENDS = {
    "\\t": "; indent with spaces, not with tabs",
    "could not find expected ':'": "; here or a line above, a key's colon is followed by a space",
    "mapping values are not allowed": "; a text with a colon in it stands in quotes",
    "block end, but found": "; the keys of a mapping start in the same column",
}


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[tuple, int]]:
    """A YAML mapping and the line (from 1) of each key in it, by path: ``("recipe", "lr")``.

    Raises InputError where the file is missing, is not UTF-8 or YAML, or repeats a key.
    """
    try:
        text = read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        # before anything is built of them: aliases of aliases can stand for billions of values
        lines = dict(itertools.islice(_lines(path, node, ()), MOST_VALUES + 1))
        if len(lines) > MOST_VALUES:
            raise InputError(f"{path}: holds more than {MOST_VALUES:,} values; that is no file for a person")
        data = yaml.safe_load(text)
    except YAML_ERRORS as error:
        mark = getattr(error, "problem_mark", None)
        at = text.count("\n", 0, getattr(error, "position", 0)) if not mark else mark.line
        where = f" line {at + 1}" if mark or hasattr(error, "position") else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        mend = next((mend for words, mend in YAML_MENDS.items() if words in str(problem)), "")
        raise InputError(f"{path}{where}: not valid YAML: {problem}{mend}") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}: should be a mapping of keys to values, as in 'name: my_grid'")
    return data, lines


def _lines(path: Path, node: yaml.Node | None, place: tuple):
    if isinstance(node, yaml.MappingNode):
        seen = set()
        for key, value in node.value:
            if key.value in seen:
                line = key.start_mark.line + 1
                raise InputError(f"{path} line {line}: the key '{key.value}' is given twice")
            seen.add(key.value)
            yield (*place, key.value), key.start_mark.line + 1
            yield from _lines(path, value, (*place, key.value))
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            yield (*place, i), value.start_mark.line + 1
            yield from _lines(path, value, (*place, i))


# where each key was given, by its path: a line of the file, or the option of the command line
Places = Mapping[tuple, int | str]


def place(path: Path, loc: tuple) -> str:
    """``file line N`` of a key of a YAML file, as near to it as the file has it."""
    return placed(path, read_yaml(path)[1], loc)


def placed(path: Path, places: Places, loc: tuple) -> str:
    """``file line N``, or the option that gave a key in place of the file, or just the file."""
    for end in range(len(loc), 0, -1):
        if loc[:end] in places:
            where = places[loc[:end]]
            return where if isinstance(where, str) else f"{path} line {where}"
    return str(path)


def validated(model: type[M], data: Mapping[str, Any], *, path: Path, lines: Places | None = None) -> M:
    """``data`` as a ``model``; raises InputError with file, line, key and the nearest known key."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _problems(model, error, path, lines or {})[0] from None


def problems(
    model: type[BaseModel], data: Mapping[str, Any], *, path: Path, lines: Places | None = None
) -> list[InputError]:
    """Everything that ``validated`` could raise for ``data``, in its order; nothing where it is valid."""
    try:
        model.model_validate(data)
    except ValidationError as error:
        return _problems(model, error, path, lines or {})
    return []


def _problems(model: type[BaseModel], error: ValidationError, path: Path, lines: Places) -> list[InputError]:
    # a key that is misspelt is also a key that is missing; the misspelling is the mend
    found = sorted(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
    # pydantic names the branch of a union, too
    told = []
    for each in found:
        loc = tuple(part for part in each["loc"] if "[" not in str(part))
        told.append(InputError(f"{placed(path, lines, loc)}: {_what(model, {**each, 'loc': loc})}"))
    return told


def _what(model: type[BaseModel], error: Any) -> str:
    if error["type"] == "extra_forbidden":
        *outer, last = error["loc"]
        key = ".".join(map(str, error["loc"]))
        return f"unknown key '{key}'" + _key_that_was_meant(_model_at(model, tuple(outer)), str(last))
    key = ".".join(map(str, error["loc"]))
    if error["type"] == "missing":
        return f"the key '{key}' is missing"
    given = _shown(error["input"])
    if error["type"] in SHOULD_BE:
        return f"'{key}' should be {SHOULD_BE[error['type']]}, not {given}"
    if error["type"] == "string_pattern_mismatch":
        return (
            f"'{key}' should be letters, digits, '.', '_' and '-', the first a letter or digit, not {given}"
        )
    if error["type"] == "literal_error":
        return f"'{key}' should be {error['ctx']['expected']}, not {given}"
    message = error["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    return f"'{key}': {message}" if key else message


SHOULD_BE = {
    **dict.fromkeys(("tuple_type", "list_type"), "a list, as in [a, b]"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping, as in {key: value}"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "a number"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float", "int_parsing_size"), "a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "a text",
}


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)[:60]


def _key_that_was_meant(owner: type[BaseModel], wrong: str) -> str:
    """Suggest the nearest valid key; a key that belongs a level deeper is named with its place."""
    known = [name for name, field in owner.model_fields.items() if not field.exclude]
    for name in known:
        inner = _model_at(owner, (name,))
        if inner is not owner and wrong in inner.model_fields:
            return f"; did you mean '{name}.{wrong}'?"
    return did_you_mean(wrong, known)


def _model_at(model: type[BaseModel], loc: tuple) -> type[BaseModel]:
    """The model that owns the key at ``loc``, as far as the annotations tell."""
    for part in loc:
        field = model.model_fields.get(str(part))
        nested = next(_models_in(getattr(field, "annotation", None)), None)
        if nested is None:
            break
        model = nested
    return model


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that an annotation names."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for each in get_args(annotation):
        yield from _models_in(each)
