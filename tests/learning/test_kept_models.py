"""Models that a grid keeps: each corpus's own epoch, the whole word table, and nothing else changes."""

import json

import pytest
from safetensors.torch import load_file

from tests.learning.jobs import job_of
from transfer.jobs import Job
from transfer.learning import kept_models
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.records import Damaged
from transfer.store import Store


def keeping(site: Site, *jobs: Job) -> Site:
    return site.model_copy(update={"keep": frozenset(job.id for job in jobs)})


def test_nothing_is_kept_unless_asked_for(site: Site):
    job = job_of(site, "rel")
    run(job, site)
    assert not Store(site.store).has_model(job.id)
    assert not (Store(site.store).home(job.id) / "model").exists()


def test_a_done_job_trains_again_for_its_model_and_its_result_stays(site: Site):
    job = job_of(site, "rel", "ner")
    run(job, site)
    home = Store(site.store).home(job.id)
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    again = run(job, keeping(site, job))
    assert {path.name: path.read_bytes() for path in home.iterdir() if path.is_file()} == before
    kept = kept_models.kept_model(Store(site.store), job.id)
    assert kept.result.scores == again.scores == Store(site.store).get(job.id).scores
    assert {name: task.epoch for name, task in kept.tasks.items()} == again.chosen_epoch
    made = {path: path.stat().st_mtime_ns for path in (home / "model").iterdir()}
    run(job, keeping(site, job))
    assert {path: path.stat().st_mtime_ns for path in (home / "model").iterdir()} == made


def test_the_word_table_is_whole_and_only_what_was_read_moved_by_more_than_decay(site: Site):
    job = job_of(site, "rel")
    run(job, keeping(site, job))
    weights = kept_models.kept_model(Store(site.store), job.id).weights(Store(site.store), "rel")
    name = next(name for name in weights if name.endswith("word_embeddings.weight"))
    first = load_file(site.encoder / "model.safetensors")["embeddings.word_embeddings.weight"]
    assert weights[name].shape == first.shape
    share = (weights[name] / first).nanmean(dim=1)
    spread = (weights[name] / first - share.unsqueeze(1)).abs().amax(dim=1)
    assert 0 < (spread > 1e-3).sum() < len(first)
    assert set(weights) >= {"pooler.weight", "head.weight", "head.bias"}


def test_a_child_is_kept_too_and_its_parent_need_not_be(site: Site):
    parent = job_of(site, "rel", "sim")
    child = job_of(site, "rel", parent=parent)
    run(parent, site, keep_encoder=True)
    assert run(child, keeping(site, child)).status == "done"
    store = Store(site.store)
    assert store.has_model(child.id)
    assert not store.has_model(parent.id)
    assert kept_models.kept_model(store, child.id).result.job == child


def test_nothing_kept_is_pickled_and_no_place_of_this_machine_is_told(site: Site):
    job = job_of(site, "sim")
    run(job, keeping(site, job))
    files = sorted((Store(site.store).home(job.id) / "model").iterdir())
    assert {path.suffix for path in files} <= {".json", ".safetensors", ".txt"}
    for path in files:
        if path.name != "model.json":  # holds the job, which names its encoder
            assert str(site.encoder).encode() not in path.read_bytes(), path.name


def test_a_model_that_was_changed_is_damaged(site: Site):
    job = job_of(site, "sim")
    run(job, keeping(site, job))
    store = Store(site.store)
    kept = kept_models.kept_model(store, job.id)
    weights = next((store.home(job.id) / "model").glob("epoch-*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0")
    with pytest.raises(Damaged, match="was changed after it was written"):
        kept.weights(store, "sim")
    weights.unlink()
    with pytest.raises(Damaged, match="is gone"):
        kept.weights(store, "sim")
    record = store.home(job.id) / "model" / "model.json"
    record.write_text(json.dumps({"format": 1}))
    with pytest.raises(Damaged, match="is no record of a model"):
        kept_models.kept_model(store, job.id)
