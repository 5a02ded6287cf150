"""MT-BERT: one shared encoder, a small head for each corpus."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch import Tensor, nn

from transfer.learning.batches import Batch, MiniBatch, name_seed
from transfer.learning.dropout import Dropout, Noise
from transfer.learning.encoder import last_layer
from transfer.learning.lazy_embedding import Words
from transfer.learning.optimizer import optimizer_of, schedule_of
from transfer.learning.weighting import EqualLosses, LossWeighting
from transfer.recipes import Recipe
from transfer.tasks import Task

if TYPE_CHECKING:
    from transfer.learning.cuda_graphs import Graphs


class Steps(Protocol):
    """Source of mini-batches that knows its number of steps: a mixture."""

    def steps(self, epochs: int) -> int: ...


class Learner(nn.Module, ABC):
    """Model that the training loop trains: an encoder, and a loss on a packed row."""

    graphs: "Graphs | None" = None  # what reads training's rows, where there are any

    def __init__(self, *, noise: Noise, recipe: Recipe) -> None:
        super().__init__()
        self.noise = noise
        self.bf16 = recipe.precision == "bf16"

    @abstractmethod
    def loss(self, batch: Batch) -> Tensor:
        """The mean loss (scalar) over everything read from a packed row."""

    def objective(self, loss: Tensor, batch: MiniBatch) -> Tensor:
        """The objective (scalar) that a step minimizes: the loss, or the weighted loss."""
        return loss

    def read(self, encoder: Any, ids: Tensor, batch: Batch) -> Tensor:
        """The last layer's vectors [vectors read, width] where ``batch.read`` says, in fp32."""
        if self.graphs is not None and self.training:
            replayed = self.graphs.read(batch)
            if replayed is not None:
                return replayed.float()
        with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=self.bf16):
            vectors = last_layer(encoder, ids, batch, noise=self.noise, only=batch.read)
        return vectors.float()

    def backward(self, batch: MiniBatch) -> Tensor:
        """Accumulate the gradients of a mini-batch's mean loss, part by part; return the loss (scalar)."""
        self.noise.seed(batch.seed)
        losses = []
        for part, share in zip(batch.parts, batch.part_weights, strict=True):
            loss = self.loss(part)
            (self.objective(loss, batch) * share).backward()
            losses.append(loss.detach() * share)
        return torch.stack(losses).sum()

    def leaves(self) -> list[Tensor]:
        """Everything that a loss has gradients of."""
        return list(self.parameters())

    def optimization(self, recipe: Recipe, stream: Steps) -> tuple[Any, Any]:
        """An optimizer and its schedule, for all of ``stream``."""
        optimizer = optimizer_of(self, recipe)
        return optimizer, schedule_of(optimizer, recipe, steps=stream.steps(recipe.epochs))


class MultiTask(Learner):
    """A learner of several corpora: calling it gives the logits of a packed row, [vectors read, outputs]."""

    tasks: Mapping[str, Task]


class MTBert(MultiTask):
    """A shared encoder with a head (dropout, linear) for each corpus (Liu et al. 2019, Peng et al. 2020).

    Texts and pairs are read from the first token through the encoder's pooler (dense, tanh), which
    is shared; an encoder without one gets a pooler whose first weights are N(0, 0.02), drawn from the seed.
    Taggers read the last layer. A head's first weights are N(0, 0.02) drawn from (seed, corpus) alone,
    so they do not depend on the partners (protocol point 2).
    """

    def __init__(
        self,
        encoder: Any,
        tasks: Mapping[str, Task],
        *,
        noise: Noise,
        recipe: Recipe,
        seed: int,
        weighing: LossWeighting | None = None,
    ) -> None:
        super().__init__(noise=noise, recipe=recipe)
        self.encoder = encoder
        self.tasks = dict(tasks)
        self.weighing = weighing or EqualLosses()
        self.dropout = Dropout(recipe.dropout, noise)
        width: int = encoder.config.hidden_size
        pooler = getattr(encoder, "pooler", None)
        self.pooler = pooler.dense if pooler is not None else _linear(width, width, [seed, name_seed("")])
        encoder.pooler = None
        self.heads = nn.ModuleList(
            _linear(width, task.outputs, [seed, name_seed(name)]) for name, task in self.tasks.items()
        )
        self.head_of = {name: i for i, name in enumerate(self.tasks)}

    def forward(self, batch: Batch) -> Tensor:
        """The logits of a packed row: [vectors read, the head's width]."""
        if not isinstance(self.words, Words):
            ids = batch.rows[batch.ids]
        else:
            ids = batch.ids
            if not (self.training and self.words.lazy):
                self.words.open(batch.rows)
        # pooler and head stay in fp32: they cost nothing, and a score should not be rounded
        read = self.read(self.encoder, ids, batch)
        if self.tasks[batch.corpus].pooled:
            read = torch.tanh(self.pooler(read))
        return self.heads[self.head_of[batch.corpus]](self.dropout(read))

    def loss(self, batch: Batch) -> Tensor:
        """The mean loss (scalar) of a packed row under its corpus's task."""
        return self.tasks[batch.corpus].loss(self(batch), batch.targets)

    def objective(self, loss: Tensor, batch: MiniBatch) -> Tensor:
        return self.weighing(loss, batch)

    def backward(self, batch: MiniBatch) -> Tensor:
        if isinstance(self.words, Words):
            self.words.open(batch.rows)  # once: the gradients of all parts are added up
        loss = super().backward(batch)
        self.weighing.after(self, batch)
        return loss

    @property
    def words(self) -> Any:
        """The encoder's word-piece embedding: its own, or the ``Words`` of a job."""
        return self.encoder.get_input_embeddings()

    def use_words(self, words: Words) -> None:
        """Replace the encoder's word embedding by that of a job."""
        self.encoder.set_input_embeddings(words)

    def leaves(self) -> list[Tensor]:
        read = [self.words.read] if isinstance(self.words, Words) and self.words.lazy else []
        return [*super().leaves(), *read]

    def shared(self) -> list[nn.Parameter]:
        """The weights that all corpora move: those of encoder and pooler that train."""
        return [p for part in (self.encoder, self.pooler) for p in part.parameters() if p.requires_grad]

    def plain(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Select the weights of an ordinary encoder and pooler, under their ordinary names."""
        return {name: w for name, w in weights.items() if name.startswith(("encoder.", "pooler."))}


def _linear(inputs: int, outputs: int, seed: Sequence[int]) -> nn.Linear:
    generator = torch.Generator().manual_seed(seed[0] * 2**32 + seed[1])
    linear = nn.Linear(inputs, outputs)
    with torch.no_grad():
        linear.weight.normal_(0.0, 0.02, generator=generator)
        linear.bias.zero_()
    return linear
