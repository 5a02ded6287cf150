"""Seeds of a grid: a fixed list, as many as needed, and further ones for the single-task runs. Pure."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from transfer.inputs import did_you_mean
from transfer.jobs import NULL_SEEDS
from transfer.recipes import Strict

MULTIPLE = re.compile("[1-9]x")


class Seeds(Strict):
    """Adaptive seeds: ``first`` everywhere, then up to ``most`` where an edge is undecided.

    ``hours``: after so many hours in which jobs of the grid ran no further seeds are begun.
    """

    first: int = Field(ge=3)
    """Number of seeds of every job."""
    most: int = Field(le=1000)
    """Maximum number of seeds of an undecided edge."""
    until: Literal["decided"] = "decided"
    """Stopping rule of an edge: its verdict is final, or further seeds would hardly decide it."""
    hours: float | None = Field(default=None, gt=0)
    """Maximum hours of work over all runs; after that no further seeds start."""
    start: int = Field(default=0, ge=0)
    """Number of the first seed, to make a study independent of one with the seeds from 0."""

    @model_validator(mode="after")
    def _more_than_at_first(self) -> "Seeds":
        if self.most <= self.first:
            raise ValueError(f"'most' should be more than 'first', which is {self.first}")
        if self.start + self.most > NULL_SEEDS:
            raise ValueError(f"'start' should be at most {NULL_SEEDS - self.most}")
        return self

    @property
    def numbers(self) -> tuple[int, ...]:
        """All of them, in the order in which they are added."""
        return tuple(range(self.start, self.start + self.most))


def as_seeds(value: Any) -> Any:
    """Seeds as a user writes them: a number, a list, or a mapping. Raises ValueError for anything else."""
    if not isinstance(value, (bool, int, list, tuple, dict, Seeds)):
        raise ValueError("should be how many, as in 3, or a list of seeds, or {first: 3, most: 10}")
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= 1000:
            raise ValueError("the number of seeds should be 1 to 1000")
        return tuple(range(value))
    if isinstance(value, dict):
        for key in value:
            if key not in Seeds.model_fields:
                raise ValueError(f"unknown key '{key}'{did_you_mean(str(key), Seeds.model_fields)}")
        try:
            return Seeds.model_validate(value)
        except ValidationError as error:
            first = error.errors()[0]
            key = f"'{first['loc'][0]}': " if first["loc"] else ""
            raise ValueError(key + first["msg"].removeprefix("Value error, ")) from None
    return value


def checked_seeds(value: tuple[int, ...] | Seeds) -> tuple[int, ...] | Seeds:
    """The same seeds. Raises ValueError where one is listed twice or out of range."""
    if isinstance(value, Seeds):
        return value
    if not value or len(set(value)) < len(value) or not 0 <= min(value) <= max(value) < NULL_SEEDS:
        most = NULL_SEEDS - 1
        raise ValueError(f"should be a number of seeds, or a list of different numbers from 0 to {most}")
    return value


def as_multiple(value: Any) -> str:
    """The value of ``single_seeds``. Raises ValueError for anything but 1x to 9x."""
    if not isinstance(value, str) or not MULTIPLE.fullmatch(value):
        raise ValueError(f"should be a multiple of 'seeds', 1x to 9x, as in 2x, not {value!r}")
    return value


def further(seeds: Sequence[int], multiple: str) -> tuple[int, ...]:
    """The seeds, then the numbers after their highest, until there are ``multiple`` times as many.

    >>> further([7, 3], "2x")
    (7, 3, 8, 9)
    """
    start = max(seeds) + 1
    return (*seeds, *range(start, start + len(seeds) * (int(multiple.removesuffix("x")) - 1)))
