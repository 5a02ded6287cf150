"""Frozen layers, whose outputs are computed once and kept."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from transfer.learning.batches import Batch
from transfer.learning.encoder import layers_of
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert

# outputs that are kept may take so much memory; what would go beyond is computed again each time
KEPT_BYTES = 2**30


class Memory:
    """Cache of the frozen layers' outputs for each packed row, limited in bytes."""

    def __init__(self, room: int = KEPT_BYTES) -> None:
        self._room = room
        # the row itself is held, so that its number stays its own
        self._kept: dict[int, tuple[Batch, list[Any]]] = {}

    def get(self, batch: Batch) -> list[Any] | None:
        """The outputs for a row, in the order in which they came; None where they are not kept."""
        found = self._kept.get(id(batch))
        return found[1] if found else None

    def keep(self, batch: Batch, outputs: list[Any]) -> None:
        """Keep the outputs if there is room."""
        size = sum(t.numel() * t.element_size() for o in outputs for t in _tensors(o))
        if size <= self._room:
            self._room -= size
            self._kept[id(batch)] = (batch, outputs)


class FrozenEncoder(MTBert):
    """``heads``: the encoder does not train and has no dropout; pooler and heads do."""

    def __init__(self, *args: Any, room: int = KEPT_BYTES, **more: Any) -> None:
        super().__init__(*args, **more)
        self.memory = Memory(room)
        self.encoder.requires_grad_(False)

    def use_words(self, words: Words) -> None:
        words.requires_grad_(False)
        super().use_words(words)

    def train(self, mode: bool = True) -> "FrozenEncoder":
        super().train(mode)
        self.encoder.train(False)
        return self

    def read(self, encoder: Any, ids: Tensor, batch: Batch) -> Tensor:
        kept = self.memory.get(batch)
        if kept is None:
            with torch.no_grad():
                kept = [super().read(encoder, ids, batch)]
            self.memory.keep(batch, kept)
        return kept[0]


class FrozenBelow(MTBert):
    """``top: k``: the last k layers train, with pooler and heads; those below do not and have no dropout."""

    def __init__(self, *args: Any, top: int, room: int = KEPT_BYTES, **more: Any) -> None:
        super().__init__(*args, **more)
        layers = layers_of(self.encoder)
        assert 0 < top < len(layers)
        self.top = top
        self.memory = Memory(room)
        self._replayed: list[Any] = []  # what is told again of the row at hand, part by part
        self._recorded: list[Any] = []
        self.encoder.requires_grad_(False)
        for layer in layers[-top:]:
            layer.requires_grad_(True)
        frozen = layers[:-top]
        for layer in frozen[:-1]:
            layer.forward = self._skipping(layer.forward)
        frozen[-1].forward = self._ending(frozen[-1].forward)

    def use_words(self, words: Words) -> None:
        words.requires_grad_(False)
        super().use_words(words)

    def train(self, mode: bool = True) -> "FrozenBelow":
        super().train(mode)
        self.encoder.train(False)
        for layer in layers_of(self.encoder)[-self.top :]:
            layer.train(mode)
        return self

    def read(self, encoder: Any, ids: Tensor, batch: Batch) -> Tensor:
        kept = self.memory.get(batch)
        self._replayed, self._recorded = list(kept or ()), []
        read = super().read(encoder, ids, batch)
        if kept is None:
            self.memory.keep(batch, self._recorded)
        self._replayed, self._recorded = [], []
        return read

    def _skipping(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """A lower layer, which has nothing to do where the end of them is known: any output of its form."""
        return lambda *args, **more: self._replayed[0] if self._replayed else plain(*args, **more)

    def _ending(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        """The last of the lower layers: what came out of it is told, or told again."""

        def forward(x: Tensor, *args: Any, **more: Any) -> Any:
            if self._replayed:
                return self._replayed.pop(0)  # a row of a padded family goes through part by part
            self._recorded.append(plain(x, *args, **more))
            return self._recorded[-1]

        return forward


def _tensors(output: Any) -> list[Tensor]:
    if output is None or isinstance(output, Tensor):
        return [] if output is None else [output]
    return [t for part in output for t in _tensors(part)]
