"""Which tasks to train together when there may be only so many models.

A division puts each task into one model; its value is the sum of the tasks' gains over training
alone. A group that was measured has its measured gains. Any other has an estimate: the gain of a task
in a group is the mean of its gains from the group's members in pairs, the higher-order approximation
of Standley et al. 2020, *Which Tasks Should Be Learned Together in Multi-task Learning?* (section 5).
"""

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis.advice import as_markdown, expected_of
from transfer.analysis.crossfit import Crossfit
from transfer.analysis.flags import caution
from transfer.analysis.options import Option
from transfer.analysis.tables import points
from transfer.inputs import InputError

EXACT_UP_TO = 12  # tasks; all divisions of more are too many
WORK = 800  # random starts times tasks of the search beyond
SAME = 1e-12  # values of divisions that differ by less are ties

Group = tuple[str, ...]


class Member(NamedTuple):
    """A task in its model: its measured and its expected gain there (fractions), and their origin."""

    task: str
    gain: float
    expected: float  # shrunken, see ``shrinkage``; the measured one where its error is not known
    origin: str  # `alone`, `measured`, or `mean of pairs`
    verdict: str  # of the pair, where the model is one


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
                {"model": number, **member._asdict()}
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
            else f"the best that a search from {_starts(len(members))} starts found; more than {EXACT_UP_TO} "
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
        unsure = sum(member.verdict == "inconclusive" for member in members)
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


class GroupGains:
    """The gain of any task in any group: measured, or estimated from pairs. See the module."""

    def __init__(self, measured: Mapping[tuple[Group, str], float]) -> None:
        """``measured``: by sorted group (of two tasks or more) and target."""
        self._measured = measured

    def __call__(self, group: Group, task: str) -> tuple[float, str]:
        """The gain and its origin; NaN where a pair that the estimate needs was not measured."""
        if len(group) == 1:
            return 0.0, "alone"
        if (group, task) in self._measured:
            return self._measured[group, task], "measured"
        pairs = [(_pair(task, other), task) for other in group if other != task]
        return sum(self._measured.get(pair, math.nan) for pair in pairs) / len(pairs), "mean of pairs"

    def value(self, group: Group) -> float:
        """The sum of the members' gains; minus infinity where one of them is not known."""
        total = sum(self(group, task)[0] for task in group)
        return -math.inf if math.isnan(total) else total


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
                    task, measured(names, task)[0], *found(names, task), verdicts.get((names, task), "")
                )
                for task in names
            )
            for names in groups
        ]  # fmt: skip
        return Division(tuple(members), exact=len(tasks) <= EXACT_UP_TO)

    folds = Crossfit({(option.group, option.target): option.seed_gains for option in options})
    left_out = folds.value(lambda chosen_by, tried: _tried(chosen_by, tried, tasks, models))
    return Grouping(models, stage, data_source, division(best), division(unrestricted), left_out, folds.items)


def divide(gains: GroupGains, tasks: Sequence[str], models: int) -> tuple[Group, ...] | None:
    """The groups of the best division into at most ``models``; None where none has a value.

    Exact up to EXACT_UP_TO tasks; beyond that a local search (see ``searched``). Of equally good
    divisions the one with the fewest models.
    """
    names = tuple(sorted(tasks))
    found = exact(gains, names, models) if len(names) <= EXACT_UP_TO else searched(gains, names, models)
    if found is None:
        return None
    order = {task: place for place, task in enumerate(tasks)}
    groups = [tuple(sorted(group)) for group in found]
    return tuple(sorted(groups, key=lambda group: min(order[task] for task in group)))


def exact(gains: GroupGains, tasks: Group, models: int) -> list[Group] | None:
    """By dynamic programming over subsets: the group of a subset's first task is tried in every form.

    For n tasks about 3^n / 2 steps, each over all numbers of models at once.
    """
    full = 1 << len(tasks)
    subsets = [tuple(task for i, task in enumerate(tasks) if mask >> i & 1) for mask in range(full)]
    worth = np.array([gains.value(subset) for subset in subsets])
    best = np.full((full, min(models, len(tasks)) + 1), -np.inf)  # [subset, exactly so many models]
    best[0, 0] = 0.0
    choice = np.zeros(best.shape, dtype=np.int64)
    for mask in range(1, full):
        first = mask & -mask
        groups = first | _submasks(mask ^ first)
        totals = worth[groups, None] + best[mask ^ groups, :-1]
        top = totals.argmax(axis=0)
        best[mask, 1:] = totals[top, np.arange(len(top))]
        choice[mask, 1:] = groups[top]
    last = best[-1]
    count = int(np.flatnonzero(last >= last.max() - SAME)[0])
    if math.isinf(last[count]):
        return None
    found, mask = [], full - 1
    while mask:
        taken = int(choice[mask, count])
        found.append(subsets[taken])
        mask, count = mask ^ taken, count - 1
    return found


def _submasks(mask: int) -> np.ndarray:
    """All subsets of a bit mask, in increasing order."""
    found = np.zeros(1, dtype=np.int64)
    for bit in _bits(mask):
        found = np.concatenate([found, found | bit])
    return found


def searched(gains: GroupGains, tasks: Group, models: int) -> list[Group] | None:
    """A heuristic for many tasks: from many starts, the best single change until none gains.

    A change moves a task to another model (or to a new one), or swaps two tasks. The starts are the
    tasks dealt out in turn, all together, and random divisions from a fixed seed. Models are bit
    masks of tasks here.
    """
    rng = np.random.default_rng(len(tasks))
    most = min(models, len(tasks))
    dealt = [[i % most for i in range(len(tasks))], [0] * len(tasks)]
    dealt += [
        rng.integers(0, rng.integers(1, most + 1), len(tasks)).tolist() for _ in range(_starts(len(tasks)))
    ]
    known = {0: 0.0}

    def named(mask: int) -> Group:
        return tuple(task for i, task in enumerate(tasks) if mask >> i & 1)

    def worth(mask: int) -> float:
        if mask not in known:
            known[mask] = gains.value(named(mask))
        return known[mask]

    best, best_value = None, -math.inf
    for placed in dealt:
        masks = [sum(1 << i for i, at in enumerate(placed) if at == model) for model in range(most)]
        while (step := _step(masks, worth)) is not None:
            masks = step
        masks, value = [mask for mask in masks if mask], sum(map(worth, masks))
        if value > best_value + SAME or (best and value > best_value - SAME and len(masks) < len(best)):
            best, best_value = masks, value
    return None if best is None else [named(mask) for mask in best]


def _step(masks: list[int], worth: Callable[[int], float]) -> list[int] | None:
    """The best single change of a division that makes it worth more; None where none does."""
    best, best_rise = None, SAME
    for a, b in itertools.combinations(range(len(masks)), 2):
        before = worth(masks[a]) + worth(masks[b])
        # what each of the two gives to the other: one task or none
        for x, y in itertools.product([0, *_bits(masks[a])], [0, *_bits(masks[b])]):
            after = masks[a] ^ x | y, masks[b] ^ y | x
            rise = worth(after[0]) + worth(after[1]) - before
            if rise > best_rise:
                best, best_rise = (a, b, *after), rise
    if best is None:
        return None
    a, b, *after = best
    changed = list(masks)
    changed[a], changed[b] = after
    return changed


def _bits(mask: int) -> list[int]:
    return [1 << i for i in range(mask.bit_length()) if mask >> i & 1]


def _starts(tasks: int) -> int:
    return WORK // tasks


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


def _pair(a: str, b: str) -> Group:
    return (a, b) if a < b else (b, a)


def _mean(values: Iterable[float]) -> float:
    return float(np.mean([*values]))


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"
