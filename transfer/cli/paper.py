"""The command that fills the tables and the figure of Peng et al. 2020 from a folder of grids: ``paper``."""

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
    write_report,
)
from transfer.cli.planning import expanded, recorded
from transfer.cli.running import Executor, Workers, failures, run_what_is_missing, workers_of
from transfer.cli.terminal import SOME_FAILED, examples, say
from transfer.inputs import InputError, NotThere
from transfer.overrides import changes

if TYPE_CHECKING:
    import pandas as pd

    from transfer.grid import Grid
    from transfer.replication.cells import Source
    from transfer.reporting.panels import SideBySide
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
        typer.Argument(metavar="DIR", help="A folder of grids.", autocompletion=completion.folders),
    ],
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Runs nothing: the tables from what the store has.")
    ] = False,
    workers: WorkerCount = None,
    gpus_per_job: GpusPerJob = 0.0,
    address: Address = None,
    executor: ExecutorName = Executor.ray,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    overrides: Overrides = None,
) -> None:
    """Runs every grid of a folder, then writes Tables 1 to 6 and Figure 2 of Peng et al. 2020 as measured."""
    from transfer.recorded import with_changes
    from transfer.store import Store

    grids = _grids_in(folder, corpora, overrides)
    store = Store(store_dir)
    if report_only:
        sources = [_as_it_was_run(file, grid, corpora, overrides, store_dir) for file, grid in grids]
    else:
        how = workers_of(executor, workers, gpus_per_job, address, None)
        sources = [
            _run(store, file, grid, corpora, overrides, how, checkpoint_seconds) for file, grid in grids
        ]
    if all(source.record is None for source in sources):
        raise InputError(f"{folder}: none of its grids can be shown; the first: {sources[0].why}")
    home = out / with_changes(folder.resolve().name, changes(overrides or ()))
    _write(store, sources, home, store_dir=store_dir, corpora=corpora, overrides=overrides)
    skipped = [source for source in sources if source.record is None]
    for source in skipped:
        say(f"not {'shown' if report_only else 'run'}: {source.why}", error=True)
    failed = [s for s in sources if s.record and failures(store, s.grid, s.record)]
    if failed or (skipped and not report_only):
        raise typer.Exit(SOME_FAILED)


def _grids_in(folder: Path, corpora: str | None, overrides: list[str] | None) -> "list[tuple[Path, Grid]]":
    """The grids of a folder, those first whose jobs leave encoders that other jobs of theirs go on from.

    Raises InputError where there is none, two have one name, or two would fill one cell differently.
    """
    from transfer.grid import Grid
    from transfer.replication.cells import Source, checked, halves

    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is no such folder"
        raise InputError(f"{folder}: {what}; this takes a folder of grids, as in transfer paper grids/quick")
    files = sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])
    if not files:
        raise InputError(f"{folder}: no grid is in it, no .yaml file")
    grids = [(file, Grid.load(file, overrides=overrides or (), corpora=corpora)) for file in files]
    first: dict[str, Path] = {}
    for file, grid in grids:
        if first.setdefault(grid.name, file) != file:
            raise InputError(f"{file}: {first[grid.name]} has the name '{grid.name}' too")
    sources = [Source(file, grid) for file, grid in grids]
    checked(sources)
    halves(sources)
    # an encoder is kept for as long as a child of its job waits: a grid without children would let it go
    return sorted(grids, key=lambda pair: "fine-tune" not in pair[1].stages)


def _run(
    store: "Store",
    file: Path,
    grid: "Grid",
    corpora: str | None,
    overrides: list[str] | None,
    workers: Workers,
    checkpoint_seconds: float,
) -> "Source":
    """Runs one grid; one whose corpora or encoder are not there is left out, and says so."""
    from transfer.replication.cells import Source

    try:
        found = expanded(file, corpora, overrides)
    except NotThere as error:
        say(f"{grid.name}: left out: {error}", error=True)
        return Source(file, grid, None, str(error))
    run_what_is_missing(store, file, found, workers=workers, checkpoint_seconds=checkpoint_seconds)
    return Source(file, grid, found[1])


def _as_it_was_run(
    file: Path, grid: "Grid", corpora: str | None, overrides: list[str] | None, store_dir: Path
) -> "Source":
    from transfer.replication.cells import Source
    from transfer.store import NotRun

    try:
        return Source(file, grid, recorded(file, corpora, overrides, store_dir))
    except NotRun as error:
        return Source(file, grid, None, str(error))


def _write(
    store: "Store",
    sources: "Sequence[Source]",
    home: Path,
    *,
    store_dir: Path,
    corpora: str | None,
    overrides: list[str] | None,
) -> None:
    from transfer.replication.cells import halves
    from transfer.replication.report import Replication, write

    shown = halves(source for source in sources if source.record)
    for source in shown.values():
        assert source.record
        write_report(
            store, source.record.model_copy(update={"report_name": ""}), home
        )  # it is in home's name
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
) -> "tuple[dict[str, pd.DataFrame], SideBySide | None, str]":
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
        return edges, studies["a"].beside(studies["b"]), ""
    except InputError as error:  # a half without gains, or judged by another rule
        return edges, None, str(error)
