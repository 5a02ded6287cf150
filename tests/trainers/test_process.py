"""The process of an external trainer: its time, its end, its output, and what it started."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.trainers.conftest import HEAD, RIGHT
from transfer.external import TrainerFailed
from transfer.trainers.process import LAST_LINES, run

CHILD = """
import subprocess, sys, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
pathlib.Path({place!r}).write_text(str(child.pid))
"""


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and was not waited for does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def gone(pid: int, within: float = 15) -> bool:
    until = time.monotonic() + within
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not alive(pid)


def test_an_exit_code_and_the_last_lines_of_output_are_in_the_record(trial):
    script = "for i in range(100): print('line', i)\nraise ValueError('no such thing')"
    (failed,) = trial(script).run().values()
    assert failed.status == "failed"
    assert failed.scores == ()
    assert failed.error.startswith("the trainer ended with exit code 1:\n")
    assert len(failed.error.splitlines()) == LAST_LINES + 1
    assert "line 99" in failed.error
    assert failed.reason == "ValueError: no such thing"


def test_a_trainer_that_writes_nothing_fails(trial):
    (failed,) = trial("").run().values()
    assert (
        failed.reason == "predictions/rel.jsonl: is missing; a trainer writes one for each corpus of its job"
    )


def test_a_failed_job_is_tried_again_by_the_next_run(trial):
    made = trial("raise SystemExit(3)")
    (failed,) = made.run().values()
    assert failed.error == "the trainer ended with exit code 3 and wrote no output"
    made.script(RIGHT)
    (done,) = made.run().values()
    assert done.status == "done", done.error


def test_one_failed_job_does_not_keep_the_others(trial):
    script = RIGHT + "if job['corpora'][0]['name'] == 'rel': sys.exit(1)"
    results = trial(script, tasks=["rel", "ner"]).run()
    assert {name: r.status for name, r in results.items()} == {"rel 0": "failed", "ner 0": "done"}


def test_a_program_that_is_not_there_is_named(trial):
    command = ["no-such-program", "{job}", "{out}"]
    (failed,) = trial(trainer={"command": command}).run().values()
    assert "the trainer cannot be started: no-such-program (No such file or directory)" in failed.error


def test_the_time_limit_ends_all_that_it_started(trial, tmp_path: Path):
    pid = tmp_path / "pid"
    script = CHILD.format(place=str(pid)) + "print('waiting', flush=True)\nchild.wait()"
    began = time.monotonic()
    (failed,) = trial(script, trainer={"hours": 2 / 3600}).run().values()
    assert time.monotonic() - began < 30
    assert failed.reason == "the trainer ran longer than its limit of 2 s (trainer.hours)"
    assert "waiting" in failed.error
    assert gone(int(pid.read_text()))


def test_processes_left_behind_are_ended(trial, tmp_path: Path):
    pid = tmp_path / "pid"
    (done,) = trial(RIGHT + CHILD.format(place=str(pid))).run().values()
    assert done.status == "done", done.error
    assert gone(int(pid.read_text()))


def test_one_that_ignores_the_signal_is_killed(tmp_path: Path):
    script = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(100)"
    with pytest.raises(TrainerFailed, match="longer than its limit"):
        run([sys.executable, "-c", script], folder=tmp_path, log=tmp_path / "log", threads=1, seconds=1)


def test_an_interruption_ends_the_process(trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pid = tmp_path / "pid"
    waiting = subprocess.Popen.wait

    def interrupted(self, timeout=None):
        if self.args[1] == "train.py":
            until = time.monotonic() + 30
            while not (pid.is_file() and pid.read_text()) and time.monotonic() < until:
                time.sleep(0.05)
            raise KeyboardInterrupt
        return waiting(self, timeout)

    made = trial(CHILD.format(place=str(pid)) + "child.wait()")
    with monkeypatch.context() as patch:
        patch.setattr(subprocess.Popen, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            made.run()
    assert gone(int(pid.read_text()))
    made.script(RIGHT)
    (done,) = made.run().values()  # nothing is left claimed
    assert done.status == "done", done.error


def test_the_end_of_the_worker_ends_the_trainer(tmp_path: Path):
    pid = tmp_path / "pid"
    worker = f"""
import sys
from pathlib import Path
from transfer.trainers.process import run
run([sys.executable, "-c", {CHILD.format(place=str(pid)) + "child.wait()"!r}],
    folder=Path({str(tmp_path)!r}), log=Path({str(tmp_path / "log")!r}), threads=1, seconds=None)
"""
    started = subprocess.Popen([sys.executable, "-c", worker], cwd=Path(__file__).parents[2])
    until = time.monotonic() + 60
    while not (pid.is_file() and pid.read_text()) and time.monotonic() < until:
        time.sleep(0.05)
    started.send_signal(signal.SIGKILL)
    started.wait()
    assert gone(int(pid.read_text()))


def test_what_runs_out_of_memory_is_tried_again_alone(trial, tmp_path: Path):
    script = f"""
from pathlib import Path
tried = Path({str(tmp_path / "tried")!r})
if not tried.exists():
    tried.write_text("")
    raise MemoryError("CUDA out of memory")
"""
    (done,) = trial(script + RIGHT).run().values()
    assert done.status == "done", done.error


def test_the_checkpoint_folder_outlives_a_failure_and_not_a_success(trial):
    script = (
        HEAD
        + """
kept = pathlib.Path(job["checkpoint"]) / "epoch"
if not kept.exists():
    kept.write_text("1")
    sys.exit("the power failed")
for c in job["corpora"]:
    write(c["name"], answers_of(c))
"""
    )
    made = trial(script)
    (failed,) = made.run().values()
    assert failed.reason == "the power failed"
    (done,) = made.run().values()
    assert done.status == "done", done.error
    assert not list(made.store.root.glob("checkpoints/*"))


def test_threads_and_the_visible_devices_reach_the_trainer(trial, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    script = RIGHT + "\nimport os\nsays = os.environ.get\n"
    script += "sys.exit(f\"{job['threads']} {says('OMP_NUM_THREADS')} {says('CUDA_VISIBLE_DEVICES')}\")"
    (failed,) = trial(script).run().values()
    assert failed.reason == "1 1 3"


def test_its_working_directory_is_the_grids_folder_and_its_neighbors_can_be_imported(trial, tmp_path: Path):
    (tmp_path / "neighbor.py").write_text("WORD = 'found'\n")
    script = "import neighbor, os, sys\nsys.exit(neighbor.WORD + os.getcwd())"
    (failed,) = trial(script).run().values()
    assert failed.reason == f"found{os.path.realpath(tmp_path)}"


@pytest.mark.slow
def test_ray_runs_it_too(trial):
    results = trial(RIGHT, tasks=["rel", "ner"], jobs=["single", "pairs"]).run(executor="ray")
    assert {r.status for r in results.values()} == {"done"}
    assert len(results) == 3
