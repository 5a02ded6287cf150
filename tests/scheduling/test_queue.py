"""The order of jobs: longest first, children after their parents, each once."""

import random

from hypothesis import given
from hypothesis import strategies as st

from transfer.jobs import Encoder, Job, Trained
from transfer.recipes import Recipe
from transfer.scheduling.queue import JobQueue

RECIPE = Recipe(lr=0.1, epochs=1, batch_size=1)


def job(number: int, parent: Job | None = None, teachers: tuple[Job, ...] = ()) -> Job:
    return Job(
        stage="fine-tune" if parent else "refine",
        corpora=(Trained(name="c", fingerprint="f"),),
        seed=number,
        recipe=RECIPE,
        encoder=Encoder(name="e"),
        encoder_fingerprint="e",
        parent=parent,
        teachers=teachers,
    )


def queue_of(*jobs: Job, cost=lambda j: 1.0) -> JobQueue:
    return JobQueue(jobs, cost={j.id: cost(j) for j in jobs})


def test_the_longest_first_and_of_equals_the_first():
    jobs = [job(i) for i in range(5)]
    queue = queue_of(*jobs, cost=lambda j: [1, 3, 2, 3, 1][j.seed])
    assert [queue.next() for _ in jobs] == [jobs[i] for i in (1, 3, 2, 0, 4)]
    assert queue.next() is None
    assert queue.finished


def test_a_child_waits_for_its_parent_however_long_it_is():
    parent = job(0)
    child, other = job(1, parent), job(2)
    queue = queue_of(parent, child, other, cost=lambda j: [1, 100, 0.5][j.seed])
    assert queue.next() == parent
    assert queue.next() == other
    assert queue.next() is None
    assert not queue.finished, "the parent runs: not ready is not finished"
    assert queue.done(parent.id, ok=True) == []
    assert queue.next() == child
    assert queue.finished


def test_the_children_of_a_failed_parent_never_run():
    parent = job(0)
    children = [job(1, parent), job(2, parent)]
    queue = queue_of(parent, *children)
    assert queue.next() == parent
    assert queue.done(parent.id, ok=False) == children
    assert queue.next() is None
    assert queue.finished


def test_a_parent_that_is_done_already_holds_nobody_up():
    child = job(1, job(0))
    assert queue_of(child).next() == child


def test_a_parent_is_unneeded_after_its_last_child():
    parent = job(0)
    children = [job(i, parent) for i in (1, 2, 3)]
    queue = queue_of(parent, *children)
    assert queue.unneeded_parents(parent) == []
    assert [queue.unneeded_parents(c) for c in children] == [[], [], [parent.id]]


def test_a_pupil_waits_for_all_its_teachers_and_is_lost_with_one_of_them():
    teachers = (job(0), job(1))
    pupil, other = job(2, teachers=teachers), job(3, teachers=teachers[:1])
    queue = queue_of(*teachers, pupil, other)
    assert [queue.next(), queue.next(), queue.next()] == [*teachers, None]
    assert queue.done(teachers[0].id, ok=True) == []
    assert [queue.next(), queue.next()] == [other, None]
    assert not queue.finished
    assert queue.done(teachers[1].id, ok=False) == [pupil]
    assert queue.finished
    assert queue.unneeded_parents(other) == []
    assert queue.unneeded_parents(pupil) == [t.id for t in sorted(teachers, key=lambda t: t.id)]


def test_an_empty_queue_is_finished():
    queue = queue_of()
    assert queue.next() is None
    assert queue.finished


@st.composite
def forests(draw):
    """Jobs, some of which have a parent or teachers that stand before them, or are no jobs of the queue."""
    jobs = [job(0)]
    for number in range(1, draw(st.integers(1, 12))):
        parent = draw(st.none() | st.sampled_from(jobs) | st.just(job(1000)))
        taught = draw(st.lists(st.sampled_from(jobs), max_size=3)) if parent is None else []
        jobs.append(job(number, parent, tuple(taught)))
    costs = draw(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=len(jobs), max_size=len(jobs)))
    return draw(st.permutations(jobs)), dict(zip([j.id for j in jobs], costs, strict=True))


@given(forests(), st.integers(1, 4), st.randoms(use_true_random=False))
def test_each_job_is_handed_out_once_and_after_its_parent(forest, workers, rng: random.Random):
    jobs, cost = forest
    queue = JobQueue(jobs, cost=cost)
    running, done = [], []
    while True:
        while len(running) < workers and (ready := queue.next()) is not None:
            running.append(ready)
        if not running:
            break
        ended = running.pop(rng.randrange(len(running)))
        assert all(parent in done or parent not in jobs for parent in ended.parents)
        assert queue.done(ended.id, ok=True) == []
        done.append(ended)
    assert queue.finished
    assert len(done) == len(jobs)
    assert set(done) == set(jobs)


@given(st.integers(1, 6), st.lists(st.integers(0, 3), min_size=1, max_size=6), st.data())
def test_with_failures_each_job_is_run_or_given_up_and_the_queue_ends(workers, families, data):
    jobs = []
    for children in families:
        parent = job(len(jobs))
        jobs.append(parent)
        jobs += [job(len(jobs) + i, parent) for i in range(children)]
    queue = queue_of(*jobs)
    ended = []
    while (ready := queue.next()) is not None:
        ended += [ready, *queue.done(ready.id, ok=data.draw(st.booleans()))]
    assert queue.finished
    assert sorted(j.seed for j in ended) == [j.seed for j in jobs]
