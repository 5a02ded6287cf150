"""Packed mini-batches, cut once, and the mixture that brings them in Algorithm 1's order."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from transfer.learning.encoder import Packing
from transfer.tasks import Item, Task

# a forward pass without gradients holds little; larger rows of word pieces are faster
EVALUATION_PIECES = 4096


@dataclass(frozen=True)
class Batch:
    """A packed mini-batch of one corpus.

    ``ids``, ``types``, ``positions``: [1, total]. ``read`` [vectors]: which of the total positions
    the head reads; ``targets`` has a row for each. ``items``: for each sequence its example, the
    token it starts at and how many vectors are read of it. ``seed`` names the mini-batch's own
    stream of dropout masks.
    """

    corpus: str
    ids: Tensor
    types: Tensor
    positions: Tensor
    packing: Packing
    read: Tensor
    targets: Tensor
    items: tuple[tuple[int, int, int], ...]
    seed: tuple[int, ...] = ()

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        moved = {
            name: getattr(self, name).to(device) for name in ("ids", "types", "positions", "read", "targets")
        }
        return replace(self, packing=self.packing.to(device), **moved)

    @property
    def pieces(self) -> int:
        """Real word pieces (there are no others)."""
        return self.ids.shape[1]


def collate(corpus: str, task: Task, items: Sequence[Item], *, seed: tuple[int, ...] = ()) -> Batch:
    """The items as one packed row, shortest first, so that attention pads little."""
    items = sorted(items, key=lambda item: len(item.ids))
    lengths = [len(item.ids) for item in items]
    starts = np.cumsum([0, *lengths[:-1]])
    return Batch(
        corpus=corpus,
        ids=torch.tensor([[i for item in items for i in item.ids]]),
        types=torch.tensor([[t for item in items for t in item.types]]),
        positions=torch.cat([torch.arange(n) for n in lengths]).unsqueeze(0),
        packing=Packing.of(lengths),
        read=torch.tensor([int(s) + r for s, item in zip(starts, items, strict=True) for r in item.read]),
        targets=task.targets([t for item in items for t in item.targets]),
        items=tuple((item.example, item.start, len(item.read)) for item in items),
        seed=seed,
    )


def training_batches(
    corpus: str, task: Task, items: Sequence[Item], *, batch_size: int, seed: int
) -> list[Batch]:
    """Mini-batches of ``batch_size`` items, cut once: their composition depends on seed and corpus only."""
    order = np.random.default_rng([seed, name_seed(corpus)]).permutation(len(items))
    return [
        collate(
            corpus,
            task,
            [items[i] for i in order[at : at + batch_size]],
            seed=(seed, name_seed(corpus), at),
        )
        for at in range(0, len(items), batch_size)
    ]


def evaluation_batches(corpus: str, task: Task, items: Sequence[Item]) -> list[Batch]:
    """All items, sorted by length, in rows of about 4,096 word pieces."""
    batches: list[Batch] = []
    row: list[Item] = []
    pieces = 0
    for item in sorted(items, key=lambda item: len(item.ids)):
        if row and pieces + len(item.ids) > EVALUATION_PIECES:
            batches.append(collate(corpus, task, row))
            row, pieces = [], 0
        row.append(item)
        pieces += len(item.ids)
    return [*batches, collate(corpus, task, row)] if row else batches


class Mixture:
    """Algorithm 1: all corpora's mini-batches merged and shuffled, each seen once an epoch.

    A corpus's own order of mini-batches in an epoch depends on seed and corpus only; which corpus
    comes when is a shuffle of its own. So a joint run keeps corpus A's order, and the difference to
    A alone is the partner and not the shuffle.
    """

    def __init__(self, batches: Mapping[str, Sequence[Batch]], *, seed: int) -> None:
        self.batches = {name: batches[name] for name in sorted(batches)}
        self.seed = seed

    def __len__(self) -> int:
        """Mini-batches in an epoch."""
        return sum(map(len, self.batches.values()))

    def epoch(self, epoch: int) -> Iterator[Batch]:
        """The mini-batches of an epoch (counted from 1)."""
        queues = {
            name: iter(np.random.default_rng([self.seed, name_seed(name), epoch]).permutation(len(own)))
            for name, own in self.batches.items()
        }
        turns = [name for name, own in self.batches.items() for _ in own]
        rng = np.random.default_rng([self.seed, name_seed("+".join(self.batches)), epoch])
        for turn in rng.permutation(len(turns)):
            batch = self.batches[turns[turn]][next(queues[turns[turn]])]
            yield replace(batch, seed=(*batch.seed, epoch))  # new dropout masks each epoch


def name_seed(name: str) -> int:
    """A number for a name that is the same on every machine and in every run."""
    return crc32(name.encode("utf-8"))
