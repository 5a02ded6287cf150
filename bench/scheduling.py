"""Scheduling: what a job costs beside its training, in time and in the driver's memory.

Training is replaced by a fake that sleeps and writes a result with predictions into the store; queue, Ray
Tune, its worker processes, the store and what tells a person of each job are the real ones.

    python bench/scheduling.py [--jobs 2000] [--dependent 200]
    python bench/scheduling.py --grid GRID --store runs --workers 2   (a real run that is there)
"""

import argparse
import contextlib
import io
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from transfer import expansion
from transfer.grid import Grid
from transfer.jobs import Job
from transfer.learning.run import Run
from transfer.learning.worker_data import Site
from transfer.records import JobResult, Score
from transfer.scheduling.queue import JobQueue
from transfer.scheduling.timeline import busy
from transfer.scheduling.work import Work
from transfer.store import Store

WORKERS = 2
TEST_ITEMS = 50
SHORTEST, LONGEST = 0.5, 1.5  # seconds of a dependent job


def planned(*, tasks: int, seeds: int, stages: Sequence[str]) -> tuple[Job, ...]:
    grid = Grid.model_validate(
        {
            "name": "simulated",
            "tasks": [f"task-{i:02}" for i in range(tasks)],
            "encoder": "none",
            "recipe": {"lr": 1, "epochs": 8, "batch_size": 8, "fine_tune": {"lr": 1, "epochs": 2}},
            "stages": stages,
            "jobs": ["single", "pairs"],
            "seeds": seeds,
        }
    )
    return expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "0" * 16), encoder_fingerprint="0" * 16)


def seconds_of(job: Job) -> float:
    """A length that is the job's own, SHORTEST to LONGEST."""
    return SHORTEST + (LONGEST - SHORTEST) * (int(job.id, 16) % 1000) / 1000


def trivial(job: Job, site: Site, *, keep_encoder: bool = False) -> JobResult:
    """The fake training: no time at all."""
    return _faked(job, site, 0.0, keep_encoder)


def sleeping(job: Job, site: Site, *, keep_encoder: bool = False) -> JobResult:
    """The fake training of a length of its own."""
    return _faked(job, site, seconds_of(job), keep_encoder)


def _faked(job: Job, site: Site, seconds: float, keep_encoder: bool) -> JobResult:
    began = time.perf_counter()
    store = Store(site.store)
    store.running(job.id, {"epoch": 0, "epochs": job.recipe.epochs})
    time.sleep(seconds)
    rows = [
        {"corpus": name, "id": str(i), "doc": "", "gold": '"x"', "predicted": f'"{"xy"[i % 2]}"'}
        for name in job.names
        for i in range(TEST_ITEMS)
    ]
    kept = None
    if keep_encoder:
        kept = store.root / "tmp" / f"{job.id}-encoder"
        kept.mkdir(parents=True)
        (kept / "model.safetensors").write_bytes(b"no weights")
    result = JobResult(
        id=job.id, job=job, status="done", source="synthetic",
        scores=tuple(
            Score(corpus=name, split=split, metric="accuracy", value=0.5, items=TEST_ITEMS)
            for name in job.names for split in ("dev", "test")
        ),
        seconds=time.perf_counter() - began, ended=time.time(),
    )  # fmt: skip
    store.put(result, predictions=pd.DataFrame(rows), encoder=kept)
    return result


def ran(jobs: Sequence[Job], run: Run, folder: Path) -> tuple[float, np.ndarray]:
    """Runs the jobs on Ray: how long it took (s), and at each end the time and the driver's memory (KB)."""
    from transfer.cli import live
    from transfer.scheduling.cluster import run_on_ray

    cost = {job.id: seconds_of(job) for job in jobs}
    progress = live.Progress("simulated", Store(folder), {j.id: j for j in jobs}, cost, {}, at_once=WORKERS)
    shown = live.Lines(progress)
    began = time.perf_counter()
    told: list[tuple[float, float]] = []

    def tell(job: Job, result: JobResult) -> None:
        shown.tell(job, result)
        told.append((time.perf_counter() - began, resident()))

    work = Work(
        JobQueue(jobs, cost=cost),
        Site(store=folder, corpora="synthetic", encoder=Path("none")),
        tell,
        "synthetic",
        run=run,
    )
    with contextlib.redirect_stdout(io.StringIO()), work:
        run_on_ray(work, workers=WORKERS, threads=1, gpus_per_job=0.0, address=None)
    return time.perf_counter() - began, np.array(told)


def resident() -> float:
    """The memory of this process in KB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1000


def many(count: int) -> None:
    jobs = planned(tasks=20, seeds=1 + count // 210, stages=["refine"])[:count]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        wall, told = ran(jobs, trivial, Path(folder))
        results = Store(Path(folder)).results(jobs)
    assert sum(r.status == "done" for r in results.values()) == count
    print(
        f"{count} trivial jobs, {WORKERS} workers: {wall / count:.3f} s a job, Ray's start and end included"
    )
    print("                 seconds a job   driver's memory, KB a job")
    for name, quarter in zip(("first", "second", "third", "last"), np.array_split(told, 4), strict=True):
        (began, before), (ended, after) = quarter[0], quarter[-1]
        steps = len(quarter) - 1
        print(f"{name + ' quarter':16} {(ended - began) / steps:13.3f}   {(after - before) / steps:25.0f}")
    slope = np.polyfit(np.arange(count), told[:, 1], 1)[0]
    first, last = told[[0, -1], 1] / 1000
    print(f"driver's memory from {first:.0f} to {last:.0f} MB: {slope:.0f} KB a job")


def dependent(count: int) -> None:
    """Every second or third job waits for the one whose encoder it starts from."""
    jobs = planned(tasks=5, seeds=1 + count // 40, stages=["refine", "fine-tune"])[:count]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        wall, _ = ran(jobs, sleeping, Path(folder))
        results = list(Store(Path(folder)).results(jobs).values())
    assert sum(r.status == "done" for r in results) == count
    children = sum(job.parent is not None for job in jobs)
    spans = [(r.ended - r.seconds, r.ended) for r in results if r.ended]
    whole = max(end for _, end in spans) - min(start for start, _ in spans)
    seconds, share = sum(r.seconds for r in results), busy(results, workers=WORKERS)
    print(
        f"{count} jobs of {seconds / count:.2f} s, {children} of them wait for a parent, {WORKERS} workers:"
    )
    print(f"  {seconds:.0f} s of jobs in {whole:.1f} s, first start to last end ({wall:.1f} with Ray's own)")
    print(f"  workers busy {seconds / whole / WORKERS:.3f}, and {share:.3f} from when both were at work")


def of_grid(grid: Path, store: Path, workers: int) -> None:
    """A run that was made already: how busy its workers were."""
    record = Store(store).get_grid(Grid.load(grid))
    results = Store(store).results(record.jobs).values()
    seconds, share = sum(r.seconds for r in results), busy(results, workers=workers)
    print(f"{grid}: {len(results)} jobs of {seconds:.0f} s together; {workers} workers busy {share:.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--dependent", type=int, default=200)
    parser.add_argument("--grid", type=Path, help="measure a finished run of this grid instead")
    parser.add_argument("--store", type=Path, default=Path("runs"))
    parser.add_argument("--workers", type=int, default=WORKERS)
    chosen = parser.parse_args()
    if chosen.grid:
        of_grid(chosen.grid, chosen.store, chosen.workers)
        return
    many(chosen.jobs)
    dependent(chosen.dependent)


if __name__ == "__main__":
    main()
