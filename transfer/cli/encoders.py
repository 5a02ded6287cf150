"""The commands about encoders: make one loadable that is not, train one on."""

from pathlib import Path
from typing import Annotated

import typer

from transfer.cli import completion, forecast
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


@app.command(
    epilog=examples(
        "transfer pretrain --encoder minilm-l6 --text notes.txt --to encoders/notes-minilm",
        "transfer pretrain --encoder minilm-l6 --text my-corpora --to encoders/domain --steps 2000",
        "transfer pretrain --encoder my-bert --to encoders/domain --whole-words --text *.txt",
    )
)
def pretrain(
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder",
            help="What to begin with: an alias, a folder in transformers format, or a hub id.",
            autocompletion=completion.encoders,
        ),
    ],
    text: Annotated[
        list[Path],
        typer.Option(
            "--text",
            metavar="FILE",
            help="Plain text (a line a text, blank lines between documents), a prepared corpus or a folder "
            "of these (their train splits alone); may be given again and again.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The new folder, for a grid to name.")],
    more: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="More text, so that `--text *.txt` means all of them."),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the text.")] = 3,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps, in the place of passes over the text.")
    ] = None,
    lr: Annotated[
        float, typer.Option("--lr", help="Learning rate at its highest, after a tenth of all steps.")
    ] = 1e-4,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, help="Sequences of a step.")] = 32,
    max_length: Annotated[
        int, typer.Option("--max-length", min=8, help="Word pieces of a sequence; longer texts are divided.")
    ] = 128,
    whole_words: Annotated[
        bool, typer.Option("--whole-words", help="Hides all pieces of a word, or none.")
    ] = False,
    layers: Annotated[
        int | None, typer.Option("--layers", min=1, help="Keeps the encoder's first layers only.")
    ] = None,
    freeze: Annotated[
        bool,
        typer.Option("--freeze-encoder", help="Trains the head alone, to see how much of a gain is its own."),
    ] = False,
    precision: Annotated[str, typer.Option("--precision", help="Of matrix products: fp32 or bf16.")] = "fp32",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of order, masks and dropout.")] = 0,
    checkpoint_seconds: Annotated[
        float,
        typer.Option(
            "--checkpoint-seconds",
            min=0,
            help="The least time between two checkpoints; 0 makes one at each look at dev.",
        ),
    ] = 60.0,
) -> None:
    """Goes on training an encoder on text of a domain, by masked-language modelling.

    Dev perplexity is shown before and after each epoch, or more often where an epoch is long; the best is
    kept. The same command goes on where it was interrupted.
    """
    from transfer.corpora import texts
    from transfer.inputs import validated
    from transfer.learning.machine import device
    from transfer.learning.pretraining.record import Request
    from transfer.learning.pretraining.run import pretrain as made
    from transfer.recipes import Recipe

    numbers = {"lr": lr, "epochs": epochs, "batch_size": batch_size, "max_length": max_length}
    recipe = validated(Recipe, {**numbers, "precision": precision}, path=Path("pretrain"))
    request = Request(
        encoder=encoder,
        recipe=recipe,
        layers=layers,
        steps=steps,
        whole_words=whole_words,
        freeze=freeze,
        seed=seed,
    )
    slow = forecast.without_bf16(precision, instead="--precision fp32")
    if slow and device().type == "cpu":
        say(f"note: {slow}")
    folder = made(
        request, texts.read([*text, *(more or ())]), to, checkpoint_seconds=checkpoint_seconds, tell=say
    )
    say(f"a grid names it with `encoder: {folder}`")
