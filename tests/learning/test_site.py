"""What a worker keeps from one job to the next."""

import pytest

from tests.learning.test_run import QUICK, job_of
from transfer.learning import site as at
from transfer.learning.site import Site


@pytest.fixture(autouse=True)
def _afresh():
    at.forget()
    yield
    at.forget()


def kept() -> tuple[int, int]:
    """Of how many splits the rows are kept, and their word pieces."""
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
