"""Two runs at once on one store: a job is taken by one of them, and by another when that one is dead."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from transfer import claims as claims_module
from transfer.claims import HERE, Claims
from transfer.files import files_at

JOB = "0123456789abcdef"


def claims(folder: Path, run: str = "a") -> Claims:
    return Claims(files_at(folder), run=run)


def note_of(folder: Path) -> Path:
    # a note that is being written anew stands beside it under another name for a moment
    (path,) = (path for path in (folder / "claims").iterdir() if path.suffix == ".json")
    return path


def rewrite(path: Path, **change) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))


def test_a_job_is_taken_by_one(tmp_path: Path):
    first, second = claims(tmp_path, "a"), claims(tmp_path, "b")
    claim = first.take(JOB)
    assert claim is not None
    assert second.take(JOB) is None
    assert second.held(JOB)
    assert second.take("another") is not None
    claim.release()
    assert not second.held(JOB)
    assert second.take(JOB) is not None


def test_a_context_gives_it_back_whatever_happens(tmp_path: Path):
    taken = claims(tmp_path).take(JOB)
    assert taken is not None
    with pytest.raises(KeyboardInterrupt), taken:
        raise KeyboardInterrupt
    assert not claims(tmp_path, "b").held(JOB)


TAKE_AND_WAIT = """
import sys, time
from pathlib import Path
from transfer.claims import Claims
from transfer.files import files_at
claim = Claims(files_at(Path(sys.argv[1])), run="killed").take(sys.argv[2])
print("taken", flush=True)
time.sleep(60)
"""


def test_a_claim_ends_with_its_process(tmp_path: Path):
    other = subprocess.Popen(
        [sys.executable, "-c", TAKE_AND_WAIT, tmp_path, JOB], stdout=subprocess.PIPE, text=True
    )
    assert other.stdout is not None
    other.stdout.readline()
    assert claims(tmp_path).take(JOB) is None
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    claim = claims(tmp_path).take(JOB)
    assert claim is not None, "kill -9 leaves a claim that counts for nothing"
    assert len(list((tmp_path / "claims").iterdir())) == 1, "and that is removed"


def test_a_number_that_another_process_has_now_is_no_life(tmp_path: Path):
    claims(tmp_path).take(JOB)
    rewrite(note_of(tmp_path), born=1)
    assert claims(tmp_path, "b").take(JOB) is not None


@pytest.mark.parametrize("here", ["elsewhere", HERE + " after a restart", ""])
def test_on_another_machine_a_claim_counts_while_it_beats(tmp_path: Path, here: str, monkeypatch):
    monkeypatch.setattr(claims_module, "STALE", 0.5)
    claims(tmp_path).take(JOB)
    rewrite(note_of(tmp_path), here=here, pid=os.getpid(), born=None)
    observer = claims(tmp_path, "b")
    for beat in range(4):
        rewrite(note_of(tmp_path), beat=beat)
        assert observer.held(JOB)
        time.sleep(0.3)
    time.sleep(0.3)
    assert not observer.held(JOB), "it beats no more"
    assert observer.take(JOB) is not None


def test_a_worker_of_the_same_run_on_a_machine_that_is_gone_holds_nothing(tmp_path: Path):
    """Ray says when a node is dead; the retry of its job does not wait for the claim to grow stale."""
    claims(tmp_path, "a").take(JOB)
    rewrite(note_of(tmp_path), here="a node that is gone")
    assert claims(tmp_path, "b").held(JOB)
    assert claims(tmp_path, "a").take(JOB) is not None


def test_what_an_interruption_left_of_this_process_is_given_back(tmp_path: Path):
    claims(tmp_path, "a").take(JOB)
    claims(tmp_path, "b").sweep()
    assert claims(tmp_path, "b").held(JOB)
    claims(tmp_path, "a").sweep(own=True)
    assert not list((tmp_path / "claims").iterdir())


def test_a_claim_beats(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(claims_module, "BEAT", 0.05)
    claim = claims(tmp_path).take(JOB)
    assert claim is not None
    end = time.monotonic() + 20
    while json.loads(note_of(tmp_path).read_text())["beat"] < 3:
        assert time.monotonic() < end
        time.sleep(0.02)
    claim.release()
    time.sleep(0.2)
    assert not list((tmp_path / "claims").iterdir()), "what was given back stays gone"


@pytest.mark.parametrize("garbage", ["", "{", "[]", "{}", '{"here": 1, "pid": "x", "beat": null}'])
def test_what_is_no_claim_holds_nothing(tmp_path: Path, garbage: str):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / f"{JOB}.x.json").write_text(garbage)
    assert claims(tmp_path).take(JOB) is not None


def test_runs_that_are_present_see_each_other(tmp_path: Path):
    one, two = claims(tmp_path, "a"), claims(tmp_path, "b")
    first = one.present()
    assert not one.others_present(first)
    second = two.present()
    assert one.others_present(first)
    second.release()
    assert not one.others_present(first)


CONTEND = """
import random, sys, time
from pathlib import Path
from transfer.claims import Claims
from transfer.files import files_at
folder, number, until = Path(sys.argv[1]), sys.argv[2], time.time() + float(sys.argv[3])
claims, inside = Claims(files_at(folder), run=number), folder / "inside"
taken = 0
while time.time() < until:
    claim = claims.take("job")
    if claim is None:
        time.sleep(random.random() / 500)
        continue
    with claim:
        mine = inside / number
        mine.touch()
        if len(list(inside.iterdir())) != 1:
            sys.exit("two at once")
        mine.unlink()
        taken += 1
print(taken)
"""


def test_of_many_that_want_it_at_once_never_two_have_it(tmp_path: Path):
    (tmp_path / "inside").mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CONTEND, tmp_path, str(i), "4"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for i in range(4)
    ]
    told = [process.communicate(timeout=60) for process in processes]
    assert all(process.returncode == 0 for process in processes), told
    assert sum(int(out) for out, _ in told) > 20, "and none is starved for ever"
