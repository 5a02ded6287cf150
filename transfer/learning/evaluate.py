"""Predictions of a model for whole splits, and their scores."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from transfer.corpora.base import Example
from transfer.learning.batches import Batch
from transfer.learning.machine import give_back_memory
from transfer.learning.mtbert import MultiTask
from transfer.metrics import why_undefined


class Diverged(RuntimeError):
    """A loss or a logit is no number any more. The job failed; it has no score."""


@dataclass(frozen=True)
class Held:
    """A held-out split of one corpus, ready for the model."""

    corpus: str
    examples: tuple[Example, ...]
    batches: Sequence[Batch]


@torch.no_grad()
def predict(model: MultiTask, held: Held) -> list[Any]:
    """A prediction for each example, in the split's order: a score, a label, tags or labels.

    Raises Diverged where a logit is not finite: the largest of those would still be some label.
    """
    task = model.tasks[held.corpus]
    model.eval()
    give_back_memory()  # what training's rows have left, and below what these leave
    values: list[list[tuple[int, list[Any]]]] = [[] for _ in held.examples]
    for batch in held.batches:
        logits = model(batch)
        if not torch.isfinite(logits).all():
            raise Diverged(f"training diverged: the model's output on {held.corpus} is not finite")
        decoded = iter(task.decode(logits))
        for example, start, count in batch.items:
            values[example].append((start, [next(decoded) for _ in range(count)]))
    give_back_memory()
    return [
        task.join([v for _, part in sorted(parts, key=lambda p: p[0]) for v in part], example)
        for parts, example in zip(values, held.examples, strict=True)
    ]


class Scored(NamedTuple):
    """The corpus's metric on a split (NaN, and the reason, where it is undefined) and the predictions."""

    value: float
    undefined: str
    predicted: list[Any]


def score(model: MultiTask, held: Held) -> Scored:
    """The corpus's metric on a split, and the predictions it was computed from."""
    predicted, task = predict(model, held), model.tasks[held.corpus]
    gold, card = [e.gold for e in held.examples], task.card
    undefined = why_undefined(card.metric, gold, predicted, negative=card.negative)
    return Scored(math.nan if undefined else task.score(gold, predicted), undefined, predicted)


def dev_score(model: MultiTask, held: Held) -> float:
    """The corpus's metric on a split; NaN where it is undefined."""
    return score(model, held).value
