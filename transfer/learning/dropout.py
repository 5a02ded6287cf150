"""Dropout whose masks are cheap to draw and belong to a mini-batch, not to a moment.

On CPU, drawing masks one element at a time takes a third of a training step. Here a 64-bit draw
serves four elements: the probability is kept to 1/65,536 and the scale uses the one that is kept.
On a GPU masks come from the device's own generator, since the kernels of dropout and attention draw there.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from transfer.learning import machine


class Noise:
    """The random bits of all dropout masks of one model; seeded anew for each mini-batch.

    So a mini-batch meets the same masks whatever partner corpus stands between it and the last
    one (protocol point 2: the dropout stream does not depend on the partner).
    """

    def __init__(self) -> None:
        self._bits = np.random.SFC64(0)

    def seed(self, seed: Sequence[int]) -> None:
        """Start the stream of a mini-batch; ``seed`` are non-negative integers."""
        self._bits = np.random.SFC64(seed)
        if torch.cuda.is_initialized():
            # a number on the host, which later launches take with them: nothing waits
            number = np.random.SeedSequence(seed).generate_state(1, np.uint64)[0]
            torch.cuda.manual_seed(int(number >> np.uint64(1)))

    def bits(self, count: int) -> Tensor:
        """[count] uint16, on a CPU: all values are equally likely."""
        return torch.from_numpy(self._bits.random_raw(-(-count // 4)).view(np.uint16)[:count])

    def mask(self, like: Tensor, p: float) -> Tensor:
        """Independent factors of the shape of ``like``, on a CPU: 0 with probability p, else 1/(1 - p)."""
        threshold, factor = kept_share(p)
        bits = self.bits(like.numel()).numpy()
        factors = np.multiply(bits >= threshold, np.float32(factor), dtype=np.float32)
        return torch.from_numpy(factors).view(like.shape)


def kept_share(p: float) -> tuple[int, float]:
    """From which value of 16 bits on an element stays, and by what it is then multiplied."""
    threshold = round(p * 65536)
    return threshold, 65536 / (65536 - threshold)


class Dropout(nn.Module):
    """``torch.nn.Dropout`` with masks from the model's Noise."""

    def __init__(self, p: float, noise: Noise) -> None:
        super().__init__()
        self.p = p
        self.noise = noise

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if machine.on_gpu(x):
            return F.dropout(x, self.p)  # of the generator that the noise has seeded
        return x * self.noise.mask(x, self.p)


def use_noise(model: nn.Module, noise: Noise) -> None:
    """Replace each ``torch.nn.Dropout`` of a model by Dropout."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, nn.Dropout):
                setattr(module, name, Dropout(child.p, noise))
