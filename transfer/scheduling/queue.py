"""The jobs of a grid that are still to run: longest first, children after their parents. Pure."""

import heapq
from collections.abc import Mapping, Sequence

from transfer.grid import Job


class JobQueue:
    """Hands out each job once, when its parent is done; the longest of those that are ready first.

    Nothing is scanned again as jobs end: handing out and ending cost the logarithm of the number of
    jobs that are ready.
    """

    def __init__(self, pending: Sequence[Job], *, cost: Mapping[str, float]) -> None:
        """``pending`` lack a result; a parent that is not among them is done. ``cost`` is by job id."""
        self.jobs: dict[str, Job] = {}
        self.parents: set[str] = set()
        self._cost = cost
        self._ready: list[tuple[float, int, str]] = []
        self._waiting: dict[str, list[str]] = {}
        self._children_left: dict[str, int] = {}
        self._number: dict[str, int] = {}
        self._running: set[str] = set()
        self.add(pending)

    def add(self, jobs: Sequence[Job]) -> None:
        """Takes more jobs; those it was given before are left out."""
        new = {job.id: job for job in jobs if job.id not in self.jobs}
        self._number |= {id_: len(self.jobs) + i for i, id_ in enumerate(new)}
        self.jobs |= new
        self.parents |= {job.parent.id for job in new.values() if job.parent}
        for job in new.values():
            if job.parent:
                self._children_left[job.parent.id] = self._children_left.get(job.parent.id, 0) + 1
            if job.parent and job.parent.id in self.jobs:
                self._waiting.setdefault(job.parent.id, []).append(job.id)
            else:
                self._push(job.id)

    def next(self) -> Job | None:
        """The job to run now; None where none is ready (yet, or any more: see ``finished``)."""
        if not self._ready:
            return None
        id_ = heapq.heappop(self._ready)[-1]
        self._running.add(id_)
        return self.jobs[id_]

    @property
    def finished(self) -> bool:
        """Whether all jobs are handed out and none that waits can become ready."""
        return not self._ready and not self._waiting

    @property
    def empty(self) -> bool:
        """Whether all jobs have ended."""
        return self.finished and not self._running

    def done(self, job_id: str, *, ok: bool) -> list[Job]:
        """A job ended. Returns the jobs that can now never run because it failed."""
        self._running.discard(job_id)
        children = self._waiting.pop(job_id, [])
        if ok:
            for child in children:
                self._push(child)
            return []
        lost = []
        for child in children:
            lost += [self.jobs[child], *self.done(child, ok=False)]
        return lost

    def unneeded_parent(self, job: Job) -> str | None:
        """The parent whose last child this job was (to be asked once a job), else None."""
        if job.parent is None:
            return None
        self._children_left[job.parent.id] -= 1
        return job.parent.id if self._children_left[job.parent.id] == 0 else None

    def _push(self, job_id: str) -> None:
        # of equally long jobs the one that the grid names first
        heapq.heappush(self._ready, (-self._cost[job_id], self._number[job_id], job_id))
