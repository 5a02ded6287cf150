"""Estimate of the time and the disk space of a grid's jobs, from finished ones or from timed steps."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transfer.cost import Speed, costs, disk, together
from transfer.jobs import Job
from transfer.planning import Expanded
from transfer.records import JobResult
from transfer.scheduling.execution import Execution, workers_that_fit
from transfer.scheduling.resources import cores
from transfer.store import Store

# Seconds of a run besides its jobs, on two idle CPU cores: starting Ray and its first workers, and writing a
# report of so many jobs.
START, REPORT, REPORT_PER_JOB = 10.0, 6.0, 0.01


@dataclass(frozen=True)
class Estimate:
    """Seconds of a run with run-grid's defaults, and bytes of results that it adds to the store.

    ``done`` is the number of finished jobs that the estimate rests on. Where it is 0, training steps were
    timed on this machine's ``gpus``, or on its CPU cores where it has none.
    """

    start: float
    jobs: float
    report: float
    worker: float  # of one worker that runs all jobs
    at_once: int
    size: float
    done: int
    gpus: int = 0

    @property
    def total(self) -> float:
        return self.start + self.jobs + self.report


def estimate(
    store: Store, expanded: Expanded, *, todo: Sequence[Job], results: Mapping[str, JobResult]
) -> Estimate | None:
    """Estimate the jobs of ``todo``; without a finished job, a few training steps are timed here.

    None where only a finished job could tell: nothing is known of an external trainer's steps.
    """
    record = expanded.record
    done = [id_ for id_, result in results.items() if result.status == "done"]
    at_once, gpus, start = min(workers_that_fit(0.0), len(todo)), 0, START
    if done:
        cost = costs(record)
        speed = Speed.of(results.values(), cost)
        assert speed is not None
        seconds = [speed.seconds(cost[job.id]) for job in todo]
        size = sum(store.files.size(f"jobs/{i}") - store.files.size(f"jobs/{i}/model") for i in done)
        size *= len(todo) / len(done)
    elif expanded.encoder is None:
        return None
    else:
        began = time.perf_counter()
        from transfer.learning.step_timing import probe
        from transfer.scheduling.preflight import loadable

        imports = time.perf_counter() - began
        loadable(expanded)
        site = Execution(checkpoint_seconds=0).site(store, expanded)
        rates = probe(todo, site, threads=max(1, cores() // at_once))
        gpus, at_once = rates.gpus, min(rates.gpus, len(todo)) or at_once
        # the command imports what trains, and then each worker does
        start += 2 * imports + rates.once
        seconds = [rates.seconds(job) for job in todo]
        size = disk(todo, {c.card.name: c.items["test"] for c in record.corpora})
    return Estimate(
        start=start,
        jobs=together(seconds, at_once=at_once),
        report=REPORT + REPORT_PER_JOB * len(record.jobs),
        worker=sum(seconds),
        at_once=at_once,
        size=size,
        done=len(done),
        gpus=gpus,
    )
