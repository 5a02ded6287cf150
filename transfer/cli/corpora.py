"""Commands ``corpora prepare`` and ``corpora prepare own``."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from transfer.cli import completion, own, own_tagged
from transfer.cli.terminal import examples, say
from transfer.inputs import InputError, did_you_mean

T = TypeVar("T")

app = typer.Typer()

To = Annotated[Path, typer.Option("--to", metavar="DIR", help="Folder of prepared corpora.")]
Force = Annotated[bool, typer.Option("--force", help="Replacement of an existing corpus.")]
CORPORA = Path("corpora")


@app.command(epilog=examples("transfer corpora prepare chemprot --raw ChemProt_Corpus --to corpora"))
def prepare(
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="CORPUS",
            help="Name of a known corpus; `prepare own` is for your own files.",
            autocompletion=completion.releases,
        ),
    ],
    raw: Annotated[
        Path | None, typer.Option("--raw", metavar="DIR", help="Folder of the unpacked official release.")
    ] = None,
    to: To = CORPORA,
    splits: Annotated[
        str, typer.Option(metavar="NAME", help="Splits to use: official, or blue where known.")
    ] = "official",
    force: Force = False,
) -> None:
    """Prepare a corpus from its official release."""
    _prepare_release(corpus, raw, to=to, splits=splits, force=force)


@app.command(
    "prepare own",
    epilog=examples(
        "transfer corpora prepare own --kind classification --name triage --from notes.csv --label due",
        "transfer corpora prepare own --kind tagging --name drugs --train a.conll --test b.conll",
    ),
)
def prepare_own(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE…", help="More files, after --from.", show_default=False),
    ] = None,
    to: To = CORPORA,
    force: Force = False,
    kind: own.KindName = None,
    from_: own.FromFiles = None,
    name: own.CorpusName = None,
    text: own.TextColumn = None,
    text_b: own.SecondColumn = None,
    label: own.LabelColumn = None,
    score: own.ScoreColumn = None,
    id_: own.IdColumn = None,
    doc: own.DocColumn = None,
    separator: own.Separator = None,
    negative: own.Negative = None,
    metric: own.MetricName = None,
    train: own.TrainFile = None,
    dev: own.DevFile = None,
    test: own.TestFile = None,
    sentence: own_tagged.SentenceColumn = None,
    entity: own_tagged.EntityName = None,
    scheme: own_tagged.SchemeName = None,
    blank_tokens: own_tagged.BlankTokens = None,
    no_header: own.NoHeader = False,
    delimiter: own.Delimiter = None,
    quoting: own.QuotingName = None,
    encoding: own.EncodingName = None,
    labels: own.LabelNames = None,
    encoder: own.EncoderName = None,
    strict: own.Strict = False,
) -> None:
    """Prepare a corpus from your own files."""
    said = own.Said(
        kind,
        [*(from_ or ()), *(files or ())] or None,
        name,
        text,
        text_b,
        label,
        score,
        id_,
        doc,
        separator,
        negative,
        metric,
        train,
        dev,
        test,
        delimiter,
        quoting,
        encoding,
        labels,
        encoder,
        strict or None,
        no_header or None,
        sentence=sentence,
        entity=entity,
        scheme=scheme,
        blank_tokens=blank_tokens,
    )
    own.prepare(said, to=to, force=force)


def _prepare_release(corpus: str, raw: Path | None, *, to: Path, splits: str, force: bool) -> None:
    from transfer.corpora.releases import RELEASES
    from transfer.corpora.undefined import foreseen
    from transfer.corpora.writing import write

    if corpus not in RELEASES:
        raise InputError(f"unknown corpus '{corpus}'{did_you_mean(corpus, [*RELEASES, 'own'])}")
    release = RELEASES[corpus]
    if raw is None:
        raise InputError(f"where is the release of {corpus}? say it with --raw DIR")
    home = to / corpus
    if home.exists() and not force:
        raise InputError(f"{home}: already exists; --force replaces it")
    reading = release.read(raw, watched, division=splits)
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
    for doubt in foreseen(made):
        say(f"warning: {doubt}")
    say(f"wrote {home}")


def watched(items: Sequence[T], what: str) -> Iterable[T]:
    """Iterate over ``items`` with a progress bar; without one where there is no terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    return track(items, description=what, console=console, disable=not console.is_terminal, transient=True)
