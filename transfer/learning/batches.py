"""Packed mini-batches, cut once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from transfer.learning.attention import Packing
from transfer.tasks import Item

# A training step holds about a quarter of a MiB for each word piece; a larger mini-batch goes part by part
# on a CPU. A forward pass without gradients holds little, and larger rows are faster.
TRAINING_PIECES = 1024
EVALUATION_PIECES = 4096


class Targets(Protocol):
    """Conversion of a mini-batch's targets to a tensor: a task."""

    def targets(self, values: list[Any]) -> Tensor: ...


@dataclass(frozen=True)
class Batch:
    """Sequences of one corpus as a packed row.

    ``rows`` [n]: its different word pieces, as rows of the encoder's table; ``ids`` [1, total] are
    numbers into these. ``types``, ``positions``: [1, total]. ``read`` [vectors]: which of the total
    positions the head reads; ``targets`` has a row for each. ``items``: for each sequence its
    example, the token it starts at and how many vectors are read of it.
    """

    corpus: str
    rows: Tensor
    ids: Tensor
    types: Tensor
    positions: Tensor
    packing: Packing
    read: Tensor
    targets: Tensor
    items: tuple[tuple[int, int, int], ...]

    def to(self, device: torch.device) -> "Batch":
        """The same on a device."""
        if device == self.ids.device:
            return self
        names = ("rows", "ids", "types", "positions", "read", "targets")
        moved = {name: getattr(self, name).to(device) for name in names}
        return replace(self, packing=self.packing.to(device), **moved)

    @property
    def pieces(self) -> int:
        """Real word pieces (there are no others)."""
        return self.ids.shape[1]


@dataclass(frozen=True)
class MiniBatch:
    """A mini-batch of one training step, in parts that share ``rows`` and are small enough for memory.

    The loss is the mean over all that the parts read. ``seed`` names its own stream of dropout masks.
    ``progress`` is how far the training is, from 0 at the first step to 1 at the last. After the ``last``
    mini-batch of a step the weights move: that is each one, but where a step sees several corpora.
    """

    corpus: str
    rows: Tensor
    parts: tuple[Batch, ...]
    seed: tuple[int, ...]
    progress: float = 0.0
    last: bool = True

    @property
    def items(self) -> tuple[tuple[int, int, int], ...]:
        return tuple(item for part in self.parts for item in part.items)

    @property
    def pieces(self) -> int:
        return sum(part.pieces for part in self.parts)

    @property
    def part_weights(self) -> tuple[float, ...]:
        """Each part's weight in the mean loss: its share of the vectors read."""
        read = [len(part.read) for part in self.parts]
        return tuple(count / sum(read) for count in read)

    def to(self, device: torch.device) -> "MiniBatch":
        """The same on a device."""
        if device == self.rows.device:
            return self
        moved = tuple(part.to(device) for part in self.parts)
        return replace(self, rows=self.rows.to(device), parts=moved)


def collate(corpus: str, task: Targets, items: Sequence[Item], *, rows: np.ndarray | None = None) -> Batch:
    """The items as one packed row, shortest first, so that attention pads little.

    ``rows`` (sorted): the different word pieces of the whole that this is a part of.
    """
    items = sorted(items, key=lambda item: len(item.ids))
    lengths = [len(item.ids) for item in items]
    starts = np.cumsum([0, *lengths[:-1]])
    ids = np.concatenate([item.ids for item in items])
    if rows is None:
        rows = np.unique(ids)
    types = np.concatenate([item.types for item in items])
    positions = np.concatenate([np.arange(n) for n in lengths])
    return Batch(
        corpus=corpus,
        rows=torch.from_numpy(rows.astype(np.int64, copy=False)),
        ids=_row(np.searchsorted(rows, ids)),
        types=_row(types),
        positions=_row(positions),
        packing=Packing.of(lengths),
        read=torch.tensor([int(s) + r for s, item in zip(starts, items, strict=True) for r in item.read]),
        targets=task.targets([t for item in items for t in item.targets]),
        items=tuple((item.example, item.start, len(item.read)) for item in items),
    )


def mini_batch(
    corpus: str, task: Targets, items: Sequence[Item], *, seed: tuple[int, ...], pieces: int | None
) -> MiniBatch:
    """The items as the fewest parts of about equally many word pieces, at most about ``pieces`` each."""
    items = sorted(items, key=lambda item: len(item.ids))
    rows = np.unique(np.concatenate([item.ids for item in items])).astype(np.int64)
    ends = np.cumsum([len(item.ids) for item in items])
    count = min(len(items), -(-int(ends[-1]) // pieces)) if pieces else 1
    part = np.minimum((ends - 1) * count // ends[-1], count - 1)
    parts = [[item for item, of in zip(items, part, strict=True) if of == i] for i in range(count)]
    collated = tuple(collate(corpus, task, own, rows=rows) for own in parts if own)
    return MiniBatch(corpus, collated[0].rows, collated, seed)


def _row(values: np.ndarray) -> Tensor:
    return torch.from_numpy(values.astype(np.int32)).unsqueeze(0)


def training_batches(
    corpus: str,
    task: Targets,
    items: Sequence[Item],
    *,
    batch_size: int,
    seed: int,
    pieces: int | None = TRAINING_PIECES,
) -> list[MiniBatch]:
    """Mini-batches of ``batch_size`` items, cut once: their composition depends on seed and corpus only."""
    order = np.random.default_rng([seed, name_seed(corpus)]).permutation(len(items))
    return [
        mini_batch(
            corpus,
            task,
            [items[i] for i in order[at : at + batch_size]],
            seed=(seed, name_seed(corpus), at),
            pieces=pieces,
        )
        for at in range(0, len(items), batch_size)
    ]


def evaluation_batches(corpus: str, task: Targets, items: Sequence[Item]) -> list[Batch]:
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


def name_seed(name: str) -> int:
    """A number for a name that is the same on every machine and in every run."""
    return crc32(name.encode("utf-8"))
