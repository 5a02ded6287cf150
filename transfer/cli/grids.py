"""Commands about one grid: ``run-grid``, ``plan``, ``status``, ``report``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli import completion
from transfer.cli.terminal import SOME_FAILED, about, duration, examples, say, size
from transfer.scheduling.execution import Executor, Tracker

if TYPE_CHECKING:
    from transfer.scheduling.estimate import Estimate

app = typer.Typer()


GridPath = Annotated[
    Path,
    typer.Argument(metavar="GRID", help="YAML file of the grid.", autocompletion=completion.grids),
]
StoreDir = Annotated[Path, typer.Option("--store", metavar="DIR", help="Folder or bucket of the results.")]
OutDir = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the reports.")]
CorporaDir = Annotated[
    str | None,
    typer.Option(
        "--corpora", metavar="DIR", help="Folder of prepared corpora (default: the one that the grid names)."
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="KEY=VALUE", help="Override of a key of the grid, as in recipe.epochs=3; repeatable."
    ),
]
WorkerCount = Annotated[
    int | None,
    typer.Option("--workers", min=1, help="Jobs at a time (default: one per core that has 3 GiB of memory)."),
]
GpusPerJob = Annotated[float, typer.Option(min=0, help="Share of a GPU and of its memory per job.")]
Address = Annotated[
    str | None, typer.Option(help="Address of an existing Ray cluster (default: this machine).")
]
ExecutorName = Annotated[
    Executor,
    typer.Option(help="Executor of the jobs: ray (in parallel) or inline (one by one, without Ray)."),
]
CheckpointSeconds = Annotated[
    float,
    typer.Option(min=0, help="Least time between two checkpoints of a job in seconds; 0: one each epoch."),
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
    grid: GridPath,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    workers: WorkerCount = None,
    gpus_per_job: GpusPerJob = 0.0,
    cuda_graphs: Annotated[
        bool,
        typer.Option(
            "--cuda-graphs", help="Training as CUDA graphs on a GPU; experimental, never run on one so far."
        ),
    ] = False,
    address: Address = None,
    executor: ExecutorName = Executor.ray,
    checkpoint_seconds: CheckpointSeconds = 10.0,
    log_to: Annotated[
        Tracker | None,
        typer.Option(help="Tracker for the learning curves."),
    ] = None,
    log_dir: Annotated[Path, typer.Option(metavar="DIR", help="Folder for the files of --log-to.")] = Path(
        "logs"
    ),
    part: Annotated[
        str | None,
        typer.Option(metavar="K/N", help="Part of the jobs to run, as in 2/8; writes no report."),
    ] = None,
    overrides: Overrides = None,
) -> None:
    """Run the jobs that are missing, then write the report."""
    from transfer.cli.running import complete, report_and_show, run_and_show
    from transfer.planning import GridFile, expand
    from transfer.scheduling.execution import Execution
    from transfer.scheduling.part import Part
    from transfer.store import Store

    execution = Execution(
        executor, workers, gpus_per_job, address, checkpoint_seconds, cuda_graphs, log_to, log_dir
    )
    expanded, store = expand(GridFile(grid, corpora, overrides or ())), Store(store_dir)
    share = None if part is None else Part.parse(part)
    outcome = run_and_show(expanded, store, execution, share)
    if share is None:
        report_and_show(expanded.record, store, out)
    else:
        of = len(expanded.record.jobs)
        say(f"part {share}: {outcome.jobs} of {of} jobs; write the report when one store has all parts")
    if not complete(outcome):
        raise typer.Exit(SOME_FAILED)


@app.command(
    epilog=examples(
        "transfer plan grids/clinical_pairs.yaml", "transfer plan my.yaml --corpora corpora --set seeds=5"
    )
)
def plan(
    grid: GridPath,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """List the jobs, those done, and the estimated time and disk."""
    from transfer import experiment
    from transfer.planning import GridFile, expand
    from transfer.store import Store

    expanded, store = expand(GridFile(grid, corpora, overrides or ())), Store(store_dir)
    found = experiment.plan(expanded, store)
    for job, state in found.jobs:
        say(f"{job.id}  {state:7}  {job.label}")
    say(f"{len(found.jobs)} jobs, {len(found.todo)} to run")
    for family, (count, share) in found.families.items():
        say(f"  {family}: {count}, {100 * share:.0f} % of the training time")
    for note in found.notes:
        say(f"note: {note}")
    if found.kept:
        say(f"models kept: {found.kept} of {len(found.jobs)}")
    if found.more:
        say(f"up to {found.more} more where edges are undecided then")
    if found.todo:
        from transfer.scheduling import preflight
        from transfer.scheduling.estimate import estimate

        if told := estimate(store, expanded, todo=found.todo, results=found.results):
            _show_estimate(told)
        else:
            say("no estimate of the time yet: that of an external trainer is known from its finished jobs")
        precision = expanded.grid.recipe.precision if expanded.encoder else "fp32"
        if slow := preflight.without_bf16(precision, instead="--set recipe.precision=fp32"):
            say(f"note: {slow}")
        if found.model_bytes:
            say(f"at most {size(found.model_bytes)} more for models that are kept")


def _show_estimate(found: "Estimate") -> None:
    from transfer.scheduling.resources import cores

    parts = ((found.start, "to start"), (found.jobs, "for jobs"), (found.report, "for the report"))
    if found.done:
        how = f"by the {found.done} job{'s' if found.done > 1 else ''} that are done"
    else:
        on = f"{cores()} CPU core{'s' if cores() > 1 else ''}"
        if found.gpus:
            on = f"{found.gpus} GPU{'s' if found.gpus > 1 else ''} (with --gpus-per-job 1)"
        how = f"by a few training steps timed just now on this machine's {on}"
    say(
        f"{about(found.total)} with {found.at_once} at a time "
        f"({', '.join(f'{duration(seconds)} {what}' for seconds, what in parts)}), "
        f"{duration(found.worker)} of one worker: {how}"
    )
    say(f"disk: {size(found.size)} in the store")


@app.command(
    epilog=examples(
        "transfer status grids/clinical_pairs.yaml", "watch transfer status my.yaml --store /data/runs"
    )
)
def status(
    grid: GridPath,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """Show the done, running, failed and pending jobs."""
    from transfer import experiment
    from transfer.cli import live
    from transfer.cli.running import damaged
    from transfer.planning import GridFile
    from transfer.store import Store

    store = Store(store_dir)
    found = experiment.status(GridFile(grid, corpora, overrides or ()).record(store), store)
    states = [found.state(job) for job in found.jobs]
    for job, state in zip(found.jobs, states, strict=True):
        if state == "running":
            say(f"running  {job.label}: {live.how_far(found.running[job.id])}")
        elif state == "failed":
            say(f"failed   {job.label} ({job.id}): {found.results[job.id].reason}")
    say(", ".join(f"{states.count(state)} {state}" for state in ("done", "running", "failed", "pending")))
    if found.starting:
        say("a run is at work; its workers are starting")
    damaged(store)
    if found.seconds is not None:
        say(f"{about(found.seconds)} left with {found.at_once} at a time")
    if edges := live.edges(found.decided):
        say(f"edges: {edges}")


@app.command(
    epilog=examples(
        "transfer report grids/clinical_pairs.yaml", "transfer report my.yaml --store /data/runs --out paper"
    )
)
def report(
    grid: GridPath,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    overrides: Overrides = None,
) -> None:
    """Rebuild the report from the store."""
    from transfer.cli.running import report_and_show
    from transfer.planning import GridFile
    from transfer.store import Store

    store = Store(store_dir)
    report_and_show(GridFile(grid, corpora, overrides or ()).record(store), store, out)
