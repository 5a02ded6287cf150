"""The commands about a grid: run it, look at what there is of it, report on it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli import completion, forecast, live, resources
from transfer.cli.planning import costs, doubts, expanded, recorded
from transfer.cli.running import (
    Executor,
    LogTo,
    decided,
    failures,
    logs_of,
    run_what_is_missing,
    slow_precision,
    workers_of,
    workers_that_fit,
)
from transfer.cli.terminal import SOME_FAILED, bar, examples, say
from transfer.inputs import InputError

if TYPE_CHECKING:
    from transfer.encoders import EncoderFiles
    from transfer.grid import Job
    from transfer.store import GridRecord, JobResult, Store

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
    """Shows the jobs of a grid and what of them is already there. Runs nothing."""
    from transfer.analysis.of_grid import wanted
    from transfer.store import Store

    grid, record, files, loaded = expanded(grid_file, corpora, overrides)
    store = Store(store_dir)
    jobs = wanted(store, record)
    results = store.results(jobs)
    cost = costs(jobs, loaded)
    kept = grid.kept(record.jobs)
    todo = {job.id for job in store.pending(jobs, keep=kept)}
    for job in jobs:
        state = results[job.id].status if job.id in results else "to run"
        state = "again" if state == "done" and job.id in todo else state
        say(f"{job.id}  {state:7}  {job.label}")
    say(f"{len(jobs)} jobs, {len(todo)} to run")
    for told in doubts(record):
        say(f"note: {told}")
    if kept:
        say(f"models kept: {len(kept.intersection(job.id for job in jobs))} of {len(jobs)}")
    if len(jobs) < len(record.jobs):
        say(f"up to {len(record.jobs) - len(jobs)} more where edges are undecided then")
    if todo:
        again = [job for job in jobs if job.id in todo]
        _forecast(store, record, again, results, cost, files)
        if told := slow_precision(grid):
            say(f"note: {told}")
        if most := forecast.models([job for job in again if job.id in kept], files):
            say(f"at most {forecast.size(most)} more for models that are kept")


def _forecast(
    store: "Store",
    record: "GridRecord",
    todo: "list[Job]",
    results: "dict[str, JobResult]",
    cost: dict[str, float],
    files: "EncoderFiles",
) -> None:
    """How long, and how much disk: measured where jobs are done, else guessed."""
    at_once = min(workers_that_fit(0.0), len(todo))
    done = [id_ for id_, result in results.items() if result.status == "done"]
    speed = forecast.Speed.of(results.values(), cost)
    if speed is not None:
        work = sum(cost[job.id] for job in todo)
        wall = forecast.left({job.id: cost[job.id] for job in todo}, {}, speed, at_once=at_once)
        size = sum(store.files.size(f"jobs/{i}") - store.files.size(f"jobs/{i}/model") for i in done)
        size *= len(todo) / len(done)
        say(
            f"about {forecast.duration(speed.seconds(work))} of one worker, {forecast.duration(wall)} with "
            f"{at_once} at a time, by the {len(done)} jobs that are done"
        )
    else:
        fast, slow = forecast.guess(todo, cost, files)
        cores = resources.cores()
        size = forecast.disk(todo, {c.card.name: c.items["test"] for c in record.corpora})
        say(
            f"roughly {forecast.duration(fast)} to {forecast.duration(slow)} on this machine's "
            f"{cores} CPU core{'s' if cores > 1 else ''}, if nothing else runs: a guess, by a matrix product "
            "that was timed just now; once a job is done the time is known better"
        )
    say(f"disk: {forecast.size(size)} in the store")


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
    """Shows what of a grid is done, running, failed and pending."""
    from transfer.analysis.of_grid import wanted
    from transfer.store import Store

    store, record = Store(store_dir), recorded(grid_file, corpora, overrides, store_dir)
    jobs = wanted(store, record)
    results = store.results(jobs)
    counts = dict.fromkeys(("done", "running", "failed", "pending"), 0)
    for job in jobs:
        note = store.progress(job.id)
        result = results.get(job.id)
        state = "running" if note else result.status if result else "pending"
        counts[state] += 1
        if note:
            say(f"running  {job.label}: {live.how_far(note)}")
        elif result and result.status == "failed":
            say(f"failed   {job.label} ({job.id}): {result.reason}")
    say(", ".join(f"{count} {state}" for state, count in counts.items()))
    _damaged(store)
    # a job takes about as long as it has corpora
    done = [(r.seconds, len(r.job.names)) for r in results.values() if r.status == "done"]
    left = sum(len(job.names) for job in jobs if job.id not in results)
    if done and left:
        at_once = max(1, counts["running"])
        seconds = left * sum(s for s, _ in done) / sum(n for _, n in done) / at_once
        say(f"about {forecast.duration(seconds)} left with {at_once} at a time")
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


@app.command(epilog=examples("transfer planted grids/clinical_pairs.yaml"))
def planted(
    grid_file: GridFile,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """Holds the measured graph of a synthetic grid against what was planted."""
    from transfer.analysis.of_grid import against_plan, edges_of_grid
    from transfer.analysis.tables import to_markdown
    from transfer.corpora.synthetic_plan import PLAN
    from transfer.store import Store

    record = recorded(grid_file, None, overrides, store_dir)
    if record.source != "synthetic":
        raise InputError(
            f"{grid_file}: nothing was planted in real corpora; the grid should say corpora: synthetic"
        )
    table = against_plan(edges_of_grid(Store(store_dir), record), PLAN, tasks=record.grid.tasks)
    shown = table.assign(**{c: (100 * table[c]).map("{:+.1f}".format) for c in ("gain", "ci_low", "ci_high")})
    say(to_markdown(shown.rename(columns={c: f"{c} (points)" for c in ("gain", "ci_low", "ci_high")})))
    for effect in ("improves", "harms", "no effect"):
        rows = table[table["planted"] == effect]
        if len(rows):
            count = {state: int((rows["holds"] == state).sum()) for state in ("yes", "open", "no")}
            say(
                f"planted '{effect}': {count['yes']} of {len(rows)} found, "
                f"{count['open']} inconclusive, {count['no']} contradicted"
            )


def write_report(store: "Store", record: "GridRecord", out: Path) -> None:
    """Writes the report of a grid below ``out`` and says where."""
    from transfer.analysis.of_grid import report_of_grid

    with bar() as watch:
        written = report_of_grid(store, record, out=out, watch=watch)
    say(f"wrote {len(written)} files to {out / record.grid.name}; open {written[-1]}")
    _damaged(store)


def _damaged(store: "Store") -> None:
    """Names the results that were found damaged and left out."""
    for told in store.damaged.values():
        say(f"warning: {told}; it was left out, run the grid again", error=True)
