"""Ctrl-C and SIGTERM: the first stops cleanly, the second at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

from transfer.cli.terminal import INTERRUPTED, say

GO_ON = "interrupted; what is finished is kept, the same command goes on from there"


@contextlib.contextmanager
def interruptible(stopping: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Raise KeyboardInterrupt at the first signal inside the block; end the process at the second.

    ``stopping`` is called at the first, before anything is stopped. A signal that arrives in a finalizer
    cannot raise, so ``stopping`` has to see to it that the loop ends. Finished work is in the store; the
    processes that Ray started end with this one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def at_once(number: int, frame: FrameType | None) -> None:
        for pid in _descendants():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.write(2, f"{GO_ON}\n".encode())  # print may be what was interrupted
        os._exit(INTERRUPTED)

    def cleanly(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, at_once)
        stopping()
        say("stopping (once more: at once)", error=True)
        if not _in_finalizer(frame):  # an exception there would be printed and ignored
            raise KeyboardInterrupt

    before = {each: signal.signal(each, cleanly) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _in_finalizer(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def _descendants() -> set[int]:
    """The processes that this one started, and those that they did."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[-1].split()[1])
    found: set[int] = set()
    while more := {p for p, parent in parents.items() if parent in found | {os.getpid()}} - found:
        found |= more
    return found
