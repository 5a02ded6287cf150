"""Packed mini-batches."""

import pytest
import torch

from transfer.corpora.base import Card
from transfer.learning.batches import (
    MiniBatch,
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
    assert sum(batch.part_weights) == pytest.approx(1)
    for part in batch.parts:
        for example, start in zip([e for e, _, _ in part.items], part.read.tolist(), strict=True):
            n = example % 7 + 2
            assert batch.rows[part.ids[0, start : start + n]].tolist() == whole[example].ids
