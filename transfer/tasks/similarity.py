"""Sentence similarity: a score for a pair of texts."""

import torch
from torch import Tensor
from torch.nn import functional as F

from transfer.tasks.base import Task


class Similarity(Task):
    """Regression on the corpus's own scale with the mean squared error."""

    problem = "regression"

    @property
    def outputs(self) -> int:
        return 1

    @property
    def names(self) -> tuple[str, ...]:
        return ("score",)

    def target(self, gold: float) -> float:
        return gold

    def targets(self, values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.mse_loss(logits.squeeze(-1), targets)

    def soft_targets(self, logits: Tensor) -> Tensor:
        return logits.squeeze(-1)

    def decode(self, logits: Tensor) -> list[float]:
        return logits.squeeze(-1).tolist()
