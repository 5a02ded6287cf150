"""Groups of corpora and arms, each with one text form: that of the tables' columns and of messages. Pure."""

import functools
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Group:
    """Corpora that are trained together, sorted by name.

    >>> str(Group(("b", "a"))), Group.parse("a+b").partners("a")
    ('a+b', ('b',))
    """

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(sorted(self.names)))

    @classmethod
    @functools.lru_cache(maxsize=4096)
    def parse(cls, text: str) -> "Group":
        """The group of a table's column ``corpora``."""
        return cls(tuple(text.split("+")))

    def __str__(self) -> str:
        return "+".join(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def partners(self, target: str) -> tuple[str, ...]:
        """The other names."""
        return tuple(name for name in self.names if name != target)


def members(groups: Iterable[str]) -> list[str]:
    """Every corpus of a column ``corpora``, sorted."""
    return sorted({name for text in set(groups) for name in Group.parse(text).names})


class Control(StrEnum):
    """Explanation that a further arm of the target rules out; see ``transfer.analysis.controls``."""

    NULL = "null"
    SAME_STEPS = "same-steps"
    LEFT_OUT = "left-out"
    TUNED = "tuned"


@dataclass(frozen=True)
class Arm:
    """One way to train a target: in a stage, or as a control with its setting.

    >>> str(Arm.tuned(0.001)), Arm.parse("same-steps 300").setting, Arm.parse("refine").control
    ('tuned 0.001', 300, None)
    """

    name: str  # of the stage or control
    setting: int | float | str | None = None

    @classmethod
    def same_steps(cls, extra_examples: int) -> "Arm":
        """The target alone, with as many of its examples in place of a partner's."""
        return cls(Control.SAME_STEPS, extra_examples)

    @classmethod
    def left_out(cls, target: str) -> "Arm":
        """The pair without the partner's examples whose text stands in the test split of the target."""
        return cls(Control.LEFT_OUT, target)

    @classmethod
    def tuned(cls, lr: float) -> "Arm":
        """The target alone with another learning rate."""
        return cls(Control.TUNED, lr)

    @classmethod
    def parse(cls, text: str) -> "Arm":
        """The arm of a table's column ``stage``. Raises ValueError where its setting is no number."""
        name, _, setting = text.partition(" ")
        number = {Control.SAME_STEPS: int, Control.TUNED: float}.get(name)  # type: ignore[call-overload]
        return cls(name, number(setting) if number else setting or None)

    @property
    def control(self) -> Control | None:
        """The control; None for the arm of a stage."""
        return Control(self.name) if self.name in set(Control) else None

    def __str__(self) -> str:
        if self.setting is None:
            return str(self.name)
        return (
            f"{self.name} {self.setting:g}"
            if isinstance(self.setting, float)
            else f"{self.name} {self.setting}"
        )
