"""The data that a worker keeps from one job to the next."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.learning.jobs import QUICK, job_of
from transfer.corpora import Limit
from transfer.corpora.base import Split
from transfer.jobs import NULL_SEEDS
from transfer.learning import worker_data as at
from transfer.learning.run import run
from transfer.learning.worker_data import Site


@pytest.fixture(autouse=True)
def _afresh():
    at.forget()
    yield
    at.forget()


def kept() -> tuple[int, int]:
    """Number of splits with cached rows, and their subword tokens."""
    return len(at._cut_once.cache), at._cut_once.cache.currsize


def test_rows_are_collated_once_for_all_jobs_of_a_seed(site: Site):
    alone, pair = job_of(site, "rel"), job_of(site, "rel", "ner")
    first = at.cut("rel", "train", job=alone, site=site)
    assert all(a is b for a, b in zip(at.cut("rel", "train", job=pair, site=site), first, strict=True))
    assert kept() == (1, sum(batch.pieces for batch in first))
    other = at.cut("rel", "train", job=job_of(site, "rel", seed=1), site=site)
    assert all(a is not b for a, b in zip(other, first, strict=True))


def test_what_is_kept_is_bounded_by_its_size_and_not_by_its_number(site: Site, monkeypatch):
    bound = 3 * sum(batch.pieces for batch in at.cut("rel", "train", job=job_of(site, "rel"), site=site))
    at.forget()
    monkeypatch.setattr(at._cut_once.cache, "_Cache__maxsize", bound)
    for seed in range(8):
        at.cut("rel", "train", job=job_of(site, "rel", seed=seed), site=site)
        assert kept()[1] <= bound
    assert kept()[0] == 3


def test_what_is_larger_than_the_bound_is_used_all_the_same(site: Site, monkeypatch):
    monkeypatch.setattr(at._cut_once.cache, "_Cache__maxsize", 1)
    job = job_of(site, "ner", recipe=QUICK)
    found = at.cut("ner", "test", job=job, site=site)
    assert sum(batch.pieces for batch in found) > 1
    assert kept() == (0, 0)


def test_a_corpus_is_read_once_however_little_is_kept_of_its_rows(site: Site, monkeypatch):
    monkeypatch.setattr(at._cut_once.cache, "_Cache__maxsize", 1)
    read, load = [], at.corpora.load_one
    noted = lambda where, name, **how: read.append(name) or load(where, name, **how)  # noqa: E731
    jobs = [job_of(site, "rel", "ner", seed=seed) for seed in range(2)]
    monkeypatch.setattr(at.corpora, "load_one", noted)
    for job in jobs:
        for trained in job.corpora:
            at.ready_of(trained, job, site)
        for trained in job.corpora:
            for split in ("train", "dev", "test"):
                at.cut(trained.name, split, job=job, site=site)
    assert sorted(read) == ["ner", "rel"]


def test_a_corpus_that_changed_with_its_plan_is_read_again(site: Site, tiny_corpora: Path, tmp_path: Path):
    home = tmp_path / "changing"
    shutil.copytree(tiny_corpora / "rel", home / "rel")
    there = site.model_copy(update={"corpora": str(home)})
    (trained,) = job_of(there, "rel").corpora
    before = at.ready_of(trained, job_of(there, "rel"), there)
    dev = home / "rel" / "dev.jsonl"
    dev.write_text("".join(dev.read_text().splitlines(keepends=True)[:-1]))
    job = job_of(there, "rel")  # planned anew in the process that read the corpus
    (trained,) = job.corpora
    after = at.ready_of(trained, job, there)
    assert before.corpus.fingerprint != after.corpus.fingerprint == trained.fingerprint


@pytest.fixture
def resampled(site: Site) -> Site:
    """A site where each seed draws 10 of 24 train examples; dev and test have limits of their own."""
    limit = Limit(train=10, dev=8, test=6, resample=True)
    return site.model_copy(update={"limits": dict.fromkeys(("sim", "rel", "ner", "multi"), limit)})


def examples(name: str, split: Split, job, site: Site) -> set[str]:
    """The texts of the examples that a job's rows of a split are made of."""
    of_split = at.ready_of(next(c for c in job.corpora if c.name == name), job, site).corpus.split(split)
    used = {example for batch in at.cut(name, split, job=job, site=site) for example, _, _ in batch.items}
    return {of_split[i].id for i in used}


def test_all_arms_of_a_seed_train_on_the_same_sample(resampled: Site):
    groups = (["rel"], ["rel", "ner"], ["rel", "sim", "ner", "multi"])
    samples = []
    for seed in range(4):
        arms = [examples("rel", "train", job_of(resampled, *g, seed=seed), resampled) for g in groups]
        assert arms[0] == arms[1] == arms[2]
        assert len(arms[0]) == 10
        samples.append(frozenset(arms[0]))
    assert len(set(samples)) == 4, "each seed has a sample of its own"


def test_controls_and_children_have_the_sample_of_their_seed(resampled: Site):
    single = job_of(resampled, "rel", seed=1)
    sample = examples("rel", "train", single, resampled)
    null = single.model_copy(update={"seed": NULL_SEEDS + 1})
    longer = single.model_copy(update={"extra_examples": 10})
    tuned = single.model_copy(update={"recipe": QUICK.model_copy(update={"lr": 1e-4}), "tuned": True})
    child = job_of(resampled, "rel", seed=1, parent=job_of(resampled, "rel", "ner", seed=1))
    for job in (null, longer, tuned, child):
        assert examples("rel", "train", job, resampled) == sample, job.label
    batches = [at.cut("rel", "train", job=job, site=resampled) for job in (single, null)]
    assert batches[0][0].items != batches[1][0].items, "the null control shuffles otherwise"


def test_dev_and_test_are_the_same_rows_for_every_seed(resampled: Site):
    jobs = [job_of(resampled, "rel", seed=seed) for seed in range(3)]
    sizes: dict[Split, int] = {"dev": 8, "test": 6}
    for split, size in sizes.items():
        rows = [at.cut("rel", split, job=job, site=resampled) for job in jobs]
        assert all(a is b for other in rows[1:] for a, b in zip(rows[0], other, strict=True))
        assert len(examples("rel", split, jobs[0], resampled)) == size


def test_a_left_out_control_leaves_shared_text_out_of_the_seeds_own_sample(resampled: Site, monkeypatch):
    job = job_of(resampled, "rel", "ner", seed=2).model_copy(update={"left_out": "ner"})
    plain = examples("rel", "train", job_of(resampled, "rel", "ner", seed=2), resampled)
    monkeypatch.setattr(at, "apart", lambda source, target: range(1, len(source.train)))
    left = examples("rel", "train", job, resampled)
    assert left < plain
    assert len(left) == 9


def test_encoded_samples_are_bounded_and_the_corpus_is_read_once(resampled: Site, monkeypatch):
    read, load = [], at.corpora.load_one
    noted = lambda where, name, **how: read.append(name) or load(where, name, **how)  # noqa: E731
    jobs = [job_of(resampled, "rel", seed=seed) for seed in range(6)]
    monkeypatch.setattr(at.corpora, "load_one", noted)
    at.ready_of(jobs[0].corpora[0], jobs[0], resampled)
    kept: Any = at._sampled.cache
    bound = 3 * kept.currsize
    monkeypatch.setattr(kept, "_Cache__maxsize", bound)
    for job in jobs * 2:
        at.ready_of(job.corpora[0], job, resampled)
        assert 0 < kept.currsize <= bound
    assert read == ["rel"]


def test_a_job_on_a_sample_says_how_many_examples_it_trained_on(resampled: Site):
    result = run(job_of(resampled, "rel", "ner", seed=3), resampled)
    assert result.status == "done", result.error
    assert result.train_items == {"ner": 10, "rel": 10}
    assert {(s.split, s.items) for s in result.scores} == {("dev", 8), ("test", 6)}
