"""Adaptive seeds through the whole way: more where undecided, and the same after any interruption."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from transfer.analysis.interim import needed_jobs
from transfer.grid import Grid
from transfer.store import Store

SEEDS = "seeds={first: 3, most: 5}"


@pytest.fixture
def run(transfer, tiny_grid: Path, tmp_path: Path):
    """``run()`` runs the tiny grid inline with adaptive seeds into ``tmp_path/runs``."""

    def call(*more: str) -> str:
        places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports", "--set", "name=tiny"]
        code, out, err = transfer(
            "run-grid", tiny_grid, "--executor", "inline", *places,
            "--set", SEEDS, "--set", "tasks=[sim, rel]", "--set", "jobs=[single, pairs]", *more,
        )  # fmt: skip
        assert code == 0, err
        return out

    return call


def jobs_by_time(store: Path) -> list[Path]:
    """The folders of the finished jobs in the order in which they ended."""
    return sorted((store / "jobs").iterdir(), key=lambda job: (job / "result.json").stat().st_mtime_ns)


def seeds_of(store: Path) -> list[tuple[str, int]]:
    found = [json.loads((job / "result.json").read_text())["job"] for job in jobs_by_time(store)]
    return sorted(("+".join(c["name"] for c in job["corpora"]), job["seed"]) for job in found)


def between(run, tmp_path: Path, *more: str) -> str:
    """A smallest effect that three seeds rule out for one of the two tasks and not for the other."""
    run("--set", "seeds=3", *more)
    edges = pd.read_csv(tmp_path / "reports" / "tiny" / "edges.csv")
    reaches = edges[["ci_low", "ci_high"]].abs().max(axis=1)
    shutil.rmtree(tmp_path / "runs")
    assert reaches.max() > 1.5 * reaches.min(), "the tasks are too much alike for this test"
    return f"smallest_effect={100 * (reaches.max() * reaches.min()) ** 0.5:.1f}"


def test_undecided_edges_get_more_seeds_and_decided_ones_do_not(run, tmp_path: Path):
    out = run()
    assert "9 jobs (at most 15), 0 done, 9 to run" in out
    assert out.count("3 more jobs, for edges that are undecided") == 2
    assert len(jobs_by_time(tmp_path / "runs")) == 15
    edges = (tmp_path / "reports" / "tiny" / "edges.csv").read_text()
    assert edges.count("inconclusive") == 2
    shutil.rmtree(tmp_path / "runs")
    run("--set", between(run, tmp_path))
    seeds = seeds_of(tmp_path / "runs")
    decided, open_ = ("rel", "sim") if ("rel", 3) not in seeds else ("sim", "rel")
    assert (decided, 2) in seeds
    assert (decided, 3) not in seeds
    assert {(open_, 3), ("rel+sim", 3)} <= set(seeds)
    table = pd.read_csv(tmp_path / "reports" / "tiny" / "edges.csv").set_index("target")
    table["flag"] = table["flag"].fillna("")
    # equality is not claimed of runs that did not learn, but they get no more seeds either
    verdict = "inconclusive" if table.loc[decided, "flag"] else "no effect"
    assert (table.loc[decided, "verdict"], table.loc[decided, "seeds"]) == (verdict, 3)
    assert table.loc[open_, "seeds"] == 1 + max(seed for task, seed in seeds if task == open_)


def test_a_run_that_ended_anywhere_goes_on_to_the_same_end(run, tmp_path: Path):
    run()
    store, edges = tmp_path / "runs", tmp_path / "reports" / "tiny" / "edges.csv"
    whole, seeds = edges.read_bytes(), seeds_of(store)
    for kept in (2, 9, 11):
        for job in jobs_by_time(store)[kept:]:
            shutil.rmtree(job)
        run()
        assert edges.read_bytes() == whole
        assert seeds_of(store) == seeds


def test_plan_and_status_speak_of_the_jobs_so_far(run, transfer, tiny_grid: Path, tmp_path: Path):
    options = ["--set", SEEDS, "--set", "tasks=[sim, rel]", "--set", "jobs=[single, pairs]"]
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path / "runs", *options)
    assert code == 0
    assert "9 jobs, 9 to run" in out
    assert "up to 6 more where edges are undecided then" in out
    run()
    code, out, _ = transfer("status", tiny_grid, "--store", tmp_path / "runs", *options)
    assert "15 done, 0 running, 0 failed, 0 pending" in out


def test_a_study_from_another_seed_is_one_of_its_own(run, tmp_path: Path):
    run("--set", "seeds={first: 3, most: 5, start: 40}")
    assert {seed for _, seed in seeds_of(tmp_path / "runs")} == {40, 41, 42, 43, 44}


def test_single_task_runs_keep_at_twice_the_seeds_of_each_look(
    run, transfer, tiny_grid: Path, tmp_path: Path
):
    """Looks: the first has 2 x 6 single-task runs, each further one 2 for each open target."""
    out = run("--set", "single_seeds=2x")
    assert "15 jobs (at most 25), 0 done, 15 to run" in out
    assert out.count("5 more jobs, for edges that are undecided") == 2
    assert seeds_of(tmp_path / "runs") == sorted(
        [("rel+sim", seed) for seed in range(5)] + [(name, s) for name in ("rel", "sim") for s in range(10)]
    )
    options = ["--set", SEEDS, "--set", "tasks=[sim, rel]", "--set", "jobs=[single, pairs]"]
    options += ["--set", "single_seeds=2x", "--store", tmp_path / "runs"]
    code, out, _ = transfer("status", tiny_grid, *options)
    assert code == 0
    assert "25 done, 0 running, 0 failed, 0 pending" in out
    code, out, _ = transfer("plan", tiny_grid, *options)
    assert "  single: 10, " in out
    assert "  single, further seeds: 10, " in out
    missing = tmp_path / "reports" / "tiny" / "table_missing.csv"
    assert not missing.exists(), "a report misses nothing"
    edges = pd.read_csv(tmp_path / "reports" / "tiny" / "edges.csv")
    assert (edges["single_seeds"] == 2 * edges["seeds"]).all()


def test_a_decided_target_gets_no_further_single_task_runs(run, tmp_path: Path):
    more = ("--set", "single_seeds=2x")
    run("--set", between(run, tmp_path, *more), *more)
    found = seeds_of(tmp_path / "runs")
    last = {task: max(seed for other, seed in found if other == task) for task in ("rel", "sim", "rel+sim")}
    assert last["rel+sim"] > 2, "an edge was to be undecided"
    assert 5 in (last["rel"], last["sim"])
    assert max(last["rel"], last["sim"]) == 2 * last["rel+sim"] + 1


def test_an_interrupted_look_with_further_single_task_runs_ends_the_same(run, tmp_path: Path):
    more = ("--set", "single_seeds=2x", "--set", "limit={train: 12, resample: true}")
    run(*more)
    store, edges = tmp_path / "runs", tmp_path / "reports" / "tiny" / "edges.csv"
    whole, seeds = edges.read_bytes(), seeds_of(store)
    kept = {job.name: (job / "predictions.parquet").read_bytes() for job in jobs_by_time(store)}
    for left in (4, 15, 18):
        for job in jobs_by_time(store)[left:]:
            shutil.rmtree(job)
        run(*more)
        assert edges.read_bytes() == whole
        assert seeds_of(store) == seeds
        assert {job.name: (job / "predictions.parquet").read_bytes() for job in jobs_by_time(store)} == kept


def test_hours_that_earlier_runs_took_are_not_there_again(run, tmp_path: Path):
    out = run("--set", "seeds={first: 3, most: 5, hours: 0.000001}")
    assert "no more seeds" in out
    assert len(jobs_by_time(tmp_path / "runs")) == 9
    record = Store(tmp_path / "runs").get_grid(
        Grid.load(
            tmp_path / "tiny.yaml",
            overrides=[
                "tasks=[sim, rel]",
                "jobs=[single, pairs]",
                "seeds={first: 3, most: 5, hours: 0.000001}",
            ],
        )
    )
    assert len(needed_jobs(Store(tmp_path / "runs"), record)) == 9
    again = run("--set", "seeds={first: 3, most: 5, hours: 0.000001}")
    assert "9 jobs (at most 15), 9 done, 0 to run" in again


@pytest.mark.parametrize(
    ("seeds", "said"),
    [
        ("{frist: 3, most: 5}", "did you mean 'first'"),
        ("{first: 3}", "'most': Field required"),
        ("{first: 5, most: 5}", "'most' should be more than 'first', which is 5"),
        ("{first: 2, most: 5}", "'first': should be greater than or equal to 3"),
    ],
)
def test_wrong_adaptive_seeds_are_one_message(transfer, tiny_grid: Path, seeds: str, said: str):
    code, _, err = transfer("plan", tiny_grid, "--set", f"seeds={seeds}")
    assert code == 2
    assert said in err
    assert "seeds" in err


def test_ray_adds_the_same_seeds_as_the_inline_executor(run, transfer, tiny_grid: Path, tmp_path: Path):
    run()
    inline = seeds_of(tmp_path / "runs")
    edges = tmp_path / "reports" / "tiny" / "edges.csv"
    whole = edges.read_bytes()
    shutil.rmtree(tmp_path / "runs")
    code, out, err = transfer(
        "run-grid", tiny_grid, "--store", tmp_path / "runs", "--out", tmp_path / "reports",
        "--set", "name=tiny", "--set", SEEDS, "--set", "tasks=[sim, rel]", "--set", "jobs=[single, pairs]",
    )  # fmt: skip
    assert code == 0, err
    assert out.count("3 more jobs, for edges that are undecided") == 2
    assert seeds_of(tmp_path / "runs") == inline
    assert edges.read_bytes() == whole


def test_a_pair_that_gets_more_seeds_has_teachers_of_these_seeds(run, tmp_path: Path):
    """One target is decided and would need no more of itself alone; the pair's pupils need its teacher."""
    distil = ("--set", "recipe.share=distil")
    run("--set", between(run, tmp_path, *distil), *distil)
    seeds = seeds_of(tmp_path / "runs")
    results = [json.loads((job / "result.json").read_text()) for job in jobs_by_time(tmp_path / "runs")]
    assert {result["status"] for result in results} == {"done"}
    assert ("rel+sim", 3) in seeds
    for names, seed in seeds:
        if names == "rel+sim":
            assert {("rel", seed), ("sim", seed)} <= set(seeds)
    assert not list(tmp_path.glob("runs/jobs/*/encoder")), "no teacher's weights are left"
