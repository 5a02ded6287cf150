"""The grid: what a person asks for in YAML. ``transfer.expansion`` makes jobs of it."""

import hashlib
import itertools
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from transfer.corpora.base import Limit, Name
from transfer.encoders import ALIASES
from transfer.external import External, Trainer, with_placeholders
from transfer.inputs import InputError, did_you_mean, placed, read_yaml, validated
from transfer.jobs import NULL_SEEDS, Encoder, Job, Stage
from transfer.methods import EQUAL, HARD, PROPORTIONAL, Fixed, Top, top_refused
from transfer.overrides import override
from transfer.recipes import Recipe, Strict, resolved
from transfer.seeds import Seeds, as_multiple, as_seeds, checked_seeds, further

# the words of `jobs` and `keep`, with the groups of corpora that each stands for
NAMED_GROUPS: Mapping[str, Callable[[Sequence[str]], Sequence[tuple[str, ...]]]] = {
    "single": lambda tasks: [(task,) for task in tasks],
    "pairs": lambda tasks: list(itertools.combinations(tasks, 2)),
    "all": lambda tasks: [tuple(tasks)],
    "leave-one-out": lambda tasks: [tuple(task for task in tasks if task != left) for left in tasks],
}
# of `keep`: every model, and what names a job
EVERY = "models"
JOB_ID = re.compile("[0-9a-f]{4,16}")

# keys of a grid that came after the first grids were kept, at the value that says "as before"
ADDED_LATER: Mapping[str, Any] = {
    "correction": "bh", "controls": [], "tune": None, "limits": {}, "single_seeds": "1x",
    "trainer": "bert",
}  # fmt: skip
RECIPE_ADDED_LATER = {
    key: {"method": method.method}
    for key, method in (("share", HARD), ("mix", PROPORTIONAL), ("weigh", EQUAL))
}


class Tune(Strict):
    """Search space of the single-task baselines; each corpus takes the value with the best mean dev score."""

    lr: tuple[float, ...] = Field(min_length=1)
    """Learning rates to try in addition to the recipe's."""

    @field_validator("lr")
    @classmethod
    def _rates_are_positive(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if min(value) <= 0 or len(set(value)) < len(value):
            raise ValueError("should be different learning rates greater than 0")
        return value


class Grid(Strict):
    """Jobs to run: the YAML file that a user edits."""

    name: Name
    """Name of the grid and of its report folder."""
    corpora: str | None = None
    """`synthetic`, or a folder of prepared corpora relative to the grid's file; or set by `--corpora`."""
    tasks: tuple[Name, ...] = Field(min_length=1)
    """Corpora, in the order of the report."""
    trainer: Trainer = "bert"
    """`bert` (built in), `{command: [python, train.py, "{job}", "{out}"]}` or `{python: module:function}`
    ([guide](trainers.md))."""
    encoder: Encoder
    """Shared encoder: a name (see below), or `{name: …, layers: k}`."""
    recipe: Recipe
    """Name of a recipe, or `{base: quick, epochs: 4, …}`, or a complete set of settings."""
    recipe_name: str = Field(default="", exclude=True)
    """(made from `recipe`)"""
    jobs: tuple[Literal["single", "pairs", "all", "leave-one-out"] | tuple[Name, ...], ...] = (
        "single",
        "pairs",
        "all",
    )
    """Groups that are trained together: these words and lists of tasks, in any combination."""
    stages: tuple[Stage, ...] = ("refine",)
    """`[refine]`, or `[refine, fine-tune]`, which then fine-tunes each corpus alone."""
    seeds: tuple[int, ...] | Seeds
    """Number of seeds, a list of seeds, or adaptive seeds `{first: 3, most: 10}` (see below)."""
    single_seeds: str = "1x"
    """Seeds of the single-task runs, as a multiple of `seeds`: `2x` trains each corpus of a larger group
    alone with twice as many ([method](method.md#more-single-task-seeds))."""
    controls: tuple[Literal["null", "same-steps", "left-out"], ...] = ()
    """Controls for the edges: `null`, `same-steps`, `left-out` ([method](method.md#controls))."""
    tune: Tune | None = None
    """`{lr: [1e-4, 3e-4]}` also trains each corpus alone with these rates ([method](method.md#controls))."""
    limit: Limit = Limit()
    """Maximum number of examples per split, stratified by label (see below)."""
    limits: Mapping[Name, Limit] = Field(default={})
    """Per-corpus overrides of `limit`: `{chemprot: {train: 400}}`."""
    smallest_effect: float = Field(default=0.5, gt=0, le=100)
    """Smallest gain that matters, in points."""
    correction: Literal["bh", "holm"] = "bh"
    """Correction over all edges: Benjamini-Hochberg or Holm."""
    keep: tuple[str | tuple[Name, ...], ...] = ()
    """Models kept in the store for `export`: `models` (all), the values of `jobs`, or job ids."""
    stands_for: str | None = None
    """Encoder of the paper whose table rows this grid fills ([guide](paper.md))."""

    @model_validator(mode="before")
    @classmethod
    def _recipe_and_encoder_are_of_the_built_in_trainer(cls, data: Any) -> Any:
        return with_placeholders(data)

    @field_validator("encoder", mode="before")
    @classmethod
    def _encoder_by_name(cls, value: Any) -> Any:
        if not isinstance(value, (str, dict, Encoder)):
            raise ValueError("should be an alias, a folder or a hub id, or {name: …, layers: 2}")
        return {"name": value} if isinstance(value, str) else value

    @field_validator("stands_for")
    @classmethod
    def _an_encoder_by_its_alias(cls, value: str | None) -> str | None:
        # whether it is one of the paper's is checked where its tables are filled
        if value is not None and value not in ALIASES:
            raise ValueError(f"there is no encoder '{value}'{did_you_mean(value, ALIASES)}")
        return value

    @field_validator("seeds", mode="before")
    @classmethod
    def _seeds_by_number(cls, value: Any) -> Any:
        return as_seeds(value)

    @field_validator("seeds")
    @classmethod
    def _seeds_are_numbers_once(cls, value: tuple[int, ...] | Seeds) -> tuple[int, ...] | Seeds:
        return checked_seeds(value)

    @field_validator("single_seeds", mode="before")
    @classmethod
    def _a_multiple_of_the_seeds(cls, value: Any) -> str:
        return as_multiple(value)

    @field_validator("controls", mode="before")
    @classmethod
    def _null_is_a_word_here(cls, value: Any) -> Any:
        # in YAML a bare null is no text
        return ["null" if item is None else item for item in value] if isinstance(value, list) else value

    @field_validator("tasks")
    @classmethod
    def _each_task_once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if value.count(name) > 1:
                raise ValueError(f"the task '{name}' is listed twice")
        return value

    @field_validator("jobs", mode="before")
    @classmethod
    def _known_families(cls, value: Any) -> Any:
        for item in value if isinstance(value, list) else ():
            if isinstance(item, str) and item not in NAMED_GROUPS:
                raise ValueError(
                    f"unknown jobs '{item}' (a group is a list of tasks){did_you_mean(item, NAMED_GROUPS)}"
                )
        return value

    @field_validator("keep", mode="before")
    @classmethod
    def _known_models(cls, value: Any) -> Any:
        value = [value] if isinstance(value, str) else value
        for item in value if isinstance(value, (list, tuple)) else ():
            known = (EVERY, *NAMED_GROUPS)
            if isinstance(item, str) and item not in known and not JOB_ID.fullmatch(item):
                raise ValueError(
                    f"unknown models '{item}' (a group is a list of tasks){did_you_mean(item, known)}"
                )
            if isinstance(item, int):
                raise ValueError(f"a job's id that has only digits stands in quotes, as in '{item}'")
        return value

    @field_validator("stages")
    @classmethod
    def _stages_in_order(cls, value: tuple[Stage, ...]) -> tuple[Stage, ...]:
        if value not in (("refine",), ("refine", "fine-tune")):
            raise ValueError("should be [refine] or [refine, fine-tune]: stage 3 starts from stage 2")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> "Grid":
        for name in self.limits:
            if name not in self.tasks:
                raise ValueError(f"limits: '{name}' is not among the tasks{did_you_mean(name, self.tasks)}")
        limits = [self.limit_of(name) for name in self.tasks]
        if not any(limit.train for limit in limits) and any(limit.resample for limit in limits):
            raise ValueError("limit: 'resample' needs 'train' beside it, the number of examples to draw")
        if max(self.single_seeds_at()) >= NULL_SEEDS:
            raise ValueError(f"single_seeds: the seeds that it adds should be below {NULL_SEEDS}")
        for key, items in (("jobs", self.jobs), ("keep", self.keep)):
            for name in itertools.chain(*(item for item in items if isinstance(item, tuple))):
                if name not in self.tasks:
                    raise ValueError(
                        f"{key}: '{name}' is not among the tasks{did_you_mean(name, self.tasks)}"
                    )
        if "fine-tune" in self.stages and self.recipe.fine_tune is None:
            raise ValueError("stages: the recipe has no 'fine_tune' part (its lr and epochs)")
        if self.trainer != "bert":
            for key in ("stages", "tune", "keep"):
                if getattr(self, key) not in ((), None, ("refine",)):
                    raise ValueError(f"{key}: needs the built-in trainer")
        share, weigh = self.recipe.share, self.recipe.weigh
        for key, asked in (("stages", "fine-tune" in self.stages), ("keep", bool(self.keep))):
            if asked and not share.whole:
                raise ValueError(
                    f"{key}: with 'share: {share}' no one encoder comes out of a joint run; "
                    "with hard, heads, top, distil, or lora with shared adapters one does"
                )
        for name in weigh.weights if isinstance(weigh, Fixed) else ():
            if name not in self.tasks:
                raise ValueError(
                    f"recipe.weigh: '{name}' is not among the tasks{did_you_mean(name, self.tasks)}"
                )
        kept = self.encoder.layers
        if isinstance(share, Top) and kept is not None and share.layers >= kept:
            raise ValueError(top_refused(share.layers, kept))
        return self

    @staticmethod
    def load(path: Path, *, overrides: Sequence[str] = (), corpora: str | None = None) -> "Grid":
        """The grid of a file, with ``--set key=value`` overrides and ``--corpora`` applied.

        Raises InputError naming file, line and key. A relative ``corpora`` folder in the file is
        relative to the file; the one given here, to where the command runs.
        """
        data, lines = _read(path, overrides)
        if "recipe_name" in data:
            where = placed(path, lines, ("recipe_name",))
            raise InputError(f"{where}: unknown key 'recipe_name'; did you mean 'recipe'?")
        if corpora is not None:
            data["corpora"] = corpora
        elif isinstance(data.get("corpora"), str) and data["corpora"] != "synthetic":
            data["corpora"] = str(path.parent / data["corpora"])
        if "recipe" in data:
            data["recipe"], data["recipe_name"] = resolved(data["recipe"], path=path, lines=lines)
        grid = validated(Grid, data, path=path, lines=lines)
        if isinstance(grid.trainer, External):
            trainer = grid.trainer.with_digests(path.parent)
            grid = grid.model_copy(update={"trainer": trainer, "recipe_name": trainer.name})
        return grid

    @property
    def id(self) -> str:
        """Hash of what the grid asks for, wherever its corpora are; names its record in the store."""
        what = self.model_dump(mode="json", exclude={"corpora", "keep", "stands_for"})
        if isinstance(self.trainer, External):
            what["trainer"] = self.trainer.identity
        what["synthetic"] = self.corpora == "synthetic"
        # a key that a later version adds, at the value that says "as before", makes no other grid
        what = {key: value for key, value in what.items() if ADDED_LATER.get(key, ...) != value}
        what["recipe"] = {
            key: value for key, value in what["recipe"].items() if RECIPE_ADDED_LATER.get(key, ...) != value
        }
        for limit in (what["limit"], *what.get("limits", {}).values()):
            # false is what not saying it means, except in an override of true
            if limit["resample"] is None or not (limit["resample"] or self.limit.resample):
                del limit["resample"]
        if isinstance(self.seeds, Seeds) and not self.seeds.start:
            del what["seeds"]["start"]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def held_against(self) -> tuple[str, ...]:
        """The controls that the report has."""
        return (*self.controls, *(("tuned",) if self.tune else ()))

    @property
    def seed_numbers(self) -> tuple[int, ...]:
        """Every seed that a job may have."""
        return self.seeds.numbers if isinstance(self.seeds, Seeds) else self.seeds

    @property
    def first_seeds(self) -> tuple[int, ...]:
        """The seeds that every job has."""
        return self.seed_numbers[: self.seeds.first if isinstance(self.seeds, Seeds) else None]

    def single_seeds_at(self, count: int | None = None) -> tuple[int, ...]:
        """Seeds of the single-task runs once everything else has its first ``count`` (default: all) seeds.

        Those of everything else come first, then the numbers behind the highest of them.
        """
        return further(self.seed_numbers[:count], self.single_seeds)

    def limit_of(self, name: str) -> Limit:
        """A corpus's own limit."""
        return self.limit.overridden_by(self.limits.get(name, Limit()))

    def groups(self) -> tuple[tuple[str, ...], ...]:
        """The sets of corpora that are trained together, each sorted and once, smallest first."""
        return _groups_of(self.jobs, self.tasks)

    def kept(self, jobs: Sequence[Job]) -> frozenset[str]:
        """The ids of those of the grid's ``jobs`` whose models ``keep`` asks for.

        A word or list of tasks means the jobs of both stages whose encoder these tasks shared, with every
        seed, and no control. Raises InputError where no job has an id that is named.
        """
        ids = [item for item in self.keep if isinstance(item, str) and item not in (EVERY, *NAMED_GROUPS)]
        groups = set(_groups_of([item for item in self.keep if item not in (EVERY, *ids)], self.tasks))
        for part in ids:
            if not any(job.id.startswith(part) for job in jobs):
                raise InputError(f"keep: no job of the grid '{self.name}' has the id '{part}'")
        return frozenset(
            job.id
            for job in jobs
            if EVERY in self.keep
            or (not job.arm.control and job.group in groups)
            or any(job.id.startswith(part) for part in ids)
        )


def _groups_of(items: Sequence[Any], tasks: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """The groups that words and lists of ``jobs`` stand for, each sorted and once, smallest first."""
    chosen = [
        group for item in items for group in (NAMED_GROUPS[item](tasks) if isinstance(item, str) else [item])
    ]
    found = {tuple(sorted(set(group))) for group in chosen if group}
    return tuple(sorted(found, key=lambda group: (len(group), group)))


def place_of(path: Path, loc: tuple[str | int, ...], overrides: Sequence[str]) -> str:
    """``file line N`` of a grid's key, or the ``--set`` option that gave it."""
    return placed(path, _read(path, overrides)[1], loc)


def _read(path: Path, overrides: Sequence[str]) -> tuple[dict[str, Any], dict[tuple, int | str]]:
    """The grid's mapping with the overrides applied, and where each key was given."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the YAML file of a grid")
    data, lines = read_yaml(path)
    places: dict[tuple, int | str] = dict(lines)
    for change in overrides:
        override(data, change, places)
    return data, places
