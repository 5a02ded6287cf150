"""The word-piece embedding of a job: only the rows that its texts use, moved only when they are read.

A mini-batch reads a few hundred of an encoder's 30,000 rows. Plain training passes over all of them at each
step: their gradients are 0, but the optimizer's running mean still moves them and decay shrinks them. What
that does to a row over k steps depends on nothing but the step and k, so a row can be caught up when it is
next read. The numbers are those of plain training.
"""

from collections.abc import Collection

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

# a running mean is gone (beta1 = 0.9: below 1e-16 of what it was) after so many steps without gradient
FORGOTTEN = 350
AT_ONCE = 4096  # elements whose catching up needs every step


class Words(nn.Module):
    """An embedding cut to the rows that are ``used``; a stand-in for the encoder's own.

    ``open`` a mini-batch's rows, then call with numbers into these. On a device where whole passes over
    the table are cheap (a GPU) the rows are read with a gradient of the table's (``lazy`` false); else the
    gradient is that of ``read`` alone, and ``late`` (set by the optimizer) brings rows up to date first.

    ``shrunk`` is what decay has left of a row that no text uses, as a share.
    """

    shrunk: Tensor
    number: Tensor

    def __init__(self, whole: Tensor, used: Collection[int], *, lazy: bool = True) -> None:
        super().__init__()
        self.used = torch.tensor(sorted(used))
        self.lazy = lazy
        self.weight = nn.Parameter(whole[self.used].clone())
        self.register_buffer("shrunk", torch.ones((), dtype=torch.float64))
        self.register_buffer("number", torch.full((len(whole),), -1), persistent=False)
        self.number[self.used] = torch.arange(len(self.used))
        self.late: LazyRows | None = None
        self.open(self.used[:0])

    def open(self, rows: Tensor) -> None:
        """Select the ``rows`` [n] of the whole table that the next forward passes read."""
        self.rows = self.number[rows]
        if self.late is not None:
            self.late.catch_up(self.rows)
        if not self.lazy:
            self.read = self.weight.index_select(0, self.rows)
        else:
            self.read = self.weight.detach().index_select(0, self.rows)
            self.read.requires_grad_(self.training and self.weight.requires_grad)

    def forward(self, ids: Tensor) -> Tensor:
        """[..., width] vectors of ``ids`` [...], which are numbers into the rows that are open."""
        return F.embedding(ids, self.read)


def whole_table(whole: Tensor, words: Words, *, weight: Tensor, shrunk: Tensor) -> Tensor:
    """The encoder's table [size, width] with the rows ``weight`` [used, width] of its job in it."""
    table = (whole.double() * shrunk.cpu()).to(whole.dtype)
    table[words.used] = weight.cpu()
    return table


class LazyRows:
    """Adamax with decoupled decay of a table's rows, each moved when it is read.

    ``state`` holds what plain Adamax keeps of the table: ``step``, ``mean`` and ``maximum`` [used, width];
    after ``settle`` they are what plain Adamax has.
    """

    def __init__(
        self, words: Words, state: dict, *, decay: float, betas: tuple[float, float], eps: float
    ) -> None:
        self.words, self.state = words, state
        self.decay, self.betas, self.eps = decay, betas, eps
        if not state:
            state |= {
                "step": 0,
                "mean": torch.zeros_like(words.weight),
                "maximum": torch.zeros_like(words.weight),
            }
        self._begin()

    def _begin(self) -> None:
        """Nothing is late: from here on steps are counted anew."""
        self._last = torch.zeros(len(self.words.weight), dtype=torch.long)
        self._rates = np.zeros(1)  # of each step, over its bias correction
        # for a row that was last moved after step a: what is left of it, and how far its mean has moved it
        self._kept, self._moved, self._power = np.ones(1), np.zeros(1), np.ones(1)

    @property
    def _now(self) -> int:
        return len(self._kept) - 1

    @torch.no_grad()
    def step(self, rate: float, shrink: Tensor | None = None) -> None:
        """One step of all rows: those that were read by their gradient now, the others when they are read.

        ``shrink`` is what gradients are multiplied by.
        """
        beta1, beta2 = self.betas
        self.state["step"] += 1
        keep = 1 - rate * self.decay
        corrected = rate / (1 - beta1 ** self.state["step"])
        self._power = self._power * (beta1 / beta2)
        self._rates = np.append(self._rates, corrected)
        self._moved = np.append(self._moved * keep + corrected * self._power, 0.0)
        self._kept = np.append(self._kept * keep, 1.0)
        self._power = np.append(self._power, 1.0)
        rows, grad = self.words.rows, self.words.read.grad
        if grad is None or not len(rows):
            return
        if shrink is not None:
            grad = grad * shrink
        mean, maximum = (self.state[key].index_select(0, rows) for key in ("mean", "maximum"))
        mean.lerp_(grad, 1 - beta1)
        torch.maximum(maximum.mul_(beta2), grad.abs().add_(self.eps), out=maximum)
        weight = self.words.read.detach()
        if self.decay:
            weight.mul_(keep)
        weight.addcdiv_(mean, maximum, value=-corrected)
        self._put(rows, weight, mean, maximum)

    @torch.no_grad()
    def catch_up(self, rows: Tensor) -> None:
        """Update ``rows`` by all steps that they have missed."""
        rows = rows[self._last[rows] < self._now]
        if not len(rows):
            return
        last = self._last[rows]
        beta1, beta2 = self.betas
        missed = (self._now - last).double().unsqueeze(1)
        mean, maximum = (self.state[key].index_select(0, rows) for key in ("mean", "maximum"))
        left = beta2 ** missed.clamp(max=FORGOTTEN)
        # where the maximum has come down to eps it stays there, and the closed form is not theirs
        floored = (maximum * left < self.eps) & (mean != 0)
        moved = (mean / maximum.clamp(min=self.eps)).mul_(_column(self._moved, last, mean))
        if floored.any():
            moved[floored] = self._step_by_step(mean, maximum, last, floored)
        weight = self.words.weight.detach().index_select(0, rows)
        weight.mul_(_column(self._kept, last, weight)).sub_(moved)
        mean.mul_((beta1**missed).to(mean.dtype))
        maximum.mul_((beta2**missed).to(mean.dtype)).clamp_(min=self.eps)
        self._put(rows, weight, mean, maximum)

    def settle(self) -> None:
        """Update all rows to where plain training has them."""
        self.catch_up(torch.arange(len(self._last)))
        self._begin()

    def _step_by_step(self, mean: Tensor, maximum: Tensor, last: Tensor, where: Tensor) -> Tensor:
        beta1, beta2 = self.betas
        of_row = last.unsqueeze(1).expand_as(where)[where].numpy()
        means, maxima = mean[where].double().numpy(), maximum[where].double().numpy()
        found = np.empty_like(means)
        for at in range(0, len(means), AT_ONCE):
            here = slice(at, at + AT_ONCE)
            a = of_row[here]
            ahead = np.arange(1, min(FORGOTTEN, self._now - int(a.min())) + 1)
            step = a[:, None] + ahead
            there = step <= self._now
            step = np.minimum(step, self._now)
            left = self._kept[step] * self._rates[step] * there
            floor = np.maximum(maxima[here, None] * beta2**ahead, self.eps)
            found[here] = means[here] * (left * beta1**ahead / floor).sum(axis=1)
        return torch.from_numpy(found).to(mean.dtype)

    def _put(self, rows: Tensor, weight: Tensor, mean: Tensor, maximum: Tensor) -> None:
        self.words.weight.detach().index_copy_(0, rows, weight)
        self.state["mean"].index_copy_(0, rows, mean)
        self.state["maximum"].index_copy_(0, rows, maximum)
        self._last[rows] = self._now


def _column(values: np.ndarray, index: Tensor, like: Tensor) -> Tensor:
    return torch.from_numpy(values[index.numpy()]).to(like.dtype).unsqueeze(1)
