"""Subword tokens as the trainer's own tokenizer makes them, counted without torch."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from transfer import corpora, encoders
from transfer.inputs import InputError
from transfer.lengths import SubwordCounter

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=40) | st.text(
    "ab Éß.-\t\n\x1c\xa0", max_size=30
)


@pytest.fixture(scope="module")
def both() -> tuple[SubwordCounter, PreTrainedTokenizerBase]:
    """The counter of MiniLM, and the tokenizer that it must agree with."""
    folder = encoders.folder_of("minilm-l6")
    return SubwordCounter(folder), AutoTokenizer.from_pretrained(folder)


@settings(deadline=None, max_examples=300)
@given(texts=st.lists(TEXTS, min_size=1, max_size=5))
def test_words_counted_one_by_one_are_the_tokens_of_the_whole_text(both, texts: list[str]):
    counter, reference = both
    assert counter._by_word
    expected = [len(ids) for ids in reference(texts, add_special_tokens=False)["input_ids"]]
    assert counter._lengths(texts) == expected


def test_the_items_that_lose_text_are_those_that_the_tokenizer_truncates(
    tiny_encoder: Path, tmp_path: Path, write_corpus
):
    def rows(split: str) -> list[dict]:
        return [
            {
                "id": f"{split}-{i}",
                "text_a": "fever " * (i % 9),
                "text_b": f"x {'cough ' * (i % 5)}",
                "score": i % 5,
            }
            | {"text_a": "fever " * (1 + i % 9)}
            for i in range(30)
        ]

    card = {"name": "sim", "kind": "similarity", "metric": "pearson"}
    write_corpus(tmp_path, card, {split: rows(split) for split in ("train", "dev", "test")})
    corpus = corpora.load_one(tmp_path, "sim")
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    expected = {
        split: sum(len(tokenizer(*e.text)["input_ids"]) > 12 for e in corpus.split(split))
        for split in ("train", "dev", "test")
    }
    assert 0 < expected["test"] < 30
    assert SubwordCounter(tiny_encoder).truncated_in(corpus, 12) == expected


def test_the_count_is_that_of_transformers_for_texts_and_pairs(tiny_encoder: Path):
    texts = [("pain " * n).strip() for n in range(1, 40)] + ["x" * n for n in range(1, 40)] + ["ü한" * 9]
    pairs = [(text, "two one") for text in texts]
    tokenizer = AutoTokenizer.from_pretrained(tiny_encoder)
    counter = SubwordCounter(tiny_encoder)
    for limit in (8, 16, 30):
        wanted = sum(len(tokenizer(text)["input_ids"]) > limit for text in texts)
        in_pairs = sum(len(tokenizer(*pair)["input_ids"]) > limit for pair in pairs)
        assert min(wanted, in_pairs) > 0
        assert counter.truncated([(text,) for text in texts], limit) == wanted
        assert counter.truncated(pairs, limit) == in_pairs
    assert counter.truncated([], 8) == 0


def test_a_folder_without_a_tokenizer_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"the tokenizer cannot be loaded"):
        SubwordCounter(tmp_path)


def test_tagging_divides_sentences_and_truncates_none(tiny_encoder: Path, tiny_corpora: Path):
    corpus = corpora.load_one(tiny_corpora, "ner")
    assert SubwordCounter(tiny_encoder).truncated_in(corpus, 3) == {"train": 0, "dev": 0, "test": 0}


def test_counting_needs_no_torch(tiny_encoder: Path, tiny_corpora: Path):
    code = (
        "import sys\nfrom pathlib import Path\nfrom transfer import corpora\n"
        "from transfer.lengths import SubwordCounter\n"
        f"corpus = corpora.load_one({str(tiny_corpora)!r}, 'rel')\n"
        f"print(SubwordCounter(Path({str(tiny_encoder)!r})).truncated_in(corpus, 5))\n"
        "assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.replace("'", '"'))["train"] > 0


def test_plan_says_how_many_texts_are_truncated(tiny_grid: Path, transfer):
    code, said, err = transfer("plan", tiny_grid, "--set", "recipe.max_length=8")
    assert code == 0, err
    assert (
        "note: sim: texts longer than 8 subword tokens lose their end (recipe.max_length): 24 of 24" in said
    )
    assert "note: ner" not in said


def test_plan_counts_truncated_texts_among_all_that_seeds_draw_from(tiny_grid: Path, transfer):
    limit = "limit={train: 8, resample: true}"
    code, said, err = transfer("plan", tiny_grid, "--set", "recipe.max_length=8", "--set", limit)
    assert code == 0, err
    assert (
        "note: sim: texts longer than 8 subword tokens lose their end (recipe.max_length): 24 of 24 in"
        in said
    )
