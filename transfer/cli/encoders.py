"""Commands ``encoders convert`` and ``encoders pretrain``."""

from pathlib import Path
from typing import Annotated

import typer

from transfer.cli import completion
from transfer.cli.terminal import examples, say

app = typer.Typer()


@app.command(
    epilog=examples(
        "transfer encoders convert biobert --to encoders/biobert",
        "transfer encoders convert my-old-bert --to my-bert",
    )
)
def convert(
    encoder: Annotated[
        str,
        typer.Argument(
            metavar="ENCODER",
            help="Alias, folder in transformers format, or hub id.",
            autocompletion=completion.encoders,
        ),
    ],
    to: Annotated[
        Path,
        typer.Option("--to", metavar="DIR", help="New folder, for a grid to name."),
    ],
) -> None:
    """Convert pickled weights to safetensors.

    An alias's tokenizer is set to treat capitals as in the encoder's training.
    """
    from transfer.learning.convert import convert as made

    folder = made(encoder, to)
    say(f"{folder}: written; a grid names it with `encoder: {folder}`")


@app.command(
    epilog=examples(
        "transfer encoders pretrain --encoder minilm-l6 --text notes.txt --to encoders/notes-minilm",
        "transfer encoders pretrain --encoder minilm-l6 --text my-corpora --to my-bert --steps 2000",
        "transfer encoders pretrain --encoder my-bert --to encoders/domain --whole-words --text *.txt",
    )
)
def pretrain(
    encoder: Annotated[
        str,
        typer.Option(
            "--encoder",
            help="Encoder to start from: alias, folder in transformers format, or hub id.",
            autocompletion=completion.encoders,
        ),
    ],
    text: Annotated[
        list[Path],
        typer.Option(
            "--text",
            metavar="FILE",
            help="Plain text (one text per line, blank lines between documents), a prepared corpus, or a "
            "folder of corpora (only their train splits are read); repeatable.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="New folder, for a grid to name.")],
    more: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="More text files, as in `--text *.txt`."),
    ] = None,
    epochs: Annotated[int, typer.Option("--epochs", min=1, help="Passes over the text.")] = 3,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Optimizer steps (default: those of --epochs).")
    ] = None,
    lr: Annotated[
        float, typer.Option("--lr", help="Peak learning rate, reached after a tenth of all steps.")
    ] = 1e-4,
    batch_size: Annotated[
        int, typer.Option("--batch-size", min=1, help="Sequences per optimizer step.")
    ] = 32,
    max_length: Annotated[
        int,
        typer.Option("--max-length", min=8, help="Subword tokens per sequence; longer texts are divided."),
    ] = 128,
    whole_words: Annotated[
        bool, typer.Option("--whole-words", help="Masks of whole words instead of single subword tokens.")
    ] = False,
    layers: Annotated[
        int | None,
        typer.Option("--layers", min=1, help="First layers of the encoder to keep (default: all)."),
    ] = None,
    freeze: Annotated[
        bool,
        typer.Option("--freeze-encoder", help="Training of the head alone, as a control."),
    ] = False,
    precision: Annotated[
        str, typer.Option("--precision", help="Precision of matrix products: fp32 or bf16.")
    ] = "fp32",
    seed: Annotated[int, typer.Option("--seed", min=0, help="Random seed of order, masks and dropout.")] = 0,
    checkpoint_seconds: Annotated[
        float,
        typer.Option(
            "--checkpoint-seconds",
            min=0,
            help="Least time between two checkpoints in seconds; 0: one at each evaluation on dev.",
        ),
    ] = 60.0,
) -> None:
    """Continue pretraining an encoder on in-domain text.

    Masked-language modelling. Dev perplexity is shown before and after each epoch, or more often in long
    epochs; the best encoder is kept. After an interruption the same command resumes.
    """
    from transfer.corpora import texts
    from transfer.inputs import validated
    from transfer.learning.machine import device
    from transfer.learning.pretraining.record import Request
    from transfer.learning.pretraining.run import pretrain as made
    from transfer.recipes import Recipe
    from transfer.scheduling.preflight import without_bf16

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
    slow = without_bf16(precision, instead="--precision fp32")
    if slow and device().type == "cpu":
        say(f"note: {slow}")
    folder = made(
        request, texts.read([*text, *(more or ())]), to, checkpoint_seconds=checkpoint_seconds, tell=say
    )
    say(f"a grid names it with `encoder: {folder}`")
