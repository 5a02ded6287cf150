"""Masked text: sequences whose masks are drawn anew each pass, as packed mini-batches."""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerBase

from transfer.learning.batches import Batch, MiniBatch, evaluation_batches, mini_batch
from transfer.tasks import Item
from transfer.tasks.base import ENCODED_AT_ONCE

# what text is called where a corpus has its name
TEXT = "text"
# of a sequence's word pieces this share is to be found out; of these most are hidden, some are another piece,
# and the rest stay what they are (Devlin et al. 2019)
GUESSED, HIDDEN, EXCHANGED = 0.15, 0.8, 0.1


@dataclass(frozen=True, slots=True)
class Text:
    """A text's word pieces, or those of a part of it; ``words`` numbers its words, -1 for special tokens."""

    ids: Sequence[int]
    types: Sequence[int]
    words: Sequence[int]


def encode(texts: Sequence[str], tokenizer: PreTrainedTokenizerBase, *, max_length: int) -> list[Text]:
    """The texts as sequences of at most ``max_length`` word pieces; a longer one is cut into several."""
    found: list[Text] = []
    for at in range(0, len(texts), ENCODED_AT_ONCE):
        encoded = tokenizer(
            list(texts[at : at + ENCODED_AT_ONCE]),
            truncation=True,
            max_length=max_length,
            return_overflowing_tokens=True,
        )
        for part in encoded.encodings or ():
            words = array("i", (-1 if word is None else word for word in part.word_ids))
            if max(words, default=-1) >= 0:
                found.append(Text(array("i", part.ids), array("b", part.type_ids), words))
    return found


class Masks:
    """Word pieces to predict, and their replacements in the input.

    ``whole_words``: all pieces of a word or none (so that no piece is told by its neighbours).
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, whole_words: bool = False) -> None:
        special = set(tokenizer.all_special_ids)
        self._ordinary = np.array(sorted(set(tokenizer.get_vocab().values()) - special))
        self._hidden = tokenizer.mask_token_id
        self._whole_words = whole_words

    def item(self, text: Text, rng: np.random.Generator) -> Item:
        """The sequence with some pieces hidden; ``read`` are their places, ``targets`` what they were."""
        ids, words = np.array(text.ids), np.asarray(text.words)
        places = np.flatnonzero(words >= 0)
        # a share that is no whole number is rounded by chance, so that on average it is kept
        count = max(1, int(GUESSED * len(places) + rng.random()))
        chosen = (
            _of_words(words, places, count, rng) if self._whole_words else rng.permutation(places)[:count]
        )
        chosen = np.sort(chosen)
        targets = ids[chosen].tolist()
        drawn = rng.random(len(chosen))
        ids[chosen[drawn < HIDDEN]] = self._hidden
        exchanged = chosen[drawn >= 1 - EXCHANGED]
        ids[exchanged] = rng.choice(self._ordinary, len(exchanged))
        return Item(0, 0, array("i", ids.tolist()), text.types, array("i", chosen.tolist()), targets)

    def targets(self, values: list[Any]) -> Tensor:
        """The original pieces of a mini-batch, [vectors read]."""
        return torch.tensor(values)


def _of_words(words: np.ndarray, places: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """The places of whole words, together about ``count``; one longer word alone rather than none."""
    chosen = np.empty(0, dtype=np.intp)
    for word in rng.permutation(np.unique(words[places])):
        own = np.flatnonzero(words == word)
        if not len(chosen) or len(chosen) + len(own) <= count:
            chosen = np.concatenate([chosen, own])
        if len(chosen) >= count:
            break
    return chosen


class MaskedText:
    """The mini-batches of masked text, for the training loop.

    Each text comes once in a pass; order and masks are drawn from seed, pass and step alone, so that a run
    that goes on needs no state of a generator. All ``total`` steps are divided into ``rounds`` of about
    equal length: an epoch of the training loop, after which it measures and may stop.
    """

    batches: Mapping[str, Any] = {TEXT: ()}

    def __init__(
        self,
        texts: Sequence[Text],
        masks: Masks,
        *,
        batch_size: int,
        seed: int,
        total: int,
        rounds: int,
        device: torch.device,
        pieces: int | None,
    ) -> None:
        self._texts, self._masks = texts, masks
        self._size, self._seed, self._pieces, self._device = batch_size, seed, pieces, device
        self._total, self._rounds = total, rounds
        self.steps_of_pass = steps_of_pass(len(texts), batch_size)

    def steps(self, epochs: int) -> int:
        """Steps until the end of a round (counted from 1)."""
        return round(epochs * self._total / self._rounds)

    def epoch(self, epoch: int) -> Iterator[MiniBatch]:
        """The mini-batches of a round."""
        order, of = np.empty(0, dtype=np.intp), -1
        for step in range(self.steps(epoch - 1), self.steps(epoch)):
            number, at = divmod(step, self.steps_of_pass)
            if number != of:
                order, of = np.random.default_rng([self._seed, number]).permutation(len(self._texts)), number
            rng = np.random.default_rng([self._seed, number, at])
            own = order[at * self._size : (at + 1) * self._size]
            items = [self._masks.item(self._texts[i], rng) for i in own]
            batch = mini_batch(TEXT, self._masks, items, seed=(self._seed, number, at), pieces=self._pieces)
            yield batch.to(self._device)


def steps_of_pass(texts: int, batch_size: int) -> int:
    """Steps in which each text comes once."""
    return -(-texts // batch_size)


def held_out(texts: Sequence[Text], masks: Masks, *, device: torch.device) -> list[Batch]:
    """Rows whose masks are the same in every round, and in runs with another seed."""
    items = [masks.item(text, np.random.default_rng([0, i])) for i, text in enumerate(texts)]
    return [batch.to(device) for batch in evaluation_batches(TEXT, masks, items)]
