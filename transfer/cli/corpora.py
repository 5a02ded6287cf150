"""The commands about corpora: make them from official releases or one's own files, and look at them."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from transfer.cli.terminal import say
from transfer.inputs import InputError, did_you_mean

T = TypeVar("T")

app = typer.Typer()


@app.command()
def prepare(
    corpus: Annotated[str, typer.Argument(metavar="CORPUS", help="A corpus that is known by name.")],
    raw: Annotated[
        Path | None, typer.Option("--raw", metavar="DIR", help="The official release, unpacked.")
    ] = None,
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Where prepared corpora are kept.")] = Path(
        "corpora"
    ),
    splits: Annotated[
        str, typer.Option(metavar="NAME", help="Whose division: official, or blue where it is known.")
    ] = "official",
    force: Annotated[bool, typer.Option("--force", help="Replaces a corpus that is there.")] = False,
) -> None:
    """Makes a prepared corpus from its official release."""
    from transfer.corpora.releases import RELEASES
    from transfer.corpora.writing import write

    if corpus not in RELEASES:
        raise InputError(f"unknown corpus '{corpus}'{did_you_mean(corpus, RELEASES)}")
    release = RELEASES[corpus]
    if raw is None:
        raise InputError(f"where is the release of {corpus}? say it with --raw DIR")
    readers = {"official": release.read, **release.divisions}
    if splits not in readers:
        raise InputError(f"the division '{splits}' of {corpus} is not known; there is {', '.join(readers)}")
    home = to / corpus
    if home.exists() and not force:
        raise InputError(f"{home}: is there already; --force replaces it")
    reading = readers[splits](raw, watched)
    card = release.card.model_copy(
        update={
            "unit": release.unit,
            "gold": reading.gold,
            "splits": reading.splits,
            "notes": tuple(reading.notes),
        }
    )
    made = write(card, reading.rows, to, replace=force)
    for split in ("train", "dev", "test"):
        say(f"{split:5}  {len(reading.rows[split]):6} lines, {reading.gold[split]:6} {release.unit}")
    say(f"splits: {reading.splits}")
    for note in (*reading.notes, *made.notes):
        say(f"note: {note}")
    say(f"wrote {home}")


def watched(items: Sequence[T], what: str) -> Iterable[T]:
    """Goes through ``items`` with a progress bar; without one where there is no terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description=what, console=console, disable=not console.is_terminal, transient=True)
