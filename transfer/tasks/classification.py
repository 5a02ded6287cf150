"""Classification of a text or of a pair: relation extraction and inference are both this."""

import torch
from torch import Tensor
from torch.nn import functional as F

from transfer.tasks.base import Task, one_of


class Classification(Task):
    """Softmax over the card's labels with cross-entropy. A negative label is learned like any other."""

    problem = "single_label_classification"

    @property
    def outputs(self) -> int:
        return len(self.card.labels)

    def target(self, gold: str) -> int:
        return self.card.labels.index(gold)

    def targets(self, values: list[int]) -> Tensor:
        return torch.tensor(values)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits, targets)

    def soft_targets(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=-1)

    def decode(self, logits: Tensor) -> list[str]:
        return one_of(self.card.labels, logits)
