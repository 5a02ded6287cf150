"""An external trainer's process: started in a group of its own, limited in time, and ended as a whole."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from transfer.external import TrainerFailed, TrainerOutOfMemory
from transfer.trainers import call

LAST_LINES = 20
LAST_BYTES = 20_000  # of the output, where its lines are long
GRACE = 5.0  # seconds between SIGTERM and SIGKILL


def command_of(python: str | None, command: Sequence[str], *, job: Path, out: Path) -> list[str]:
    """The program and its arguments. ``python`` is this interpreter, and a function runs in it, too."""
    if python is not None:
        return [sys.executable, "-P", call.__file__, python, str(job), str(out)]
    program, *arguments = command
    program = sys.executable if program == "python" else program
    return [program, *(part.replace("{job}", str(job)).replace("{out}", str(out)) for part in arguments)]


def run(command: Sequence[str], *, folder: Path, log: Path, threads: int, seconds: float | None) -> None:
    """Run a command in ``folder`` and wait for it; its output goes to ``log``.

    ``seconds`` is its time limit. Raises TrainerFailed if it cannot be started, takes longer or ends with an
    exit code other than 0. Whatever ends the wait also ends every process of its group, and so does the end
    of this process.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    # a script in the grid's folder is found, and a Python one can import its neighbors
    others = [os.path.abspath(p) for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), *others])
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
            raise TrainerFailed(
                f"the trainer cannot be started: {command[0]} ({error.strerror}); it is started in {folder}"
            ) from None
        code: int | str
        with _guarded(process):
            try:
                code = process.wait(timeout=seconds)
            except subprocess.TimeoutExpired:
                code = f"the trainer ran longer than its limit of {seconds:g} s (trainer.hours)"
            finally:
                _end(process)
    if isinstance(code, str):
        raise TrainerFailed(before_last_line(log, code))
    if code:
        how = f"exit code {code}" if code > 0 else f"signal {signal.Signals(-code).name}"
        told = last_lines(log)
        # the kernel ends the largest process with SIGKILL where memory runs out
        starved = code == -signal.SIGKILL or "out of memory" in told.lower()
        kind = TrainerOutOfMemory if starved else TrainerFailed
        raise kind(f"the trainer ended with {how}" + (f":\n{told}" if told else " and wrote no output"))


GUARD = 'read done && exit; kill -s TERM -- "-$1"; sleep "$2"; kill -s KILL -- "-$1"'


@contextlib.contextmanager
def _guarded(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """End the process's group if this process is killed: a shell waits for the end of a pipe."""
    guard = subprocess.Popen(
        ["/bin/sh", "-c", GUARD, "sh", str(process.pid), str(int(GRACE))],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert guard.stdin is not None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            guard.stdin.write(b"done\n")
            guard.stdin.close()
        guard.wait()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started and left behind."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        until = time.monotonic() + GRACE
        while _alive(process) and time.monotonic() < until:
            time.sleep(0.01)


def _alive(process: subprocess.Popen[bytes]) -> bool:
    """Whether a process of the group is left."""
    process.poll()  # one that has ended and was not waited for would count
    try:
        os.killpg(process.pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def last_lines(log: Path) -> str:
    """The end of the trainer's output."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - LAST_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    return "\n".join(text.strip().splitlines()[-LAST_LINES:])


def before_last_line(log: Path, message: str) -> str:
    """An error whose last line is ``message``, after the end of the trainer's output."""
    told = last_lines(log)
    return f"the trainer's last output:\n{told}\n{message}" if told else message
