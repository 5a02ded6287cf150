"""The commands. A wing is imported only inside the command that needs it."""

import contextlib
import enum
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer import __version__
from transfer.inputs import InputError, NotThere, place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from transfer.corpora import Corpus
    from transfer.encoders import EncoderFiles
    from transfer.grid import Grid, Job
    from transfer.store import GridRecord, JobResult, Store

# a worker on a small encoder was seen to hold 2.5
GIB_PER_WORKER = 3

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Which text tasks, trained together, help which, and which harm which.",
)


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
    overrides: Overrides = None,
) -> None:
    """Runs what the store lacks of a grid, then writes its report."""
    from transfer.store import Store

    grid, record, files, loaded = _planned(grid_file, corpora, overrides)
    store = Store(store_dir)
    store.put_grid(record)
    pending = store.pending(record.jobs)
    _say(
        f"{grid.name}: {len(record.jobs)} jobs, {len(record.jobs) - len(pending)} done, {len(pending)} to run"
    )
    if record.source == "synthetic":
        _say("SYNTHETIC DATA: the corpora of this grid are invented; its scores say nothing about real text")
    for overlap in record.overlaps:
        _say(f"note: {overlap}")
    if pending:
        _run(
            store,
            record,
            pending,
            site=_site(store_dir, grid, files),
            cost=_costs(record.jobs, loaded),
            executor=executor,
            workers=workers or _workers_that_fit(gpus_per_job),
            gpus_per_job=gpus_per_job,
            address=address,
        )
    _report(store, record, out)
    failed = [r for r in store.results(record.jobs).values() if r.status == "failed"]
    for result in failed:
        _say(f"failed: {result.job.label} ({result.id}): {_last_line(result.error)}", error=True)
    if failed:
        _say(
            f"{len(failed)} of {len(record.jobs)} jobs failed; the same command tries them again", error=True
        )
        raise typer.Exit(SOME_FAILED)


@app.command()
def plan(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """Shows the jobs of a grid and what of them is already there. Runs nothing."""
    from transfer.store import Store

    _, record, _, loaded = _planned(grid_file, corpora, overrides)
    store = Store(store_dir)
    results = store.results(record.jobs)
    costs = _costs(record.jobs, loaded)
    todo = {job.id for job in store.pending(record.jobs)}
    for job in record.jobs:
        state = results[job.id].status if job.id in results else "to run"
        _say(f"{job.id}  {state:7}  {job.label}")
    done = [r for r in results.values() if r.status == "done"]
    _say(f"{len(record.jobs)} jobs, {len(todo)} to run")
    if done and todo:
        speed = sum(r.seconds for r in done) / sum(costs[r.id] for r in done)
        seconds = sum(costs[id_] for id_ in todo) * speed
        _say(f"about {seconds / 60:.0f} minutes of one worker, by the {len(done)} jobs that are done")
        size = sum(f.stat().st_size for r in done for f in store.home(r.id).rglob("*") if f.is_file())
        _say(f"about {size / len(done) * len(todo) / 2**20:.0f} MiB in the store")
    elif todo:
        _say("how long they take is known once one of them is done")


@app.command()
def status(
    grid_file: GridFile,
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """Shows what of a grid is done, running, failed and pending."""
    from transfer.store import Store

    store, record = Store(store_dir), _recorded(grid_file, corpora, overrides, store_dir)
    results = store.results(record.jobs)
    counts = dict.fromkeys(("done", "running", "failed", "pending"), 0)
    for job in record.jobs:
        note = store.progress(job.id)
        result = results.get(job.id)
        state = "running" if note else result.status if result else "pending"
        counts[state] += 1
        if note:
            _say(f"running  {job.label}: epoch {note['epoch']} of {note['epochs']} done")
        elif result and result.status == "failed":
            _say(f"failed   {job.label} ({job.id}): {_last_line(result.error)}")
    _say(", ".join(f"{count} {state}" for state, count in counts.items()))
    # a job takes about as long as it has corpora
    done = [(r.seconds, len(r.job.names)) for r in results.values() if r.status == "done"]
    left = sum(len(job.names) for job in record.jobs if job.id not in results)
    if done and left:
        at_once = max(1, counts["running"])
        minutes = left * sum(s for s, _ in done) / sum(n for _, n in done) / at_once / 60
        _say(f"about {minutes:.0f} minutes left with {at_once} at a time")


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

    _report(Store(store_dir), _recorded(grid_file, corpora, overrides, store_dir), out)


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

    record = _recorded(grid_file, None, overrides, store_dir)
    if record.source != "synthetic":
        raise InputError(
            f"{grid_file}: nothing was planted in real corpora; the grid should say corpora: synthetic"
        )
    table = against_plan(edges_of_grid(Store(store_dir), record), PLAN, tasks=record.grid.tasks)
    shown = table.assign(**{c: (100 * table[c]).map("{:+.1f}".format) for c in ("gain", "ci_low", "ci_high")})
    _say(to_markdown(shown.rename(columns={c: f"{c} (points)" for c in ("gain", "ci_low", "ci_high")})))
    for effect in ("improves", "harms", "no effect"):
        rows = table[table["planted"] == effect]
        if len(rows):
            count = {state: int((rows["holds"] == state).sum()) for state in ("yes", "open", "no")}
            _say(
                f"planted '{effect}': {count['yes']} of {len(rows)} found, "
                f"{count['open']} inconclusive, {count['no']} contradicted"
            )


def main() -> None:
    """The program: every error one message and an exit code, never a traceback (but with --debug)."""
    debug = "--debug" in sys.argv
    sys.argv = [argument for argument in sys.argv if argument != "--debug"]
    try:
        app()
    except InputError as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {error}", error=True)
        sys.exit(WRONG_INPUT)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer's answer to Ctrl-C
            _say("interrupted; what is finished is kept, the same command goes on from there", error=True)
        raise
    except Exception as error:
        if debug:
            traceback.print_exc()
        _say(f"error: {type(error).__name__}: {error} (--debug shows where)", error=True)
        sys.exit(SOME_FAILED)


def _version(wanted: bool) -> None:
    if wanted:
        _say(f"transfer {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Shows the version.")
    ] = False,
    debug: Annotated[  # main() takes it out of the arguments, wherever it stands
        bool, typer.Option("--debug", help="Shows the traceback of an error.")
    ] = False,
) -> None:
    pass


def _planned(
    grid_file: Path, corpora: str | None, overrides: list[str] | None
) -> "tuple[Grid, GridRecord, EncoderFiles, dict[str, Corpus]]":
    """The grid of a file, its jobs, and what they need: all input is read and checked here."""
    from transfer import corpora as corpora_
    from transfer import encoders
    from transfer.corpora.base import SPLITS, overlaps
    from transfer.grid import Grid
    from transfer.store import CorpusRecord, GridRecord

    grid = Grid.load(grid_file, overrides=overrides or (), corpora=corpora)
    if grid.corpora is None:
        raise InputError(f"{grid_file}: the grid names no corpora; say where they are with --corpora DIR")
    loaded = []
    for i, name in enumerate(grid.tasks):
        with _named_in(grid_file, "tasks", i):
            loaded.append(corpora_.load_one(grid.corpora, name, limit=grid.limit))
    with _named_in(grid_file, "encoder"):
        files = encoders.locate(grid.encoder.name, layers=grid.encoder.layers)
    record = GridRecord(
        grid=grid,
        recipe_name=grid.recipe_name,
        overrides=tuple(overrides or ()),
        source=loaded[0].source,
        corpora=tuple(
            CorpusRecord(
                card=c.card,
                fingerprint=c.fingerprint,
                items={split: len(c.split(split)) for split in SPLITS},
                notes=c.notes,
            )
            for c in loaded
        ),
        overlaps=tuple(overlaps(loaded)),
        jobs=grid.plan({c.name: c.fingerprint for c in loaded}, encoder_fingerprint=files.fingerprint),
    )
    return grid, record, files, {c.name: c for c in loaded}


@contextlib.contextmanager
def _named_in(grid_file: Path, *key: str | int) -> "Iterator[None]":
    """Adds to the message that something is not there the line of the grid that names it."""
    try:
        yield
    except NotThere as error:
        raise InputError(f"{place(grid_file, key)}: {error}") from None


def _recorded(
    grid_file: Path, corpora: str | None, overrides: list[str] | None, store_dir: Path
) -> "GridRecord":
    """A grid as it was last run into the store; needs neither its corpora nor its encoder."""
    from transfer.grid import Grid
    from transfer.store import Store

    return Store(store_dir).get_grid(Grid.load(grid_file, overrides=overrides or (), corpora=corpora))


def _site(store_dir: Path, grid: "Grid", files: "EncoderFiles"):
    from transfer.learning.run import Site

    where = grid.corpora if grid.corpora == "synthetic" else str(Path(str(grid.corpora)).resolve())
    return Site(store=store_dir.resolve(), corpora=where, limit=grid.limit, encoder=files.folder.resolve())


def _costs(jobs: "tuple[Job, ...]", corpora: "dict[str, Corpus]") -> dict[str, float]:
    """How long each job takes, in words trained on (a word evaluated costs a third of one)."""

    def words(corpus: "Corpus", split: str) -> int:
        return sum(len(text.split()) for e in getattr(corpus, split) for text in e.text)

    epoch = {name: words(c, "train") + words(c, "dev") / 3 for name, c in corpora.items()}
    test = {name: words(c, "test") / 3 for name, c in corpora.items()}
    return {job.id: sum(job.recipe.epochs * epoch[n] + test[n] for n in job.names) for job in jobs}


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
    from transfer.scheduling.queue import JobQueue
    from transfer.scheduling.work import Work

    ended = 0

    def tell(job: "Job", result: "JobResult") -> None:
        nonlocal ended
        ended += 1
        outcome = _last_line(result.error) if result.status == "failed" else _scores(result)
        _say(f"[{ended}/{len(pending)}] {job.label}: {outcome} ({result.seconds:.0f} s)")

    work = Work(JobQueue(pending, cost=cost), site, tell, record.source)
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


def _workers_that_fit(gpus_per_job: float) -> int:
    """One a core, as far as memory goes. On GPUs Ray counts them, and cores are the only other bound."""
    cores = os.cpu_count() or 1
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return cores if gpus_per_job else max(1, min(cores, int(memory / GIB_PER_WORKER)))


def _report(store: "Store", record: "GridRecord", out: Path) -> None:
    from transfer.analysis.of_grid import report_of_grid

    written = report_of_grid(store, record, out=out)
    _say(f"wrote {len(written)} files to {out / record.grid.name}; open {written[-1]}")


def _scores(result: "JobResult") -> str:
    return ", ".join(f"{s.corpus} {s.metric} {s.value:.3f}" for s in result.scores if s.split == "test")


def _last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


def _say(text: str, *, error: bool = False) -> None:
    print(text, file=sys.stderr if error else sys.stdout, flush=True)
