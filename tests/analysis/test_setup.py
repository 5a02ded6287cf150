"""The description of how a grid was run, as its study states it."""

import pytest

from transfer import expansion
from transfer.analysis.setup import MIXED, Setup, cells_of, versions
from transfer.grid import Grid
from transfer.records import JobResult

GRID = Grid.model_validate(
    {
        "name": "g", "corpora": "folder", "tasks": ["a", "b"], "encoder": "some-bert", "seeds": 1,
        "recipe": {"lr": 1e-3, "epochs": 2, "batch_size": 4}, "jobs": ["single", "pairs"],
    }
)  # fmt: skip
JOBS = expansion.jobs_of(GRID, {"a": "fa", "b": "fb"}, encoder_fingerprint="e")


def results(*provenance: dict[str, str]) -> dict[str, JobResult]:
    return {
        job.id: JobResult(id=job.id, job=job, status="done", source="prepared", provenance=own)
        for job, own in zip(JOBS, provenance, strict=True)
    }


@pytest.mark.parametrize("name", ["torch", "device", "passes", "attention"])
def test_jobs_that_were_computed_in_different_ways_are_counted(name):
    here, there = {"torch": "2.13"} | {name: "one"}, {"torch": "2.13"} | {name: "other"}
    assert versions(results(here, here, there))[MIXED] == f"{name} one (2 jobs), {name} other (1 job)"
    assert MIXED not in versions(results(here, here, here))


def test_versions_name_no_implementation():
    told = versions(results(*[{"torch": "2.13", "passes": "C++", "threads": "4"}] * 3))
    assert told == {"versions": "torch 2.13"}


def test_a_job_promises_a_score_of_each_of_its_corpora():
    pair = next(job for job in JOBS if len(job.names) == 2)
    assert [tuple(cell) for cell in cells_of(pair)] == [("refine", "a+b", "a", 0), ("refine", "a+b", "b", 0)]


def test_an_unknown_source_is_refused():
    with pytest.raises(ValueError, match="unknown source 'real'"):
        Setup(title="t", source="real", corpora=(), smallest_effect=0.005)
