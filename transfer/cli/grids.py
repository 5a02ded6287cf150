"""The commands about a grid: run it, look at what there is of it, report on it."""

import enum
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli.interrupts import interruptible
from transfer.cli.planning import costs, expanded, recorded, site
from transfer.cli.terminal import SOME_FAILED, bar, last_line, say
from transfer.inputs import InputError

if TYPE_CHECKING:
    from transfer.grid import Job
    from transfer.store import GridRecord, JobResult, Store

# a worker on a small encoder was seen to hold 2.5
GIB_PER_WORKER = 3

app = typer.Typer()


class Executor(enum.StrEnum):
    """Where jobs run."""

    ray = "ray"
    inline = "inline"


GridFile = Annotated[Path, typer.Argument(metavar="GRID", help="The grid's YAML file.")]
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
STORE, OUT = Path("runs"), Path("reports")


@app.command("run-grid")
def run_grid(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Jobs at a time; one for each core that has 3 GiB of memory if not given."),
    ] = None,
    gpus_per_job: Annotated[float, typer.Option(min=0, help="The share of a GPU that a job gets.")] = 0.0,
    address: Annotated[
        str | None, typer.Option(help="An existing Ray cluster instead of this machine.")
    ] = None,
    executor: Annotated[
        Executor, typer.Option(help="ray: in parallel; inline: one by one, without Ray.")
    ] = Executor.ray,
    checkpoint_seconds: Annotated[
        float,
        typer.Option(min=0, help="The least time between two checkpoints of a job; 0: one each epoch."),
    ] = 10.0,
    overrides: Overrides = None,
) -> None:
    """Runs what the store lacks of a grid, then writes its report."""
    from transfer.analysis.of_grid import wanted
    from transfer.store import Store

    grid, record, files, loaded = expanded(grid_file, corpora, overrides)
    store = Store(store_dir)
    store.put_grid(record)
    store.sweep()
    for told in store.quarantine(record.jobs):
        say(f"warning: {told}", error=True)
    jobs = wanted(store, record)
    pending = store.pending(jobs)
    at_most = f" (at most {len(record.jobs)})" if len(jobs) < len(record.jobs) else ""
    say(f"{grid.name}: {len(jobs)} jobs{at_most}, {len(jobs) - len(pending)} done, {len(pending)} to run")
    if record.source == "synthetic":
        say("SYNTHETIC DATA: the corpora of this grid are invented; its scores say nothing about real text")
    for overlap in record.overlaps:
        say(f"note: {overlap}")
    if pending:
        _run(
            store,
            record,
            pending,
            site=site(store, grid, files, checkpoint_seconds=checkpoint_seconds),
            cost=costs(record.jobs, loaded),
            executor=executor,
            workers=workers or _workers_that_fit(gpus_per_job),
            gpus_per_job=gpus_per_job,
            address=address,
        )
    _report(store, record, out)
    jobs = wanted(store, record)
    failed = [r for r in store.results(jobs).values() if r.status == "failed"]
    for result in failed:
        say(f"failed: {result.job.label} ({result.id}): {last_line(result.error)}", error=True)
    if failed:
        say(f"{len(failed)} of {len(jobs)} jobs failed; the same command tries them again", error=True)
        raise typer.Exit(SOME_FAILED)


@app.command()
def plan(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """Shows the jobs of a grid and what of them is already there. Runs nothing."""
    from transfer.analysis.of_grid import wanted
    from transfer.store import Store

    _, record, _, loaded = expanded(grid_file, corpora, overrides)
    store = Store(store_dir)
    jobs = wanted(store, record)
    results = store.results(jobs)
    cost = costs(jobs, loaded)
    todo = {job.id for job in store.pending(jobs)}
    for job in jobs:
        state = results[job.id].status if job.id in results else "to run"
        say(f"{job.id}  {state:7}  {job.label}")
    done = [r for r in results.values() if r.status == "done"]
    say(f"{len(jobs)} jobs, {len(todo)} to run")
    if len(jobs) < len(record.jobs):
        say(f"up to {len(record.jobs) - len(jobs)} more where edges are undecided then")
    if done and todo:
        speed = sum(r.seconds for r in done) / sum(cost[r.id] for r in done)
        seconds = sum(cost[id_] for id_ in todo) * speed
        say(f"about {seconds / 60:.0f} minutes of one worker, by the {len(done)} jobs that are done")
        size = sum(store.files.size(f"jobs/{r.id}") for r in done)
        say(f"about {size / len(done) * len(todo) / 2**20:.0f} MiB in the store")
    elif todo:
        say("how long they take is known once one of them is done")


@app.command()
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
            say(f"running  {job.label}: epoch {note['epoch']} of {note['epochs']} done")
        elif result and result.status == "failed":
            say(f"failed   {job.label} ({job.id}): {last_line(result.error)}")
    say(", ".join(f"{count} {state}" for state, count in counts.items()))
    _damaged(store)
    # a job takes about as long as it has corpora
    done = [(r.seconds, len(r.job.names)) for r in results.values() if r.status == "done"]
    left = sum(len(job.names) for job in jobs if job.id not in results)
    if done and left:
        at_once = max(1, counts["running"])
        minutes = left * sum(s for s, _ in done) / sum(n for _, n in done) / at_once / 60
        say(f"about {minutes:.0f} minutes left with {at_once} at a time")


@app.command()
def report(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    out: OutDir = OUT,
    overrides: Overrides = None,
) -> None:
    """Rebuilds the report of a grid from the store."""
    from transfer.store import Store

    _report(Store(store_dir), recorded(grid_file, corpora, overrides, store_dir), out)


@app.command()
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


def _run(
    store: "Store",
    record: "GridRecord",
    pending: "tuple[Job, ...]",
    *,
    site,
    cost: dict[str, float],
    executor: Executor,
    workers: int,
    gpus_per_job: float,
    address: str | None,
) -> None:
    from transfer.analysis.of_grid import wanted
    from transfer.grid import Seeds
    from transfer.scheduling.queue import JobQueue
    from transfer.scheduling.work import Work

    seeds, began, ended = record.grid.seeds, time.monotonic(), 0

    def more() -> "tuple[Job, ...]":
        if not isinstance(seeds, Seeds):
            return ()
        if seeds.hours and time.monotonic() - began > 3600 * seeds.hours:
            say(f"no further seeds: {seeds.hours:g} hours are over")
            return ()
        added = tuple(job for job in store.pending(wanted(store, record)) if job.id not in work.queue.jobs)
        if added:
            say(f"{len(added)} more jobs, for edges that are undecided")
        return added

    def tell(job: "Job", result: "JobResult") -> None:
        nonlocal ended
        ended += 1
        outcome = last_line(result.error) if result.status == "failed" else _scores(result)
        say(f"[{ended}/{len(work.queue.jobs)}] {job.label}: {outcome} ({result.seconds:.0f} s)")
        for note in result.notes:
            say(f"note: {job.label}: {note}")

    work = Work(JobQueue(pending, cost=cost), site, tell, record.source, more, note=say)
    with interruptible(), work:
        if executor is Executor.inline:
            from transfer.scheduling.inline import run_inline

            run_inline(work, threads=os.cpu_count() or 1)
        else:
            try:
                from transfer.scheduling.cluster import run_on_ray
            except ModuleNotFoundError as error:
                if error.name and error.name.split(".")[0] != "ray":
                    raise
                raise InputError("ray is not installed here; use --executor inline") from None
            threads = max(1, (os.cpu_count() or 1) // workers)
            run_on_ray(work, workers=workers, threads=threads, gpus_per_job=gpus_per_job, address=address)
    if work.stopped:
        say(f"error: {work.stopped}", error=True)
        say(
            "nothing more was started, what is finished is kept; run the same command again after the mend",
            error=True,
        )
        raise typer.Exit(SOME_FAILED)


def _workers_that_fit(gpus_per_job: float) -> int:
    """One a core, as far as memory goes. On GPUs Ray counts them, and cores are the only other bound."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return cores if gpus_per_job else max(1, min(cores, int(memory / GIB_PER_WORKER)))


def _report(store: "Store", record: "GridRecord", out: Path) -> None:
    from transfer.analysis.of_grid import report_of_grid

    with bar() as watch:
        written = report_of_grid(store, record, out=out, watch=watch)
    say(f"wrote {len(written)} files to {out / record.grid.name}; open {written[-1]}")
    _damaged(store)


def _damaged(store: "Store") -> None:
    """Names the results that were found damaged and left out."""
    for told in store.damaged.values():
        say(f"warning: {told}; it was left out, run the grid again", error=True)


def _scores(result: "JobResult") -> str:
    return ", ".join(f"{s.corpus} {s.metric} {s.value:.3f}" for s in result.scores if s.split == "test")
