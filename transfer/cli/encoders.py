"""The command about encoders: make one loadable that is not."""

from pathlib import Path
from typing import Annotated

import typer

from transfer.cli import completion
from transfer.cli.terminal import examples, say

app = typer.Typer()


@app.command(
    epilog=examples(
        "transfer convert biobert --to encoders/biobert", "transfer convert my-old-bert --to my-bert"
    )
)
def convert(
    encoder: Annotated[
        str,
        typer.Argument(
            metavar="ENCODER",
            help="An alias, a folder in transformers format, or a hub id.",
            autocompletion=completion.encoders,
        ),
    ],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="DIR", help="The new folder, for a grid to name."),
    ],
) -> None:
    """Makes safetensors of pickled weights, and an alias's tokenizer treat capitals as in training."""
    from transfer.learning.convert import convert as made

    folder = made(encoder, to)
    say(f"{folder}: written; a grid names it with `encoder: {folder}`")
