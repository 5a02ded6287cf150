"""An external trainer's process: started in a group of its own, limited in time, and ended as a whole."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

LAST_LINES = 20
GRACE = 5.0  # seconds between SIGTERM and SIGKILL


class TrainerFailed(RuntimeError):
    """An external trainer ended badly; the message holds the last lines of its output."""


def command_of(python: str | None, command: Sequence[str], *, job: Path, out: Path) -> list[str]:
    """The program and its arguments. ``python`` is this interpreter, and a function runs in it, too."""
    if python is not None:
        return [sys.executable, "-m", "transfer.trainers.call", python, str(job), str(out)]
    program, *arguments = command
    program = sys.executable if program == "python" else program
    return [program, *(part.replace("{job}", str(job)).replace("{out}", str(out)) for part in arguments)]


def run(command: Sequence[str], *, folder: Path, log: Path, threads: int, seconds: float | None) -> None:
    """Run a command in ``folder`` and wait for it; its output goes to ``log``.

    ``seconds`` is its time limit. Raises TrainerFailed if it cannot be started, takes longer or ends with an
    exit code other than 0. Whatever ends the wait also ends every process of its group.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    # a script in the grid's folder is found, and a Python one can import its neighbors
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH", "")]))
    with log.open("wb") as output:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise TrainerFailed(f"the trainer cannot be started: {command[0]} ({error.strerror})") from None
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise TrainerFailed(f"the trainer ran past its limit of {seconds:g} s{_told(log)}") from None
        finally:
            _end(process)
    if code:
        how = f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
        raise TrainerFailed(f"the trainer ended with {how}{_told(log)}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started and left behind."""
    for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=patience)
            if number == signal.SIGTERM and not _alive(process.pid):
                return


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _told(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_LINES:]
    return ":\n" + "\n".join(lines) if lines else " and wrote no output"
