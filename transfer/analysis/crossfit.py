"""Cross-fitting: the value of a choice on seeds and test items that did not help to make it.

The best of many measured gains owes part of its rank to luck, of its training runs and of the test items.
Leaving out a seed removes only the first: all seeds are tested on the same items, and where runs are stable
and test sets small the items are nearly all of the luck. So every fold leaves out a seed and half of the
test documents; the choice is made on the rest of both and read on what was left out of both.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from zlib import crc32

import numpy as np

K = TypeVar("K")


@dataclass(frozen=True)
class SeedGains:
    """An option's gain in each seed and, if predictions are stored, in each half of the test documents.

    ``by_seed``: score units, by seed. ``halves``: [seeds in the order of ``by_seed``, 2], means over half of
    the documents of their shares in the gain; None if the test items cannot be divided. See ``halved``.
    """

    by_seed: Mapping[int, float]
    halves: np.ndarray | None = None

    @staticmethod
    def halved(target: str, shares: np.ndarray) -> np.ndarray | None:
        """The ``halves`` of [seeds, documents], each document's share in the gain of each seed.

        Shares are jackknife pseudo-values whose mean is the seed's gain but for the jackknife's bias. All
        options of one target have the same test documents, so ``target`` names the division. None for fewer
        than two documents.
        """
        documents = shares.shape[-1]
        if documents < 2:
            return None
        order = np.random.default_rng(crc32(target.encode())).permutation(documents)
        return np.stack([shares[:, np.sort(order[half::2])].mean(axis=-1) for half in (0, 1)], axis=-1)

    def part(self, seeds: Sequence[int], half: int | None) -> float:
        """The mean gain over ``seeds`` and one half of the documents (0 or 1; None: all of them)."""
        if half is None or self.halves is None:
            return float(np.mean([self.by_seed[seed] for seed in seeds]))
        rows = [place for place, seed in enumerate(self.by_seed) if seed in set(seeds)]
        return float(self.halves[rows, half].mean())


class Crossfit(Generic[K]):
    """The folds over a set of options. ``items``: whether test items are divided as well as seeds."""

    def __init__(self, options: Mapping[K, SeedGains]) -> None:
        self._options = options
        self.seeds = sorted(set.intersection(*(set(o.by_seed) for o in options.values()))) if options else []
        self.items = bool(options) and all(o.halves is not None for o in options.values())

    def value(self, tried: Callable[[Mapping[K, float], Mapping[K, float]], float]) -> float:
        """The mean over all folds of ``tried(gains to choose by, gains left out)``.

        NaN with fewer than two seeds that all options have, or where a fold has no value.
        """
        if len(self.seeds) < 2:
            return math.nan
        halves = (0, 1) if self.items else (None,)
        found = [
            tried(
                self._part([s for s in self.seeds if s != seed], None if half is None else 1 - half),
                self._part([seed], half),
            )
            for seed in self.seeds
            for half in halves
        ]
        return float(np.mean(found))

    def _part(self, seeds: Sequence[int], half: int | None) -> dict[K, float]:
        return {key: option.part(seeds, half) for key, option in self._options.items()}
