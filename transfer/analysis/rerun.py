"""Reproduction of a report's figures: the grid's file as it was run, and the command."""

from typing import Any, NamedTuple

import yaml

from transfer.external import External
from transfer.recipes import RECIPES
from transfer.records import GridRecord, without_paths


class Rerun(NamedTuple):
    """A command, and the text of the file that it names."""

    command: str
    file_name: str
    grid: str


def rerun(record: GridRecord) -> Rerun:
    """The grid with all that the command line changed, every default written out; no path of a machine."""
    name = f"{record.grid.name}.yaml"
    data: dict[str, Any] = record.grid.model_dump(mode="json", exclude_none=True, exclude={"keep"})
    if record.grid.trainer == "bert":
        del data["trainer"]
        data["encoder"]["name"] = without_paths(data["encoder"]["name"])
        if list(data["encoder"]) == ["name"]:
            data["encoder"] = data["encoder"]["name"]
        data["recipe"] = _recipe(record)
    else:
        data["trainer"] = _trainer(record.grid.trainer)
        del data["encoder"], data["recipe"]
    folder = data.pop("corpora", None) if record.source != "synthetic" else None
    text = yaml.safe_dump(data, sort_keys=False, default_flow_style=None, allow_unicode=True, width=88)
    return Rerun(f"transfer run-grid {name}" + (" --corpora DIR" if folder else ""), name, text)


def _trainer(trainer: External) -> dict[str, Any]:
    """Trainer in the form of a grid's file."""
    said = trainer.model_dump(mode="json", exclude_defaults=True, exclude={"digests"})
    said |= {key: [without_paths(part) for part in said[key]] for key in ("command", "files") if key in said}
    return said


def _recipe(record: GridRecord) -> Any:
    """Recipe in the form of a grid's file: a name, a name with changes, or all settings."""
    numbers = record.grid.recipe.model_dump(mode="json", exclude_none=True)
    base = record.recipe_name.removesuffix(" with changes")
    if base not in RECIPES:
        return numbers
    known = RECIPES[base].model_dump(mode="json")
    changed = {key: value for key, value in numbers.items() if known[key] != value}
    return {"base": base, **changed} if changed else base
