"""The time that a grid is expected to take."""

import re
from pathlib import Path

import pytest

from transfer.cli.terminal import duration
from transfer.planning import GridFile, expand
from transfer.scheduling import estimate
from transfer.scheduling.execution import Execution
from transfer.store import Store

STEPS = {"sim": 2.0, "rel": 3.0, "ner": 5.0}


def test_plan_counts_start_jobs_and_report(transfer, tiny_grid: Path, tmp_path: Path, monkeypatch):
    """Every job has the measured time of its corpora, and a run takes time besides its jobs."""
    from transfer.learning import step_timing as probe

    def rates(jobs, site, *, threads):
        held = {name: {"dev": 1.5, "test": 3.0} for name in STEPS}
        return probe.Rates(
            threads, 0, once=7.0, job=1.0, step=STEPS, steps=dict.fromkeys(STEPS, 3), held=held
        )

    monkeypatch.setattr(probe, "probe", rates)
    monkeypatch.setattr(estimate, "START", 100.0)
    monkeypatch.setattr(estimate, "REPORT", 200.0)
    # epochs 2: for each corpus 2 x 3 steps, a third of 2 x 1.5 for dev, of 3 for test: 8 steps
    jobs = 2 * 7 * 1.0 + 8 * 2 * 4 * sum(STEPS.values())
    total = jobs + 100 + 200 + 14 * estimate.REPORT_PER_JOB + 7
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path / "runs")
    assert code == 0
    (line,) = [line for line in out.splitlines() if "training steps timed just now" in line]
    told = re.match(r"about (\d+) min with 1 at a time \((.*) to start, (.*) for jobs, 3 min for the", line)
    assert told
    assert abs(int(told[1]) - total / 60) <= 1
    assert told[3] == duration(jobs)


def test_every_corpus_is_measured_and_a_job_is_the_sum_of_its_corpora(tiny_grid: Path, tmp_path: Path):
    from transfer.learning.step_timing import covering, probe

    expanded = expand(GridFile(tiny_grid, overrides=["controls=[same-steps]"]))
    record, here = expanded.record, Execution().site(Store(tmp_path), expanded)
    assert [job.names for job in covering(record.jobs)] == [("ner", "rel", "sim")]
    pairs = [job for job in record.jobs if len(job.names) == 2]
    assert len(covering(pairs)) == 2
    rates = probe(record.jobs, here, threads=1)
    assert rates.steps == dict.fromkeys(("ner", "rel", "sim"), 3), "24 examples, 8 in a mini-batch"
    assert all(second > 0 for second in rates.step.values())
    assert all(rates.held[name]["dev"] == pytest.approx(1.5, rel=0.1) for name in rates.held)
    of = {job.names: rates.seconds(job) - rates.job for job in record.jobs if not job.extra_examples}
    assert of["ner", "rel"] == pytest.approx(of["ner",] + of["rel",])
    longer = {job.names[0]: rates.seconds(job) for job in record.jobs if job.extra_examples}
    for name in ("ner", "rel", "sim"):
        more = longer[name] - rates.seconds(next(j for j in record.jobs if j.names == (name,)))
        assert more == pytest.approx(2 * 3 * rates.step[name]), "as many steps again, in two epochs"
    assert not list(tmp_path.rglob("*.json")), "nothing is kept"
