"""MT-BERT: one shared encoder, a small head for each corpus."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from transfer.grid import Recipe
from transfer.learning.batches import Batch, name_seed
from transfer.learning.dropout import Dropout, Noise
from transfer.tasks import Item, Task


class MTBert(nn.Module):
    """A shared encoder with a head (dropout, linear) for each corpus (Liu et al. 2019, Peng et al. 2020).

    Texts and pairs are read from the first token through the encoder's pooler (dense, tanh), which
    is shared; taggers read the last layer. A head's first weights are N(0, 0.02) drawn from (seed,
    corpus) alone, so they do not depend on the partners (protocol point 2).
    """

    def __init__(
        self,
        encoder: Any,
        tasks: Mapping[str, Task],
        *,
        noise: Noise,
        recipe: Recipe,
        seed: int,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.tasks = dict(tasks)
        self.noise = noise
        self.dropout = Dropout(recipe.dropout, noise)
        self.bf16 = recipe.precision == "bf16"
        width: int = encoder.config.hidden_size
        pooler = encoder.pooler
        self.pooler = pooler.dense if pooler is not None else _linear(width, width, [seed, name_seed("")])
        encoder.pooler = None
        self.heads = nn.ModuleList(
            _linear(width, task.outputs, [seed, name_seed(name)]) for name, task in self.tasks.items()
        )
        self.head_of = {name: i for i, name in enumerate(self.tasks)}

    def forward(self, batch: Batch) -> Tensor:
        """The logits of a mini-batch: [vectors read, the head's width]."""
        if self.training:
            self.noise.seed(batch.seed)
        with torch.autocast(batch.ids.device.type, torch.bfloat16, enabled=self.bf16):
            hidden = self.encoder(
                input_ids=batch.ids,
                token_type_ids=batch.types,
                position_ids=batch.positions,
                packing=batch.packing,
            ).last_hidden_state
        # pooler and head stay in fp32: they cost nothing, and a score should not be rounded
        read = hidden[0].index_select(0, batch.read).float()
        if self.tasks[batch.corpus].pooled:
            read = torch.tanh(self.pooler(read))
        return self.heads[self.head_of[batch.corpus]](self.dropout(read))

    def loss(self, batch: Batch) -> Tensor:
        """The mean loss (scalar) of a mini-batch under its corpus's task."""
        return self.tasks[batch.corpus].loss(self(batch), batch.targets)

    @property
    def words(self) -> nn.Embedding:
        """The encoder's word-piece embedding."""
        return self.encoder.get_input_embeddings()

    def use_words(self, embedding: nn.Embedding) -> None:
        """Puts another word-piece embedding in the encoder's place for it."""
        self.encoder.set_input_embeddings(embedding)


class Vocabulary:
    """The word pieces that a job's texts use; the embedding is cut to them while the job runs.

    A row that no text uses has no gradient and is never read, so scores are those of the whole
    table, while clipping and the optimizer no longer pass over 30,000 rows at each step. ``cut``
    is the smaller embedding.
    """

    def __init__(self, used: Iterable[int], *, whole: nn.Embedding) -> None:
        self.rows = sorted(used)
        self.number = {row: i for i, row in enumerate(self.rows)}
        self.whole = whole.weight.detach()
        self.cut = nn.Embedding.from_pretrained(self.whole[self.rows], freeze=False)

    def renumbered(self, items: Sequence[Item]) -> list[Item]:
        """The items with word-piece ids that are rows of ``cut``."""
        return [replace(item, ids=[self.number[i] for i in item.ids]) for item in items]

    def whole_table(self, cut: Tensor) -> Tensor:
        """The whole table [size, width] with these rows [used, width]; the others as they were."""
        table = self.whole.clone()
        table[self.rows] = cut.cpu()
        return table


def _linear(inputs: int, outputs: int, seed: Sequence[int]) -> nn.Linear:
    generator = torch.Generator().manual_seed(seed[0] * 2**32 + seed[1])
    linear = nn.Linear(inputs, outputs)
    with torch.no_grad():
        linear.weight.normal_(0.0, 0.02, generator=generator)
        linear.bias.zero_()
    return linear
