"""Progress display of a running grid: one view in a terminal, plain lines elsewhere.

Everything in the view comes from the store's notes and from what the executor tells of jobs that ended,
so it is the same for every executor, and starts from what was there before.
"""

import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from transfer.cli.terminal import about, duration, say
from transfer.cost import Speed, left
from transfer.jobs import Job
from transfer.records import JobResult
from transfer.scheduling.resources import memory
from transfer.store import Store

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from transfer.analysis.interim import Decided

REFRESH = 1.0  # seconds from one drawing of the view to the next
SLOWER = 50  # reading the notes may take this part of the time
SHOWN = 12  # running jobs; further ones are counted


@dataclass
class Progress:
    """State of a running grid."""

    name: str
    store: Store
    jobs: dict[str, Job]
    cost: Mapping[str, float]
    results: dict[str, JobResult]  # of the jobs that ended; a failure of an earlier run is not in it
    at_once: int
    synthetic: bool = False
    edges: str = ""  # what was decided of them so far, where seeds are added as needed
    began: float = field(default_factory=time.monotonic)
    ended: list[str] = field(default_factory=list)  # ids, in this run
    todo: dict[str, float] = field(default_factory=dict)  # the cost of each job that has not ended
    speed: Speed | None = None  # of the jobs that are done in this run, before those of earlier ones
    _done: tuple[float, float] = (0.0, 0.0)  # in this run: their cost, their seconds
    _notes: dict[str, dict[str, Any]] = field(default_factory=dict)
    _ask_again: float = 0.0

    def __post_init__(self) -> None:
        self.results = {id_: _short(result) for id_, result in self.results.items()}
        self.speed = Speed.of(self.results.values(), self.cost)
        self.add(self.jobs.values())

    # what is done when a job ends takes as long after thousands of jobs as after the first
    def tell(self, job: Job, result: JobResult) -> None:
        self.results[job.id] = _short(result)
        self.ended.append(job.id)
        self.todo.pop(job.id, None)
        if result.status == "done" and job.id in self.cost and result.seconds > 0:
            cost, seconds = self._done
            self._done = cost + self.cost[job.id], seconds + result.seconds
            self.speed = Speed(self._done[0] / self._done[1])

    def add(self, jobs: Iterable[Job]) -> None:
        new = {job.id: job for job in jobs}
        self.jobs |= new
        self.todo |= {id_: self.cost[id_] for id_ in new if id_ not in self.results}

    def running(self) -> dict[str, dict[str, Any]]:
        """The notes of this grid's jobs that run now. A slow store is not asked all the time."""
        if time.monotonic() >= self._ask_again:
            began = time.monotonic()
            self._notes = self.store.all_running()
            self._ask_again = began + SLOWER * (time.monotonic() - began)
        notes = self._notes
        return {id_: notes[id_] for id_ in notes if id_ in self.jobs and id_ not in self.results}

    def count(self, status: str) -> int:
        return sum(result.status == status for result in self.results.values())

    def remaining(self, notes: Mapping[str, Mapping[str, Any]]) -> float | None:
        """Seconds, by the speed of the jobs that are done; None before the first is."""
        return None if self.speed is None else left(self.todo, notes, self.speed, at_once=self.at_once)


def _short(result: JobResult) -> JobResult:
    """Copy of a result without its epochs, which grow with the recipe."""
    return result.model_copy(update={"history": ()})


class Shown(Protocol):
    """The live view of a run: a context that is told of jobs, notes and an interruption."""

    def __enter__(self) -> "Shown": ...
    def __exit__(self, *exception: object) -> None: ...
    def tell(self, job: Job, result: JobResult) -> None: ...
    def add(self, jobs: Iterable[Job]) -> None: ...
    def note(self, text: str) -> None: ...
    def stopping(self) -> None: ...


class Lines:
    """A line for each job that ends: for files, pipes and terminals that cannot move the cursor."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._before = len(progress.results)

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def tell(self, job: Job, result: JobResult) -> None:
        progress = self._progress
        progress.tell(job, result)
        done, of = len(progress.ended), len(progress.jobs) - self._before
        remaining = progress.remaining({}) if done < of else None
        later = f", {about(remaining)} left" if remaining is not None else ""
        say(f"[{done}/{of}] {job.label}: {outcome(result)} ({result.seconds:.0f} s{later})")
        for note in result.notes:
            say(f"note: {job.label}: {note}")

    def add(self, jobs: Iterable[Job]) -> None:
        self._progress.add(jobs)

    def note(self, text: str) -> None:
        say(text)

    def stopping(self) -> None:
        pass  # whoever interrupts a run says so


class View:
    """The live view: counts, speed and time left, the running jobs, and the last that ended."""

    def __init__(self, progress: Progress, console: "Console") -> None:
        from rich.live import Live

        self._progress, self._console = progress, console
        self._lock = threading.RLock()  # the view is drawn by a thread of its own
        self._bar = _bar()
        self._interrupted = ""  # else what an interrupted run does
        self._live = Live(
            console=console,
            get_renderable=self.drawn,
            refresh_per_second=1 / REFRESH,
            vertical_overflow="crop",
        )

    def __enter__(self) -> "View":
        self._live.start(refresh=True)
        return self

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._interrupted = self._interrupted and "interrupted"
        self._live.stop()

    def tell(self, job: Job, result: JobResult) -> None:
        with self._lock:
            self._progress.tell(job, result)
        # what is printed stays above the view
        if result.status == "failed":
            self.note(f"failed: {job.label} ({job.id}): {outcome(result)}")
        for note in result.notes:
            self.note(f"note: {job.label}: {note}")

    def add(self, jobs: Iterable[Job]) -> None:
        with self._lock:
            self._progress.add(jobs)

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    def stopping(self) -> None:
        with self._lock:
            self._interrupted = "stopping"

    def drawn(self) -> "RenderableType":
        """The view as it is now."""
        with self._lock:
            return self._drawn()

    def _drawn(self) -> "RenderableType":
        from rich.console import Group
        from rich.text import Text

        progress = self._progress
        notes = progress.running()
        done, failed = progress.count("done"), progress.count("failed")
        waiting = len(progress.jobs) - len(progress.results) - len(notes)
        head = Text(no_wrap=True, overflow="ellipsis")
        head.append(progress.name, style="bold")
        head.append(f"  {done} done, {len(notes)} running, {waiting} waiting, ")
        head.append(f"{failed} failed", style="bold red" if failed else "")
        if progress.synthetic:
            head.append("  SYNTHETIC DATA", style="bold magenta")
        self._bar.update(self._bar.task_ids[0], completed=done + failed, total=len(progress.jobs))
        parts: list[RenderableType] = [head, self._bar, _line(self._pace(notes), style="dim")]
        if notes:
            parts.append(self._table(notes))
        if progress.edges:
            parts.append(_line(f"edges: {progress.edges}"))
        if progress.ended:
            last = progress.ended[-1]
            text = f"last: {progress.jobs[last].label}: {outcome(progress.results[last])}"
            parts.append(_line(text, style="dim"))
        return Group(*parts)

    def _pace(self, notes: Mapping[str, Mapping[str, Any]]) -> str:
        progress = self._progress
        elapsed = time.monotonic() - progress.began
        said = [f"{duration(elapsed)} so far"]
        remaining = progress.remaining(notes)
        if self._interrupted:
            said.append(self._interrupted)
        elif not notes and not progress.ended:
            said.append("workers are starting")
        elif remaining is None:
            said.append("time left is known once a job is done")
        elif progress.todo:
            said.append(f"{about(remaining)} left")
        if progress.ended:
            said.append(f"{60 * len(progress.ended) / max(elapsed, 1e-9):.2g} jobs a minute")
        if (used := memory()) is not None:
            said.append(f"memory {used[0]:.1f} of {used[1]:.0f} GiB")
        return ", ".join(said)

    def _table(self, notes: Mapping[str, Mapping[str, Any]]) -> "RenderableType":
        from rich.table import Table

        table = Table(box=None, padding=(0, 1), pad_edge=False, header_style="dim", expand=False)
        table.add_column("running", overflow="ellipsis", no_wrap=True)
        for column, width in (("seed", 4), ("epoch", 7), ("loss", 7)):  # these never shrink
            table.add_column(column, justify="right", no_wrap=True, min_width=width)
        table.add_column("best dev", overflow="ellipsis", no_wrap=True)
        jobs = self._progress.jobs
        order = sorted(notes, key=lambda id_: (-notes[id_]["epoch"] / notes[id_]["epochs"], jobs[id_].label))
        for id_ in order[:SHOWN]:
            job, note = jobs[id_], notes[id_]
            label = shortened(job, self._console.width // 2 - 6)
            loss = f"{note['loss']:.3f}" if "loss" in note else ""
            best = ", ".join(_best(note["best"][name]) for name in job.names) if "best" in note else ""
            epoch = f"{note['epoch']}/{note['epochs']}"
            table.add_row(label, str(job.arm_seed), epoch, loss, best)
        if len(order) > SHOWN:
            table.add_row(f"and {len(order) - SHOWN} more", "", "", "", "")
        return table


def shown(progress: Progress, *, console: "Console | None" = None) -> Shown:
    """The view where standard output is a terminal that can draw it, else plain lines."""
    if console is None:
        if not sys.stdout.isatty():
            return Lines(progress)
        from rich.console import Console

        console = Console(highlight=False)
    if not console.is_terminal or console.is_dumb_terminal:
        return Lines(progress)
    return View(progress, console)


def outcome(result: JobResult) -> str:
    """The test scores of a job, or why it failed."""
    if result.status == "failed":
        return result.reason
    return ", ".join(
        f"{s.corpus} {s.metric} undefined ({s.undefined})"
        if s.value is None
        else f"{s.corpus} {s.metric} {s.value:.3f}"
        for s in result.scores
        if s.split == "test"
    )


def shortened(job: Job, width: int) -> str:
    """A job's label without its seed; of many corpora those that fit: ``refine a+b and 2 more``."""
    label = job.label.rpartition(" seed ")[0]
    head, _, rest = label.partition("+".join(job.group))
    for shown in range(len(job.group), 0, -1):
        left = len(job.group) - shown
        label = head + "+".join(job.group[:shown]) + (f" and {left} more" if left else "") + rest
        if len(label) <= width:
            break
    return label


def how_far(note: Mapping[str, Any]) -> str:
    """A running job's note in words."""
    text = f"epoch {note['epoch']} of {note['epochs']} done"
    if "loss" in note:
        best = ", ".join(f"{name} {_best(value)}" for name, value in note["best"].items())
        text += f", loss {note['loss']:.3f}, best dev {best}"
    return text


def _best(score: float | None) -> str:
    return "undefined" if score is None else f"{score:.3f}"


def edges(decided: "Decided | None") -> str:
    """The state of adaptive seeds: ``5 of 12 decided (3 improves, 2 no effect); …``; empty for fixed ones."""
    if decided is None:
        return ""
    count = sum(decided.verdicts.values())
    kinds = ", ".join(f"{number} {verdict}" for verdict, number in decided.verdicts.items() if number)
    text = f"{count} of {count + decided.open} decided" + (f" ({kinds})" if kinds else "")
    return f"{text}; the others are looked at again with {decided.seeds} seeds" if decided.open else text


def _bar() -> Any:
    from rich.progress import BarColumn, TaskProgressColumn
    from rich.progress import Progress as RichProgress

    bar = RichProgress(BarColumn(bar_width=None), TaskProgressColumn(), expand=True)
    bar.add_task("", total=1)
    return bar


def _line(text: str, *, style: str = "") -> "RenderableType":
    from rich.text import Text

    return Text(text, style=style, no_wrap=True, overflow="ellipsis")
