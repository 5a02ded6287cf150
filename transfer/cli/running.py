"""Display of a run's events: lines before the first job starts, then the live view."""

import contextlib
from pathlib import Path

from transfer.analysis.watch import Watch
from transfer.cli import live
from transfer.cli.interrupts import interruptible
from transfer.cli.terminal import bar, say
from transfer.experiment import Outcome, report, run
from transfer.planning import Expanded
from transfer.progress import Event, GridExpanded, JobEnded, Note, ReportProgress, RunStarted, SeedsAdded
from transfer.records import GridRecord
from transfer.scheduling.execution import Execution
from transfer.scheduling.part import Part
from transfer.store import Store


class _Display(contextlib.ExitStack):
    """A callback of ``run`` that shows its events; the live view stays until the context is left."""

    _shown: live.Shown | None = None
    _progress: live.Progress

    def __call__(self, event: Event) -> None:
        match event:
            case GridExpanded():
                most = f" (at most {event.at_most})" if event.jobs < event.at_most else ""
                done = event.jobs - event.pending
                say(f"{event.title}: {event.jobs} jobs{most}, {done} done, {event.pending} to run")
                if event.synthetic:
                    say(
                        "SYNTHETIC DATA: the corpora of this grid are invented; its scores say nothing about "
                        "real text"
                    )
            case Note() if self._shown:
                self._shown.note(event.text)
            case Note():
                say(f"{'warning' if event.warning else 'note'}: {event.text}", error=event.warning)
            case RunStarted():
                self._start(event)
            case JobEnded() if self._shown:
                self._shown.tell(event.job, event.result)
            case SeedsAdded() if self._shown:
                self._progress.edges = live.edges(event.decided)
                if event.jobs:
                    count, edges = len(event.jobs), self._progress.edges
                    self._shown.note(f"{count} more jobs, for edges that are undecided: {edges}")
                    self._shown.add(event.jobs)
            case _:
                pass

    def _start(self, event: RunStarted) -> None:
        self._progress = live.Progress(
            event.title,
            event.store,
            dict(event.jobs),
            event.cost,
            dict(event.results),
            at_once=event.at_once,
            synthetic=event.synthetic,
            edges=live.edges(event.decided),
        )
        shown = live.shown(self._progress)

        def stopping() -> None:
            shown.stopping()
            event.interrupt()

        self.enter_context(interruptible(stopping))
        self._shown = self.enter_context(shown)


def run_and_show(expanded: Expanded, store: Store, execution: Execution, part: Part | None = None) -> Outcome:
    """Run the jobs of a grid, or of a part of it, that the store lacks and show how it goes."""
    with _Display() as display:
        return run(expanded, store, execution, display, part=part)


def report_and_show(record: GridRecord, store: Store, out: Path) -> None:
    """Write the report of a grid below ``out`` and say where."""
    with bar() as watch:
        _, written = report(record, store, out, lambda event: _advance(watch, event))
    say(f"wrote {len(written.files)} files to {written.folder}; open {written.files[-1]}")
    damaged(store)


def _advance(watch: Watch, event: Event) -> None:
    if isinstance(event, ReportProgress):
        watch(event.step, event.done, event.of)


def damaged(store: Store) -> None:
    """Name the results that were found damaged and left out."""
    for told in store.damaged.values():
        say(f"warning: {told}; it was left out, run the grid again", error=True)


def complete(found: Outcome) -> bool:
    """Name the jobs that failed and the models that could not be kept; whether there are none."""
    for job in found.lost:
        say(f"failed: the model of {job.label} ({job.id}) could not be kept", error=True)
    for result in found.failed:
        say(f"failed: {result.job.label} ({result.id}): {result.reason}", error=True)
    if found.failed:
        say(f"{len(found.failed)} of {found.jobs} jobs failed; the same command tries them again", error=True)
    return found.complete
