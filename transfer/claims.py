"""Claims on jobs, so that several runs on one store share their common jobs.

A claim is a file with a name of its own, ``claims/<job id>.<token>.json``. A run that wants a job looks
for claims of others, writes its own, and looks again: of two that want it at once, whichever looks last
sees the other's and withdraws. That needs no lock, no rename and no exclusive open, only that a file that
was written is seen by whoever lists the folder afterwards, which folders, NFS and S3 promise.

A claim outlives its process after ``kill -9``. On the same machine it counts as long as its process
lives. On another machine it counts while it beats: its holder writes a new number into it again and
again, and an observer that has seen the same number for STALE seconds of its own clock takes it for dead.
"""

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transfer.files import Files

BEAT, STALE = 15.0, 120.0  # seconds
PRESENT = "run"


class Taken(Exception):
    """Another run has taken the job, and lives."""


class Claim:
    """A job that this process has taken; a context manager that gives it back."""

    def __init__(self, files: Files, name: str, run: str, *, grid: str = "") -> None:
        self._files, self.name = files, name
        self._note = {"run": run, "grid": grid, **this_process()}
        self._over = threading.Event()
        self._writing = threading.Lock()
        self._write(0)

    def _write(self, beat: int) -> None:
        self._files.write(self.name, json.dumps({**self._note, "beat": beat}).encode())

    def beat(self) -> None:
        """Start a thread that shows that this process lives."""
        threading.Thread(target=self._beating, daemon=True).start()

    def _beating(self) -> None:
        beat = 0
        while not self._over.wait(BEAT):
            beat += 1
            # the network or a full disk may fail it; the next beat may get through
            with self._writing, contextlib.suppress(OSError):
                if not self._over.is_set():
                    self._write(beat)

    def release(self) -> None:
        self._over.set()
        with self._writing:  # else a beat could bring it back
            self._files.remove(self.name)

    def __enter__(self) -> "Claim":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


class Claims:
    """The claims of a store, seen by one process of a run. ``run`` is the same for all its processes."""

    def __init__(self, files: Files, *, run: str) -> None:
        self._files = files
        self._run = run
        self._seen: dict[str, tuple[int, float]] = {}

    def take(self, what: str) -> Claim | None:
        """Take a job (or another name of letters and digits); None if another living process has it."""
        if self.held(what):
            return None
        claim = Claim(self._files, f"claims/{what}.{uuid.uuid4().hex}.json", self._run)
        if self.held(what, but=claim.name):
            claim.release()
            return None
        claim.beat()
        return claim

    def present(self, grid: str = "") -> Claim:
        """Announce that this run works on a grid of the store; several runs may do so at once."""
        claim = Claim(self._files, f"claims/{PRESENT}.{uuid.uuid4().hex}.json", self._run, grid=grid)
        claim.beat()
        return claim

    def at_work(self, grid: str) -> bool:
        """Whether a run is at work on a grid, as far as its files tell. Writes nothing."""
        for name in self._files.names("claims"):
            with contextlib.suppress(OSError, ValueError):
                if name.startswith(f"{PRESENT}.") and self._lives(f"claims/{name}"):
                    note = json.loads(self._files.read(f"claims/{name}"))
                    if note.get("grid") == grid:
                        return True
        return False

    def others_present(self, own: Claim | None) -> bool:
        """Whether another run is at work on the store."""
        return self.held(PRESENT, but=own.name if own else "")

    def sweep(self, *, own: bool = False) -> None:
        """Remove the claims of dead processes; ``own``: also those that an interruption left of this one."""
        for name in self._files.names("claims"):
            self.held(name.partition(".")[0])
            with contextlib.suppress(OSError, ValueError, KeyError):
                note = json.loads(self._files.read(f"claims/{name}"))
                if own and this_process().items() <= note.items():
                    self._files.remove(f"claims/{name}")

    def held(self, what: str, *, but: str = "") -> bool:
        """Whether a living process has taken it; claims of dead ones are removed."""
        held = False
        for name in self._files.names("claims"):
            if not name.startswith(f"{what}.") or f"claims/{name}" == but:
                continue
            if self._lives(f"claims/{name}"):
                held = True
            else:
                self._files.remove(f"claims/{name}")
        return held

    def _lives(self, name: str) -> bool:
        try:
            note: dict[str, Any] = json.loads(self._files.read(name))
            alive, beat = lives(note), int(note["beat"])
        except (OSError, ValueError, KeyError, TypeError):
            return False  # given back meanwhile, or no claim at all
        if alive is not None:
            return alive
        if note.get("run") == self._run:
            return False  # a worker of this very run, on a machine that is gone: its job is being retried
        if self._seen.get(name, (None, 0.0))[0] != beat:
            self._seen[name] = beat, time.monotonic()
        return time.monotonic() - self._seen[name][1] < STALE


def this_process() -> dict[str, Any]:
    """Identity of this process, for a note that others ask ``lives`` about."""
    return {"here": HERE, "pid": os.getpid(), "born": _born(os.getpid())}


def lives(process: Mapping[str, Any]) -> bool | None:
    """Whether a process lives; None if it is on another machine, or this one (macOS) does not tell.

    Raises KeyError, TypeError or ValueError where ``process`` is not what ``this_process`` gave.
    """
    here, pid, born = process["here"], int(process["pid"]), process["born"]
    return _born(pid) == born if here and here == HERE else None


def _here() -> str:
    """This machine since it was last started, and the set of processes that this one can see."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return ""


def _born(pid: int) -> int | None:
    """Start time of a process in the kernel's ticks, which tells apart processes with the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[-1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


HERE = _here()
