"""The commands about a grid: run it, look at what there is of it, report on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli import completion, estimate, forecast, live
from transfer.cli.planning import costs, doubts, expanded, recorded
from transfer.cli.running import (
    Executor,
    LogTo,
    decided,
    failures,
    fixed_samples,
    logs_of,
    run_what_is_missing,
    slow_precision,
    workers_of,
)
from transfer.cli.terminal import SOME_FAILED, bar, examples, say

if TYPE_CHECKING:
    from transfer.records import GridRecord
    from transfer.store import Store

app = typer.Typer()


GridFile = Annotated[
    Path,
    typer.Argument(metavar="GRID", help="The grid's YAML file.", autocompletion=completion.grids),
]
StoreDir = Annotated[Path, typer.Option("--store", metavar="DIR", help="Where results are kept.")]
OutDir = Annotated[Path, typer.Option("--out", metavar="DIR", help="Where reports are written.")]
CorporaDir = Annotated[
    str | None,
    typer.Option("--corpora", metavar="DIR", help="The folder of prepared corpora, in place of the grid's."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Another value for a key of the grid: recipe.epochs=3."),
]
WorkerCount = Annotated[
    int | None,
    typer.Option(
        "--workers", min=1, help="Jobs at a time; one for each core that has 3 GiB of memory if not given."
    ),
]
GpusPerJob = Annotated[
    float, typer.Option(min=0, help="The share of a GPU, and of its memory, that a job gets.")
]
Address = Annotated[str | None, typer.Option(help="An existing Ray cluster instead of this machine.")]
ExecutorName = Annotated[Executor, typer.Option(help="ray: in parallel; inline: one by one, without Ray.")]
CheckpointSeconds = Annotated[
    float,
    typer.Option(min=0, help="The least time between two checkpoints of a job; 0: one each epoch."),
]
STORE, OUT = Path("runs"), Path("reports")


@app.command(
    "run-grid",
    epilog=examples(
        "transfer run-grid grids/clinical_pairs.yaml",
        "transfer run-grid my.yaml --corpora corpora --workers 4",
        "transfer run-grid my.yaml --set seeds=1 --set recipe.epochs=2 --executor inline",
    ),
)
def run_grid(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    workers: WorkerCount = None,
    gpus_per_job: GpusPerJob = 0.0,
    cuda_graphs: Annotated[
        bool,
        typer.Option(
            "--cuda-graphs", help="On a GPU, training as CUDA graphs. Never run on a GPU so far; for trying."
        ),
    ] = False,
    address: Address = None,
    executor: ExecutorName = Executor.ray,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    log_to: Annotated[
        LogTo | None,
        typer.Option(help="Another tool that is told of the learning curves."),
    ] = None,
    log_dir: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the files of --log-to are written.")
    ] = Path("logs"),
    overrides: Overrides = None,
) -> None:
    """Runs what the store lacks of a grid, then writes its report."""
    from transfer.store import Store

    found = expanded(grid_file, corpora, overrides)
    grid, record, _, _ = found
    logs = logs_of(log_to, log_dir, grid.name, executor)
    how = workers_of(executor, workers, gpus_per_job, address, logs)
    store = Store(store_dir)
    run_what_is_missing(
        store,
        grid_file,
        found,
        workers=how,
        checkpoint_seconds=checkpoint_seconds,
        cuda_graphs=cuda_graphs,
    )
    write_report(store, record, out)
    if failures(store, grid, record):
        raise typer.Exit(SOME_FAILED)


@app.command(
    epilog=examples(
        "transfer plan grids/clinical_pairs.yaml", "transfer plan my.yaml --corpora corpora --set seeds=5"
    )
)
def plan(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """List the jobs of a grid, those already done, and the expected time and disk space. Keeps nothing."""
    from transfer.analysis.interim import needed_jobs
    from transfer.store import Store

    grid, record, files, _ = expanded(grid_file, corpora, overrides)
    store = Store(store_dir)
    jobs = needed_jobs(store, record)
    results = store.results(jobs)
    kept = grid.kept(record.jobs)
    todo = {job.id for job in store.pending(jobs, keep=kept)}
    for job in jobs:
        state = results[job.id].status if job.id in results else "to run"
        state = "again" if state == "done" and job.id in todo else state
        say(f"{job.id}  {state:7}  {job.label}")
    say(f"{len(jobs)} jobs, {len(todo)} to run")
    for family, (count, share) in forecast.families(jobs, costs(record)).items():
        say(f"  {family}: {count}, {100 * share:.0f} % of the training time")
    for told in (*doubts(record), *fixed_samples(record)):
        say(f"note: {told}")
    if kept:
        say(f"models kept: {len(kept.intersection(job.id for job in jobs))} of {len(jobs)}")
    if len(jobs) < len(record.jobs):
        say(f"up to {len(record.jobs) - len(jobs)} more where edges are undecided then")
    if todo:
        again = [job for job in jobs if job.id in todo]
        estimate.tell(store, grid_file, record, files, todo=again, results=results)
        if told := slow_precision(grid):
            say(f"note: {told}")
        if most := forecast.models([job for job in again if job.id in kept], files):
            say(f"at most {forecast.size(most)} more for models that are kept")


@app.command(
    epilog=examples(
        "transfer status grids/clinical_pairs.yaml", "watch transfer status my.yaml --store /data/runs"
    )
)
def status(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """Show the done, running, failed and pending jobs of a grid, and the expected time left."""
    from transfer.analysis.interim import needed_jobs
    from transfer.claims import Claims
    from transfer.store import Store

    store, record = Store(store_dir), recorded(grid_file, corpora, overrides, store_dir)
    jobs = needed_jobs(store, record)
    results = store.results(jobs)
    counts = dict.fromkeys(("done", "running", "failed", "pending"), 0)
    notes = {job.id: note for job in jobs if (note := store.progress(job.id))}
    for job in jobs:
        note = notes.get(job.id)
        result = results.get(job.id)
        state = "running" if note else result.status if result else "pending"
        counts[state] += 1
        if note:
            say(f"running  {job.label}: {live.how_far(note)}")
        elif result and result.status == "failed":
            say(f"failed   {job.label} ({job.id}): {result.reason}")
    say(", ".join(f"{count} {state}" for state, count in counts.items()))
    if not notes and Claims(store.files, run="").at_work(record.grid.id):
        say("a run is at work; its workers are starting")
    _damaged(store)
    todo = {job.id for job in jobs if job.id not in results or job.id in notes}
    cost = costs(record)
    speed = forecast.Speed.of(results.values(), cost)
    if todo and speed:
        at_once = max(1, len(notes))
        seconds = forecast.left({id_: cost[id_] for id_ in todo}, notes, speed, at_once=at_once)
        say(f"{forecast.about(seconds)} left with {at_once} at a time")
    if edges := decided(store, record):
        say(f"edges: {edges}")


@app.command(
    epilog=examples(
        "transfer report grids/clinical_pairs.yaml", "transfer report my.yaml --store /data/runs --out paper"
    )
)
def report(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    overrides: Overrides = None,
) -> None:
    """Rebuilds the report of a grid from the store."""
    from transfer.store import Store

    write_report(Store(store_dir), recorded(grid_file, corpora, overrides, store_dir), out)


def write_report(store: "Store", record: "GridRecord", out: Path) -> None:
    """Writes the report of a grid below ``out`` and says where."""
    from transfer.analysis.study import Study
    from transfer.reporting.report import write_report as write

    with bar() as watch:
        study = Study.of(store, record, watch=watch)
        written = write(study, out=out / study.title, watch=watch)
    say(f"wrote {len(written)} files to {out / record.title}; open {written[-1]}")
    _damaged(store)


def _damaged(store: "Store") -> None:
    """Names the results that were found damaged and left out."""
    for told in store.damaged.values():
        say(f"warning: {told}; it was left out, run the grid again", error=True)
