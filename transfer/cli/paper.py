"""Command ``paper``: the tables and the figure of Peng et al. 2020 from a folder of grids."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli import completion
from transfer.cli.grids import (
    OUT,
    STORE,
    Address,
    CheckpointSeconds,
    CorporaDir,
    ExecutorName,
    GpusPerJob,
    OutDir,
    Overrides,
    StoreDir,
    WorkerCount,
)
from transfer.cli.terminal import SOME_FAILED, examples, say
from transfer.inputs import InputError, NotThere
from transfer.overrides import changes
from transfer.scheduling.execution import Execution, Executor

if TYPE_CHECKING:
    import pandas as pd

    from transfer.grid import Grid
    from transfer.planning import GridFile
    from transfer.replication.cells import Source
    from transfer.reporting.panels import Panels
    from transfer.store import Store

app = typer.Typer()


@app.command(
    epilog=examples(
        "transfer paper grids/quick",
        "transfer paper grids/paper --corpora corpora --gpus-per-job 0.5",
        "transfer paper grids/quick --report-only",
    )
)
def paper(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Folder of grids.", autocompletion=completion.folders),
    ],
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Tables from what the store has; nothing is run.")
    ] = False,
    workers: WorkerCount = None,
    gpus_per_job: GpusPerJob = 0.0,
    address: Address = None,
    executor: ExecutorName = Executor.ray,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    overrides: Overrides = None,
) -> None:
    """Run a folder of grids and fill the paper's tables and figure.

    The paper is Peng et al. 2020, with its Tables 1 to 6 and Figure 2.
    """
    from transfer.cli.running import complete
    from transfer.experiment import outcome
    from transfer.last_run import with_changes
    from transfer.store import Store

    grids, store = _grids_in(folder, corpora, overrides), Store(store_dir)
    if report_only:
        sources = [_as_it_was_run(store, file, grid) for file, grid in grids]
    else:
        how = Execution(executor, workers, gpus_per_job, address, checkpoint_seconds)
        sources = [_run(store, file, grid, how) for file, grid in grids]
    if all(source.record is None for source in sources):
        raise InputError(f"{folder}: none of its grids can be shown; the first: {sources[0].why}")
    home = out / with_changes(folder.resolve().name, changes(overrides or ()))
    _write(store, sources, home, store_dir=store_dir, corpora=corpora, overrides=overrides)
    skipped = [source for source in sources if source.record is None]
    for source in skipped:
        say(f"not {'shown' if report_only else 'run'}: {source.why}", error=True)
    ended = [complete(outcome(source.record, store)) for source in sources if source.record]
    if not all(ended) or (skipped and not report_only):
        raise typer.Exit(SOME_FAILED)


def _grids_in(
    folder: Path, corpora: str | None, overrides: list[str] | None
) -> "list[tuple[GridFile, Grid]]":
    """The grids of a folder, those first whose jobs leave encoders that other jobs of theirs go on from.

    Raises InputError where there is none, two have one name, or two would fill one cell differently.
    """
    from transfer.planning import GridFile
    from transfer.replication.cells import Source, checked, halves

    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is no such folder"
        raise InputError(f"{folder}: {what}; this takes a folder of grids, as in transfer paper grids/quick")
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if not files:
        raise InputError(f"{folder}: no grid is in it, no .yaml file")
    changed = [GridFile(file, corpora, overrides or ()) for file in files]
    grids = [(file, file.load()) for file in changed]
    first: dict[str, Path] = {}
    for file, grid in grids:
        if first.setdefault(grid.name, file.path) != file.path:
            raise InputError(f"{file.path}: {first[grid.name]} has the name '{grid.name}' too")
    sources = [Source(file.path, grid) for file, grid in grids]
    checked(sources)
    halves(sources)
    # an encoder is kept for as long as a child of its job waits: a grid without children would let it go
    return sorted(grids, key=lambda pair: "fine-tune" not in pair[1].stages)


def _run(store: "Store", file: "GridFile", grid: "Grid", execution: Execution) -> "Source":
    """Run one grid; one whose corpora or encoder are not there is left out, and says so."""
    from transfer.cli.running import run_and_show
    from transfer.planning import expand
    from transfer.replication.cells import Source

    try:
        expanded = expand(file)
    except NotThere as error:
        say(f"{grid.name}: left out: {error}", error=True)
        return Source(file.path, grid, None, str(error))
    run_and_show(expanded, store, execution)
    return Source(file.path, grid, expanded.record)


def _as_it_was_run(store: "Store", file: "GridFile", grid: "Grid") -> "Source":
    from transfer.replication.cells import Source
    from transfer.store import NotRun

    try:
        return Source(file.path, grid, file.record(store))
    except NotRun as error:
        return Source(file.path, grid, None, str(error))


def _write(
    store: "Store",
    sources: "Sequence[Source]",
    home: Path,
    *,
    store_dir: Path,
    corpora: str | None,
    overrides: list[str] | None,
) -> None:
    from transfer.cli.running import report_and_show
    from transfer.replication.cells import halves
    from transfer.replication.report import Replication, write

    shown = halves(source for source in sources if source.record)
    for source in shown.values():
        assert source.record
        # the changes are in home's name
        report_and_show(source.record.model_copy(update={"report_name": ""}), store, home)
    edges, figure, why = _figure(shown, store_dir=store_dir, corpora=corpora, overrides=overrides)
    left_out = tuple(
        f"{s.file.name}: its encoder '{s.measured_with}' is none of the paper's, so it fills no cell of "
        "Tables 2 to 6; stands_for says for which of them it stands"
        for s in sources
        if s.encoder is None and s not in shown.values()
    )
    found = Replication(home.name, tuple(sources), edges, figure, why, left_out)
    written = write(found, store, out=home)
    for line in left_out:
        say(f"note: {line}")
    say(f"wrote {len(written)} files to {home}; open {written[-1]}")


def _figure(
    shown: "dict[str, Source]", *, store_dir: Path, corpora: str | None, overrides: list[str] | None
) -> "tuple[dict[str, pd.DataFrame], Panels | None, str]":
    """The edges of the halves that were run, and both side by side, or why not."""
    from transfer.study import Study

    studies = {
        letter: Study.open(source.file, store=store_dir, corpora=corpora, overrides=overrides or ())
        for letter, source in sorted(shown.items())
    }
    edges = {letter: study.edges for letter, study in studies.items()}
    if missing := [letter for letter in ("a", "b") if letter not in studies]:
        lacking = " and ".join(f"({letter})" for letter in missing)
        return edges, None, f"no grid of half {lacking}, every pair of its corpora, was run"
    try:
        return edges, studies["a"].panels(studies["b"]), ""
    except InputError as error:  # a half without gains, or judged by another rule
        return edges, None, str(error)
