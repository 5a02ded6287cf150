"""Mini-batches and the mixture: protocol point 2, matched arms."""

import pytest
import torch

from transfer.corpora.base import Card
from transfer.learning.batches import (
    MiniBatch,
    Mixture,
    evaluation_batches,
    mini_batch,
    training_batches,
)
from transfer.tasks import Item, Task, task_of

TASK: Task = task_of(Card(name="a", kind="classification", metric="accuracy", labels=("x", "y")))


def items(count: int, *, offset: int = 0) -> list[Item]:
    return [Item(i, 0, [offset + i + 1] * (i % 7 + 2), [0] * (i % 7 + 2), [0], [i % 2]) for i in range(count)]


def cut(corpus: str, count: int, *, seed: int = 0) -> list[MiniBatch]:
    return training_batches(corpus, TASK, items(count), batch_size=4, seed=seed)


def order_of(mixture: Mixture, corpus: str, epoch: int) -> list[tuple]:
    return [(b.items, b.seed) for b in mixture.epoch(epoch) if b.corpus == corpus]


@pytest.mark.parametrize("partners", [("b",), ("b", "c"), ("B",)])
def test_a_corpus_meets_the_same_batches_in_the_same_order_with_any_partner(partners: tuple[str, ...]):
    alone = Mixture({"a": cut("a", 21)}, seed=3)
    joint = Mixture({"a": cut("a", 21), **{p: cut(p, 50) for p in partners}}, seed=3)
    for epoch in (1, 2, 3):
        assert order_of(alone, "a", epoch) == order_of(joint, "a", epoch)


def test_the_order_in_which_corpora_are_given_changes_nothing():
    one = Mixture({"a": cut("a", 9), "b": cut("b", 9)}, seed=0)
    two = Mixture({"b": cut("b", 9), "a": cut("a", 9)}, seed=0)
    assert [b.items for b in one.epoch(1)] == [b.items for b in two.epoch(1)]


def test_an_epoch_has_each_example_once():
    mixture = Mixture({"a": cut("a", 21), "b": cut("b", 6)}, seed=1)
    seen = [(b.corpus, example) for b in mixture.epoch(4) for example, _, _ in b.items]
    assert sorted(seen) == [("a", i) for i in range(21)] + [("b", i) for i in range(6)]
    assert len(mixture) == 6 + 2


def test_composition_is_cut_once_and_the_order_shuffled_each_epoch():
    mixture = Mixture({"a": cut("a", 80)}, seed=1)
    first, second = ([b.items for b in mixture.epoch(e)] for e in (1, 2))
    assert first != second
    assert sorted(first) == sorted(second)


def test_longer_epochs_go_through_whole_passes_one_after_the_other():
    """The same-steps control: 5 mini-batches, and 3 more an epoch in the place of a partner's."""
    plain = Mixture({"a": cut("a", 20)}, seed=1)
    longer = Mixture({"a": cut("a", 20)}, seed=1, extra=3)
    assert len(longer) == 8
    steps = [(b.items, b.seed) for epoch in range(1, 6) for b in longer.epoch(epoch)]
    assert [len(list(longer.epoch(e))) for e in (1, 2)] == [8, 8]
    # 40 steps are 8 passes, each as the plain training's epoch of that number
    assert steps == [(b.items, b.seed) for epoch in range(1, 9) for b in plain.epoch(epoch)]


def test_masks_differ_between_epochs_batches_corpora_and_seeds():
    seeds = [
        b.seed
        for seed in (0, 1)
        for epoch in (1, 2)
        for b in Mixture({"a": cut("a", 9, seed=seed), "b": cut("b", 9, seed=seed)}, seed=seed).epoch(epoch)
    ]
    assert len(set(seeds)) == len(seeds) == 24


def test_corpora_take_turns_at_random():
    mixture = Mixture({"a": cut("a", 80), "b": cut("b", 80)}, seed=0)
    turns = "".join(b.corpus for b in mixture.epoch(1))
    assert turns.count("a") == turns.count("b") == 20
    assert "a" * 20 not in turns
    assert turns != "ab" * 20


def test_a_batch_holds_every_piece_and_reads_the_first_of_each_sequence():
    (batch,) = cut("a", 4)[0].parts
    starts = [0, *torch.tensor([i % 7 + 2 for i, _, _ in batch.items]).cumsum(0).tolist()[:-1]]
    assert batch.read.tolist() == starts
    assert batch.pieces == sum(i % 7 + 2 for i in range(4))
    assert batch.positions[0, batch.read].tolist() == [0] * 4


def test_evaluation_rows_hold_all_items_and_are_not_too_long():
    long = [Item(i, 0, [5] * 100, [0] * 100, [0], [0]) for i in range(100)]
    batches = evaluation_batches("a", TASK, long)
    assert sorted(example for b in batches for example, _, _ in b.items) == list(range(100))
    assert max(b.pieces for b in batches) <= 4096


@pytest.mark.parametrize(("pieces", "count"), [(None, 1), (1000, 1), (20, 3), (1, 12)])
def test_a_large_mini_batch_goes_in_parts_that_hold_it_once(pieces: int | None, count: int):
    whole = items(12)
    batch = mini_batch("a", TASK, whole, seed=(0,), pieces=pieces)
    assert len(batch.parts) <= count
    assert pieces is None or pieces < 10 or max(p.pieces for p in batch.parts) <= pieces + 8
    assert sorted(example for example, _, _ in batch.items) == list(range(12))
    assert sum(batch.shares) == pytest.approx(1)
    for part in batch.parts:
        for example, start in zip([e for e, _, _ in part.items], part.read.tolist(), strict=True):
            n = example % 7 + 2
            assert batch.rows[part.ids[0, start : start + n]].tolist() == whole[example].ids
