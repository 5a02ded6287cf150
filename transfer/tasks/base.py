"""Interface of a task kind in training."""

from abc import ABC, abstractmethod
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from transfer.corpora.base import Card, Example
from transfer.metrics import measure_of

# a tokenizer holds more of a text than its word pieces until it is done
ENCODED_AT_ONCE = 1000

Problem = Literal["regression", "single_label_classification", "multi_label_classification"]


@dataclass(frozen=True, slots=True)
class Item:
    """Input sequence of the encoder.

    ``read`` are the positions whose last-layer vectors go to the head; ``targets`` has an entry for
    each. ``example`` is the index of the example that the sequence is, or is a part of: the part
    that begins at token ``start``. Arrays hold the numbers in a tenth of a list's memory.
    """

    example: int
    start: int
    ids: Sequence[int]
    types: Sequence[int]
    read: Sequence[int]
    targets: list[Any]


class Task(ABC):
    """Task kind in training, for the corpus of one card."""

    # the head reads the pooled first token, or the last layer's vectors themselves
    pooled: ClassVar[bool] = True
    # what transformers calls such a loss in a configuration, where it knows it
    problem: ClassVar[Problem | None] = None

    def __init__(self, card: Card) -> None:
        self.card = card
        self.score = measure_of(card.metric, negative=card.negative)

    @property
    @abstractmethod
    def outputs(self) -> int:
        """The width of the head."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the head's outputs."""
        labels = self.card.labels
        return labels if len(labels) == self.outputs else tuple(f"output {i}" for i in range(self.outputs))

    @abstractmethod
    def target(self, gold: Any) -> Any:
        """Convert a gold value to the number or numbers that the loss takes."""

    @abstractmethod
    def targets(self, values: list[Any]) -> Tensor:
        """Stack the targets of a mini-batch as a tensor, one row for each vector read."""

    @abstractmethod
    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        """Mean loss (scalar) of logits [vectors read, outputs]."""

    @abstractmethod
    def soft_targets(self, logits: Tensor) -> Tensor:
        """Convert a teacher's logits [vectors read, outputs] to targets that ``loss`` takes."""

    @abstractmethod
    def decode(self, logits: Tensor) -> list[Any]:
        """Decode one value from each row of logits [vectors read, outputs]."""

    def join(self, values: list[Any], example: Example) -> Any:
        """Join the values of an example's vectors, in the order of the text, to its prediction."""
        return values[0]

    def encode(
        self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, *, max_length: int
    ) -> list[Item]:
        """Encode examples as sequences of at most ``max_length`` subword tokens each.

        A pair that is too long loses word pieces from the end of whichever text is longer at the
        time, one by one.
        """
        items: list[Item] = []
        for at in range(0, len(examples), ENCODED_AT_ONCE):
            some = examples[at : at + ENCODED_AT_ONCE]
            encoded = tokenizer(
                [e.text[0] for e in some],
                [e.text[1] for e in some] if len(some[0].text) == 2 else None,
                truncation="longest_first",
                max_length=max_length,
                return_token_type_ids=True,
            )
            items += [
                Item(at + i, 0, array("i", ids), array("b", types), [0], [self.target(e.gold)])
                for i, (ids, types, e) in enumerate(
                    zip(encoded["input_ids"], encoded["token_type_ids"], some, strict=True)
                )
            ]
        return items


def one_of(labels: tuple[str, ...], logits: Tensor) -> list[str]:
    """Label with the largest logit of each row."""
    return [labels[int(i)] for i in torch.argmax(logits, dim=-1)]
