"""Commands ``panels`` and ``compare``: several grids beside each other."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli import completion
from transfer.cli.advice import CorporaDir, Overrides, StageName, StoreDir
from transfer.cli.terminal import aligned, examples, paragraph, say
from transfer.inputs import InputError

if TYPE_CHECKING:
    from transfer.study import Study

app = typer.Typer()

Grids = Annotated[
    list[Path],
    typer.Argument(
        metavar="GRID GRID...",
        help="YAML files of two or more grids that were run, or folders of their reports.",
        autocompletion=completion.grids,
    ),
]
OutDir = Annotated[
    Path,
    typer.Option("--out", metavar="DIR", help="Folder in which the folder of tables and figures is written."),
]


@app.command(
    epilog=examples(
        "transfer panels grids/public_clinical_pairs.yaml grids/public_biomedical_pairs.yaml",
        "transfer panels studies/public_clinical_pairs studies/public_biomedical_pairs --out paper",
    )
)
def panels(
    grids: Grids,
    store: StoreDir = Path("runs"),
    out: OutDir = Path("reports"),
    corpora: CorporaDir = None,
    overrides: Overrides = None,
    stage: StageName = None,
) -> None:
    """Draw the graphs of several grids side by side, with one scale."""
    first, *others = _opened("panels sets two or more side by side", grids, store, corpora, overrides)
    together = first.panels(*others, stage=stage)
    for letter, panel in zip(together.letters, together.panels, strict=True):
        mark = "  SYNTHETIC DATA" if panel.graph.data_source == "synthetic" else ""
        counts = panel.edges["verdict"].value_counts()
        found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        say(f"({letter}) {panel.name}: {len(panel.edges)} edges, {found}{mark}")
    written = together.write(out)
    say(f"wrote {len(written)} files to {written[-1].parent}; all edges are in {written[-1].name}")


@app.command(
    epilog=examples(
        "transfer compare hard.yaml lora.yaml soft.yaml",
        "transfer compare reports/hard reports/lora --out comparisons",
    )
)
def compare(
    grids: Grids,
    store: StoreDir = Path("runs"),
    out: OutDir = Path("reports"),
    corpora: CorporaDir = None,
    overrides: Overrides = None,
    stage: StageName = None,
) -> None:
    """Compare the gains and verdicts of several grids with the first."""
    from transfer.reporting import comparison_report as page
    from transfer.reporting import comparison_sentences as sentences

    first, *others = _opened("compare holds one or more against the first", grids, store, corpora, overrides)
    found = first.compare(*others, stage=stage)
    if found.synthetic:
        say("SYNTHETIC DATA: this comparison is about invented corpora\n")
    for method in found.names[1:]:
        rows = found.table[found.table["method"] == method]
        say(f"{method} against {first.name}: {sentences.tally(rows)}")
        for line in sentences.highlights(rows):
            say(f"  {line}")
    cost = [
        {str(k): str(v) for k, v in row.items()} for row in page.cost_table(found.cost).to_dict("records")
    ]
    say("\n" + "\n".join(aligned(cost, numbers=page.COST_NUMBERS)) + "\n")
    if (found.table["test_items"] == "given").any():
        say(paragraph(f"The differences are {sentences.seeds_and_items(found.table)}.") + "\n")
    written = found.write(out)
    say(f"wrote {len(written)} files to {written[-1].parent}; the page to read is {written[-1].name}")


def _opened(
    what: str, grids: Sequence[Path], store: Path, corpora: str | None, overrides: Sequence[str] | None
) -> "list[Study]":
    """All of them, at least two and none twice; ``what`` is what the command does."""
    from transfer.study import Study

    if len(grids) < 2:
        raise InputError(f"{grids[0]}: is the only grid; {what}")
    places = [path.resolve() for path in grids]
    for path, place in zip(grids, places, strict=True):
        if places.count(place) > 1:
            raise InputError(f"{path}: is given twice; each is to be another grid")
    return [Study.open(grid, store=store, corpora=corpora, overrides=overrides or ()) for grid in grids]
