"""Work around a job that all executors share: run it, report it, and release or block its children."""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from transfer.claims import Claim, Claims
from transfer.jobs import Job
from transfer.learning.run import Run
from transfer.learning.worker_data import Site
from transfer.records import JobResult
from transfer.scheduling.queue import JobQueue
from transfer.store import Store
from transfer.trainers.run import run

Tell = Callable[[Job, JobResult], None]

# seconds between two looks at jobs that another run has taken
LOOK = 1.0


@dataclass
class Work:
    """A queue of jobs, where their materials are, and whom to tell of each result.

    ``more`` is asked for further jobs when all have ended; it gives none when there is nothing to add.
    ``run`` is what a worker does with a job; it goes to the workers, so it must hold nothing large.
    ``note`` is told of what is neither a result nor a reason to stop.
    A context manager: while it is open, other runs on the store leave the encoders that are kept.

    What another run has taken comes last, and is waited for. What ran out of memory is tried once more,
    when nothing else runs. ``stopped`` says why nothing is handed out any more, where that is so.
    """

    queue: JobQueue
    site: Site
    tell: Tell
    source: str
    more: Callable[[], Sequence[Job]] = tuple
    run: Run = run
    note: Callable[[str], None] = lambda _: None
    stopped: str = ""
    _active: set[str] = field(default_factory=set)
    _taken: deque[Job] = field(default_factory=deque)
    _looked: float = 0.0
    _due: int = 0  # how many of the taken ones are still to be looked at in this round
    _again: deque[Job] = field(default_factory=deque)
    _alone: set[str] = field(default_factory=set)
    _unneeded: set[str] = field(default_factory=set)
    _presence: Claim | None = None
    _interrupted: bool = False

    def __post_init__(self) -> None:
        self.store = Store(self.site.store)
        self.claims = Claims(self.store.files, run=self.site.run)

    def __enter__(self) -> "Work":
        self._presence = self.claims.present(self.site.grid)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._presence is not None
        self._presence.release()
        self.claims.sweep(own=True)
        self._drop_unneeded()

    def interrupt(self) -> None:
        """Make the next call of ``next`` raise KeyboardInterrupt.

        An exception that a signal handler raises inside a finalizer is printed and ignored by Python, so a
        signal that arrives there has to be remembered.
        """
        self._interrupted = True

    def next(self) -> Job | None:
        """The job to run now; None where none is ready yet, or ``over``."""
        if self._interrupted:
            raise KeyboardInterrupt
        if self.stopped or self._active & self._alone:
            return None
        while (job := self._candidate()) is not None:
            if self._done_by_another(job):
                self.ended(job)
            elif self.claims.held(job.id):
                self._taken.append(job)
            else:
                self._active.add(job.id)
                return job
        if self._again and not self._active:
            job = self._again.popleft()
            self._active.add(job.id)
            return job
        return None

    def _candidate(self) -> Job | None:
        job = self.queue.next()
        if job is None and self.queue.empty:
            self.queue.add(self.more())
            job = self.queue.next()
        if job is None and self._taken:
            if time.monotonic() - self._looked > LOOK:
                self._looked, self._due = time.monotonic(), len(self._taken)
            if self._due:
                self._due -= 1
                return self._taken.popleft()
        return job

    def _done_by_another(self, job: Job) -> bool:
        """Whether the job was done since this run began, with all that is to be kept of it."""
        encoder, model = self.keeps_encoder(job), job.id in self.site.keep
        return self.store.has_all(job.id, encoder=encoder, model=model)

    @property
    def over(self) -> bool:
        """Whether there is nothing left to hand out, for an executor whose ``next`` gave None."""
        return self.queue.empty or bool(self.stopped)

    @property
    def waits(self) -> bool:
        """Whether nothing runs here, and all that is left is being run by others."""
        return not self._active and not self.over

    def taken(self, job: Job) -> None:
        """After a job that its worker found taken by another run."""
        self._active.discard(job.id)
        self._taken.append(job)

    def ended(self, job: Job, result: JobResult | None = None, *, died: str = "") -> None:
        """After a job: its result (else it is read), or a failed one where its worker ``died``."""
        self._active.discard(job.id)
        if died:
            result = self._failed(job, died).model_copy(update={"cause": "memory"})
        result = result or self.store.get(job.id)
        if result.cause == "memory" and job.id not in self._alone:
            self._alone.add(job.id)
            self._again.append(job)
            self.note(f"{job.label}: {result.reason}; it is tried again when nothing else runs")
            return
        if result.cause == "disk":
            self.stopped = f"{result.reason}: the disk with {self.store.place} is full; free some space"
        elif result.cause == "place":
            self.stopped = result.error
        elif died:
            self.store.put(result)
        self.tell(job, result)
        for child in self.queue.done(job.id, ok=result.status == "done"):
            lost = self._failed(child, f"its parent job {job.id} ({job.label}) failed")
            if not self.stopped:
                self.store.put(lost)
            self.tell(child, lost)
        unneeded = self.queue.unneeded_parents(job)
        if unneeded and result.status == "done":
            self._unneeded.update(unneeded)
            self._drop_unneeded()

    def _drop_unneeded(self) -> None:
        if self._unneeded and not self.claims.others_present(self._presence):
            for parent in self._unneeded:
                self.store.drop_encoder(parent)
            self._unneeded.clear()

    def everything(self) -> Job:
        """A job of all corpora that the jobs name: what a machine needs for any of them."""
        found = {c.name: c for job in self.queue.jobs.values() for c in job.corpora}
        job = next(iter(self.queue.jobs.values()))
        return job.model_copy(update={"corpora": tuple(found[name] for name in sorted(found))})

    def keeps_encoder(self, job: Job) -> bool:
        return job.id in self.queue.parents

    def runs_alone(self, job: Job) -> bool:
        """Whether the job is tried again, with nothing else running."""
        return job.id in self._alone

    def _failed(self, job: Job, error: str) -> JobResult:
        return JobResult(id=job.id, job=job, status="failed", source=self.source, error=error)


def last_line(error: str) -> str:
    """An error, perhaps with its traceback, in one line."""
    return error.strip().splitlines()[-1]
