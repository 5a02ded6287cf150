"""Output, number formats and exit codes that the commands share."""

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


def duration(seconds: float) -> str:
    """Format a duration: ``40 s``, ``6 min``, ``2 h 10 min``, ``3 days 4 h``.

    >>> [duration(s) for s in (0.4, 40, 350, 7800, 273600)]
    ['under 1 s', '40 s', '6 min', '2 h 10 min', '3 days 4 h']
    """
    if seconds < 1:
        return "under 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h"


def about(seconds: float) -> str:
    """Format an estimated duration: ``about 40 s``, or ``under 1 s``."""
    return duration(seconds) if seconds < 1 else f"about {duration(seconds)}"


def size(number: float) -> str:
    """Format a size in bytes: ``under 1 MiB``, ``14 MiB``, ``3.2 GiB``.

    >>> [size(n) for n in (1000, 15_000_000, 3.4e9)]
    ['under 1 MiB', '14 MiB', '3.2 GiB']
    """
    mib = number / 2**20
    return "under 1 MiB" if mib < 1 else f"{mib:.0f} MiB" if mib < 1000 else f"{mib / 1024:.1f} GiB"
