"""Multi-label classification: any number of the labels, also none."""

import torch
from torch import Tensor
from torch.nn import functional as F

from transfer.tasks.base import Task


class Multilabel(Task):
    """Sigmoid for each label with binary cross-entropy; a label is predicted above one half."""

    problem = "multi_label_classification"

    @property
    def outputs(self) -> int:
        return len(self.card.labels)

    def target(self, gold: tuple[str, ...]) -> list[float]:
        return [float(label in gold) for label in self.card.labels]

    def targets(self, values: list[list[float]]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(logits, targets)

    def soft_targets(self, logits: Tensor) -> Tensor:
        return torch.sigmoid(logits)

    def decode(self, logits: Tensor) -> list[tuple[str, ...]]:
        return [
            tuple(label for label, yes in zip(self.card.labels, row, strict=True) if yes)
            for row in (logits > 0).tolist()
        ]
