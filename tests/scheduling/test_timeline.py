"""Shares of busy time, computed by hand; none if the times do not determine them."""

import math

import pytest

from transfer.jobs import Encoder, Job, Trained
from transfer.recipes import Recipe
from transfer.records import JobResult
from transfer.scheduling.timeline import busy


def result(seed: int, start: float, end: float) -> JobResult:
    job = Job(
        stage="refine",
        corpora=(Trained(name="c", fingerprint="f"),),
        seed=seed,
        recipe=Recipe(lr=0.1, epochs=1, batch_size=1),
        encoder=Encoder(name="e"),
        encoder_fingerprint="e",
    )
    return JobResult(
        id=job.id, job=job, status="done", source="prepared", seconds=end - start, ended=1e9 + end
    )


def ran(*spans: tuple[float, float]) -> list[JobResult]:
    return [result(seed, *span) for seed, span in enumerate(spans)]


@pytest.mark.parametrize(
    ("spans", "workers", "share"),
    [
        ([(0, 10), (0, 10)], 2, 1.0),
        ([(0, 10), (4, 6), (6, 10)], 2, 1.0),  # the second worker was not there before 4
        ([(0, 10), (0, 5)], 2, 0.75),  # the tail counts
        ([(0, 4), (0, 4), (5, 10), (6, 10)], 2, 17 / 20),
        ([(10, 20), (0, 9)], 1, 19 / 20),  # in any order
    ],
)
def test_known_times_give_the_share_by_hand(spans, workers: int, share: float):
    assert busy(ran(*spans), workers=workers) == pytest.approx(share, abs=1e-6)


def test_without_times_or_enough_workers_nothing_is_said():
    assert math.isnan(busy([], workers=1))
    assert math.isnan(busy(ran((0, 5), (5, 9)), workers=2))
    old = [result.model_copy(update={"ended": None}) for result in ran((0, 5))]
    assert math.isnan(busy(old, workers=1))
