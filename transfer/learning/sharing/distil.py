"""Distillation: single-task teachers give soft targets, less and less of them (Clark et al. 2019)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from transfer.learning.batches import Batch, MiniBatch
from transfer.learning.mtbert import MTBert


class Student(MTBert):
    """A learner from gold labels and, with a weight that falls linearly to 0, from teachers.

    ``start`` is the teachers' share of the loss at the first step; at the last one it is 0.
    """

    def __init__(self, *args: Any, start: float, **more: Any) -> None:
        super().__init__(*args, **more)
        self.start = start
        self.teaching = start  # the teachers' share of the loss now
        # the row itself is held, so that its number stays its own
        self._lessons: dict[int, tuple[Batch, Tensor]] = {}

    @torch.no_grad()
    def learn_from(self, teacher: MTBert, batches: Sequence[MiniBatch]) -> None:
        """Compute the targets of one corpus from its teacher, once."""
        teacher.eval()
        for part in (part for batch in batches for part in batch.parts):
            targets = teacher.tasks[part.corpus].soft_targets(teacher(part))
            self._lessons[id(part)] = (part, targets)

    def backward(self, batch: MiniBatch) -> Tensor:
        self.teaching = self.start * (1 - batch.progress)
        return super().backward(batch)

    def loss(self, batch: Batch) -> Tensor:
        task, logits = self.tasks[batch.corpus], self(batch)
        _, taught = self._lessons[id(batch)]
        gold = task.loss(logits, batch.targets)
        return (1 - self.teaching) * gold + self.teaching * task.loss(logits, taught)
