"""The training loop, and nothing but the loop."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from transfer.learning.batches import MiniBatch
from transfer.learning.best import Best
from transfer.learning.checkpoint import Checkpoint
from transfer.learning.evaluate import Diverged, dev_score
from transfer.learning.mtbert import Learner
from transfer.learning.optimizer import shrink_to
from transfer.recipes import Recipe
from transfer.records import Epoch


class Stream(Protocol):
    """Source of the mini-batches, epoch by epoch (counted from 1): a mixture."""

    @property
    def batches(self) -> Mapping[str, Any]: ...

    def steps(self, epochs: int) -> int: ...

    def epoch(self, epoch: int) -> Iterator[MiniBatch]: ...


def train(
    model: Learner,
    *,
    mixture: Stream,
    dev: Mapping[str, Any],
    measure: Callable[[Any, Any], float] = dev_score,
    recipe: Recipe,
    checkpoint: Checkpoint | None = None,
    watch: Callable[[Sequence[Epoch]], None] = lambda _: None,
) -> tuple[Best, list[Epoch]]:
    """Train in place; return the chosen epochs with their weights, and the history.

    ``measure(model, dev[name])`` is what an epoch is chosen by, the more the better; NaN where undefined.
    Goes on from ``checkpoint`` where there is one. ``watch`` is told the history as each epoch ends. Raises
    Diverged where a loss is not finite.
    """
    optimizer, schedule = model.optimization(recipe, mixture)
    best, history = checkpoint.load(model, optimizer, schedule) if checkpoint else (Best(), [])
    for epoch in range(len(history) + 1, recipe.epochs + 1):
        began = time.perf_counter()
        losses: dict[str, list[Tensor]] = {name: [] for name in mixture.batches}
        model.train()
        for batch in mixture.epoch(epoch):
            losses[batch.corpus].append(model.backward(batch))  # a number only at the end: no sync here
            if not batch.last:
                continue  # of a step that sees several corpora
            optimizer.step(shrink=shrink_to(recipe.clip, model.leaves()))
            schedule.step()
            optimizer.zero_grad()
        optimizer.settle()
        means = {name: float(torch.stack(own).mean()) for name, own in losses.items()}
        if not all(map(math.isfinite, means.values())):
            lost = ", ".join(name for name, mean in means.items() if not math.isfinite(mean))
            raise Diverged(f"training diverged: the loss of {lost} is not finite in epoch {epoch}")
        scores = {name: measure(model, held) for name, held in dev.items()}
        best.improve(model, scores, epoch)
        kept = {name: None if math.isnan(score) else score for name, score in scores.items()}
        history.append(Epoch(epoch=epoch, loss=means, dev=kept, seconds=time.perf_counter() - began))
        watch(history)
        if checkpoint:
            checkpoint.save(model, optimizer, schedule, best, history)
    return best, history
