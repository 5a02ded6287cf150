"""What the commands share: how they speak and how they end."""

import contextlib
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transfer.analysis.watch import Watch

DONE, SOME_FAILED, WRONG_INPUT, INTERRUPTED = 0, 1, 2, 130


def say(text: str, *, error: bool = False) -> None:
    print(text, file=sys.stderr if error else sys.stdout, flush=True)


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1] if text.strip() else ""


def examples(*commands: str) -> str:
    """Examples at the end of a command's help (\b keeps their lines as they are)."""
    return "\n".join(["\b", "Examples:", *(f"  {command}" for command in commands)])


def paragraph(text: str) -> str:
    """The text in lines of the terminal's width, at most 100 letters; a path is never broken."""
    width = min(shutil.get_terminal_size().columns, 100)
    return textwrap.fill(text, width, break_on_hyphens=False, break_long_words=False)


def aligned(rows: Sequence[dict[str, str]], *, numbers: Iterable[str] = ()) -> list[str]:
    """Rows as lines of a plain table, a heading first; the columns named in ``numbers`` to the right."""
    if not rows:
        return ["nothing"]
    lines = [{name: name for name in rows[0]}, *rows]
    widths = {name: max(len(line.get(name, "")) for line in lines) for name in rows[0]}
    return [
        "  ".join(
            line.get(name, "").rjust(width) if name in numbers else line.get(name, "").ljust(width)
            for name, width in widths.items()
        ).rstrip()
        for line in lines
    ]


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
