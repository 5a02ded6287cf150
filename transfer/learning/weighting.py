"""Weighting of the corpora's losses.

Algorithm 1 gives a step a mini-batch of one corpus. Numbers of your own and learned ones multiply that
mini-batch's loss. Ways that look at several corpora's gradients need a mini-batch of each at every step:
there a recipe says ``mix: uniform``, and an epoch has fewer steps of several mini-batches.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from transfer.learning.batches import MiniBatch, name_seed
from transfer.methods import CAGrad, Fixed, Uncertainty, Weigh
from transfer.tasks import Task


class Shared(Protocol):
    """A model whose corpora share weights and have a head each."""

    heads: nn.ModuleList

    def shared(self) -> list[nn.Parameter]:
        """The weights that all corpora move."""
        ...


class LossWeighting(nn.Module):
    """Change of a corpus's loss, and of the gradients that it has left; this one changes neither."""

    own_lr: float | None = None  # learning rate of its own parameters, where it is not the recipe's

    def forward(self, loss: Tensor, batch: MiniBatch) -> Tensor:
        """The weighted loss (scalar) of a mini-batch, or of a part of it."""
        return loss

    def after(self, model: Shared, batch: MiniBatch) -> None:
        """Hook that runs after the backward pass of each mini-batch."""


class EqualLosses(LossWeighting):
    """Equal weights."""


class FixedLosses(LossWeighting):
    """Each corpus's loss times a number."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        super().__init__()
        self.weights = dict(weights)

    def forward(self, loss: Tensor, batch: MiniBatch) -> Tensor:
        return loss * self.weights.get(batch.corpus, 1.0)


class LearnedUncertainty(LossWeighting):
    """Each corpus's loss L with a learned log-variance s (Kendall, Gal and Cipolla 2018).

    Regression: L / (2 exp(s)) + s / 2; all others: L / exp(s) + s / 2. All s begin at 0.
    """

    def __init__(self, tasks: Mapping[str, Task], *, lr: float) -> None:
        super().__init__()
        self.own_lr = lr
        self.log_variances = nn.Parameter(torch.zeros(len(tasks)))
        self.place = {name: i for i, name in enumerate(tasks)}
        self.halved = {name: task.problem == "regression" for name, task in tasks.items()}

    def forward(self, loss: Tensor, batch: MiniBatch) -> Tensor:
        s = self.log_variances[self.place[batch.corpus]]
        return loss * torch.exp(-s) * (0.5 if self.halved[batch.corpus] else 1.0) + s / 2


class AggregatedGradients(LossWeighting):
    """One direction for the shared weights out of the gradients of all corpora, [corpora, weights].

    ``aggregate`` makes [weights] of these, a mean of the rows where they agree. A head's own gradient
    is that of the mean loss.
    """

    def __init__(self, aggregate: Callable[[Tensor], Tensor], corpora: int) -> None:
        super().__init__()
        self.aggregate = aggregate
        self.corpora = corpora
        self._rows: list[Tensor] = []

    def after(self, model: Shared, batch: MiniBatch) -> None:
        shared = model.shared()
        zero = [p.new_zeros(p.shape) if p.grad is None else p.grad for p in shared]
        self._rows.append(torch.cat([grad.reshape(-1) for grad in zero]))
        for p in shared:
            p.grad = None
        if not batch.last:
            return
        rows, self._rows = torch.stack(self._rows), []
        with torch.random.fork_rng(devices=[rows.device] if rows.is_cuda else []):
            # some draw an order of the corpora
            torch.manual_seed(batch.seed[0] * 2**32 + name_seed(str(batch.seed)))
            merged = self.aggregate(rows)
        at = 0
        for p in shared:
            p.grad = merged[at : at + p.numel()].view_as(p).to(p.dtype).clone()
            at += p.numel()
        for head in model.heads:
            for p in head.parameters():
                if p.grad is not None:
                    p.grad /= self.corpora


def _torchjd(weigh: Weigh, corpora: int) -> Callable[[Tensor], Tensor]:
    """An aggregator of torchjd, scaled so that equal rows give that row."""
    from torchjd import aggregation

    if isinstance(weigh, CAGrad):
        chosen: Any = aggregation.CAGrad(c=weigh.c)
        return lambda rows: chosen(rows) / (1 + weigh.c)  # rows that agree are made longer by c
    chosen = {"pcgrad": aggregation.PCGrad, "upgrad": aggregation.UPGrad}[weigh.method]()
    scale = 1 / corpora if weigh.method == "pcgrad" else 1.0  # that one is a sum
    return lambda rows: chosen(rows) * scale


def _fixed(weigh: Weigh, tasks: Mapping[str, Task]) -> LossWeighting:
    assert isinstance(weigh, Fixed)
    return FixedLosses(weigh.weights)


def _uncertainty(weigh: Weigh, tasks: Mapping[str, Task]) -> LossWeighting:
    assert isinstance(weigh, Uncertainty)
    return LearnedUncertainty(tasks, lr=weigh.lr)


def _aggregated(weigh: Weigh, tasks: Mapping[str, Task]) -> LossWeighting:
    return AggregatedGradients(_torchjd(weigh, len(tasks)), len(tasks))


# by the name in a recipe
LOSS_WEIGHTING: Mapping[str, Callable[[Weigh, Mapping[str, Task]], LossWeighting]] = {
    "equal": lambda weigh, tasks: EqualLosses(),
    "fixed": _fixed,
    "uncertainty": _uncertainty,
    "pcgrad": _aggregated,
    "cagrad": _aggregated,
    "upgrad": _aggregated,
}
