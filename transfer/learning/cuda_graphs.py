"""The encoder of a training step as CUDA graphs: rows filled up to a few shapes, each captured once.

Never run on a GPU so far. A step of a small model costs more in launches than in arithmetic; a graph is one
launch. It replays the same kernels on the same memory, so a row is filled up with sequences that nothing
reads, to a shape that depends on its own lengths alone: with whichever partner, a mini-batch has the same
shape and the same dropout masks (protocol point 2). Embedding, head, loss and optimizer stay outside.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from transfer.encoders import FAMILIES
from transfer.learning.attention import Group, Packing
from transfer.learning.batches import Batch, MiniBatch
from transfer.learning.dropout import Noise
from transfer.learning.encoder import last_layer
from transfer.learning.lazy_embedding import Words

# a row's word pieces are rounded up to whole PIECES, its longest sequence to whole LENGTHS
PIECES, LENGTH = 256, 32
# the commonest shapes of a corpus are captured, each of which holds gradients of its own; others go eagerly
MOST = 4


@dataclass(frozen=True)
class Shape:
    """Sequences, the longest of them, word pieces and vectors read of a filled row."""

    sequences: int
    longest: int
    pieces: int
    read: int

    @staticmethod
    def of(batch: Batch, batch_size: int) -> "Shape":
        """The shape of a row of at most ``batch_size`` sequences."""
        read = len(batch.read)
        return Shape(
            sequences=batch_size + PIECES // LENGTH,
            longest=_up(batch.packing.longest, LENGTH),
            pieces=_up(batch.pieces, PIECES),
            read=batch_size if read <= batch_size else _up(read, PIECES),
        )


@dataclass(frozen=True)
class Filled:
    """A row filled up to its shape.

    ``ids`` [1, pieces] are numbers into the row's word pieces; ``rest`` is what else the encoder's call
    takes: types, positions [1, pieces], bounds [sequences + 1], pad [sequences x longest], unpad [pieces],
    bias [sequences, 1, 1, longest], and the positions that are read, [read].
    """

    row: Batch  # it is held, so that its number stays its own
    shape: Shape
    ids: Tensor
    rest: tuple[Tensor, ...]

    @staticmethod
    def of(batch: Batch, shape: Shape) -> "Filled":
        """A row with sequences behind it that nothing reads; some of these may be empty."""
        lengths = batch.packing.bounds.diff().tolist()
        spare, fillers = shape.pieces - sum(lengths), shape.sequences - len(lengths)
        more = [spare // fillers + (i < spare % fillers) for i in range(fillers)]
        sizes = np.array([*lengths, *more])
        starts, at = np.cumsum([0, *sizes[:-1]]), np.arange(shape.longest)
        real = at < sizes[:, None]
        pad = np.minimum(starts[:, None] + np.where(real, at, 0), shape.pieces - 1)
        # what is empty sees whatever is there: softmax over nothing would be no number
        bias = np.where(real | (sizes[:, None] == 0), 0, -np.inf).astype(np.float32)
        made = (
            np.cumsum([0, *sizes], dtype=np.int32),
            pad.ravel(),
            np.flatnonzero(real),
            bias[:, None, None, :],
        )
        bounds, pad, unpad, bias = (torch.from_numpy(x).to(batch.ids.device) for x in made)
        ids, types, positions = (
            nn.functional.pad(x, (0, spare)) for x in (batch.ids, batch.types, batch.positions)
        )
        read = nn.functional.pad(batch.read, (0, shape.read - len(batch.read)))
        return Filled(batch, shape, ids, (types, positions, bounds, pad, unpad, bias, read))


class Graphs:
    """The graphs of an encoder, one for each shape; rows that have none are read without."""

    def __init__(
        self,
        encoder: Any,
        batches: Mapping[str, Sequence[MiniBatch]],
        *,
        batch_size: int,
        noise: Noise,
        bf16: bool,
    ) -> None:
        self._encoder, self._noise, self._bf16 = encoder, noise, bf16
        self._calls: dict[Shape, Any] = {}
        self._pool: Any = None
        self._fault = ""
        self._filled: dict[int, Filled] = {}
        self._rows = 0
        for own in batches.values():
            # gradients of several parts are added up, into memory that a graph writes to anew
            rows = [batch.parts[0] for batch in own if len(batch.parts) == 1]
            shapes = {id(row): Shape.of(row, batch_size) for row in rows}
            chosen = {shape for shape, _ in Counter(shapes.values()).most_common(MOST)}
            found = [Filled.of(row, shapes[id(row)]) for row in rows if shapes[id(row)] in chosen]
            self._filled |= {id(filled.row): filled for filled in found}
            self._rows += len(own)

    def read(self, batch: Batch) -> Tensor | None:
        """The vectors that are read of a row [vectors read, width]; None where no graph serves it."""
        filled, words = self._filled.get(id(batch)), self._encoder.get_input_embeddings()
        if filled is None or self._fault or not isinstance(words, Words):
            return None
        vectors = words(filled.ids)
        call = self._calls.get(filled.shape)
        if call is None:
            try:
                call = self._calls[filled.shape] = self._captured(vectors, filled)
            except torch.OutOfMemoryError:
                raise
            except Exception as error:  # what cannot be captured can be run
                self._fault = f"not captured ({type(error).__name__})"
                return None
        return call(vectors, *filled.rest)[: len(batch.read)]

    def told(self) -> dict[str, str]:
        """Use of the graphs, for a result's provenance."""
        told = f"{len(self._calls)} shapes, {len(self._filled)} of {self._rows} mini-batches"
        return {"cuda graphs": self._fault or told}

    def _captured(self, vectors: Tensor, filled: Filled) -> Any:
        device = vectors.device
        sample = (
            vectors.detach().clone().requires_grad_(vectors.requires_grad),
            *(x.clone() for x in filled.rest),
        )
        call = _Call(self._encoder, filled.shape, self._noise, self._bf16)
        # a mini-batch is under way: its masks go on as if nothing had been drawn
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            if self._pool is None:
                # one for all: a step is over before the next one begins
                self._pool = torch.cuda.graph_pool_handle()
            return torch.cuda.make_graphed_callables(call, sample, allow_unused_input=True, pool=self._pool)


def graphs_of(model: Any, batches: Mapping[str, Sequence[MiniBatch]], *, batch_size: int) -> Graphs | None:
    """The graphs of a learner; None where there is no GPU or its encoder pads."""
    if not torch.cuda.is_available() or not FAMILIES[model.encoder.config.model_type].packed:
        return None
    return Graphs(model.encoder, batches, batch_size=batch_size, noise=model.noise, bf16=model.bf16)


class _Call(nn.Module):
    """The encoder's call on rows of one shape: of tensors alone, all of them of the same size each time."""

    def __init__(self, encoder: nn.Module, shape: Shape, noise: Noise, bf16: bool) -> None:
        super().__init__()
        self.encoder = encoder
        self.shape, self.noise, self.bf16 = shape, noise, bf16

    def forward(
        self, vectors: Tensor, types: Tensor, positions: Tensor, bounds: Tensor, pad: Tensor, unpad: Tensor,
        bias: Tensor, read: Tensor,
    ) -> Tensor:  # fmt: skip
        group = Group(0, self.shape.sequences, self.shape.longest, bias)
        packing = Packing((group,), pad, unpad, bounds, self.shape.longest)
        row: Any = SimpleNamespace(types=types, positions=positions, packing=packing)
        with torch.autocast(vectors.device.type, torch.bfloat16, enabled=self.bf16, cache_enabled=False):
            return last_layer(self.encoder, vectors, row, noise=self.noise, only=read)


def _up(count: int, whole: int) -> int:
    return -(-count // whole) * whole
