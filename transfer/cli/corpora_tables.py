"""Commands ``corpora list``, ``check`` and ``stats``: what is known, what is there, and its problems."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli.corpora_fetch import fetch
from transfer.cli.terminal import WRONG_INPUT, aligned, examples, say
from transfer.inputs import InputError

if TYPE_CHECKING:
    from transfer.corpora.base import Split
    from transfer.corpora.stats import CorpusStats

app = typer.Typer()

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of prepared corpora.")]
Named = Annotated[
    list[str] | None,
    typer.Option("--corpus", metavar="NAME", help="Corpus to look at (default: all); repeatable."),
]

NUMBERS = ("count", "lines", "published", "difference")


@app.command("list", epilog=examples("transfer corpora list", "transfer corpora list corpora"))
def list_(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Folder of prepared corpora.")
    ] = None,
) -> None:
    """List known corpora with kind, size, license and source."""
    from transfer.cli.corpora_listing import listing

    say("\n".join(listing(folder)))


app.command(
    "fetch",
    epilog=examples(
        "transfer corpora fetch stsb ade --out raw", "transfer corpora fetch bc5cdr-disease --dry-run"
    ),
)(fetch)


@app.command(
    epilog=examples("transfer corpora check corpora", "transfer corpora check corpora --corpus triage")
)
def check(folder: Folder, names: Named = None) -> None:
    """Find errors and doubtful items in prepared corpora.

    The exit code is 2 where there are errors.
    """
    from transfer.corpora.check import check as findings

    wanted = _some(folder, names)
    levels = []
    for finding in findings(folder, wanted):
        levels.append(finding.level)
        of = "" if finding.level == "error" else f"{finding.corpus}: "
        say(f"{finding.level}: {of}{finding.text}")
        for example in finding.examples:
            say(f"    {example}")
    errors = levels.count("error")
    say(f"corpora: {len(wanted)}; errors: {errors}; warnings: {levels.count('warning')}")
    if errors:
        raise typer.Exit(WRONG_INPUT)


@app.command(
    epilog=examples("transfer corpora stats corpora", "transfer corpora stats corpora --csv table1.csv")
)
def stats(
    folder: Folder,
    names: Named = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="CSV file for the table.")
    ] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Markdown instead of aligned columns.")
    ] = False,
) -> None:
    """Print Table 1 of the paper for prepared corpora."""
    from transfer.corpora.stats import stats as counted
    from transfer.replication import table1

    found = list(counted(folder, _some(folder, names)))
    rows = [row for corpus in found for row in _table(corpus)]
    if csv_file:
        _write_csv(csv_file, rows)
    if markdown:
        import pandas as pd

        from transfer.analysis.tables import to_markdown

        say(to_markdown(pd.DataFrame(rows)))
    else:
        say("\n".join(aligned(rows, numbers=NUMBERS)))
    say(f"\ncount: in the corpus's unit; lines: instances of training; published: {table1.SOURCE}\n")
    for corpus in found:
        counts: dict[Split, int] = {row.split: row.count for row in corpus.splits}
        for note in (*corpus.notes, *table1.notes_of(corpus.name, counts)):
            say(f"{'- ' if markdown else ''}{corpus.name}: {note}")
    if csv_file:
        say(f"wrote {csv_file}")


def _table(corpus: "CorpusStats") -> Iterator[dict[str, str]]:
    from transfer.replication.table1 import published

    card = corpus.card
    for row in corpus.splits:
        told = published(corpus.name, row.split)
        differs = None if told is None else row.count - told
        yield {
            "corpus": corpus.name,
            "task": card.kind,
            "metric": card.metric,
            "domain": card.domain,
            "unit": corpus.unit,
            "split": row.split,
            "count": str(row.count),
            "lines": str(row.lines),
            "published": "" if told is None else str(told),
            "difference": "" if differs is None else f"{differs:+d}" if differs else "0",
        }


def _some(folder: Path, names: Sequence[str] | None) -> list[str]:
    """The corpora that were asked for, all of the folder's by default; each of them once."""
    from transfer.corpora import prepared

    there = list(dict.fromkeys(names or prepared.names_in(folder)))
    if not there:
        raise InputError(f"{folder}: no prepared corpus is in it; one is a folder with a corpus.yaml")
    return there


def _write_csv(path: Path, rows: Sequence[dict[str, str]]) -> None:
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror or error})") from None
