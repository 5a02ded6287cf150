"""Events that a run reports to its callback, and the exception that ends a run early."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transfer.analysis.interim import Decided
    from transfer.jobs import Job
    from transfer.records import JobResult
    from transfer.store import Store


class Stopped(Exception):
    """Nothing more was started because it could not be stored; what is finished is kept."""


@dataclass(frozen=True)
class GridExpanded:
    """The jobs were listed: how many the grid needs now and at most, and how many are still to run."""

    title: str
    jobs: int
    at_most: int
    pending: int
    synthetic: bool


@dataclass(frozen=True)
class RunStarted:
    """The first jobs are about to start. ``interrupt`` stops the run; it may be called from any thread."""

    title: str
    store: "Store"
    jobs: "Mapping[str, Job]"
    cost: Mapping[str, float]
    results: "Mapping[str, JobResult]"  # of jobs that were done before
    at_once: int
    synthetic: bool
    decided: "Decided | None"
    interrupt: Callable[[], None]


@dataclass(frozen=True)
class JobEnded:
    """A job is done or has failed; ``result`` holds its scores or the reason."""

    job: "Job"
    result: "JobResult"


@dataclass(frozen=True)
class SeedsAdded:
    """The edges were looked at: what is decided, and the jobs that were added for those that are not."""

    jobs: "tuple[Job, ...]"
    decided: "Decided"


@dataclass(frozen=True)
class Note:
    """A remark for the user, or a warning."""

    text: str
    warning: bool = False


@dataclass(frozen=True)
class ReportProgress:
    """The report is being written: which step, how much of it is done, and of how much."""

    step: str
    done: int
    of: int


@dataclass(frozen=True)
class ReportWritten:
    """The report's files; the last one is the page to open."""

    folder: Path
    files: tuple[Path, ...]


Event = GridExpanded | RunStarted | JobEnded | SeedsAdded | Note | ReportProgress | ReportWritten
OnProgress = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Report nothing."""
