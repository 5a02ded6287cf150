"""Counts of texts that exceed an encoder's limit, in subword tokens and without loading torch."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from transfer import encoders
from transfer.corpora.base import SPLITS, Corpus, Split
from transfer.inputs import InputError
from transfer.kinds import kind_of

_SPACE = re.compile(r"[ \t\n\r]+")  # what every tokenizer takes as the end of a word


class SubwordCounter:
    """Counts subword tokens as the tokenizer of an encoder makes them."""

    def __init__(self, folder: Path) -> None:
        """Load the tokenizer of the encoder in ``folder``. Raises InputError if that fails."""
        try:
            self._tokenizer = _tokenizer(folder)
        except Exception as error:
            reason = str(error).strip().partition("\n")[0]
            raise InputError(f"{folder}: the tokenizer cannot be loaded: {reason}") from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        made = json.loads(self._tokenizer.to_str())
        # these treat each word by itself, so a word that was counted once is known
        self._by_word = [
            (made[part] or {}).get("type") for part in ("normalizer", "pre_tokenizer", "model")
        ] == [
            "BertNormalizer",
            "BertPreTokenizer",
            "WordPiece",
        ]
        self._known: dict[str, int] = {}

    def truncated_in(self, corpus: Corpus, max_length: int) -> dict[Split, int]:
        """Number of items in each split that are ``truncated``.

        None of a tagging corpus, whose long sentences are divided and not cut.
        """
        if kind_of(corpus.card.kind).tokenized:
            return dict.fromkeys(SPLITS, 0)
        return {
            split: self.truncated([example.text for example in corpus.split(split)], max_length)
            for split in SPLITS
        }

    def truncated(self, items: Sequence[tuple[str, ...]], max_length: int) -> int:
        """Number of items, of one or two texts each, with more than ``max_length`` subword tokens.

        Special tokens count, since they take room in the sequence.
        """
        room = {texts: max_length - self._tokenizer.num_special_tokens_to_add(texts == 2) for texts in (1, 2)}
        lengths = iter(self._lengths([text for item in items for text in item]))
        return sum(sum(next(lengths) for _ in item) > room[len(item)] for item in items)

    def _lengths(self, texts: Sequence[str]) -> list[int]:
        """Number of subword tokens in each text, without special tokens."""
        if not self._by_word:
            return self._counted(texts)
        words = [_SPACE.split(text) for text in texts]
        new = list({word for own in words for word in own} - self._known.keys())
        self._known |= dict(zip(new, self._counted(new), strict=True))
        return [sum(map(self._known.__getitem__, own)) for own in words]

    def _counted(self, texts: Iterable[str]) -> list[int]:
        return [
            len(found) for found in self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        ]


def _tokenizer(folder: Path) -> Any:
    """Load an encoder's tokenizer; through transformers, which loads torch, if its file is not sufficient."""
    from tokenizers import Tokenizer

    if (folder / "tokenizer.json").is_file() and not encoders.overruled(folder):
        return Tokenizer.from_file(str(folder / "tokenizer.json"))
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
