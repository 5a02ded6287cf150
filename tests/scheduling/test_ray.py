"""A real Ray run: every job once, the scores of the inline executor, failures recorded."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from transfer import corpora, encoders, expansion
from transfer.grid import Grid
from transfer.jobs import Job, Trained
from transfer.learning.worker_data import Site
from transfer.records import JobResult
from transfer.scheduling.inline import run_inline
from transfer.scheduling.queue import JobQueue
from transfer.scheduling.work import Work
from transfer.store import Store

OVERRIDES = ("tasks=[rel, ner]", "seeds=1", "stages=[refine, fine-tune]")


@dataclass(frozen=True)
class Both:
    """The same jobs on Ray and inline; the last two of them must fail."""

    jobs: tuple[Job, ...]
    ray: Store
    inline: Store
    told: list[str]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory, tiny_run) -> Both:
    folder = tmp_path_factory.mktemp("executors")
    grid = Grid.load(tiny_run.grid, overrides=OVERRIDES)
    loaded = corpora.load(str(grid.corpora), grid.tasks)
    files = encoders.locate(grid.encoder.name)
    jobs = expansion.jobs_of(
        grid, {c.name: c.fingerprint for c in loaded}, encoder_fingerprint=files.fingerprint
    )
    # a corpus that is not the one that was planned fails in the worker, as it should
    other = jobs[0].model_copy(update={"corpora": (Trained(name="ner", fingerprint="another"),)})
    child = jobs[1].model_copy(update={"corpora": other.corpora, "parent": other})
    jobs = (*jobs, other, child)
    told: list[str] = []

    def work(store: str) -> Work:
        site = Site(store=folder / store, corpora=str(grid.corpora), encoder=files.folder)

        def tell(job: Job, result: JobResult) -> None:
            told.append(f"{store} {job.id} {result.status}")

        return Work(JobQueue(jobs, cost={job.id: len(job.names) for job in jobs}), site, tell, "prepared")

    from transfer.scheduling.cluster import run_on_ray

    run_on_ray(work("ray"), workers=2, threads=1, gpus_per_job=0.0, address=None)
    run_inline(work("inline"), threads=1)
    return Both(jobs, Store(folder / "ray"), Store(folder / "inline"), told)


def test_each_job_has_its_result_and_is_told_of_once(both: Both):
    assert len(both.jobs) == 3 + 4 + 2
    assert set(both.ray.results(both.jobs)) == {job.id for job in both.jobs}
    of_ray = [line for line in both.told if line.startswith("ray")]
    assert len(of_ray) == len(set(of_ray)) == len(both.jobs)
    assert set(of_ray) == {line.replace("inline", "ray") for line in both.told if line.startswith("inline")}


def test_scores_and_predictions_are_those_of_the_inline_executor(both: Both):
    for job in both.jobs[:-2]:
        one, two = both.ray.get(job.id), both.inline.get(job.id)
        assert one.status == two.status == "done", one.error
        assert one.scores == two.scores
        assert one.chosen_epoch == two.chosen_epoch
        assert [e.loss for e in one.history] == [e.loss for e in two.history]
        assert both.ray.predictions(job.id).equals(both.inline.predictions(job.id))


def test_a_job_that_raises_fails_and_so_do_its_children(both: Both):
    parent, child = (both.ray.get(job.id) for job in both.jobs[-2:])
    assert (parent.status, child.status) == ("failed", "failed")
    assert "the corpus 'ner' changed since the grid was planned" in parent.error
    assert child.error.startswith(f"its parent job {parent.id}")
    assert parent.scores == child.scores == ()


def test_no_checkpoint_outlives_its_children(both: Both):
    assert not list(both.ray.root.glob("jobs/*/encoder"))
    assert not list((both.ray.root / "tmp").iterdir())
    assert not list((both.ray.root / "running").iterdir())


def test_threads_are_the_workers_own(both: Both):
    assert {both.ray.get(job.id).provenance["threads"] for job in both.jobs[:-2]} == {"1"}


def test_nothing_is_left_to_do(both: Both, tmp_path: Path):
    assert both.ray.pending(both.jobs) == both.jobs[-2:]
