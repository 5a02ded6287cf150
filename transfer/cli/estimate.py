"""The time and the disk space that ``plan`` expects a grid to take."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transfer.cli import forecast, resources
from transfer.cli.planning import costs, loadable, site
from transfer.cli.running import workers_that_fit
from transfer.cli.terminal import say

if TYPE_CHECKING:
    from transfer.encoders import EncoderFiles
    from transfer.jobs import Job
    from transfer.records import GridRecord, JobResult
    from transfer.store import Store


def tell(
    store: "Store",
    grid_file: Path,
    record: "GridRecord",
    files: "EncoderFiles",
    *,
    todo: "Sequence[Job]",
    results: "dict[str, JobResult]",
) -> None:
    """Say how long the jobs of ``todo`` take with run-grid's defaults, and their disk space.

    Time comes from jobs of the grid that are done; without any, a few training steps are timed here.
    """
    done = [id_ for id_, result in results.items() if result.status == "done"]
    if done:
        jobs, start = _by_results(record, todo, results), forecast.START
        at_once = min(workers_that_fit(0.0), len(todo))
        how = f"by the {len(done)} job{'s' if len(done) > 1 else ''} that are done"
        size = sum(store.files.size(f"jobs/{i}") - store.files.size(f"jobs/{i}/model") for i in done)
        size *= len(todo) / len(done)
    else:
        jobs, start, at_once, how = _by_steps(store, grid_file, record, files, todo)
        size = forecast.disk(todo, {c.card.name: c.items["test"] for c in record.corpora})
    work = forecast.together(jobs, at_once=at_once)
    report = forecast.REPORT + forecast.REPORT_PER_JOB * len(record.jobs)
    parts = ", ".join(
        f"{forecast.duration(seconds)} {what}"
        for seconds, what in ((start, "to start"), (work, "for jobs"), (report, "for the report"))
    )
    say(
        f"{forecast.about(start + work + report)} with {at_once} at a time ({parts}), "
        f"{forecast.duration(sum(jobs))} of one worker: {how}"
    )
    say(f"disk: {forecast.size(size)} in the store")


def _by_results(record: "GridRecord", todo: "Sequence[Job]", results: "dict[str, JobResult]") -> list[float]:
    cost = costs(record)
    speed = forecast.Speed.of(results.values(), cost)
    assert speed is not None
    return [speed.seconds(cost[job.id]) for job in todo]


def _by_steps(
    store: "Store", grid_file: Path, record: "GridRecord", files: "EncoderFiles", todo: "Sequence[Job]"
) -> tuple[list[float], float, int, str]:
    """Seconds of each job, seconds until the first begins, jobs at a time, and how it was measured."""
    began = time.perf_counter()
    from transfer.learning.step_timing import probe

    imports = time.perf_counter() - began
    grid = record.grid
    loadable(grid_file, record, files)
    here = site(store, grid, files, checkpoint_seconds=0, keep=frozenset())
    workers = min(workers_that_fit(0.0), len(todo))
    rates = probe(todo, here, threads=max(1, resources.cores() // workers))
    at_once = min(rates.gpus, len(todo)) or workers
    # the command imports what trains, and then each worker does
    start = forecast.START + 2 * imports + rates.once
    on = (
        f"{rates.gpus} GPU{'s' if rates.gpus > 1 else ''} (with --gpus-per-job 1)"
        if rates.gpus
        else f"{resources.cores()} CPU core{'s' if resources.cores() > 1 else ''}"
    )
    how = f"by a few training steps timed just now on this machine's {on}"
    return [rates.seconds(job) for job in todo], start, at_once, how
