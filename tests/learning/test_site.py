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


def kept(cached) -> tuple[int, int]:
    """How many things there are in a cache, and their word pieces."""
    return len(cached.cache), cached.cache.currsize


def test_rows_are_collated_once_for_all_jobs_of_a_seed(site: Site):
    alone, pair = job_of(site, "rel"), job_of(site, "rel", "ner")
    first = at.cut("rel", "train", job=alone, site=site)
    assert all(a is b for a, b in zip(at.cut("rel", "train", job=pair, site=site), first, strict=True))
    assert kept(at._cut_once) == (1, sum(batch.pieces for batch in first))
    other = at.cut("rel", "train", job=job_of(site, "rel", seed=1), site=site)
    assert all(a is not b for a, b in zip(other, first, strict=True))


def test_what_is_kept_is_bounded_by_its_size_and_not_by_its_number(site: Site, monkeypatch):
    bound = 3 * sum(batch.pieces for batch in at.cut("rel", "train", job=job_of(site, "rel"), site=site))
    at.forget()
    for cached in (at._cut_once, at._encoded):
        monkeypatch.setattr(cached.cache, "_Cache__maxsize", bound)
    for seed in range(8):
        at.cut("rel", "train", job=job_of(site, "rel", seed=seed), site=site)
        assert kept(at._cut_once)[1] <= bound
    assert kept(at._cut_once)[0] == 3


def test_what_is_larger_than_the_bound_is_used_all_the_same(site: Site, monkeypatch):
    monkeypatch.setattr(at._cut_once.cache, "_Cache__maxsize", 1)
    job = job_of(site, "ner", recipe=QUICK)
    found = at.cut("ner", "test", job=job, site=site)
    assert sum(batch.pieces for batch in found) > 1
    assert kept(at._cut_once) == (0, 0)


def test_a_corpus_is_as_long_as_its_sequences(site: Site):
    job = job_of(site, "rel")
    ready = at.ready_of(job.corpora[0], job, site)
    assert ready.length == sum(len(item.ids) for split in ready.items.values() for item in split) > 0
    assert kept(at._encoded) == (1, ready.length)
