"""Runs the jobs of a grid that are still to run, on one of the executors."""

import contextlib
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from transfer.cli import forecast, live, resources
from transfer.cli.interrupts import interruptible
from transfer.cli.planning import costs, doubts, loadable, site
from transfer.cli.terminal import SOME_FAILED, say
from transfer.inputs import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transfer.corpora import Corpus
    from transfer.encoders import EncoderFiles
    from transfer.grid import Grid
    from transfer.jobs import Job
    from transfer.learning.worker_data import Site
    from transfer.records import GridRecord
    from transfer.scheduling.loggers import Logs
    from transfer.scheduling.work import Work
    from transfer.store import Store

# a worker on a small encoder was seen to hold 1.5; larger encoders hold more
GIB_PER_WORKER = 3


class LogTo(enum.StrEnum):
    """Who else is told of the learning curves."""

    tensorboard = "tensorboard"
    mlflow = "mlflow"
    wandb = "wandb"


class Executor(enum.StrEnum):
    """Where jobs run."""

    ray = "ray"
    inline = "inline"


@dataclass(frozen=True)
class Workers:
    """Where jobs run, and how many at a time."""

    executor: Executor
    count: int
    gpus_per_job: float
    address: str | None
    logs: "Logs | None"

    @property
    def on_cpu_here(self) -> bool:
        """Whether jobs compute on this machine's CPU; one that runs inline sees a GPU where there is one."""
        if self.executor is Executor.inline:
            from transfer.learning.machine import device

            return device().type == "cpu"
        return not (self.address or self.gpus_per_job)


def workers_of(
    executor: Executor, count: int | None, gpus_per_job: float, address: str | None, logs: "Logs | None"
) -> Workers:
    """What was asked for, filled up. Raises InputError where only Ray could do it and Ray is not to."""
    asked = {"--workers": (count or 1) > 1, "--gpus-per-job": gpus_per_job > 0, "--address": address}
    for option, is_asked in asked.items():
        if is_asked:
            _through_ray(option, executor)
    return Workers(executor, count or workers_that_fit(gpus_per_job), gpus_per_job, address, logs)


def run_what_is_missing(
    store: "Store",
    grid_file: Path,
    found: "tuple[Grid, GridRecord, EncoderFiles, dict[str, Corpus]]",
    *,
    workers: Workers,
    checkpoint_seconds: float,
    cuda_graphs: bool = False,
) -> None:
    """Runs the jobs of a grid (as ``expanded`` found it) that the store lacks, and says what it does."""
    from transfer.analysis.interim import needed_jobs

    grid, record, files, _ = found
    not_on_other_data(store, grid_file, record)
    store.put_grid(record)
    store.sweep()
    for told in store.quarantine(record.jobs):
        say(f"warning: {told}", error=True)
    jobs = needed_jobs(store, record)
    kept = grid.kept(record.jobs)
    pending = store.pending(jobs, keep=kept)
    at_most = f" (at most {len(record.jobs)})" if len(jobs) < len(record.jobs) else ""
    say(f"{record.title}: {len(jobs)} jobs{at_most}, {len(jobs) - len(pending)} done, {len(pending)} to run")
    if record.source == "synthetic":
        say("SYNTHETIC DATA: the corpora of this grid are invented; its scores say nothing about real text")
    for told in (*doubts(record), *record.overlaps, *fixed_samples(record)):
        say(f"note: {told}")
    if pending:
        for told in (slow_precision(grid), slow_passes(grid, files)) if workers.on_cpu_here else ():
            if told:
                say(f"note: {told}")
        here = None if workers.address else resources.memory()  # of other machines nothing is known
        loadable(grid_file, record, files, memory=here[1] * 2**30 if here else None)
        run(
            store,
            record,
            jobs,
            pending,
            site=site(
                store,
                grid,
                files,
                checkpoint_seconds=checkpoint_seconds,
                keep=kept,
                cuda_graphs=cuda_graphs,
            ),
            cost=costs(record),
            workers=workers,
        )


def fixed_samples(record: "GridRecord") -> "Iterator[str]":
    """A note on a grid that limits train and does not say whether each seed draws its own examples."""
    limits = {corpus.card.name: record.grid.limit_of(corpus.card.name) for corpus in record.corpora}
    silent = [
        corpus.card.name
        for corpus in record.corpora
        if corpus.items["train"] == limits[corpus.card.name].train
        and limits[corpus.card.name].resample is None
    ]
    if silent:
        yield (
            f"all seeds train on the same subset of {', '.join(silent)}, so no interval covers the choice of "
            "that subset; in 'limit', 'resample: true' draws one for each seed, 'resample: false' keeps this"
        )


def not_on_other_data(store: "Store", grid_file: Path, record: "GridRecord") -> None:
    """Raise InputError if the store has this grid on the different data of another folder.

    The new record would replace that one, and its report could not be made again. A folder that was moved, or
    edited where it is, is no other one.
    """
    try:
        before = store.get_grid(record.grid)
    except InputError:
        return
    there, here = before.grid.corpora, record.grid.corpora
    if not (there and here) or not Path(there).is_dir() or Path(there).samefile(here):
        return
    data = {corpus.card.name: corpus.fingerprint for corpus in before.corpora}
    other = [c.card.name for c in record.corpora if data.get(c.card.name) != c.fingerprint]
    if other:
        raise InputError(
            f"{grid_file}: the store {store.place} has the grid '{record.grid.name}' with the corpora in "
            f"{there}; those in {here} have other data ({', '.join(other)}); keep both apart with "
            "--set name=NAME, or with --store and --out"
        )


def slow_precision(grid: "Grid") -> str | None:
    """What to tell of a grid in bf16 where this machine's CPU has no arithmetic for it."""
    return forecast.without_bf16(grid.recipe.precision, instead="--set recipe.precision=fp32")


def slow_passes(grid: "Grid", files: "EncoderFiles") -> str | None:
    """What to tell where native passes would serve a grid, and there are none on this machine."""
    from transfer.encoders import FAMILIES, config_of

    if grid.recipe.precision != "fp32" or not FAMILIES[config_of(files.folder)["model_type"]].native:
        return None
    from transfer.learning.native import library

    found, why = library.found()
    if found is not None:
        return None
    return (
        f"training steps are computed with {why}; with a C++ compiler (as Debian's g++) they would take "
        "about 0.8 of the time"
    )


def failures(store: "Store", grid: "Grid", record: "GridRecord") -> bool:
    """Names the jobs of a grid that failed, and the models that could not be kept; whether there are any."""
    from transfer.analysis.interim import needed_jobs

    jobs, kept = needed_jobs(store, record), grid.kept(record.jobs)
    lost = [job for job in store.pending(jobs, keep=kept) if job.id in kept and store.is_done(job.id)]
    for job in lost:
        say(f"failed: the model of {job.label} ({job.id}) could not be kept", error=True)
    failed = [r for r in store.results(jobs).values() if r.status == "failed"]
    for result in failed:
        say(f"failed: {result.job.label} ({result.id}): {result.reason}", error=True)
    if failed:
        say(f"{len(failed)} of {len(jobs)} jobs failed; the same command tries them again", error=True)
    return bool(failed or lost)


def run(
    store: "Store",
    record: "GridRecord",
    jobs: "tuple[Job, ...]",
    pending: "tuple[Job, ...]",
    *,
    site: "Site",
    cost: dict[str, float],
    workers: Workers,
) -> None:
    """Runs the pending of a grid's jobs, and those that undecided edges ask for, and shows how it goes."""
    from transfer.analysis.interim import Interim
    from transfer.analysis.stored import Stored
    from transfer.scheduling.queue import JobQueue
    from transfer.scheduling.work import Work
    from transfer.seeds import Seeds

    seeds = record.grid.seeds
    waiting = {job.id for job in pending}
    there = store.results(job for job in jobs if job.id not in waiting)
    progress = live.Progress(
        record.title,
        store,
        {job.id: job for job in jobs},
        cost,
        there,
        at_once=1 if workers.executor is Executor.inline else workers.count,
        synthetic=record.source == "synthetic",
        edges=decided(store, record),
    )
    shown = live.shown(progress)

    def more() -> "tuple[Job, ...]":
        if not isinstance(seeds, Seeds):
            return ()
        found = Interim(Stored(store, record))  # every result and prediction is read once a look
        progress.edges = live.decided(*found.decided)
        if found.spent:
            shown.note(f"no further seeds: the {seeds.hours:g} hours of the grid are over")
        added = tuple(job for job in store.pending(found.jobs) if job.id not in work.queue.jobs)
        if added:
            shown.note(f"{len(added)} more jobs, for edges that are undecided: {progress.edges}")
            shown.add(added)
        return added

    work = Work(JobQueue(pending, cost=cost), site, shown.tell, record.source, more, note=shown.note)

    def stopping() -> None:
        shown.stopping()
        work.interrupt()

    with interruptible(stopping), shown, work:
        _execute(work, workers)
    if work.stopped:
        say(f"error: {work.stopped}", error=True)
        say(
            "nothing more was started, what is finished is kept; run the same command again after the mend",
            error=True,
        )
        raise typer.Exit(SOME_FAILED)


def _execute(work: "Work", workers: Workers) -> None:
    if workers.executor is Executor.inline:
        from transfer.scheduling.inline import run_inline

        run_inline(work, threads=resources.cores())
    else:
        with _ray_needed():
            from transfer.scheduling.cluster import run_on_ray
        run_on_ray(
            work,
            workers=workers.count,
            threads=max(1, resources.cores() // workers.count),
            gpus_per_job=workers.gpus_per_job,
            address=workers.address,
            logs=workers.logs,
        )


def logs_of(log_to: LogTo | None, folder: Path, grid: str, executor: Executor) -> "Logs | None":
    """Who else is told of the learning curves. Raises InputError where that cannot be."""
    if log_to is None:
        return None
    _through_ray("--log-to", executor)
    with _ray_needed():
        from transfer.scheduling.loggers import Logs
    return Logs(log_to.value, folder, grid)


def _through_ray(option: str, executor: Executor) -> None:
    if executor is Executor.inline:
        raise InputError(f"{option} works through Ray; leave --executor inline out")


@contextlib.contextmanager
def _ray_needed() -> "Iterator[None]":
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] != "ray":
            raise
        raise InputError("ray is not installed here; use --executor inline") from None


def decided(store: "Store", record: "GridRecord") -> str:
    """What is decided of the edges, where seeds are added as needed."""
    from transfer.analysis.interim import Interim
    from transfer.analysis.stored import Stored
    from transfer.seeds import Seeds

    adaptive = isinstance(record.grid.seeds, Seeds)
    return live.decided(*Interim(Stored(store, record)).decided) if adaptive else ""


def workers_that_fit(gpus_per_job: float) -> int:
    """One a core, as far as memory goes. On GPUs Ray counts them, and cores are the only other bound."""
    used = resources.memory()
    fit = int(used[1] / GIB_PER_WORKER) if used and not gpus_per_job else resources.cores()
    return max(1, min(resources.cores(), fit))
