"""Plan, run and report a grid from Python; nothing is printed, progress goes to a callback.

from transfer import run_grid

study = run_grid("grids/clinical_pairs.yaml", workers=2, on_progress=print)
study.edges
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transfer import cost, planning
from transfer.analysis.interim import Decided, Interim, needed_jobs
from transfer.analysis.stored import Stored
from transfer.claims import Claims
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.planning import Expanded, GridFile, expand
from transfer.progress import (
    GridExpanded,
    JobEnded,
    Note,
    OnProgress,
    ReportProgress,
    ReportWritten,
    RunStarted,
    SeedsAdded,
    Stopped,
    ignore,
)
from transfer.records import GridRecord, JobResult
from transfer.scheduling.execution import Execution
from transfer.scheduling.part import Part
from transfer.seeds import Seeds
from transfer.store import Store

if TYPE_CHECKING:
    from transfer.study import Study


def run_grid(
    grid: str | Path,
    *,
    corpora: str | Path | None = None,
    store: str | Path = "runs",
    out: str | Path = "reports",
    overrides: Sequence[str] = (),
    workers: int | None = None,
    executor: str | Execution = "ray",
    on_progress: OnProgress = ignore,
) -> "Study":
    """Run the jobs of a grid that the store lacks, write its report, and return its study.

    Does what ``transfer run-grid`` does; ``overrides`` are its ``--set key=value``. Pass an ``Execution``
    as ``executor`` for shares of a GPU, a Ray cluster or a tracker of learning curves. ``on_progress`` is
    called with the events of ``transfer.progress``; an exception that it raises stops the run.

    Raises InputError for wrong input, and Stopped where results cannot be stored. Failed jobs raise nothing:
    ``study.results`` has them with the status 'failed' and the error. Finished jobs are kept, so after an
    interruption the same call continues from there.
    """
    execution = executor if isinstance(executor, Execution) else Execution(executor)
    if workers is not None:
        execution = replace(execution, workers=workers)
    expanded = expand(GridFile(Path(grid), None if corpora is None else str(corpora), tuple(overrides)))
    run(expanded, Store(Path(store)), execution, on_progress)
    study, written = report(expanded.record, Store(Path(store)), Path(out), on_progress)
    on_progress(written)
    return study


@dataclass(frozen=True)
class Outcome:
    """State of a grid's jobs after a run: those that failed, and those whose model could not be kept."""

    jobs: int
    failed: tuple[JobResult, ...]
    lost: tuple[Job, ...]

    @property
    def complete(self) -> bool:
        return not (self.failed or self.lost)


def outcome(record: GridRecord, store: Store, part: Part | None = None) -> Outcome:
    """The jobs of a grid, or of a part of it, that failed, and the models that could not be kept."""
    jobs, kept = _asked_for(record, store, part), record.grid.kept(record.jobs)
    lost = (job for job in store.pending(jobs, keep=kept) if job.id in kept and store.is_done(job.id))
    failed = (result for result in store.results(jobs).values() if result.status == "failed")
    return Outcome(len(jobs), tuple(failed), tuple(lost))


def run(
    expanded: Expanded,
    store: Store,
    execution: Execution,
    on_progress: OnProgress = ignore,
    *,
    part: Part | None = None,
) -> Outcome:
    """Run the jobs that the store lacks and the further seeds of undecided edges.

    With a ``part`` only the jobs of that part run. Raises InputError for a part of a grid with adaptive
    seeds, whose jobs depend on the results of the other parts.
    """
    if part and isinstance(expanded.grid.seeds, Seeds):
        raise InputError(
            "--part needs fixed seeds; use --set seeds=3, merge the parts, then run the grid itself"
        )
    record = expanded.record
    logs = execution.logs(record.grid.name)
    planning.not_on_other_data(store, expanded)
    store.put_grid(record)
    store.sweep()
    for told in store.quarantine(record.jobs):
        on_progress(Note(told, warning=True))
    jobs, kept = _asked_for(record, store, part), record.grid.kept(record.jobs)
    pending = store.pending(jobs, keep=kept)
    on_progress(
        GridExpanded(record.title, len(jobs), len(record.jobs), len(pending), record.source == "synthetic")
    )
    for told in (*planning.doubts(record), *record.overlaps, *planning.fixed_samples(record)):
        on_progress(Note(told))
    if pending:
        from transfer.scheduling import preflight, resources

        for told in preflight.slow(expanded) if execution.on_cpu_here else ():
            on_progress(Note(told))
        here = None if execution.address else resources.memory()  # the memory of other machines is unknown
        preflight.loadable(expanded, memory=here[1] * 2**30 if here else None)
        _Run(expanded, store, execution, on_progress).run(jobs, pending, logs)
    return outcome(record, store, part)


def _asked_for(record: GridRecord, store: Store, part: Part | None) -> tuple[Job, ...]:
    jobs = needed_jobs(store, record)
    return part.of(jobs, cost.costs(record)) if part else jobs


@dataclass(frozen=True)
class _Run:
    """A grid whose jobs are executed."""

    expanded: Expanded
    store: Store
    execution: Execution
    on_progress: OnProgress

    def run(self, jobs: Sequence[Job], pending: Sequence[Job], logs: Any) -> None:
        from transfer.scheduling.queue import JobQueue
        from transfer.scheduling.work import Work

        record, waiting = self.expanded.record, {job.id for job in pending}
        prices = cost.costs(record)
        work = Work(
            JobQueue(pending, cost=prices),
            self.execution.site(self.store, self.expanded, keep=record.grid.kept(record.jobs)),
            lambda job, result: self.on_progress(JobEnded(job, result)),
            record.source,
            lambda: self._more(work.queue.jobs),
            note=lambda text: self.on_progress(Note(text)),
        )
        self.on_progress(
            RunStarted(
                title=record.title,
                store=self.store,
                jobs={job.id: job for job in jobs},
                cost=prices,
                results=self.store.results(job for job in jobs if job.id not in waiting),
                at_once=self.execution.at_once,
                synthetic=record.source == "synthetic",
                decided=decided(record, self.store),
                interrupt=work.interrupt,
            )
        )
        with work:
            self.execution.empty(work, logs)
        if work.stopped:
            raise Stopped(work.stopped)

    def _more(self, known: Mapping[str, Job]) -> tuple[Job, ...]:
        """Further seeds of undecided edges, after all jobs so far have ended."""
        record, seeds = self.expanded.record, self.expanded.grid.seeds
        if not isinstance(seeds, Seeds):
            return ()
        found = Interim(Stored(self.store, record))  # every result and prediction is read once per look
        if found.spent:
            self.on_progress(
                Note(f"no more seeds: the grid's time limit of {seeds.hours:g} hours is reached")
            )
        added = tuple(job for job in self.store.pending(found.jobs) if job.id not in known)
        self.on_progress(SeedsAdded(added, found.decided))
        return added


def decided(record: GridRecord, store: Store) -> Decided | None:
    """The decided and open edges of a grid with adaptive seeds; None where its seeds are fixed."""
    return Interim(Stored(store, record)).decided if isinstance(record.grid.seeds, Seeds) else None


def report(
    record: GridRecord, store: Store, out: Path, on_progress: OnProgress = ignore
) -> "tuple[Study, ReportWritten]":
    """Write the report of a grid below ``out`` from what the store holds."""
    from transfer.reporting.report import write_report
    from transfer.study import Study

    def watch(step: str, done: int, of: int) -> None:
        on_progress(ReportProgress(step, done, of))

    study = Study.of(store, record, watch=watch)
    files = write_report(study, out=out / study.title, watch=watch)
    return study, ReportWritten(out / study.title, tuple(files))


@dataclass(frozen=True)
class Plan:
    """A grid's jobs and what the store already holds."""

    jobs: tuple[tuple[Job, str], ...]  # each with its state: done, failed, to run, again
    todo: tuple[Job, ...]
    results: Mapping[str, JobResult]
    families: Mapping[str, tuple[int, float]]  # number of jobs, share of the training time
    notes: tuple[str, ...]
    kept: int  # jobs whose models are kept
    model_bytes: float  # at most, of the models that are still to be kept
    more: int  # jobs that undecided edges may add


def plan(expanded: Expanded, store: Store) -> Plan:
    """List the jobs of a grid and their states; nothing is written."""
    record = expanded.record
    jobs, kept = needed_jobs(store, record), record.grid.kept(record.jobs)
    results, todo = store.results(jobs), store.pending(jobs, keep=kept)
    waiting = {job.id for job in todo}

    def state(job: Job) -> str:
        status = results[job.id].status if job.id in results else "to run"
        return "again" if status == "done" and job.id in waiting else status

    return Plan(
        jobs=tuple((job, state(job)) for job in jobs),
        todo=todo,
        results=results,
        families=cost.families(jobs, cost.costs(record)),
        notes=(*planning.doubts(record), *planning.fixed_samples(record)),
        kept=len(kept.intersection(job.id for job in jobs)),
        model_bytes=cost.models([job for job in todo if job.id in kept], expanded.encoder),
        more=len(record.jobs) - len(jobs),
    )


@dataclass(frozen=True)
class Status:
    """The jobs of a grid that are done, running, failed and pending, and the time left."""

    jobs: tuple[Job, ...]
    results: Mapping[str, JobResult]
    running: Mapping[str, Mapping[str, Any]]  # by job: the note that its worker wrote last
    starting: bool  # a run is at work and none of its jobs has begun
    seconds: float | None  # left at the speed of the finished jobs; None where that is unknown
    decided: Decided | None

    def state(self, job: Job) -> str:
        """One of done, running, failed and pending."""
        if job.id in self.running:
            return "running"
        return self.results[job.id].status if job.id in self.results else "pending"

    @property
    def at_once(self) -> int:
        return max(1, len(self.running))


def status(record: GridRecord, store: Store) -> Status:
    """Look at a grid in the store, while it runs or later."""
    jobs = needed_jobs(store, record)
    results = store.results(jobs)
    running = {job.id: note for job in jobs if (note := store.progress(job.id))}
    prices = cost.costs(record)
    todo = {job.id: prices[job.id] for job in jobs if job.id not in results or job.id in running}
    speed = cost.Speed.of(results.values(), prices)
    at_once = max(1, len(running))
    return Status(
        jobs=jobs,
        results=results,
        running=running,
        starting=not running and Claims(store.files, run="").at_work(record.grid.id),
        seconds=cost.left(todo, running, speed, at_once=at_once) if todo and speed else None,
        decided=decided(record, store),
    )
