"""Commands ``recommend`` and ``group``: partners for a task, and groupings of all tasks."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli import completion
from transfer.cli.terminal import aligned, examples, paragraph, say

if TYPE_CHECKING:
    from transfer.study import Study

app = typer.Typer()

SYNTHETIC = "SYNTHETIC DATA: this advice is about invented corpora"
From = Annotated[
    Path,
    typer.Option(
        "--from",
        metavar="GRID",
        help="YAML file of a grid that was run, or folder of a report.",
        autocompletion=completion.grids,
    ),
]
StoreDir = Annotated[
    Path, typer.Option("--store", metavar="DIR", help="Folder or bucket of the results of a GRID file.")
]
CorporaDir = Annotated[
    str | None,
    typer.Option("--corpora", metavar="DIR", help="Value of --corpora that the grid was run with."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Value of --set that the grid was run with; repeatable."),
]
StageName = Annotated[
    str | None,
    typer.Option(
        "--stage",
        help="Stage, refine or fine-tune (default: the first that was measured).",
        autocompletion=completion.stages,
    ),
]


@app.command(
    epilog=examples(
        "transfer recommend mednli --from studies/clinical_pairs",
        "transfer recommend my-task --from my.yaml --store /data/runs",
    )
)
def recommend(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="Task of the grid.", autocompletion=completion.tasks)
    ],
    from_: From,
    store: StoreDir = Path("runs"),
    corpora: CorporaDir = None,
    overrides: Overrides = None,
    stage: StageName = None,
) -> None:
    """Advise whether to train TARGET alone or with which partners."""
    from transfer.analysis.tables import points

    study = _opened(from_, store, corpora, overrides)
    advice = study.recommend(target, stage=stage)
    for sentence in advice.sentences():
        say(f"{paragraph(sentence)}\n")
    interval = f"95 % (all {len(advice.options)})" if len(advice.options) > 1 else "95 %"
    rows = [
        {
            "with": row["partners"],
            "gain": points(row["gain"], sign=True),
            "expected": points(row["expected"], sign=True),
            interval: _interval(row["low"], row["high"]),
            "verdict": row["verdict"],
            "seeds": f"{row['seeds']}",
            "settled by": f"{row['seeds_to_settle']:.0f}" if row["seeds_to_settle"] > 0 else "",
        }
        for row in advice.table.to_dict("records")
    ]
    say("\n".join(aligned(rows, numbers=("gain", "expected", "seeds", "settled by"))))
    if any(row["settled by"] for row in rows):
        say("\nsettled by: with so many seeds, if the gain stays as it is")


@app.command(
    epilog=examples(
        "transfer group studies/clinical_pairs --models 2",
        "transfer group my.yaml --models 3 --stage fine-tune",
    )
)
def group(
    grid: Annotated[
        Path,
        typer.Argument(
            metavar="GRID",
            help="YAML file of a grid that was run, or folder of a report.",
            autocompletion=completion.grids,
        ),
    ],
    models: Annotated[int, typer.Option("--models", metavar="M", help="Number of models at most.")],
    store: StoreDir = Path("runs"),
    corpora: CorporaDir = None,
    overrides: Overrides = None,
    stage: StageName = None,
) -> None:
    """Divide the tasks into at most M jointly trained models."""
    from transfer.analysis.tables import points

    study = _opened(grid, store, corpora, overrides)
    found = study.group(models, stage=stage)
    for sentence in found.sentences():
        say(f"{paragraph(sentence)}\n")
    rows = [
        {
            "model": f"{row['model']}",
            "task": row["task"],
            "gain": points(row["gain"], sign=True),
            "expected": points(row["expected"], sign=True),
            "from": row["origin"],
            "verdict": row["verdict"],
        }
        for row in found.table.to_dict("records")
    ]
    say("\n".join(aligned(rows, numbers=("gain", "expected"))))


def _opened(where: Path, store: Path, corpora: str | None, overrides: Sequence[str] | None) -> "Study":
    from transfer.study import Study

    study = Study.open(where, store=store, corpora=corpora, overrides=overrides or ())
    if study.data_source == "synthetic":
        say(f"{SYNTHETIC}\n")
    return study


def _interval(low: float, high: float) -> str:
    from transfer.analysis.tables import points

    return f"{points(low, sign=True)} to {points(high, sign=True)}" if low == low else "none"
