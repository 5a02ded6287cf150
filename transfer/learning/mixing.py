"""Mixing: the number of mini-batches per epoch from each corpus, and their order.

An epoch has as many mini-batches as all corpora have together, whatever the way; what differs is whose they
are. Of a corpus they come pass after pass, each pass shuffled, across the ends of epochs: which one is the
corpus's n-th, and its dropout masks, depend on seed and corpus alone (protocol point 2).
"""

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from transfer.learning.batches import MiniBatch, name_seed
from transfer.methods import PROPORTIONAL, Annealed, Mix, Temperature

Sizes = Mapping[str, int]


def proportional(sizes: Sizes, mix: Mix, epoch: int, epochs: int) -> dict[str, int]:
    """Each mini-batch once (Algorithm 1 of Peng et al. 2020)."""
    return dict(sizes)


def uniform(sizes: Sizes, mix: Mix, epoch: int, epochs: int) -> dict[str, int]:
    """The same number from each corpus."""
    return _tempered(sizes, math.inf)


def temperature(sizes: Sizes, mix: Mix, epoch: int, epochs: int) -> dict[str, int]:
    """In proportion to size^(1/T) (Devlin 2018, for multilingual BERT; Raffel et al. 2020)."""
    assert isinstance(mix, Temperature)
    return _tempered(sizes, mix.temperature)


def annealed(sizes: Sizes, mix: Mix, epoch: int, epochs: int) -> dict[str, int]:
    """A temperature that falls in a straight line to 1 in the last epoch."""
    assert isinstance(mix, Annealed)
    left = (epochs - epoch) / (epochs - 1) if epochs > 1 else 0.0
    return _tempered(sizes, 1 + (mix.temperature - 1) * left)


# by the name in a recipe: sizes (mini-batches of each corpus), options, epoch (from 1), epochs -> counts
COUNTS: Mapping[str, Callable[[Sizes, Mix, int, int], dict[str, int]]] = {
    "proportional": proportional,
    "uniform": uniform,
    "temperature": temperature,
    "annealed": annealed,
}


def _tempered(sizes: Sizes, t: float) -> dict[str, int]:
    """All mini-batches divided in proportion to size^(1/T), by largest remainder; at least one of each."""
    total, logs = sum(sizes.values()), {name: math.log(size) / t for name, size in sizes.items()}
    most = max(logs.values())
    shares = {name: math.exp(log - most) for name, log in logs.items()}
    spare = total - len(sizes)  # beyond the one that each has
    exact = {name: total * share / sum(shares.values()) for name, share in shares.items()}
    counts = {name: max(1, math.floor(value + 1e-9)) for name, value in exact.items()}
    by_rest = sorted(sizes, key=lambda name: (counts[name] - exact[name], name))
    for name in itertools.islice(itertools.cycle(by_rest), max(0, total - sum(counts.values()))):
        counts[name] += 1
    while sum(counts.values()) > total and spare >= 0:
        counts[max(counts, key=lambda name: (counts[name], name))] -= 1
    return counts


class Mixture:
    """All corpora's mini-batches, epoch by epoch, shuffled together.

    A corpus's own order of mini-batches depends on seed and corpus only; which corpus comes when is a shuffle
    of its own. So a joint run keeps corpus A's order, and the difference to A alone is the partner and not
    the shuffle.

    With ``extra`` an epoch of one corpus has so many more steps, as many as a partner would bring. With
    ``together`` a step sees a mini-batch of each corpus, so an epoch has fewer steps and as many mini-batches
    (rounded up).
    """

    def __init__(
        self,
        batches: Mapping[str, Sequence[MiniBatch]],
        *,
        seed: int,
        epochs: int = 1,
        extra: int = 0,
        mix: Mix = PROPORTIONAL,
        together: bool = False,
    ) -> None:
        assert not extra or len(batches) == 1
        self.batches = {name: batches[name] for name in sorted(batches)}
        self.seed = seed
        self.epochs = epochs
        self.together = together
        sizes = {name: len(own) + extra for name, own in self.batches.items()}
        rounds = -(-sum(sizes.values()) // len(sizes))
        self._counts = [
            dict.fromkeys(sizes, rounds) if together else COUNTS[mix.method](sizes, mix, epoch, epochs)
            for epoch in range(1, epochs + 1)
        ]

    def steps(self, epochs: int) -> int:
        """Number of steps in the first ``epochs`` epochs."""
        return sum(self._steps_of(epoch) for epoch in range(1, epochs + 1))

    def own_steps(self, name: str) -> int:
        """Mini-batches of a corpus in the whole training."""
        return sum(counts[name] for counts in self._counts)

    def epoch(self, epoch: int) -> Iterator[MiniBatch]:
        """The mini-batches of an epoch (counted from 1)."""
        queues = {name: self._own(name, epoch) for name in self.batches}
        done, last = self.steps(epoch - 1), max(1, self.steps(self.epochs) - 1)
        for step, names in enumerate(self._order(epoch)):
            progress = min(1.0, (done + step) / last)
            for name in names:
                yield replace(next(queues[name]), progress=progress, last=name == names[-1])

    def counts(self, epoch: int) -> Mapping[str, int]:
        """Mini-batches of each corpus in an epoch (counted from 1)."""
        return self._counts[min(epoch, self.epochs) - 1]

    def _steps_of(self, epoch: int) -> int:
        counts = self.counts(epoch)
        return max(counts.values()) if self.together else sum(counts.values())

    def _order(self, epoch: int) -> Iterator[tuple[str, ...]]:
        """The corpora of each step."""
        if self.together:
            yield from (tuple(self.batches) for _ in range(self._steps_of(epoch)))
            return
        turns = [name for name, count in self.counts(epoch).items() for _ in range(count)]
        rng = np.random.default_rng([self.seed, name_seed("+".join(self.batches)), epoch])
        yield from ((turns[turn],) for turn in rng.permutation(len(turns)))

    def _own(self, name: str, epoch: int) -> Iterator[MiniBatch]:
        """A corpus's mini-batches of an epoch: where its passes stand by then."""
        size = len(self.batches[name])
        begin = sum(self.counts(earlier)[name] for earlier in range(1, epoch))
        end = begin + self.counts(epoch)[name]
        first, last = begin // size, -(-end // size)
        steps = (batch for number in range(first, last) for batch in self._pass(name, number + 1))
        yield from itertools.islice(steps, begin - first * size, end - first * size)

    def _pass(self, name: str, number: int) -> Iterator[MiniBatch]:
        """All mini-batches of a corpus once, in the order and with the dropout masks of the pass."""
        own = self.batches[name]
        for at in np.random.default_rng([self.seed, name_seed(name), number]).permutation(len(own)):
            yield replace(own[at], seed=(*own[at].seed, number))  # new dropout masks each time
