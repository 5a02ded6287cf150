"""On Ray: workers that die or run out of memory; the right record, and the other jobs unharmed."""

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from transfer import corpora, encoders, expansion
from transfer.grid import Grid
from transfer.jobs import Job
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.records import JobResult
from transfer.scheduling.queue import JobQueue
from transfer.scheduling.work import Work
from transfer.store import Store

FAULTS = {"rel": ("killed", 99), "ner": ("memory", 1), "sim": ("killed", 1)}


@dataclass(frozen=True)
class Faulty:
    """A fake in the place of a job's run: each corpus alone meets its fault so many times, then runs."""

    folder: Path

    def __call__(self, job: Job, site: Site, *, keep_encoder: bool = False) -> JobResult:
        import os
        import signal

        from transfer.learning import run as learning

        with (self.folder / "alive").open("a") as file:
            file.write(f"{job.label}\n")
        what, times = FAULTS.get("+".join(job.names), ("", 0))
        met = self.folder / job.id
        count = len(met.read_text()) if met.exists() else 0
        if count >= times:
            return run(job, site, keep_encoder=keep_encoder)
        met.write_text("x" * (count + 1))
        if what == "killed":  # as by the kernel when memory is short
            os.kill(os.getpid(), signal.SIGKILL)
        real = learning.RunningJob.begin

        def no_room(*_, **__):
            raise MemoryError("no room")

        learning.RunningJob.begin = no_room  # type: ignore[method-assign]
        try:
            return run(job, site, keep_encoder=keep_encoder)
        finally:
            learning.RunningJob.begin = real  # type: ignore[method-assign]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory, tiny_run) -> tuple[Store, tuple[Job, ...], list[str], Path]:
    from ray import cloudpickle

    from transfer.scheduling.cluster import run_on_ray

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    folder = tmp_path_factory.mktemp("faults")
    grid = Grid.load(tiny_run.grid, overrides=("seeds=1", "jobs=[single, pairs]"))
    loaded = corpora.load(str(grid.corpora), grid.tasks)
    files = encoders.locate(grid.encoder.name)
    jobs = expansion.jobs_of(
        grid, {c.name: c.fingerprint for c in loaded}, encoder_fingerprint=files.fingerprint
    )
    told: list[str] = []
    with Work(
        JobQueue(jobs, cost={job.id: 1.0 for job in jobs}),
        Site(store=folder / "store", corpora=str(grid.corpora), encoder=files.folder, checkpoint_seconds=0),
        lambda job, result: told.append(f"{job.label} {result.status}"),
        "prepared",
        run=Faulty(folder),
        note=told.append,
    ) as work:
        run_on_ray(work, workers=2, threads=1, gpus_per_job=0.0, address=None)
    return Store(folder / "store"), jobs, told, folder


def test_each_job_has_the_right_record(ran, tiny_run):
    store, jobs, told, _ = ran
    results = store.results(jobs)
    assert {"+".join(r.job.names): r.status for r in results.values()} == {
        "rel": "failed", **dict.fromkeys(("ner", "sim", "ner+rel", "rel+sim", "ner+sim"), "done"),
    }  # fmt: skip
    (failed,) = (r for r in results.values() if r.status == "failed")
    assert "its worker process died twice (out of memory?)" in failed.error
    assert failed.scores == ()
    ended = [line for line in told if line.endswith(("done", "failed"))]
    assert len(ended) == len(set(ended)) == len(jobs), "each job is told of once"
    undisturbed = Store(tiny_run.store)
    for result in results.values():
        if result.status == "done":
            assert result.scores == undisturbed.get(result.id).scores


def test_what_may_have_lacked_memory_is_tried_again_when_nothing_else_runs(ran):
    _, _, told, folder = ran
    again = [line for line in told if "tried again when nothing else runs" in line]
    assert {line.partition(":")[0] for line in again} == {"refine rel seed 0", "refine ner seed 0"}
    tried = (folder / "alive").read_text().splitlines()
    assert tried.count("refine rel seed 0") == 4, "Ray tries it twice, and twice when it is alone"
    assert tried.count("refine ner seed 0") == 2
    assert tried.count("refine sim seed 0") == 2
    assert sorted(tried[-3:]) == ["refine ner seed 0", *["refine rel seed 0"] * 2], "the retries come last"


def test_nothing_is_left_behind(ran):
    store, _, _, _ = ran
    for folder in ("claims", "tmp", "checkpoints"):
        assert store.files.names(folder) == [], folder
