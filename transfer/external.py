"""External trainers: what a grid says of a trainer that the user brings, and what of it a job keeps. Pure."""

import hashlib
import math
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from transfer.inputs import InputError, did_you_mean
from transfer.recipes import Recipe, Strict

PLACES = ("{job}", "{out}")
GROUP = "transfer.trainers"  # of entry points, each a function of (job, out)
BUILT_IN = "bert"
EXTERNAL = "external"
# what a grid with an external trainer has in place of the built-in trainer's keys
PLACEHOLDERS: Mapping[str, Any] = {
    "encoder": {"name": EXTERNAL, "layers": None},
    "recipe": Recipe(lr=1, epochs=1, batch_size=1).model_dump(mode="json"),
}


class TrainerFailed(RuntimeError):
    """An external trainer ended badly, or its answers cannot be used; the message has its last output."""


class TrainerOutOfMemory(TrainerFailed, MemoryError):
    """An external trainer that ran out of memory; it is tried again when nothing else runs."""


class External(Strict):
    """A trainer as a grid names it: a command, or a Python function."""

    command: tuple[str, ...] = ()
    """Program and arguments; `{job}` stands for the job's file and `{out}` for the folder of its answers."""
    python: str | None = None
    """`module:function`, called as `function(job, out)` with two paths in a process of its own; or the name
    of an entry point of the group `transfer.trainers`."""
    settings: Mapping[str, Any] = Field(default={})
    """Free-form values for the trainer, part of the job's identity."""
    files: tuple[str, ...] = ()
    """Further files whose contents are part of the job's identity, relative to the grid's file. Those in the
    command, and a function's module beside the grid's file, always are."""
    digests: Mapping[str, str] = Field(default={})
    """(made from the files)"""
    hours: float | None = Field(default=None, gt=0)
    """Time limit of a job; no part of its identity."""

    @field_validator("command", mode="before")
    @classmethod
    def _a_list_of_texts(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError('should be a list, as in [python, train.py, --job, "{job}", --out, "{out}"]')
        return value

    @field_validator("python")
    @classmethod
    def _module_and_function(cls, value: str | None) -> str | None:
        if value is not None and ":" not in value:
            value = _installed(value)
        module, _, function = (value or "").partition(":")
        parts = [*module.split("."), function]
        if value is not None and not all(part.isidentifier() for part in parts):
            raise ValueError(f"should be module:function, not '{value}'")
        return value

    @field_validator("settings")
    @classmethod
    def _values_that_json_has(cls, value: Mapping[str, Any]) -> Mapping[str, Any]:
        _refuse_non_json(value, "settings")
        return value

    @model_validator(mode="after")
    def _one_of_two(self) -> "External":
        if bool(self.command) == (self.python is not None):
            raise ValueError("a trainer has either 'command' or 'python'")
        for place in PLACES if self.command else ():
            if not any(place in part for part in self.command):
                raise ValueError(f"the command should contain {place}")
        return self

    def with_digests(self, folder: Path) -> "External":
        """The trainer with SHA-256 digests of its files, which are relative to ``folder``.

        Raises InputError if a file cannot be read.
        """
        module = f"{(self.python or '').partition(':')[0].replace('.', '/')}.py"
        named = (part for part in (*self.command, module) if (folder / part).is_file())
        digests = {}
        for name in sorted({*self.files, *named}):
            try:
                digests[name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
            except OSError as error:
                raise InputError(f"trainer: {folder / name} cannot be read ({error.strerror})") from None
        return self.model_copy(update={"digests": digests})

    @property
    def identity(self) -> dict[str, Any]:
        """Everything of the trainer that can change a result."""
        return self.model_dump(mode="json", include={"command", "python", "settings", "digests"})

    @property
    def name(self) -> str:
        """The trainer as reports show it."""
        return self.python or " ".join(self.command)


def _installed(name: str) -> str:
    """The `module:function` of an installed trainer. Raises ValueError if there is none of this name."""
    found = {each.name: each.value for each in entry_points(group=GROUP)}
    if name not in found:
        raise ValueError(
            f"no installed package has the trainer '{name}'{did_you_mean(name, found)}; "
            "a function of your own is written module:function"
        )
    return found[name]


def _refuse_non_json(value: Any, where: str) -> None:
    if isinstance(value, Mapping):
        for key, each in value.items():
            if not isinstance(key, str):
                raise ValueError(f"{where}: the key {key!r} should be a text")
            _refuse_non_json(each, f"{where}.{key}")
    elif isinstance(value, (list, tuple)):
        for number, each in enumerate(value):
            _refuse_non_json(each, f"{where}[{number}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{where}: {value} has no form in JSON")
    elif not isinstance(value, (str, int, float, bool, type(None))):
        raise ValueError(f"{where}: {value!r} has no form in JSON; write it as a text")


def with_placeholders(grid: Any) -> Any:
    """A grid's mapping with values for the keys that an external trainer has no use for.

    Raises ValueError if the grid sets one of them.
    """
    if isinstance(grid, dict) and isinstance(name := grid.get("trainer"), str) and name != BUILT_IN:
        grid = {**grid, "trainer": {"python": name}}
    if not isinstance(grid, dict) or not isinstance(grid.get("trainer"), (dict, External)):
        return grid
    for key, value in PLACEHOLDERS.items():
        given = grid.get(key, value)
        if (given.model_dump(mode="json") if isinstance(given, Strict) else given) != value:
            raise ValueError(
                f"'{key}' is for the built-in trainer; give its values to yours under trainer.settings"
            )
    return {**grid, **PLACEHOLDERS}


def _branch(value: Any) -> str:
    return "[bert]" if value == BUILT_IN else "[external]"


Trainer = Annotated[
    Annotated[Literal["bert"], Tag("[bert]")] | Annotated[External, Tag("[external]")],
    Discriminator(_branch),
]
