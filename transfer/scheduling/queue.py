"""The jobs of a grid that are still to run: longest first, children after all their parents. Pure."""

import heapq
from collections.abc import Mapping, Sequence

from transfer.jobs import Job


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
        self._waiting: dict[str, list[str]] = {}  # by parent
        self._unmet: dict[str, set[str]] = {}  # by child: the parents that it still waits for
        self._children_left: dict[str, int] = {}
        self._number: dict[str, int] = {}
        self._running: set[str] = set()
        self._ended: set[str] = set()
        self.add(pending)

    def add(self, jobs: Sequence[Job]) -> None:
        """Takes more jobs; those it was given before are left out."""
        new = {job.id: job for job in jobs if job.id not in self.jobs}
        self._number |= {id_: len(self.jobs) + i for i, id_ in enumerate(new)}
        self.jobs |= new
        for job in new.values():
            parents = {parent.id for parent in job.parents}
            self.parents |= parents
            for parent in parents:
                self._children_left[parent] = self._children_left.get(parent, 0) + 1
            unmet = parents & self.jobs.keys() - self._ended
            if unmet:
                self._unmet[job.id] = unmet
                for parent in unmet:
                    self._waiting.setdefault(parent, []).append(job.id)
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
        self._ended.add(job_id)
        lost = []
        for child in self._waiting.pop(job_id, []):
            if not ok:
                self._forget(child)
                lost += [self.jobs[child], *self.done(child, ok=False)]
                continue
            self._unmet[child].discard(job_id)
            if not self._unmet[child]:
                del self._unmet[child]
                self._push(child)
        return lost

    def _forget(self, child: str) -> None:
        """A child that will never run waits for none of its other parents."""
        for parent in self._unmet.pop(child) & self._waiting.keys():
            self._waiting[parent].remove(child)
            if not self._waiting[parent]:
                del self._waiting[parent]

    def unneeded_parents(self, job: Job) -> list[str]:
        """The parents whose last child this job was (to be asked once a job)."""
        found = []
        for parent in sorted({parent.id for parent in job.parents}):
            self._children_left[parent] -= 1
            if self._children_left[parent] == 0:
                found.append(parent)
        return found

    def _push(self, job_id: str) -> None:
        # of equally long jobs the one that the grid names first
        heapq.heappush(self._ready, (-self._cost[job_id], self._number[job_id], job_id))
