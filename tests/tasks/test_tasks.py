"""Promises of every registered task kind, then special cases of each."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.nn import functional as F
from transformers import BertTokenizerFast

from transfer import corpora
from transfer.corpora.base import Card, Example
from transfer.kinds import KINDS, kind_of
from transfer.learning.batches import collate, evaluation_batches
from transfer.learning.evaluate import Held, predict, score
from transfer.tasks import TASKS, task_of
from transfer.tasks.tagging import parts

NAMES = {"similarity": "sim", "classification": "rel", "tagging": "ner", "multilabel": "multi"}
NER = task_of(Card(name="ner", kind="tagging", metric="span_f1", entities=("Sign", "Drug")))
PAIR = task_of(Card(name="p", kind="similarity", metric="pearson", pair=True))
quick = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def tokenizer(tiny_encoder: Path) -> BertTokenizerFast:
    return BertTokenizerFast.from_pretrained(tiny_encoder)


class Oracle:
    """A model that knows the targets: the most that a head can say."""

    def __init__(self, task):
        self.tasks = {"c": task}

    def eval(self):
        return self

    def __call__(self, batch):
        return perfect(self.tasks["c"], batch.targets)


def perfect(task, targets):
    if task.outputs == 1:
        return targets.unsqueeze(-1)
    return 9 * (F.one_hot(targets, task.outputs).float() if targets.ndim == 1 else 2 * targets - 1)


def test_every_kind_has_both_halves():
    assert list(TASKS) == [name for name in KINDS if not KINDS[name].external]


def held(task, examples, tokenizer, *, max_length=128):
    items = task.encode(examples, tokenizer, max_length=max_length)
    return Held("c", tuple(examples), evaluation_batches("c", task, items))


@pytest.fixture(params=TASKS)
def corpus(request, tiny_corpora: Path):
    return corpora.load_one(tiny_corpora, NAMES[request.param])


def test_perfect_logits_have_a_perfect_score(corpus, tokenizer):
    task = task_of(corpus.card)
    found = score(Oracle(task), held(task, corpus.test, tokenizer))
    assert found.value == pytest.approx(1.0)
    assert found.predicted == [e.gold for e in corpus.test]


def test_predictions_and_gold_are_equal_as_json(corpus, tokenizer):
    """The store keeps both as JSON; a float that lost digits or a list for a tuple would differ."""
    task = task_of(corpus.card)
    predicted = predict(Oracle(task), held(task, corpus.test, tokenizer))
    assert [json.dumps(p) for p in predicted] == [json.dumps(e.gold) for e in corpus.test]


def test_the_loss_is_a_finite_number_that_has_a_gradient_and_is_least_for_the_truth(corpus, tokenizer):
    task = task_of(corpus.card)
    batch = collate("c", task, task.encode(corpus.train[:8], tokenizer, max_length=128))
    assert batch.targets.shape[0] == batch.read.shape[0]
    logits = torch.randn(
        len(batch.read), task.outputs, generator=torch.Generator().manual_seed(0), requires_grad=True
    )
    loss = task.loss(logits, batch.targets)
    assert loss.shape == ()
    assert torch.isfinite(loss)
    loss.backward()
    assert logits.grad is not None
    assert logits.grad.abs().sum() > 0
    assert task.loss(perfect(task, batch.targets), batch.targets) < loss / 10


def test_one_value_is_decoded_for_each_vector_read(corpus, tokenizer):
    task = task_of(corpus.card)
    batch = collate("c", task, task.encode(corpus.dev, tokenizer, max_length=128))
    logits = torch.randn(len(batch.read), task.outputs, generator=torch.Generator().manual_seed(1))
    assert len(task.decode(logits)) == len(batch.read) == sum(count for *_, count in batch.items)


def test_no_sequence_is_longer_than_asked(corpus, tokenizer):
    for item in task_of(corpus.card).encode(corpus.train, tokenizer, max_length=9):
        assert len(item.ids) == len(item.types) <= 9
        assert max(item.read) < len(item.ids)
        assert len(item.read) == len(item.targets)


def test_a_row_that_reads_nothing_of_the_labels(corpus, tokenizer):
    """Test labels steer nothing: what is encoded is the same under any other gold."""
    task = task_of(corpus.card)
    for e in corpus.test[:6]:
        gold = kind_of(corpus.card.kind).blank(corpus.card, len(e.text))
        same = [
            [(i.start, i.ids, i.types, i.read) for i in task.encode([x], tokenizer, max_length=12)]
            for x in (e, Example(e.id, e.text, gold, e.doc))
        ]
        assert same[0] == same[1]


def naive(first: int, second: int, room: int, *, tie: bool) -> tuple[int, int]:
    """Lengths after word pieces fall one by one from the longer text (``tie``: from the first)."""
    while first + second > room:
        if first > second or (tie and first == second):
            first -= 1
        else:
            second -= 1
    return first, second


@quick
@given(first=st.integers(1, 40), second=st.integers(1, 40), max_length=st.integers(8, 60))
def test_the_longer_text_of_a_pair_is_cut_piece_by_piece(tokenizer, first, second, max_length):
    example = Example("1", (" ".join(["knee"] * first), " ".join(["chest"] * second)), 1.0)
    (item,) = PAIR.encode([example], tokenizer, max_length=max_length)
    knee, chest, cls, sep = tokenizer.convert_tokens_to_ids(["knee", "chest", "[CLS]", "[SEP]"])
    left = list(item.ids).count(knee), list(item.ids).count(chest)
    assert left in {naive(first, second, max_length - 3, tie=tie) for tie in (True, False)}
    assert list(item.ids) == [cls, *[knee] * left[0], sep, *[chest] * left[1], sep]
    assert list(item.types) == [0] * (left[0] + 2) + [1] * (left[1] + 1)


def test_a_pair_is_cut_at_its_ends(tokenizer):
    example = Example("1", ("one two three left right knee", "aspirin"), 1.0)
    (item,) = PAIR.encode([example], tokenizer, max_length=8)
    assert tokenizer.convert_ids_to_tokens(list(item.ids)) == (
        ["[CLS]", "one", "two", "three", "left", "[SEP]", "aspirin", "[SEP]"]
    )


def test_a_single_text_is_cut_at_its_end(tokenizer):
    task = task_of(Card(name="c", kind="classification", metric="accuracy", labels=("a", "b")))
    (item,) = task.encode(
        [Example("1", ("one two three left right knee chest",), "a")], tokenizer, max_length=8
    )
    pieces = ["[CLS]", "one", "two", "three", "left", "right", "knee", "[SEP]"]
    assert tokenizer.convert_ids_to_tokens(list(item.ids)) == pieces


def sentence(tokens: list[str], *mentions: tuple[int, int]) -> Example:
    tags = ["O"] * len(tokens)
    for start, end in mentions:
        tags[start:end] = ["B-Sign", *["I-Sign"] * (end - start - 1)]
    return Example("1", tuple(tokens), tuple(tags))


def test_a_label_stands_on_the_first_piece_of_its_token(tokenizer):
    example = sentence(["patient", "has", "xyz", "fever"], (2, 4))
    (item,) = NER.encode([example], tokenizer, max_length=128)
    pieces = tokenizer.convert_ids_to_tokens(list(item.ids))
    assert pieces == ["[CLS]", "patient", "has", "x", "##y", "##z", "fever", "[SEP]"]
    assert [pieces[at] for at in item.read] == ["patient", "has", "x", "fever"]
    assert [NER.tags[t] for t in item.targets] == ["O", "O", "B-Sign", "I-Sign"]


@given(st.integers(1, 400))
def test_parts_are_few_and_nearly_equal(length):
    cut = parts(length)
    assert [at for start, end in cut for at in range(start, end)] == list(range(length))
    sizes = [end - start for start, end in cut]
    assert max(sizes) <= 30
    assert max(sizes) - min(sizes) <= 1
    assert len(cut) == -(-length // 30)


@quick
@given(
    st.lists(st.sampled_from(["knee", "fever", "xyz", "\u200b", "abcdefgh", "."]), min_size=1, max_size=95),
    st.integers(8, 40),
    st.data(),
)
def test_every_token_of_any_sentence_gets_its_tag(tokenizer, tokens, max_length, data):
    tags = data.draw(st.lists(st.sampled_from(NER.tags), min_size=len(tokens), max_size=len(tokens)))
    example = Example("1", tuple(tokens), tuple(tags))
    items = NER.encode([example], tokenizer, max_length=max_length)
    assert all(len(item.ids) <= max_length for item in items)
    shown = held(NER, [example], tokenizer, max_length=max_length)
    assert predict(Oracle(NER), shown) == [example.gold]


def test_a_mention_at_a_cut_is_whole_again(tokenizer):
    long = sentence(["knee"] * 61, (19, 23), (40, 43))
    short = sentence(["fever", "knee"], (0, 1))
    items = NER.encode([long, short], tokenizer, max_length=128)
    assert [(i.example, i.start, len(i.read)) for i in items] == [
        (0, 0, 21),
        (0, 21, 20),
        (0, 41, 20),
        (1, 0, 2),
    ]
    found = score(Oracle(NER), held(NER, [long, short], tokenizer))
    assert found.value == 1.0
    assert found.predicted == [long.gold, short.gold]


def test_a_sentence_of_thirty_tokens_stays_whole(tokenizer):
    assert len(NER.encode([sentence(["knee"] * 30)], tokenizer, max_length=128)) == 1
    assert len(NER.encode([sentence(["knee"] * 31)], tokenizer, max_length=128)) == 2


def test_where_it_is_cut_does_not_depend_on_labels(tokenizer):
    one, other = sentence(["knee"] * 45, (20, 26)), sentence(["knee"] * 45)
    cut = [[(i.start, i.ids) for i in NER.encode([e], tokenizer, max_length=16)] for e in (one, other)]
    assert cut[0] == cut[1]


@pytest.mark.parametrize("token", ["\u200b", "\u00ad", "\ufffd", "\x01"])
def test_a_token_without_visible_characters_has_a_tag(tokenizer, token: str):
    example = sentence(["fever", token, "knee"], (0, 1), (2, 3))
    (item,) = NER.encode([example], tokenizer, max_length=128)
    assert len(item.read) == 3
    assert tokenizer.convert_ids_to_tokens(list(item.ids)) == ["[CLS]", "fever", "[UNK]", "knee", "[SEP]"]


def test_a_very_long_token_is_cut_and_read_at_its_first_piece(tokenizer):
    (item,) = NER.encode([sentence(["abcdefghijklmnopqrst"], (0, 1))], tokenizer, max_length=8)
    assert tokenizer.convert_ids_to_tokens(list(item.ids)) == [
        "[CLS]",
        "a",
        "##b",
        "##c",
        "##d",
        "##e",
        "##f",
        "[SEP]",
    ]
    assert len(item.types) == 8
    assert list(item.read) == [1]


def test_a_part_with_too_many_pieces_is_halved(tokenizer):
    items = NER.encode([sentence(["abcde"] * 6, (2, 4))], tokenizer, max_length=20)
    assert [(item.start, len(item.read)) for item in items] == [(0, 3), (3, 3)]


def test_no_label_and_all_labels():
    task = task_of(Card(name="m", kind="multilabel", metric="example_f1", labels=("x", "y")))
    assert task.target(()) == [0.0, 0.0]
    assert task.target(("y", "x")) == [1.0, 1.0]
    assert task.decode(torch.tensor([[-1.0, -2.0], [3.0, 0.1]])) == [(), ("x", "y")]


def test_a_missing_negative_label_is_learnt_like_any_other():
    task = task_of(
        Card(name="c", kind="classification", metric="micro_f1", labels=("a", "none"), negative="none")
    )
    assert task.outputs == 2
    assert task.decode(torch.tensor([[0.0, 1.0]])) == ["none"]
    assert task.score(["a", "none"], ["a", "none"]) == 1.0
