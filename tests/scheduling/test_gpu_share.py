"""Several jobs on a GPU, which is a fake: each has its share of memory, one that needs more runs alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from transfer import corpora, encoders, expansion
from transfer.grid import Grid
from transfer.jobs import Job
from transfer.learning import run as learning
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.records import JobResult
from transfer.scheduling.cluster import GridSearcher, JobTrainable
from transfer.scheduling.queue import JobQueue
from transfer.scheduling.work import Work
from transfer.store import Store

TOTAL = 16.0  # GiB


class Device:
    """A fake of torch.cuda: the memory of a GPU, and the share that jobs need."""

    def __init__(self, needs: dict[str, float]) -> None:
        self.needs = needs
        self.allowed = TOTAL
        self.seen: list[str] = []

    def set_per_process_memory_fraction(self, fraction: float) -> None:
        assert isinstance(fraction, float)
        assert 0 <= fraction <= 1
        self.seen.append(f"limit {fraction}")
        self.allowed = TOTAL * fraction

    def empty_cache(self) -> None:
        self.seen.append("given back")

    def begin(self, job: Job, site: Site) -> "Device":
        self.seen.append(job.label)
        if self.needs.get(job.names[0], 0) > self.allowed:
            raise torch.OutOfMemoryError("CUDA out of memory")
        self.job, self.store = job, Store(site.store)
        return self

    def finish(self, **_: object) -> JobResult:
        result = JobResult(id=self.job.id, job=self.job, status="done", source="prepared")
        self.store.put(result)
        return result


@pytest.fixture
def worker(tiny_run, tmp_path: Path, monkeypatch) -> Iterator:
    """Runs the jobs on one worker, as Tune would; gives the device, the results and what was told."""

    def ran(needs: dict[str, float], *, gpus: float, there: bool = True):
        device = Device(needs)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a fake")
        for name in ("set_per_process_memory_fraction", "empty_cache"):
            monkeypatch.setattr(torch.cuda, name, getattr(device, name))
        monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: None)
        monkeypatch.setattr(learning.RunningJob, "begin", device.begin)
        grid = Grid.load(tiny_run.grid, overrides=("tasks=[rel, ner]", "seeds=1", "jobs=[single]"))
        loaded = corpora.load(str(grid.corpora), grid.tasks)
        files = encoders.locate(grid.encoder.name)
        jobs = expansion.jobs_of(
            grid, {c.name: c.fingerprint for c in loaded}, encoder_fingerprint=files.fingerprint
        )
        site = Site(store=tmp_path / "store", corpora=str(grid.corpora), encoder=files.folder)
        results: dict[str, JobResult] = {}
        tell = lambda job, result: results.update({job.names[0]: result})  # noqa: E731
        work = Work(JobQueue(jobs, cost={job.id: 1.0 for job in jobs}), site, tell, "prepared")
        searcher, trainable = GridSearcher(work), object.__new__(JobTrainable)
        threads = torch.get_num_threads()
        for trial in map(str, range(9)):
            config = searcher.suggest(trial)
            if not isinstance(config, dict):
                break
            trainable.setup(config, run=run, site=site, threads=threads, gpus=gpus, curves=False)
            searcher.on_trial_complete(trial, trainable.step())
        return device, results

    return ran


def test_each_job_has_its_share_before_it_begins(worker):
    device, results = worker({}, gpus=0.25)
    assert {r.status for r in results.values()} == {"done"}
    assert device.seen[::3] == ["limit 0.25"] * 2
    assert device.seen[2::3] == ["given back"] * 2


def test_what_needs_more_than_its_share_is_tried_again_with_all(worker):
    device, results = worker({"rel": 0.5 * TOTAL}, gpus=0.25)
    assert {r.status for r in results.values()} == {"done"}
    assert [seen for seen in device.seen if seen.startswith("limit")] == [
        "limit 0.25", "limit 0.25", "limit 1.0",
    ]  # fmt: skip
    assert device.seen[-2:] == ["refine rel seed 0", "given back"]


def test_what_needs_more_than_there_is_fails_for_memory(worker):
    _, results = worker({"rel": 2 * TOTAL}, gpus=0.25)
    assert (results["rel"].status, results["rel"].cause) == ("failed", "memory")
    assert results["ner"].status == "done"


@pytest.mark.parametrize(("gpus", "limits"), [(1.0, {"limit 1.0"}), (2.0, {"limit 1.0"}), (0.0, set())])
def test_a_whole_gpu_or_none_is_not_divided(worker, gpus: float, limits: set[str]):
    device, _ = worker({}, gpus=gpus)
    assert {seen for seen in device.seen if seen.startswith("limit")} == limits


def test_without_a_gpu_nothing_is_asked_of_one(worker):
    device, results = worker({}, gpus=0.25, there=False)
    assert {r.status for r in results.values()} == {"done"}
    assert set(device.seen) == {"refine rel seed 0", "refine ner seed 0"}
