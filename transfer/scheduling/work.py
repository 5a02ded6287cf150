"""What every executor does around a job: run it, tell of it, and let its children go on or not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from transfer.grid import Job
from transfer.learning.run import Run, Site, run
from transfer.scheduling.queue import JobQueue
from transfer.store import JobResult, Store

Tell = Callable[[Job, JobResult], None]


@dataclass
class Work:
    """A queue of jobs, where their materials are, and whom to tell of each result.

    ``more`` is asked for further jobs when all have ended; it gives none when there is nothing to add.
    ``run`` is what a worker does with a job; it goes to the workers, so it must hold nothing large.
    """

    queue: JobQueue
    site: Site
    tell: Tell
    source: str
    more: Callable[[], Sequence[Job]] = tuple
    run: Run = run

    def next(self) -> Job | None:
        """The job to run now; None where none is ready yet, or ``over``."""
        job = self.queue.next()
        if job is None and self.queue.empty:
            self.queue.add(self.more())
            job = self.queue.next()
        return job

    @property
    def over(self) -> bool:
        """Whether there is nothing left to hand out, for an executor whose ``next`` gave None."""
        return self.queue.empty

    def ended(self, job: Job, *, died: str = "") -> None:
        """After a job: reads its result, or keeps a failed one where its worker ``died``."""
        store = Store(self.site.store)
        if died:
            store.put(self._failed(job, died))
        result = store.get(job.id)
        self.tell(job, result)
        for child in self.queue.done(job.id, ok=result.status == "done"):
            store.put(self._failed(child, f"its parent job {job.id} ({job.label}) failed"))
            self.tell(child, store.get(child.id))
        parent = self.queue.unneeded_parent(job)
        if parent is not None and result.status == "done":
            store.drop_encoder(parent)

    def keeps_encoder(self, job: Job) -> bool:
        return job.id in self.queue.parents

    def _failed(self, job: Job, error: str) -> JobResult:
        return JobResult(id=job.id, job=job, status="failed", source=self.source, error=error)
