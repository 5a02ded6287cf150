"""Injected faults: the right record, the other jobs unharmed, and the same command retries what failed."""

import contextlib
import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from transfer.learning import run as learning
from transfer.learning import worker_data as at
from transfer.learning.run import cause_of


def results_of(store: Path) -> dict[str, dict]:
    found = [json.loads(path.read_text()) for path in store.glob("jobs/*/result.json")]
    return {"+".join(c["name"] for c in r["job"]["corpora"]): r for r in found}


@pytest.fixture
def run(transfer, tiny_grid: Path, tmp_path: Path):
    """Runs the three single-task jobs of one seed, or ``transfer(command, …)`` on them."""
    small = ["--set", "seeds=1", "--set", "jobs=[single]"]

    def call(command: str = "run-grid", *more: object, store: Path = tmp_path / "runs"):
        if command == "run-grid":
            more = ("--out", tmp_path / "reports", "--executor", "inline", *more)
        return transfer(command, tiny_grid, "--store", store, *small, *more)

    return call


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch):
    """``fault(corpus, error, times)``: a fake of training that raises for one corpus, so many times."""

    def make(corpus: str, error: BaseException, times: int = 10**6) -> list[str]:
        real, raised = learning.RunningJob.begin, []

        def begin(job, site):
            if job.names == (corpus,) and len(raised) < times:
                raised.append(corpus)
                raise error
            return real(job, site)

        monkeypatch.setattr(learning.RunningJob, "begin", staticmethod(begin))
        return raised

    return make


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (OSError("the disk is on fire"), "OSError: the disk is on fire"),
        (ZeroDivisionError("x"), "ZeroDivisionError: x"),
    ],
)
def test_an_exception(run, fault, monkeypatch, tmp_path: Path, error: Exception, named: str):
    raised = fault("rel", error)
    code, out, err = run()
    assert code == 1
    assert f"failed: refine rel seed 0 ({results_of(tmp_path / 'runs')['rel']['id']}): {named}" in err
    assert {name: r["status"] for name, r in results_of(tmp_path / "runs").items()} == {
        "rel": "failed", "sim": "done", "ner": "done",
    }  # fmt: skip
    assert results_of(tmp_path / "runs")["rel"]["scores"] == []
    assert len(raised) == 1, "a second try could not help"
    assert named in run("status")[1]
    before = (tmp_path / "runs").glob("jobs/*/result.json")
    kept = {p: p.read_bytes() for p in before if b'"done"' in p.read_bytes()}
    monkeypatch.undo()
    code, out, _ = run()
    assert code == 0
    assert "3 jobs, 2 done, 1 to run" in out, "the same command retries just what failed"
    assert all(p.read_bytes() == text for p, text in kept.items())


@pytest.mark.parametrize(
    "error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")], ids=["CPU", "GPU"]
)
def test_out_of_memory_is_tried_again_when_nothing_else_runs(run, fault, tmp_path: Path, error: Exception):
    raised = fault("rel", error, times=1)
    code, out, err = run()
    assert (code, err) == (0, "")
    assert len(raised) == 1
    assert "it is tried again when nothing else runs" in out
    assert out.index("] refine rel seed 0") > max(out.index("] refine sim"), out.index("] refine ner"))
    assert results_of(tmp_path / "runs")["rel"]["status"] == "done"


def test_out_of_memory_twice_is_a_failure(run, fault, tmp_path: Path):
    raised = fault("rel", MemoryError("no room"))
    code, _, err = run()
    assert code == 1
    assert len(raised) == 2
    assert "MemoryError: no room" in err
    failed = results_of(tmp_path / "runs")["rel"]
    assert (failed["status"], failed["cause"], failed["scores"]) == ("failed", "memory", [])


def test_what_really_runs_out_of_memory_is_known():
    with pytest.raises((MemoryError, RuntimeError)) as caught:
        torch.empty(2**55, dtype=torch.uint8)
    assert cause_of(caught.value) == "memory"
    assert cause_of(RuntimeError("shapes cannot be multiplied")) == ""


def test_a_loss_that_is_no_number(run, tmp_path: Path):
    code, _, err = run("run-grid", "--set", "recipe.lr=1e30")
    assert code == 1
    assert err.count("training diverged: ") == 3
    assert all(r["scores"] == [] for r in results_of(tmp_path / "runs").values())


def test_a_corpus_that_vanished(run, transfer, tiny_grid: Path, tmp_path: Path, monkeypatch, tiny_corpora):
    """After the grid was planned, before the job began: a network folder that went away."""
    copy = Path(shutil.copytree(tiny_corpora, tmp_path / "corpora"))
    real = learning.ready_of

    def ready(trained, job, site):
        if trained.name == "rel":
            at.forget()
            shutil.rmtree(copy / "rel", ignore_errors=True)
        return real(trained, job, site)

    monkeypatch.setattr(learning, "ready_of", ready)
    code, _, err = run("run-grid", "--corpora", copy)
    assert code == 1
    assert f"there is no corpus 'rel' in {copy}" in err
    assert {n: r["status"] for n, r in results_of(tmp_path / "runs").items()} == {
        "rel": "failed", "sim": "done", "ner": "done",
    }  # fmt: skip
    monkeypatch.undo()
    shutil.copytree(tiny_corpora / "rel", copy / "rel")
    code, out, _ = run("run-grid", "--corpora", copy)
    assert code == 0
    assert "2 done, 1 to run" in out


@contextlib.contextmanager
def small_disk(folder: Path, kib: int) -> Iterator[None]:
    """A real file system of so many KiB at ``folder``."""
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", folder], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


def full(store: Path) -> None:
    """Fills what is left of a file system."""
    with contextlib.suppress(OSError), (store / "filler").open("wb") as file:
        while True:
            file.write(b"0" * 4096)
            file.flush()


def test_a_disk_that_is_really_full(run, tmp_path: Path, monkeypatch):
    store = tmp_path / "small"
    with small_disk(store, 2000):
        real = learning.RunningJob.finish

        def finish(running, **options):
            if (store / "running").exists() and any((store / "jobs").glob("*")):
                full(store)  # while the second job runs
            return real(running, **options)

        monkeypatch.setattr(learning.RunningJob, "finish", finish)
        code, out, err = run(store=store)
        assert code == 1
        assert "No space left on device" in err
        assert "free some space" in err
        assert "run the same command again" in err
        assert "Traceback" not in err
        results = results_of(store)
        assert [r["status"] for r in results.values()].count("done") == 1
        assert len(results) <= 2, "nothing more was started"
        assert not list((store / "tmp").iterdir()), "nothing half-written is left"
        (store / "filler").unlink()
        monkeypatch.undo()
        code, out, _ = run(store=store)
        assert code == 0
        assert "3 jobs, 1 done, 2 to run" in out


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_a_fake_calls_full(run, fault, tmp_path: Path, number: int):
    raised = fault("sim", OSError(number, os.strerror(number)))
    code, _, err = run()
    assert code == 1
    assert "is full; free some space\nnothing more was started, what is finished is kept" in err
    assert len(raised) == 1
    ended = {name: r["status"] for name, r in results_of(tmp_path / "runs").items()}
    assert ended.pop("sim") == "failed"
    assert set(ended.values()) <= {"done"}


# one thread, as in the undisturbed run; each training that comes to its end is noted in a journal
COMMAND = """
import os, sys
os.cpu_count = lambda: 1
place, *arguments = sys.argv[1:]
from transfer.cli import main
from transfer.learning import run as learning
real = learning.RunningJob.finish
def noted(running, **options):
    result = real(running, **options)
    with open(place, "a") as journal:
        journal.write(result.id + "\\n")
    return result
learning.RunningJob.finish = noted
main(arguments)
"""


def command(grid: Path, folder: Path, *more: str) -> list[str]:
    places = ["--store", str(folder / "runs"), "--out", str(folder / "reports")]
    run = ["run-grid", str(grid), *places, "--checkpoint-seconds", "0", "--executor", "inline", *more]
    return [sys.executable, "-c", COMMAND, str(folder / "journal"), *run]


def started(arguments: list[str], **more) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


def wait_for(condition, process: subprocess.Popen, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def session(process: subprocess.Popen) -> set[int]:
    """The living processes of the session that a process leads, whoever their parents are now."""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _, _, sid, *_ = path.read_text().rpartition(")")[-1].split()
            if int(sid) == process.pid and state not in "ZX":
                found.add(int(path.parent.name))
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_inline_run_goes_on(tiny_grid: Path, tiny_run, tmp_path: Path, number: int):
    process = started(command(tiny_grid, tmp_path))
    wait_for(lambda: list(tmp_path.glob("runs/jobs/*/result.json")), process)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from there" in err.splitlines()[-1]
    assert "Traceback" not in err
    before = {p: p.read_bytes() for p in tmp_path.glob("runs/jobs/*/result.json")}
    assert 1 <= len(before) < 14
    assert not list(tmp_path.glob("runs/claims/*"))
    assert not list(tmp_path.glob("runs/tmp/*"))
    again = subprocess.run(
        command(tiny_grid, tmp_path), capture_output=True, text=True, timeout=200, check=False
    )
    assert again.returncode == 0, again.stderr
    assert f"{len(before)} done, {14 - len(before)} to run" in again.stdout
    assert {p: p.read_bytes() for p in before} == before
    for name in ("edges.csv", "table_scores.csv"):
        resumed = (tmp_path / "reports" / "tiny" / name).read_bytes()
        assert resumed == (tiny_run.out / "tiny" / name).read_bytes(), name


def test_two_overlapping_grids_at_once_run_each_job_once(tiny_grid: Path, tmp_path: Path):
    """Grid one has the single-task jobs and the pairs, grid two the single-task jobs and all."""
    one = started(command(tiny_grid, tmp_path, "--set", "jobs=[single, pairs]", "--set", "name=one"))
    two = started(command(tiny_grid, tmp_path, "--set", "jobs=[single, all]", "--set", "name=two"))
    told = [process.communicate(timeout=250) for process in (one, two)]
    assert [one.returncode, two.returncode] == [0, 0], told
    results = [json.loads(p.read_text()) for p in tmp_path.glob("runs/jobs/*/result.json")]
    assert len(results) == 2 * (3 + 3 + 1)
    assert {r["status"] for r in results} == {"done"}
    trained = (tmp_path / "journal").read_text().split()
    assert sorted(trained) == sorted({r["id"] for r in results}), "each job was trained once"
    shared = {f"refine {name} seed {seed}" for name in ("rel", "sim", "ner") for seed in (0, 1)}
    for out, _ in told:
        # a run tells of each job of its grid, but for those that the other had done before it set out
        heard = {line.partition("] ")[2].partition(":")[0] for line in out.splitlines()} & shared
        there = re.search(r"jobs, (\d+) done", out)
        assert there, out
        assert len(heard) + int(there[1]) == len(shared), out
    assert not any("Traceback" in err for _, err in told)
    assert not list(tmp_path.glob("runs/claims/*"))
    assert not list(tmp_path.glob("runs/tmp/*"))
    assert not list(tmp_path.glob("runs/checkpoints/*"))
    for name in ("one", "two"):
        assert (tmp_path / "reports" / name / "report.md").is_file()
