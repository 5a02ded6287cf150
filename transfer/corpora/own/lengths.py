"""Texts that an encoder would cut: counted with its tokenizer alone, without torch or weights."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from transfer.corpora.base import Split
from transfer.corpora.releases.base import Row
from transfer.inputs import InputError

AT_ONCE = 1000  # texts


def too_long(rows: Mapping[Split, Sequence[Row]], encoder: Path, *, limit: int) -> dict[Split, int]:
    """The number of items of each split that have more than ``limit`` subword tokens, [CLS] and [SEP] too.

    Raises InputError where the encoder's folder has no tokenizer.json.
    """
    from tokenizers import Tokenizer

    path = encoder / "tokenizer.json"
    try:
        tokenizer: Any = Tokenizer.from_file(str(path))
    except Exception as error:  # its errors have no class of their own
        raise InputError(f"{path}: cannot be read as a tokenizer ({str(error)[:80]})") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    found: dict[Split, int] = {}
    for split, some in rows.items():
        found[split] = 0
        # a subword token has a byte at least, so most short texts need no tokenizer
        texts = [text for text in map(_texts, some) if _bytes(text) + len(text) + 1 > limit]
        for part in _parts(texts):
            found[split] += sum(len(each) > limit for each in tokenizer.encode_batch(part))
    return found


def _texts(row: Row) -> tuple[str, ...]:
    return (row["text_a"], row["text_b"]) if "text_b" in row else (row["text"],)


def _bytes(texts: Sequence[str]) -> int:
    return sum(len(text.encode("utf-8")) for text in texts)


def _parts(texts: Sequence[tuple[str, ...]]) -> Iterator[list[Any]]:
    for at in range(0, len(texts), AT_ONCE):
        yield [text if len(text) == 2 else text[0] for text in texts[at : at + AT_ONCE]]
