"""Which tasks to train together when there may be only so many models.

A division puts each task into one model; its value is the sum of the tasks' gains over training
alone. A group that was measured has its measured gains. Any other has an estimate: the gain of a task
in a group is the mean of its gains from the group's members in pairs, the higher-order approximation
of Standley et al. 2020, *Which Tasks Should Be Learned Together in Multi-task Learning?* (section 5).
"""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis.advice import as_markdown, expected_of
from transfer.analysis.crossfit import Crossfit
from transfer.analysis.flags import caution
from transfer.analysis.options import Option
from transfer.analysis.partition import EXACT_UP_TO, SAME, Group, GroupGains, divide, starts
from transfer.analysis.tables import points
from transfer.analysis.verdicts import Verdict
from transfer.inputs import InputError


class Member(NamedTuple):
    """A task in its model: its measured and its expected gain there (fractions), and their origin."""

    task: str
    gain: float
    expected: float  # shrunken, see ``shrinkage``; the measured one where its error is not known
    origin: str  # `alone`, `measured`, or `mean of pairs`
    verdict: Verdict | None  # of the pair, where the model is one


@dataclass(frozen=True)
class Division:
    """Tasks divided into at most so many models; gains are fractions."""

    models: tuple[tuple[Member, ...], ...]
    exact: bool

    @property
    def groups(self) -> tuple[Group, ...]:
        return tuple(tuple(member.task for member in model) for model in self.models)

    @property
    def members(self) -> tuple[Member, ...]:
        return tuple(member for model in self.models for member in model)

    @property
    def mean_gain(self) -> float:
        """The mean measured gain per task over training each alone."""
        return _mean(member.gain for member in self.members)

    @property
    def expected_gain(self) -> float:
        """The mean expected gain per task over training each alone."""
        return _mean(member.expected for member in self.members)

    def __str__(self) -> str:
        return " | ".join(", ".join(group) for group in self.groups)


@dataclass(frozen=True)
class Grouping:
    """The best division into at most ``most`` models, beside the best without a limit."""

    most: int
    stage: str
    data_source: str
    best: Division
    unrestricted: Division
    held_out: float  # cross-fitted mean gain per task; NaN with one seed
    items_held_out: bool  # whether test items were left out too, not only seeds
    doubtful: tuple[str, ...] = ()  # see ``flags.doubtful``

    @property
    def gives_up(self) -> float:
        """The expected gain per task that the limit costs; never negative where both are exact."""
        return self.unrestricted.expected_gain - self.best.expected_gain

    @property
    def table(self) -> pd.DataFrame:
        """One row for each task: model (from 1), task, gain, expected, origin, verdict."""
        return pd.DataFrame(
            [
                {"model": number, **member._asdict(), "verdict": member.verdict or ""}
                for number, model in enumerate(self.best.models, 1)
                for member in model
            ]
        )

    def _repr_markdown_(self) -> str:
        table = self.table.assign(
            **{name: [points(gain, sign=True) for gain in self.table[name]] for name in ("gain", "expected")}
        )
        return as_markdown(self.sentences(), table, self.data_source)

    def sentences(self) -> list[str]:
        """The advice in words, gains in points."""
        members = self.best.members
        how = (
            "the best of all divisions"
            if self.best.exact
            else f"the best that a search from {starts(len(members))} starts found; more than {EXACT_UP_TO} "
            "tasks have too many divisions to look at all"
        )
        said = [
            f"{_models(len(self.best.models))}: expect {points(self.best.expected_gain, sign=True)} points "
            f"per task over training each alone ({how}). Measured: "
            f"{points(self.best.mean_gain, sign=True)}; expected gains are shrunk, because the best of many "
            "measured divisions is too good on average."
        ]
        if self.gives_up > SAME:
            said.append(
                f"The limit of {self.most} costs {points(self.gives_up)} points per task: without it "
                f"{_models(len(self.unrestricted.models))} would gain "
                f"{points(self.unrestricted.expected_gain, sign=True)} ({self.unrestricted})."
            )
        else:
            known = "" if self.best.exact else " that was found"
            said.append(f"The limit gives up nothing: no division into more models{known} gains more.")
        estimates = sum(member.origin == "mean of pairs" for member in members)
        unsure = sum(member.verdict is Verdict.INCONCLUSIVE for member in members)
        if estimates:
            said.append(
                f"{estimates} of the {len(members)} gains are estimates: such a group was not trained; "
                "its gains are the means of those in pairs."
            )
        if unsure:
            many = f"All {unsure}" if unsure == len(members) else f"{unsure} of the {len(members)}"
            said.append(f"{many} gains are inconclusive: the division rests on them.")
        if self.most > 1 and not math.isnan(self.held_out):
            where = "seeds and test items" if self.items_held_out else "seeds"
            said.append(
                f"Divisions chosen by measured gains gained {points(self.held_out, sign=True)} points per "
                f"task on {where} that did not help to choose."
            )
        return [*said, *caution(self.doubtful)]


def group(
    options: Sequence[Option],
    tasks: Sequence[str],
    models: int,
    *,
    stage: str,
    data_source: str,
    undefined: Mapping[tuple[str, str], str] | None = None,
) -> Grouping:
    """The best division of the tasks into at most ``models`` jointly trained ones, by expected gains.

    Raises InputError where ``models`` is less than 1, or where what was measured gives no division a
    value. ``undefined``: see ``flags.undefined_gains``.
    """
    if models < 1:
        raise InputError(f"--models {models}: should be 1 or more")
    verdicts = {(option.group, option.target): option.verdict for option in options}
    measured = GroupGains({(o.group, o.target): float(o.estimate.gain) for o in options})
    found = GroupGains(
        {
            (o.group, o.target): float(o.estimate.gain) if math.isnan(shrunk) else shrunk
            for o, shrunk in zip(options, expected_of(options).tolist(), strict=True)
        }
    )
    best, unrestricted = (divide(found, tasks, most) for most in (models, len(tasks)))
    if best is None or unrestricted is None:
        lacking = [f"{a} and {b}" for a, b in itertools.combinations(sorted(tasks), 2)
                   if math.isinf(found.value((a, b)))]  # fmt: skip
        without = [f"{source} → {target} ({why})" for (source, target), why in (undefined or {}).items()]
        if without:
            raise InputError(
                f"no division into {_models(models)} can be valued: undefined are the gains of "
                f"{'; '.join(without[:3])}{'; and others' if len(without) > 3 else ''}. "
                "Allow more models, or leave these tasks out of the grid"
            )
        raise InputError(
            f"no division into {_models(models)} can be valued: not measured are the pairs "
            f"{', '.join(lacking[:3])}{' and others' if len(lacking) > 3 else ''}; "
            "let the grid run the jobs single and pairs, or allow more models"
        )

    def division(groups: Sequence[Group]) -> Division:
        members = [
            tuple(
                Member(
                    task, measured(names, task)[0], *found(names, task), verdicts.get((names, task))
                )
                for task in names
            )
            for names in groups
        ]  # fmt: skip
        return Division(tuple(members), exact=len(tasks) <= EXACT_UP_TO)

    folds = Crossfit({(option.group, option.target): option.seed_gains for option in options})
    left_out = folds.value(lambda chosen_by, tried: _tried(chosen_by, tried, tasks, models))
    return Grouping(models, stage, data_source, division(best), division(unrestricted), left_out, folds.items)


def _tried(
    chosen_by: Mapping[tuple[Group, str], float],
    tried: Mapping[tuple[Group, str], float],
    tasks: Sequence[str],
    models: int,
) -> float:
    """The mean gain per task, by one set of gains, of the best division by another; NaN if there is none."""
    chosen = divide(GroupGains(chosen_by), tasks, models)
    if chosen is None:
        return math.nan
    own = GroupGains(tried)
    return sum(own.value(names) for names in chosen) / len(tasks)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean([*values]))


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"
