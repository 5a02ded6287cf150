"""Tagging: a tag for each token, BIO of mentions (named entities) or a plain label (part of speech)."""

import itertools
from array import array
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F
from transformers import PreTrainedTokenizerBase

from transfer.corpora.base import Example
from transfer.tasks.base import Item, Task, one_of

LONGEST = 30


class Tagging(Task):
    """Token classification at each token's first subword token; the loss is the mean over tokens.

    A sentence of more than 30 tokens is cut into parts of nearly equal length without a look at
    its tags; its predicted tags are joined again before they are scored. A part that still has too
    many word pieces is halved, so no token goes without a prediction.
    """

    pooled = False

    @property
    def names(self) -> tuple[str, ...]:
        return self.tags

    @property
    def tags(self) -> tuple[str, ...]:
        return self.card.tags

    @property
    def outputs(self) -> int:
        return len(self.tags)

    def target(self, gold: str) -> int:
        return self.tags.index(gold)

    def targets(self, values: list[int]) -> Tensor:
        return torch.tensor(values)

    def loss(self, logits: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(logits, targets)

    def soft_targets(self, logits: Tensor) -> Tensor:
        return torch.softmax(logits, dim=-1)

    def decode(self, logits: Tensor) -> list[str]:
        return one_of(self.tags, logits)

    def join(self, values: list[str], example: Example) -> tuple[str, ...]:
        # nothing is predicted for the mentions behind the last token: they are missed
        return (*values, *["O"] * (len(example.gold) - len(values)))  # type: ignore[arg-type]

    def encode(
        self, examples: Sequence[Example], tokenizer: PreTrainedTokenizerBase, *, max_length: int
    ) -> list[Item]:
        number = {tag: i for i, tag in enumerate(self.tags)}
        mark = word_mark(tokenizer)
        items = []
        for i, example in enumerate(examples):
            targets = [number[tag] for tag in example.gold]  # type: ignore[union-attr]
            for start, end in parts(len(example.text)):
                part = [mark + token for token in example.text[start:end]], targets[start:end]
                items += _fitting((i, start), *part, tokenizer, max_length)
        return items


def parts(length: int, longest: int = LONGEST) -> list[tuple[int, int]]:
    """Divide ``length`` tokens into the fewest parts of at most ``longest``, of nearly equal size.

    >>> parts(31)
    [(0, 16), (16, 31)]
    """
    count = -(-length // longest)
    small, larger = divmod(length, count)
    bounds = [0]
    for i in range(count):
        bounds.append(bounds[-1] + small + (i < larger))
    return list(itertools.pairwise(bounds))


def word_mark(tokenizer: PreTrainedTokenizerBase) -> str:
    """Prefix with which a tokenizer encodes a token as a word and not as the rest of one.

    A byte-level tokenizer (RoBERTa, ModernBERT) tells the two apart by the space before a word.
    """
    with_space, without = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in (" a", "a"))
    return "" if with_space == without else " "


def _fitting(
    place: tuple[int, int],
    tokens: Sequence[str],
    targets: list[int],
    tokenizer: PreTrainedTokenizerBase,
    max_length: int,
) -> list[Item]:
    """Encode a part; ``place`` is its example and the index of its first token there."""
    # not verbose: it would warn of a length that is mended below
    encoded = tokenizer([list(tokens)], is_split_into_words=True, return_token_type_ids=True, verbose=False)
    words = encoded.word_ids(0)
    gone = set(range(len(tokens))) - set(words)
    if gone:
        # a token of control characters alone has no word piece; it still gets a tag
        visible = [str(tokenizer.unk_token) if i in gone else token for i, token in enumerate(tokens)]
        return _fitting(place, visible, targets, tokenizer, max_length)
    if len(words) > max_length and len(tokens) > 1:
        half, (example, start) = len(tokens) // 2, place
        return [
            *_fitting(place, tokens[:half], targets[:half], tokenizer, max_length),
            *_fitting((example, start + half), tokens[half:], targets[half:], tokenizer, max_length),
        ]
    ids, types = encoded["input_ids"][0], encoded["token_type_ids"][0]
    if len(ids) > max_length:  # one token of so many word pieces: its first ones speak for it
        ids, types = [*ids[: max_length - 1], ids[-1]], types[:max_length]
    read = array("i", [words.index(i) for i in range(len(tokens))])
    return [Item(*place, array("i", ids), array("b", types), read, targets)]
