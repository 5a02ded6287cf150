"""Predictions of a model for whole splits, and their scores."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from transfer.corpora.base import Example
from transfer.learning.batches import Batch
from transfer.learning.model import MTBert


@dataclass(frozen=True)
class Held:
    """A held-out split of one corpus, ready for the model."""

    corpus: str
    examples: tuple[Example, ...]
    batches: Sequence[Batch]


@torch.no_grad()
def predict(model: MTBert, held: Held) -> list[Any]:
    """A prediction for each example, in the split's order: a score, a label, tags or labels."""
    task = model.tasks[held.corpus]
    model.eval()
    values: list[list[tuple[int, list[Any]]]] = [[] for _ in held.examples]
    for batch in held.batches:
        decoded = iter(task.decode(model(batch)))
        for example, start, count in batch.items:
            values[example].append((start, [next(decoded) for _ in range(count)]))
    return [task.join([v for _, part in sorted(parts, key=lambda p: p[0]) for v in part]) for parts in values]


def score(model: MTBert, held: Held) -> tuple[float, list[Any]]:
    """The corpus's metric on a split, and the predictions it was computed from."""
    predicted = predict(model, held)
    return model.tasks[held.corpus].score([e.gold for e in held.examples], predicted), predicted
