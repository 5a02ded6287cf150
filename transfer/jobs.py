"""Job: one training run with everything that can change its result, and nothing else. Pure.

A job's content hash is its identity: the same work in two grids is one job, and the order in which
tasks are written changes nothing.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from transfer.arms import Arm, Control, Group
from transfer.corpora.base import Name
from transfer.external import External
from transfer.recipes import Recipe, Strict

Stage = Literal["refine", "fine-tune"]

# what a number in a result means may change with the code that trains; then this does
PROTOCOL = 1
# keys of a job that came after the first results were kept, at the value that says "as before"
_LATER_KEYS: Mapping[str, Any] = {"extra_examples": 0, "left_out": None, "trainer": None}

# the null control's single-task jobs have the grid's seeds, moved by this much
NULL_SEEDS = 1_000_000


class Encoder(Strict):
    """The shared layers: an alias, folder or hub id, and how many of its layers are kept."""

    name: str
    """An alias, a folder in transformers format, or a hub id ([guide](grids.md#encoders))."""
    layers: int | None = Field(default=None, ge=1)
    """Number of layers to keep, counted from the first."""


class Trained(Strict):
    """One corpus of a job: its name, and the fingerprint of what was in it."""

    name: Name
    fingerprint: str


class Job(Strict):
    """One stage, one set of corpora, one seed, one recipe, one encoder, perhaps a parent job."""

    stage: Stage
    corpora: tuple[Trained, ...]
    seed: int
    recipe: Recipe
    encoder: Encoder
    encoder_fingerprint: str
    parent: "Job | None" = None
    teachers: "tuple[Job, ...]" = ()
    """Distillation: each corpus alone, trained before, in the order of the corpora."""
    extra_examples: int = Field(default=0, ge=0)
    """Same-steps control: the train examples of a partner whose steps the corpus takes in its place."""
    left_out: Name | None = None
    """Left-out control: the corpus whose test texts are not in the train splits of its partners."""
    trainer: External | None = None
    """The user's own trainer; None for the built-in one, which alone uses the recipe and the encoder."""
    tuned: bool = False
    """Whether the grid has it for its learning rate alone; no part of what the job is."""

    @field_validator("corpora")
    @classmethod
    def _in_one_order(cls, corpora: tuple[Trained, ...]) -> tuple[Trained, ...]:
        return tuple(sorted(corpora, key=lambda c: c.name))

    @model_validator(mode="after")
    def _one_control_at_most(self) -> "Job":
        assert not self.extra_examples or len(self.corpora) == 1, "a same-steps control trains one corpus"
        assert self.left_out is None or self.left_out in self.names
        return self

    @property
    def id(self) -> str:
        """16 hexadecimal digits of everything that can change the result, and of nothing else."""
        what = self.model_dump(
            mode="json", exclude={"parent": True, "teachers": True, "encoder": {"name"}, "tuned": True}
        )
        what = {key: value for key, value in what.items() if _LATER_KEYS.get(key, ...) != value}
        if self.trainer is not None:
            what["trainer"] = self.trainer.identity
        what["parent"] = self.parent.id if self.parent else None
        what |= {"teachers": [teacher.id for teacher in self.teachers]} if self.teachers else {}
        # a number that a later version adds, at the value that says "as before", makes no other job
        what["recipe"] = self.recipe.model_dump(mode="json", exclude_defaults=True)
        what["protocol"] = PROTOCOL
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def parents(self) -> "tuple[Job, ...]":
        """The jobs whose models this one needs, and so comes after."""
        return (self.parent,) if self.parent else self.teachers

    @property
    def names(self) -> tuple[str, ...]:
        """The corpora that this job trains on."""
        return tuple(c.name for c in self.corpora)

    @property
    def group(self) -> tuple[str, ...]:
        """The corpora that shared the encoder: a fine-tuning job has its parent's."""
        return self.parent.group if self.parent else self.names

    @property
    def arm(self) -> Arm:
        """The arm that the job's scores belong to: that of its stage, or of the control that it is for."""
        if self.seed >= NULL_SEEDS:
            return Arm(Control.NULL)
        if self.tuned:
            return Arm.tuned(self.recipe.lr)
        if self.extra_examples:
            return Arm.same_steps(self.extra_examples)
        return Arm.left_out(self.left_out) if self.left_out else Arm(self.stage)

    @property
    def targets(self) -> tuple[str, ...]:
        """The corpora whose scores are asked for."""
        return (self.left_out,) if self.left_out else self.names

    @property
    def arm_seed(self) -> int:
        """The seed that the job's scores are paired by."""
        return self.seed % NULL_SEEDS

    @property
    def label(self) -> str:
        """Readable name: ``refine a+b seed 0``."""
        what = Group(self.group)
        if self.arm.control:
            return f"{self.arm} control {what} seed {self.arm_seed}"
        return f"{self.stage} {what}{f' -> {self.names[0]}' if self.parent else ''} seed {self.seed}"
