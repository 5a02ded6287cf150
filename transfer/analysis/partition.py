"""The search for the best division of tasks into groups, by the gains of each group."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

EXACT_UP_TO = 12  # tasks; all divisions of more are too many
WORK = 800  # random starts times tasks of the search beyond
SAME = 1e-12  # values of divisions that differ by less are ties

Group = tuple[str, ...]


class GroupGains:
    """The gain of any task in any group: measured, or estimated from pairs. See ``division``."""

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
        rng.integers(0, rng.integers(1, most + 1), len(tasks)).tolist() for _ in range(starts(len(tasks)))
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


def starts(tasks: int) -> int:
    """The number of random starts of the search."""
    return WORK // tasks


def _pair(a: str, b: str) -> Group:
    return (a, b) if a < b else (b, a)
