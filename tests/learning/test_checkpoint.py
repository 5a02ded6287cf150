"""A job that goes on from its checkpoint ends as one that was never interrupted, bit for bit."""

import functools
import json
from pathlib import Path

import pytest

from tests.learning.jobs import job_of
from transfer.jobs import Job
from transfer.learning import run as running
from transfer.learning.checkpoint import Checkpoint
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.records import JobResult
from transfer.store import Store

EPOCHS = 5
long_job = functools.partial(job_of, seed=3, epochs=EPOCHS)


class Killed(BaseException):
    """A fault that no job catches, as a killed process would not."""


@pytest.fixture
def sites(tmp_path: Path, tiny_corpora: Path, tiny_encoder: Path):
    def make(name: str, seconds: float = 0.0) -> Site:
        return Site(
            store=tmp_path / name,
            corpora=str(tiny_corpora),
            encoder=tiny_encoder,
            checkpoint_seconds=seconds,
        )

    return make


def kill_after(epoch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is gone as soon as the checkpoint of an epoch is written."""
    save = Checkpoint.save

    def killing(self, model, optimizer, schedule, best, history):
        save(self, model, optimizer, schedule, best, history)
        if history[-1].epoch == epoch:
            raise Killed

    monkeypatch.setattr(Checkpoint, "save", killing)


def interrupted(job: Job, site: Site, *, after: int, **options) -> None:
    with pytest.MonkeyPatch.context() as patch:
        kill_after(after, patch)
        with pytest.raises(Killed):
            run(job, site, **options)


def comparable(result: JobResult) -> dict:
    told = result.model_dump(exclude={"seconds", "checksum", "ended", "peak_memory"})
    for epoch in told["history"]:
        del epoch["seconds"]
    return told


def epochs_trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The epochs that are trained from here on."""
    trained: list[int] = []
    epoch = running.Mixture.epoch

    def noted(self, number):
        trained.append(number)
        return epoch(self, number)

    monkeypatch.setattr(running.Mixture, "epoch", noted)
    return trained


@pytest.mark.parametrize("after", range(1, EPOCHS + 1))
def test_a_killed_job_goes_on_to_the_same_bits(sites, after: int, monkeypatch):
    whole, killed = sites("whole"), sites("killed")
    job = long_job(whole, "sim", "rel", "ner")
    undisturbed = run(job, whole, keep_encoder=True)
    interrupted(job, killed, after=after, keep_encoder=True)
    trained = epochs_trained(monkeypatch)
    resumed = run(job, killed, keep_encoder=True)
    assert trained == list(range(after + 1, EPOCHS + 1)), "an epoch that was done is not trained again"
    assert resumed.status == "done", resumed.error
    assert comparable(resumed) == comparable(undisturbed)
    one, two = Store(whole.store), Store(killed.store)
    for name in ("predictions.parquet", "encoder/model.safetensors"):
        assert (one.home(job.id) / name).read_bytes() == (two.home(job.id) / name).read_bytes(), name
    assert not (killed.store / "checkpoints" / job.id).exists(), "what is done needs no checkpoint"
    assert not list((killed.store / "tmp").iterdir())


def test_it_may_be_killed_again_and_again(sites):
    whole, killed = sites("whole"), sites("killed")
    job = long_job(whole, "rel", "multi")
    for after in (1, 2, 4):
        interrupted(job, killed, after=after)
    assert comparable(run(job, killed)) == comparable(run(job, whole))


def test_a_checkpoint_holds_only_what_is_needed(sites):
    killed = sites("killed")
    job = long_job(killed, "rel", "multi")
    interrupted(job, killed, after=4)
    folder = killed.store / "checkpoints" / job.id
    state = json.loads((folder / "state.json").read_text())
    chosen = {*state["best_epoch"].values(), 4}
    assert {p.name for p in folder.iterdir()} == {
        "state.json", "optimizer-4.safetensors", *(f"weights-{epoch}.safetensors" for epoch in chosen),
    }  # fmt: skip


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("spoil", [cut, flip, Path.unlink])
@pytest.mark.parametrize("file", ["state.json", "weights-2.safetensors", "optimizer-2.safetensors"])
def test_a_damaged_checkpoint_is_set_aside_and_the_job_begins_anew(sites, file: str, spoil):
    whole, killed = sites("whole"), sites("killed")
    job = long_job(whole, "rel")
    interrupted(job, killed, after=2)
    spoil(killed.store / "checkpoints" / job.id / file)
    resumed = run(job, killed)
    if (file, spoil) != ("state.json", Path.unlink):  # without it there is none
        (note,) = resumed.notes
        (aside,) = (killed.store / "quarantine").iterdir()
        assert "its checkpoint could not be used" in note
        assert str(aside) in note
    assert comparable(resumed.model_copy(update={"notes": ()})) == comparable(run(job, whole))


def test_a_checkpoint_of_other_versions_is_not_gone_on_from(sites, monkeypatch):
    killed = sites("killed")
    job = long_job(killed, "rel")
    interrupted(job, killed, after=2)
    monkeypatch.setattr(running.torch, "__version__", "9.9")
    trained = epochs_trained(monkeypatch)
    (note,) = run(job, killed).notes
    assert "made with torch" in note
    assert trained == list(range(1, EPOCHS + 1))


def test_short_epochs_go_without(sites, monkeypatch):
    killed = sites("killed", 1000.0)
    job = long_job(killed, "rel")
    interrupted(job, killed, after=2)
    assert not (killed.store / "checkpoints").exists()
    trained = epochs_trained(monkeypatch)
    run(job, killed)
    assert trained == list(range(1, EPOCHS + 1))


def test_a_checkpoint_of_a_job_that_is_done_is_swept(sites):
    killed = sites("killed")
    job, other = long_job(killed, "rel"), long_job(killed, "ner")
    for each in (job, other):
        interrupted(each, killed, after=2)
    kept = killed.store / "checkpoints"
    (kept / job.id).rename(kept / "moved")
    run(job, killed)
    (kept / "moved").rename(kept / job.id)
    Store(killed.store).sweep()
    assert [p.name for p in kept.iterdir()] == [other.id]
