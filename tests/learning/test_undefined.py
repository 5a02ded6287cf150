"""Jobs whose dev or test score is undefined: the epoch is well defined, and no file has a number."""

import json
from pathlib import Path

import pytest

from tests.learning.jobs import job_of
from transfer.jobs import Job
from transfer.learning import checkpoint
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.records import JobResult, Score, result_of, signed
from transfer.store import Store

CARD = {"name": "flat", "kind": "similarity", "metric": "pearson", "pair": True}


@pytest.fixture
def flat(tmp_path: Path, tiny_corpora: Path, tiny_encoder: Path, write_corpus) -> Site:
    """A site with a corpus whose dev scores are all 2, beside one that is sound."""
    folder = tmp_path / "corpora"
    folder.mkdir()
    (folder / "rel").symlink_to(tiny_corpora / "rel")

    def row(split: str, i: int) -> dict:
        texts = {"text_a": f"fever {i}", "text_b": "the cough"}
        return {"id": f"{split}-{i}", **texts, "score": 2.0 if split == "dev" else float(i % 4)}

    write_corpus(
        folder, CARD, {split: [row(split, i) for i in range(12)] for split in ("train", "dev", "test")}
    )
    return Site(store=tmp_path / "runs", corpora=str(folder), encoder=tiny_encoder, checkpoint_seconds=0.0)


@pytest.fixture
def job(flat: Site) -> Job:
    return job_of(flat, "flat", "rel")


def test_the_last_epoch_is_taken_and_said_where_dev_is_always_undefined(flat: Site, job: Job):
    result = run(job, flat)
    assert result.status == "done", result.error
    assert result.chosen_epoch["flat"] == 3
    assert [epoch.dev["flat"] for epoch in result.history] == [None] * 3
    assert all(epoch.dev["rel"] is not None for epoch in result.history)
    (dev,) = (s for s in result.scores if (s.corpus, s.split) == ("flat", "dev"))
    assert dev.value is None
    assert dev.undefined == ("all 12 gold scores are 2; undefined in every epoch, so the last one was chosen")
    assert f"the dev score of flat is undefined: {dev.undefined}" in result.notes
    written = json.loads((Store(flat.store).home(job.id) / "result.json").read_text())
    assert next(s["value"] for s in written["scores"] if s["corpus"] == "flat") is None
    assert Store(flat.store).get(job.id) == result.model_copy(
        update={"checksum": written["checksum"], "predictions": written["predictions"]}
    )


def test_a_job_goes_on_from_a_checkpoint_with_an_undefined_score(flat: Site, job: Job, monkeypatch):
    class Killed(BaseException):
        pass

    save = checkpoint.Checkpoint.save

    def killing(self, model, optimizer, schedule, best, history):
        save(self, model, optimizer, schedule, best, history)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint.Checkpoint, "save", killing)
        with pytest.raises(Killed):
            run(job, flat)
    resumed = run(job, flat)
    whole = run(job, flat.model_copy(update={"store": flat.store.parent / "whole"}))
    assert resumed.notes == whole.notes, "the checkpoint was used and not set aside"
    assert (resumed.scores, resumed.chosen_epoch) == (whole.scores, whole.chosen_epoch)
    assert [epoch.dev for epoch in resumed.history] == [epoch.dev for epoch in whole.history]


def test_a_score_has_a_value_or_a_reason():
    score = {"corpus": "a", "split": "test", "metric": "pearson", "items": 3}
    assert Score(**score, value=0.5).number == 0.5
    for wrong in ({"value": None}, {"value": 0.0, "undefined": "constant"}, {"value": float("nan")}):
        with pytest.raises(ValueError, match=r"either a value or the reason|finite"):
            Score(**score, **wrong)


def test_a_result_with_an_undefined_score_reads_back(job: Job):
    score = Score(corpus="flat", split="test", metric="pearson", value=None, items=3, undefined="a reason")
    result = JobResult(id=job.id, job=job, status="done", scores=(score,), source="prepared")
    assert result_of(signed(result), where="here").scores == (score,)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            "Traceback …\n  File x\ntransfer.learning.evaluate.Diverged: the loss is not finite",
            "the loss is not finite",
        ),
        ("Traceback …\nValueError: the corpus changed", "ValueError: the corpus changed"),
        ("Traceback …\ntransfer.inputs.InputError: no such file", "InputError: no such file"),
        ("", ""),
    ],
)
def test_why_a_job_failed_is_said_without_a_class_path(job: Job, error: str, reason: str):
    assert JobResult(id=job.id, job=job, status="failed", source="", error=error).reason == reason
