"""What the commands share: how they speak and how they end."""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transfer.analysis.watch import Watch

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


def say(text: str, *, error: bool = False) -> None:
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


@contextlib.contextmanager
def bar() -> "Iterator[Watch]":
    """A progress bar on stderr while something long goes on; nothing where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield lambda what, done, of: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda what, done, of: progress.update(task, description=what, completed=done, total=of)
