"""Adamax with decoupled weight decay, and the learning rate's rise and fall."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_linear_schedule_with_warmup

from transfer.grid import Recipe


class DecoupledAdamax(torch.optim.Adamax):
    """Adamax (Kingma and Ba 2015) whose decay shrinks the weights and stays out of the gradient.

    ``torch.optim.Adamax`` adds its decay to the gradient, where the running maximum swallows it;
    BERT's own training code decouples it (Loshchilov and Hutter 2019). A group's key ``decay`` is
    the share of the learning rate by which its weights shrink at each step.
    """

    def __init__(self, groups: Iterable[dict], *, lr: float) -> None:
        super().__init__(groups, lr=lr, betas=(0.9, 0.999), eps=1e-6, weight_decay=0.0, foreach=True)

    @torch.no_grad()
    def step(self, closure=None):  # type: ignore[override]
        for group in self.param_groups:
            if group["decay"]:
                moved = [p for p in group["params"] if p.grad is not None]
                torch._foreach_mul_(moved, 1 - group["lr"] * group["decay"])  # pyright: ignore[reportPrivateImportUsage]
        return super().step(closure)


def optimizer_of(model: nn.Module, recipe: Recipe) -> DecoupledAdamax:
    """The recipe's optimizer: everything decays but biases and LayerNorm weights."""
    decayed: list[Tensor] = []
    others: list[Tensor] = []
    for parameter in model.parameters():
        (decayed if parameter.ndim > 1 else others).append(parameter)
    groups = [{"params": decayed, "decay": recipe.weight_decay}, {"params": others, "decay": 0.0}]
    return DecoupledAdamax(groups, lr=recipe.lr)


def schedule_of(optimizer: torch.optim.Optimizer, recipe: Recipe, *, steps: int) -> LambdaLR:
    """A linear rise over the first ``warmup`` share of all steps, then a linear fall to 0."""
    return get_linear_schedule_with_warmup(optimizer, round(recipe.warmup * steps), steps)
