"""Texts over an encoder's limit are counted as its tokenizer in transformers counts them."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from transfer.corpora.own.lengths import too_long
from transfer.inputs import InputError


def test_the_count_is_that_of_transformers(tiny_encoder: Path):
    texts = [("pain " * n).strip() for n in range(1, 40)] + ["x" * n for n in range(1, 40)] + ["ü한" * 9]
    single = [{"text": text} for text in texts]
    pairs = [{"text_a": text, "text_b": "two one"} for text in texts]
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    for limit in (8, 16, 30):
        wanted = sum(len(tokenizer(row["text"])["input_ids"]) > limit for row in single)
        in_pairs = sum(len(tokenizer(row["text_a"], row["text_b"])["input_ids"]) > limit for row in pairs)
        assert min(wanted, in_pairs) > 0
        found = too_long({"train": single, "test": pairs, "dev": []}, tiny_encoder, limit=limit)
        assert found == {"train": wanted, "test": in_pairs, "dev": 0}


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"tokenizer\.json: cannot be read as a tokenizer"):
        too_long({"train": [{"text": "a" * 99}]}, tmp_path, limit=8)
