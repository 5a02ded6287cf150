"""Commands about ledgers, files that carry a grid's results: ``ledger pack`` and ``ledger merge``."""

from pathlib import Path
from typing import Annotated

import typer

from transfer.cli.grids import STORE, CorporaDir, GridPath, Overrides, StoreDir
from transfer.cli.terminal import SOME_FAILED, examples, say, size

app = typer.Typer()


@app.command(
    epilog=examples(
        "transfer ledger pack grids/clinical_pairs.yaml --to pairs.ledger",
        "transfer ledger pack my.yaml --to my.ledger --without-labels",
    )
)
def pack(
    grid: GridPath,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Ledger to write.")],
    corpora: CorporaDir = None,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
    without_labels: Annotated[
        bool,
        typer.Option("--without-labels", help="Shares in the score in place of gold values and predictions."),
    ] = False,
) -> None:
    """Write a grid's results to one file that is safe to share.

    It has no text and no weights. Without labels it has no gold value, prediction, label or item id either,
    and the verdicts are the same.
    """
    from transfer.analysis.stored import Stored
    from transfer.ledger import pack as packed
    from transfer.planning import GridFile
    from transfer.store import Store

    store = Store(store_dir)
    record = GridFile(grid, corpora, overrides or ()).record(store)
    shares = Stored(store, record).shares if without_labels else None
    found = packed(store, record, to, shares=shares)
    rest = [f"{n} {what}" for n, what in ((found.failed, "failed"), (found.missing, "without a result")) if n]
    told = ", ".join([f"{found.done} jobs done", *rest])
    say(f"wrote {to}: {told}; {size(found.bytes)}")


@app.command(
    epilog=examples(
        "transfer ledger merge part1.ledger part2.ledger --to runs",
    )
)
def merge(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Ledgers.", show_default=False)],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Store that gets the results.")],
) -> None:
    """Merge ledgers into a store. Every ledger is verified before anything is added.

    A job that the store has stays as it is. If its scores differ, a message says so, and the exit code is 1.
    """
    from transfer.ledger import merge as merged
    from transfer.store import Store

    found = merged(files, Store(to))
    say(f"added {found.added} results to {to}, {found.known} were there already")
    for told in found.differing:
        say(f"warning: {told}", error=True)
    if found.differing:
        raise typer.Exit(SOME_FAILED)
