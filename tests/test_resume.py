"""kill -9 of driver and workers in mid-run, then the same command again."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from transfer.cli.interrupts import GO_ON


def family(pid: int) -> set[int]:
    """A process and all that descend from it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    return {pid}


def living() -> set[int]:
    """Every process but those that only wait to be taken note of."""
    return {p.pid for p in psutil.process_iter(["status"]) if p.info["status"] != psutil.STATUS_ZOMBIE}


def command(grid: Path, folder: Path) -> list[str]:
    # as many workers as cores: one thread each, as in the undisturbed run
    places = ["--store", str(folder / "runs"), "--out", str(folder / "reports")]
    run = ["run-grid", str(grid), "--workers", str(os.cpu_count()), *places]
    return [sys.executable, "-c", "from transfer.cli import main; main()", *run]


def done(folder: Path) -> dict[str, bytes]:
    found = {p.parent.name: p.read_bytes() for p in folder.glob("runs/jobs/*/result.json")}
    return {name: text for name, text in found.items() if b'"done"' in text}


def wait_until(condition, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("signals", [[signal.SIGTERM], [signal.SIGINT, signal.SIGINT]], ids=["once", "twice"])
def test_an_interrupted_run_leaves_no_process_and_says_how_to_go_on(
    tiny_grid: Path, tmp_path: Path, signals: list[int]
):
    process = subprocess.Popen(
        command(tiny_grid, tmp_path),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    everyone: set[int] = set()
    try:
        assert wait_until(lambda: done(tmp_path) or process.poll() is not None, 120)
        everyone = family(process.pid)
        for number in signals:
            process.send_signal(number)
            time.sleep(0.2)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert err.splitlines() == ["stopping (once more: at once)", GO_ON]
        assert wait_until(lambda: not everyone & living(), 20), "a process lives on"
        assert len(done(tmp_path)) < 14
    finally:
        for pid in everyone & living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def test_a_killed_run_goes_on_and_ends_like_an_undisturbed_one(tiny_grid: Path, tiny_run, tmp_path: Path):
    killed = subprocess.Popen(
        command(tiny_grid, tmp_path),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert wait_until(lambda: done(tmp_path) or killed.poll() is not None, 120)
    finally:
        everyone = family(killed.pid)
        for pid in everyone:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed.wait()
    assert killed.returncode == -signal.SIGKILL, "it ended before it could be killed"
    assert wait_until(lambda: not everyone & living(), 20), "a process of the killed run lives on"
    before = done(tmp_path)
    assert 1 <= len(before) < 14

    again = subprocess.run(
        command(tiny_grid, tmp_path), capture_output=True, text=True, timeout=200, check=False
    )
    assert again.returncode == 0, again.stderr
    assert f"14 jobs, {len(before)} done, {14 - len(before)} to run" in again.stdout
    after = done(tmp_path)
    assert len(after) == 14
    assert {name: after[name] for name in before} == before, "a finished job ran again"
    for name in ("edges.csv", "table_scores.csv"):
        resumed = (tmp_path / "reports" / "tiny" / name).read_bytes()
        assert resumed == (tiny_run.out / "tiny" / name).read_bytes(), name
