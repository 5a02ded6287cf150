"""The command that sets the graphs of several grids side by side: ``panels``."""

from pathlib import Path
from typing import Annotated

import typer

from transfer.cli import completion
from transfer.cli.advice import CorporaDir, Overrides, StageName, StoreDir
from transfer.cli.terminal import examples, say
from transfer.inputs import InputError

app = typer.Typer()


@app.command(
    epilog=examples(
        "transfer panels grids/public_clinical_pairs.yaml grids/public_biomedical_pairs.yaml",
        "transfer panels reports/public_clinical_pairs reports/public_biomedical_pairs --out paper",
    )
)
def panels(
    grids: Annotated[
        list[Path],
        typer.Argument(
            metavar="GRID GRID...",
            help="Two or more grids' YAML files, as they were run, or reports' folders.",
            autocompletion=completion.grids,
        ),
    ],
    store: StoreDir = Path("runs"),
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the folder of table and picture is made.")
    ] = Path("reports"),
    corpora: CorporaDir = None,
    overrides: Overrides = None,
    stage: StageName = None,
) -> None:
    """Draws the graphs of several grids side by side, with one scale (Peng et al. 2020, Figure 2)."""
    from transfer.study import Study

    if len(grids) < 2:
        raise InputError(f"{grids[0]}: is the only grid; panels sets two or more side by side")
    places = [path.resolve() for path in grids]
    for path, place in zip(grids, places, strict=True):
        if places.count(place) > 1:
            raise InputError(f"{path}: is given twice; every panel shows another grid")
    first, *others = (
        Study.open(grid, store=store, corpora=corpora, overrides=overrides or ()) for grid in grids
    )
    together = first.beside(*others, stage=stage)
    for letter, side in zip(together.letters, together.sides, strict=True):
        mark = "  SYNTHETIC DATA" if side.graph.data_source == "synthetic" else ""
        counts = side.edges["verdict"].value_counts()
        found = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
        say(f"({letter}) {side.name}: {len(side.edges)} edges, {found}{mark}")
    written = together.write(out)
    say(f"wrote {len(written)} files to {written[0].parent}; all edges are in {written[0].name}")
