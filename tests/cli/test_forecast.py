"""Estimated time of a grid, and the note on a precision that the processor does not support."""

import json
import re
from pathlib import Path

import pytest

from tests.families import write_family
from transfer.cli import forecast
from transfer.cli.running import Executor, Workers
from transfer.learning.native import library
from transfer.store import Store

BF16 = ("--set", "recipe.precision=bf16")
TOLD = "no bf16 arithmetic: matrix products in bf16 took 4.0 times as long as in fp32 just now"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor (a fake) whose bf16 products take four times as long as those in fp32."""
    monkeypatch.setattr(forecast, "bf16_gain", lambda: 0.25)


def test_products_are_timed_in_both_precisions():
    assert 0.01 < forecast.bf16_gain.__wrapped__() < 100


def test_jobs_share_the_workers_and_take_at_least_as_long_as_the_longest():
    assert forecast.together([10.0, 20.0, 30.0], at_once=2) == 30.0
    assert forecast.together([10.0, 20.0, 50.0], at_once=4) == 50.0
    assert forecast.together([], at_once=4) == 0.0


def test_an_estimate_under_a_second_is_not_about_that():
    assert forecast.about(0.3) == "under 1 s"
    assert forecast.about(40) == "about 40 s"


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
    monkeypatch.setattr(forecast, "START", 100.0)
    monkeypatch.setattr(forecast, "REPORT", 200.0)
    # epochs 2: for each corpus 2 x 3 steps, a third of 2 x 1.5 for dev, of 3 for test: 8 steps
    jobs = 2 * 7 * 1.0 + 8 * 2 * 4 * sum(STEPS.values())
    total = jobs + 100 + 200 + 14 * forecast.REPORT_PER_JOB + 7
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path / "runs")
    assert code == 0
    (line,) = [line for line in out.splitlines() if "training steps timed just now" in line]
    told = re.match(r"about (\d+) min with 1 at a time \((.*) to start, (.*) for jobs, 3 min for the", line)
    assert told
    assert abs(int(told[1]) - total / 60) <= 1
    assert told[3] == forecast.duration(jobs)


def test_every_corpus_is_measured_and_a_job_is_the_sum_of_its_corpora(tiny_grid: Path, tmp_path: Path):
    from transfer.cli.planning import expanded, site
    from transfer.learning.step_timing import covering, probe

    grid, record, files, _ = expanded(tiny_grid, None, ["controls=[same-steps]"])
    here = site(Store(tmp_path), grid, files, checkpoint_seconds=0, keep=frozenset())
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


@pytest.mark.usefixtures("without")
def test_plan_and_run_grid_tell_that_fp32_is_quicker(transfer, tiny_grid: Path, tmp_path: Path):
    here = ("--store", tmp_path / "runs")
    assert TOLD in transfer("plan", tiny_grid, *BF16, *here)[1]
    few = (
        "--set",
        "seeds=1",
        "--set",
        "jobs=[single]",
        "--executor",
        "inline",
        "--out",
        tmp_path / "reports",
    )
    code, out, _ = transfer("run-grid", tiny_grid, *BF16, *here, *few)
    assert code == 0
    assert f"{TOLD}; --set recipe.precision=fp32 is quicker on it" in out
    assert TOLD not in transfer("plan", tiny_grid, *here)[1]


@pytest.mark.usefixtures("without")
def test_pretrain_tells_it_too(transfer, tiny_encoder: Path, tmp_path: Path):
    text = tmp_path / "text.txt"
    documents = [f"the patient has asthma {letter}" for letter in "abcdefghijkl"]
    text.write_text("\n\n".join(documents), encoding="utf-8")
    small = ("--steps", 1, "--batch-size", 2, "--max-length", 16, "--precision", "bf16")
    code, out, err = transfer(
        "pretrain", "--encoder", tiny_encoder, "--text", text, "--to", tmp_path / "to", *small
    )
    assert code == 0, err
    assert f"{TOLD}; --precision fp32 is quicker on it" in out


def test_nothing_is_told_where_bf16_is_quicker_or_not_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(forecast, "bf16_gain", lambda: 1.5)
    assert forecast.without_bf16("bf16", instead="…") is None
    monkeypatch.setattr(forecast, "bf16_gain", lambda: pytest.fail("no product needs to be timed"))
    assert forecast.without_bf16("fp32", instead="…") is None


@pytest.mark.parametrize(("family", "told"), [("bert", True), ("distilbert", False)])
def test_run_grid_tells_what_a_compiler_would_give(
    transfer, tiny_grid: Path, tmp_path: Path, monkeypatch, family, told
):
    monkeypatch.setattr(library, "found", lambda: (None, "torch (no C++ compiler)"))
    folder = write_family(tmp_path / family, family)
    quick = ("seeds=1", "jobs=[single]", f"encoder={folder}", "recipe.epochs=1")
    more = [word for each in quick for word in ("--set", each)]
    here = ("--store", tmp_path / "runs", "--out", tmp_path / "reports", "--executor", "inline")
    code, out, err = transfer("run-grid", tiny_grid, *more, *here)
    assert code == 0, err
    assert ("computed with torch (no C++ compiler); with a C++ compiler" in out) is told
    (result, *_) = (tmp_path / "runs" / "jobs").glob("*/result.json")
    assert json.loads(result.read_text())["provenance"]["passes"] == "torch (no C++ compiler)"


@pytest.mark.parametrize(
    ("executor", "gpus", "address", "here"),
    [
        (Executor.ray, 0.0, None, True),
        (Executor.ray, 0.5, None, False),
        (Executor.ray, 0.0, "auto", False),
        (Executor.inline, 0.0, None, True),
    ],
)
def test_of_gpus_and_other_machines_nothing_is_known(executor, gpus, address, here):
    assert Workers(executor, 1, gpus, address, None).on_cpu_here is here
