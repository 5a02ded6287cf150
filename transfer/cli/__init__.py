"""The command line: parse, call, show. Heavy modules are imported inside the command that needs them."""

import errno
import io
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated

import typer

from transfer import __version__
from transfer.cli import (
    advice,
    corpora,
    corpora_tables,
    encoders,
    grids,
    ledger,
    models,
    panels,
    paper,
    planted,
)
from transfer.cli.caches import use_writable_folders
from transfer.cli.commands import Commands, Daily
from transfer.cli.interrupts import GO_ON
from transfer.cli.terminal import INTERRUPTED, SOME_FAILED, WRONG_INPUT, say
from transfer.inputs import InputError
from transfer.progress import Stopped

app = typer.Typer(
    cls=Daily,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Find out which text tasks help each other when trained together.",
)
for daily in (grids.app, panels.app, advice.app, paper.app):
    app.add_typer(daily)
corpora_group = typer.Typer(cls=Commands)
for of_corpora in (corpora.app, corpora_tables.app, planted.app):
    corpora_group.add_typer(of_corpora)
for name, group, about in (
    ("corpora", corpora_group, "List, prepare, check and count corpora."),
    ("models", models.app, "Export trained models and label new text."),
    ("encoders", encoders.app, "Convert encoders and continue their pretraining."),
    ("ledger", ledger.app, "Pack a grid's results into one file, and merge such files."),
):
    app.add_typer(group, name=name, no_args_is_help=True, help=about)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program with these arguments (default: the command line's) and exit.

    Every error is one message and an exit code, never a traceback (but with --debug).
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that knows only ASCII loses no message
            stream.reconfigure(errors="backslashreplace")
    use_writable_folders()
    try:
        app([argument for argument in given if argument != "--debug"], prog_name="transfer")
    except InputError as error:
        if debug:
            traceback.print_exc()
        say(f"error: {error}", error=True)
        sys.exit(WRONG_INPUT)
    except Stopped as reason:
        say(f"error: {reason}", error=True)
        say(
            "nothing more was started, what is finished is kept; run the same command again after the mend",
            error=True,
        )
        sys.exit(SOME_FAILED)
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer's answer to Ctrl-C
            say(GO_ON, error=True)
        raise
    except OSError as error:
        if debug:
            traceback.print_exc()
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        mend = "; free some space, the same command goes on with what is finished" if full else ""
        where = f"{error.filename}: " if error.filename else ""
        say(f"error: {where}{error.strerror or error}{mend} (--debug shows where)", error=True)
        sys.exit(SOME_FAILED if full or not error.filename else WRONG_INPUT)
    except Exception as error:
        if debug:
            traceback.print_exc()
        say(f"error: {type(error).__name__}: {error} (--debug shows where)", error=True)
        sys.exit(SOME_FAILED)


def _version(wanted: bool) -> None:
    if wanted:
        say(f"transfer {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
    debug: Annotated[  # main() takes it out of the arguments, wherever it stands
        bool, typer.Option("--debug", hidden=True, help="Show the traceback of an error.")
    ] = False,
) -> None:
    pass
