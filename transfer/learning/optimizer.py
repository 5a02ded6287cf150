"""Adamax with decoupled weight decay, and the learning rate's rise and fall."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_linear_schedule_with_warmup

from transfer.learning.lazy_embedding import LazyRows, Words
from transfer.learning.native import library, passes
from transfer.recipes import Recipe


class DecoupledAdamax(torch.optim.Optimizer):
    """Adamax (Kingma and Ba 2015) whose decay shrinks the weights and stays out of the gradient.

    ``torch.optim.Adamax`` adds its decay to the gradient, where the running maximum swallows it;
    BERT's own training code decouples it (Loshchilov and Hutter 2019). A group's key ``decay`` is
    the share of the learning rate by which its weights shrink at each step. Without decay the
    numbers are torch's; here all passes over a weight come one after the other while it is in
    cache, which takes half the time of torch's foreach form on a CPU. On a GPU it is that form.

    ``words`` are among a group's parameters; where they are lazy their rows move when they are read, and
    ``settle`` moves all of them to where plain training has them.
    """

    def __init__(
        self,
        groups: Iterable[dict],
        *,
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-6,
        words: Words | None = None,
    ) -> None:
        super().__init__(groups, {"lr": lr, "betas": betas, "eps": eps, "decay": 0.0})
        self._words = words
        self._begin()

    def _begin(self) -> None:
        """Start from the present state, which is that of plain training."""
        if self._words is None or not self._words.lazy:
            return
        group = self._group_of_words
        self._words.late = LazyRows(
            self._words,
            self.state[self._words.weight],
            decay=group["decay"],
            betas=group["betas"],
            eps=group["eps"],
        )

    @property
    def _group_of_words(self) -> dict:
        assert self._words is not None
        weight = self._words.weight
        return next(g for g in self.param_groups if any(p is weight for p in g["params"]))

    def load_state_dict(self, state_dict: dict) -> None:
        super().load_state_dict(state_dict)
        self._begin()

    def settle(self) -> None:
        """Update all rows of the words to where plain training has them: at the end of an epoch."""
        if self._words is not None and self._words.late is not None:
            self._words.late.settle()

    @torch.no_grad()
    def step(self, closure: None = None, *, shrink: Tensor | None = None) -> None:  # type: ignore[override]
        """Update the weights by their gradients, times ``shrink`` (scalar, from ``shrink_to``) if given."""
        for group in self.param_groups:
            # a head whose corpus is not in this mini-batch has no gradient and is left alone
            weights = [weight for weight in group["params"] if weight.grad is not None]
            for weight in weights:
                if not self.state[weight]:
                    self.state[weight] |= {
                        "step": 0,
                        "mean": torch.zeros_like(weight),
                        "maximum": torch.zeros_like(weight),
                    }
                self.state[weight]["step"] += 1
            _form(weights)(group, weights, self.state, shrink)
        if self._words is not None:
            group = self._group_of_words
            self._words.shrunk.mul_(1 - group["lr"] * group["decay"])
            if self._words.late is not None:
                self._words.late.step(group["lr"], shrink)


def _form(weights: list[Tensor]) -> Callable[..., None]:
    if weights and weights[0].is_cuda:
        return _foreach
    return _native if _fits([x for weight in weights for x in (weight, weight.grad)]) else _one_by_one


def _one_by_one(
    group: dict, weights: list[Tensor], state: Mapping[Tensor, dict], shrink: Tensor | None
) -> None:
    rate, (beta1, beta2) = group["lr"], group["betas"]
    factor = 1.0 if shrink is None else float(shrink)
    for weight in weights:
        mean, maximum, grad = state[weight]["mean"], state[weight]["maximum"], weight.grad
        assert grad is not None
        if factor == 1:
            mean.lerp_(grad, 1 - beta1)
            size = grad.abs()
        else:  # the gradient is not written again: that would be a way to memory and back
            shrunk = grad * factor
            mean.lerp_(shrunk, 1 - beta1)
            size = shrunk.abs_()
        torch.maximum(maximum.mul_(beta2), size.add_(group["eps"]), out=maximum)
        if group["decay"]:
            weight.mul_(1 - rate * group["decay"])
        weight.addcdiv_(mean, maximum, value=-rate / (1 - beta1 ** state[weight]["step"]))


def _native(group: dict, weights: list[Tensor], state: Mapping[Tensor, dict], shrink: Tensor | None) -> None:
    """The same in one pass over each weight."""
    rate, betas, factor = group["lr"], group["betas"], 1.0 if shrink is None else float(shrink)
    for weight in weights:
        own, grad = state[weight], weight.grad
        assert grad is not None
        passes.adamax(
            weight, grad, (own["mean"], own["maximum"]),
            shrink=factor, betas=betas, eps=group["eps"],
            keep=1 - rate * group["decay"], rate=rate / (1 - betas[0] ** own["step"]),
        )  # fmt: skip


def _fits(tensors: Sequence[Any]) -> bool:
    """Whether native passes are there, and for these."""
    plain = (x.dtype == torch.float32 and x.is_contiguous() and x.device.type == "cpu" for x in tensors)
    return all(plain) and library.found()[0] is not None


def _foreach(group: dict, weights: list[Tensor], state: Mapping[Tensor, dict], shrink: Tensor | None) -> None:
    """The same in a few launches for all weights."""
    lists: Any = torch  # its functions over lists have no types
    rate, (beta1, beta2) = group["lr"], group["betas"]
    grads = [weight.grad for weight in weights]
    if shrink is not None and grads:
        lists._foreach_mul_(grads, shrink)
    means, maxima = ([state[weight][key] for weight in weights] for key in ("mean", "maximum"))
    lists._foreach_lerp_(means, grads, 1 - beta1)
    sizes = lists._foreach_abs(grads)
    lists._foreach_add_(sizes, group["eps"])
    lists._foreach_mul_(maxima, beta2)
    lists._foreach_maximum_(maxima, sizes)
    if group["decay"]:
        lists._foreach_mul_(weights, 1 - rate * group["decay"])
    steps = [-rate / (1 - beta1 ** state[weight]["step"]) for weight in weights]
    lists._foreach_addcdiv_(weights, means, maxima, steps)


@torch.no_grad()
def shrink_to(most: float, leaves: Iterable[Tensor]) -> Tensor:
    """The factor (scalar, at most 1) that brings the norm of all gradients together down to ``most``.

    That of ``torch.nn.utils.clip_grad_norm_``, which writes all gradients again; here ``step`` applies it.
    """
    grads = [leaf.grad for leaf in leaves if leaf.grad is not None]
    if _fits(grads):
        norm = torch.tensor(math.sqrt(sum(map(passes.sum_of_squares, grads))))
    else:
        norm = get_total_norm(grads)
    return (most / (norm + 1e-6)).clamp(max=1.0)


def optimizer_of(model: nn.Module, recipe: Recipe) -> DecoupledAdamax:
    """The recipe's optimizer of what trains: everything decays but biases and LayerNorm weights.

    A module with an ``own_lr`` has that learning rate and no decay.
    """
    words = next((m for m in model.modules() if isinstance(m, Words) and m.weight.requires_grad), None)
    own = [m for m in model.modules() if getattr(m, "own_lr", None)]
    apart = {p for module in own for p in module.parameters()}
    decayed: list[Tensor] = []
    others: list[Tensor] = []
    for parameter in model.parameters():
        if parameter.requires_grad and parameter not in apart:
            (decayed if parameter.ndim > 1 else others).append(parameter)
    groups = [{"params": decayed, "decay": recipe.weight_decay}, {"params": others, "decay": 0.0}]
    groups += [{"params": list(m.parameters()), "lr": m.own_lr, "decay": 0.0} for m in own]
    return DecoupledAdamax(groups, lr=recipe.lr, words=words)


def schedule_of(optimizer: torch.optim.Optimizer, recipe: Recipe, *, steps: int) -> LambdaLR:
    """A linear rise over the first ``warmup`` share of all steps, then a linear fall to 0."""
    return get_linear_schedule_with_warmup(optimizer, round(recipe.warmup * steps), steps)
