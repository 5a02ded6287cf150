"""Generate docs/reference.md and docs/trainers.schema.json (``make docs``); a test fails if one is stale."""

import json
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import typer.main
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from transfer.analysis import comparison, controls, gains, stages, tables
from transfer.analysis.flags import FLAGS
from transfer.cli import app
from transfer.corpora.base import Card, Limit
from transfer.encoders import ALIASES, FAMILIES
from transfer.external import External
from transfer.grid import Grid, Tune
from transfer.jobs import Encoder
from transfer.kinds import KINDS
from transfer.methods import MIXING, SHARING, WEIGHING, Method
from transfer.recipes import RECIPES, FineTuning, Recipe
from transfer.replication import cells
from transfer.replication.tables import STATEMENTS
from transfer.reporting.columns import COLUMNS
from transfer.seeds import Seeds
from transfer.trainers.folder import JobFile

MUST = "(required)"
# where a short form stands for the mapping that the model holds
TYPES = {
    "encoder": "name or mapping",
    "recipe": "name or mapping",
    "seeds": "whole number, list of them, or mapping",
    "trainer": "name or mapping",
    "settings": "mapping",
}
REFERENCE = Path(__file__).parent / "reference.md"
SCHEMA = Path(__file__).parent / "trainers.schema.json"
HEAD = """\
# Reference

Every key, command, option and column. Generated from the code by `make docs`; do not edit it by hand.

[Commands](#commands) · [Keys of a grid](#keys-of-a-grid) · [Keys of a recipe](#keys-of-a-recipe) ·
[Keys of a card](#keys-of-a-card) · [Columns of a report](#columns-of-a-report)
"""
ENDS = """\
Exit codes: 0 success; 1 some jobs failed (each is named); 2 invalid input (one message says where, what, and
how to fix it); 130 interrupted (finished work is kept). `--debug` shows the traceback of an error.
`transfer --install-completion` enables shell completion of commands, grids, corpora and tasks.
"""
CARD = """\
## Keys of a card

The keys of `corpus.yaml`. The fields of a row: [form](grids.md#a-prepared-corpus).
"""


def reference() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_commands(), *_grid(), *_recipe(), *_card(), *_columns()])


def _commands() -> Iterator[str]:
    yield f"## Commands\n\n{ENDS}"
    for name, command in sorted(_leaves(typer.main.get_command(app)), key=lambda pair: pair[0]):
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
        usage = " ".join(["transfer", name, *(_metavar(a) for a in arguments)])
        yield f"### `transfer {name}`\n\n{' '.join(command.help.split())}\n"
        yield f"    {usage}{' [options]' if options else ''}\n"
        rows = [(f"`{_metavar(a)}`", a.help, "") for a in arguments]
        context = command.make_context(name, [], resilient_parsing=True)
        rows += [(_option(o, context), o.help, _default(o)) for o in options]
        yield _table(("argument or option", "meaning", "default"), rows)
        examples = [line.strip() for line in command.epilog.splitlines()[2:]]
        yield "```sh\n" + "\n".join(examples) + "\n```\n"


def _leaves(group: Any, *names: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command, *names, name)
        else:
            yield " ".join([*names, name]), command


def _metavar(argument: Any) -> str:
    return (argument.metavar or argument.name).upper()


def _option(option: Any, context: Any) -> str:
    """An option and its value, as the command's own help writes them."""
    written = option.get_help_record(context)[0].replace("<", "").replace(">", "")
    for theirs, ours in (("int range", "N"), ("float range", "X"), (" str", " TEXT"), ("|", "\\|")):
        written = written.replace(theirs, ours)
    return f"`{written}`"


def _default(option: Any) -> str:
    value = option.default
    if option.required:
        return MUST
    shown = getattr(value, "value", value)
    return "" if option.is_flag or value in (None, ()) or callable(value) else f"`{shown}`"


def _grid() -> Iterator[str]:
    yield "## Keys of a grid\n\nUnknown keys are errors that suggest the nearest valid key.\n"
    yield _keys(Grid, but=("recipe_name",))
    yield "`trainer: {…}` ([guide](trainers.md))\n"
    yield _keys(External, but=("digests",))
    yield "`encoder: {…}`\n"
    yield _keys(Encoder)
    yield from _encoders()
    yield "`seeds: {…}`\n"
    yield _keys(Seeds)
    yield "`tune: {…}`\n"
    yield _keys(Tune)
    yield "`limit: {…}`\n"
    yield _keys(Limit)


def _encoders() -> Iterator[str]:
    case = {True: "cased", False: "uncased", None: "set by its tokenizer"}
    rows = [(f"`{name}`", f"`{alias.hub}`", case[alias.cased]) for name, alias in ALIASES.items()]
    yield _table(("alias", "hub id", "case"), rows)
    kinds = {True: "packed", False: "padded"}
    rows = [(f"`{name}`", kinds[family.packed]) for name, family in FAMILIES.items()]
    yield _table(("family (`model_type` of its `config.json`)", "sequences"), rows)


def _recipe() -> Iterator[str]:
    yield "## Keys of a recipe\n"
    yield _keys(Recipe)
    yield "`fine_tune: {…}`\n"
    yield _keys(FineTuning)
    for key, registry in (("share", SHARING), ("mix", MIXING), ("weigh", WEIGHING)):
        yield f"`{key}: …`, one of\n"
        yield _table(
            ("method", "settings", "meaning"), [_method(name, kind) for name, kind in registry.items()]
        )
    yield "The named recipes:\n"
    shown = {name: recipe.model_dump() for name, recipe in RECIPES.items()}
    for values in shown.values():
        values |= {key: values[key]["method"] for key in ("share", "mix", "weigh")}
    rows = [
        (f"`{key}`", *(f"{_value(values[key])}" for values in shown.values())) for key in Recipe.model_fields
    ]
    yield _table(("key", *(f"`{name}`" for name in shown)), rows)


def _method(name: str, kind: type[Method]) -> tuple[str, str, str]:
    numbers = []
    for key, field in kind.model_fields.items():
        if key != "method":
            default = "required" if field.is_required() else _value(field.default)
            numbers.append(f"`{key}` ({default}): {field.description}")
    return f"`{name}`", "<br>".join(numbers), " ".join((kind.__doc__ or "").split())


def _card() -> Iterator[str]:
    yield CARD
    yield _keys(Card)
    yield _table(
        ("kind", "metrics"),
        [(f"`{name}`", ", ".join(f"`{m}`" for m in kind.metrics)) for name, kind in KINDS.items()],
    )


def _columns() -> Iterator[str]:
    yield "## Columns of a report\n\nScores and gains are fractions: 0.005 is half a point.\n"
    for name, columns in ORDER.items():
        yield f"### `{name}`\n"
        yield _table(("column", "meaning"), [(f"`{column}`", COLUMNS[name][column]) for column in columns])


COLUMNS_OF_CONTROLS = [
    f"{column}_{control}"
    for columns in (controls.BESIDE, controls.STANDING)
    for control in ("same_steps", "left_out", "tuned")
    for column in columns
]
# the columns as the report writes them
ORDER = {
    "results.csv": tables.RESULTS,
    "edges.csv": [*gains.EDGES, "flag", *COLUMNS_OF_CONTROLS, "data_source"],
    "table_groups.csv": [*gains.GROUP_GAINS, "data_source"],
    "table_stages.csv": [*stages.CONTRASTS, "data_source"],
    "table_stage_means.csv": [*stages.MEANS, "data_source"],
    "table_null.csv": [*gains.EDGES, "data_source"],
    "table_same_steps.csv": [*gains.EDGES, "data_source"],
    "table_left_out.csv": [*gains.EDGES, "data_source"],
    "table_tuned.csv": [*gains.EDGES, "data_source"],
    "table_1.csv": cells.COUNTS,
    "table_2.csv to table_6.csv": cells.COLUMNS,
    "figure_2_text.csv": STATEMENTS,
    "table_scores.csv": [*tables.SCORES, "source"],
    "table_corpora.csv": [*tables.CORPORA, "source"],
    "panels.csv": ["panel", "grid", *gains.EDGES, "flag", *COLUMNS_OF_CONTROLS, "data_source"],
    "compare.csv": comparison.COLUMNS,
    "compare_cost.csv": comparison.COSTS,
    "table_flags.csv": [*FLAGS, "source"],
    "table_missing.csv": [*gains.CELL, "state", "error", "source"],
}


def _keys(model: type[BaseModel], *, but: tuple[str, ...] = ()) -> str:
    rows = []
    for name, field in model.model_fields.items():
        if name not in but:
            assert field.description, f"{model.__name__}.{name} has no description"
            default = MUST if field.is_required() else _value(_default_of(field))
            kind = TYPES.get(name) or _type(field.annotation)
            rows.append((f"`{name}`", kind, default, " ".join(field.description.split())))
    return _table(("key", "type", "default", "meaning"), rows)


def _default_of(field: FieldInfo) -> Any:
    return None if field.default is PydanticUndefined else field.default


def _value(value: Any) -> str:
    if value is None or value in ("", {}):
        return "none"
    if isinstance(value, Method):
        return f"`{value}`"
    if isinstance(value, BaseModel):
        shown = value.model_dump(exclude_none=True)
        return _value(shown)
    if isinstance(value, dict):
        return "`{" + ", ".join(f"{k}: {v}" for k, v in value.items()) + "}`"
    if isinstance(value, list | tuple):
        return "`[" + ", ".join(map(str, value)) + "]`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _type(annotation: Any) -> str:
    """Describe a type in YAML terms."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_type(one) for one in inner if one is not type(None))
    if origin is tuple:
        return f"list of {_type(inner[0])}"
    if origin in (dict, Mapping):
        return f"mapping to {_type(inner[1])}"
    if origin is typing.Annotated:
        return _type(inner[0])
    if isinstance(annotation, type) and issubclass(annotation, Method):
        return "name, or mapping"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "mapping"
    return {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}[annotation]


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cell.strip() for cell in line)} |\n" for line in lines)


def schema() -> str:
    """JSON schema of the file that an external trainer reads."""
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **JobFile.model_json_schema()}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
