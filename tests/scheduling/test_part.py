"""Parts of a grid: every job once, families together, loads balanced, results those of one run."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.grids import TASKS, grid_of, jobs_of
from transfer.inputs import InputError
from transfer.scheduling.part import Part

RECIPE = {"lr": 1e-3, "epochs": 1, "batch_size": 2, "fine_tune": {"lr": 1e-3, "epochs": 1}}
JOBS = jobs_of(grid_of(TASKS, recipe=RECIPE, stages=["refine", "fine-tune"], seeds=2))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10**6))
def test_every_job_is_in_one_part_and_with_its_parents(count: int, seed: int):
    cost = {job.id: 1.0 + (int(job.id, 16) ^ seed) % 7 for job in JOBS}
    parts = [Part(number, count).of(JOBS, cost) for number in range(1, count + 1)]
    assert sorted(job.id for part in parts for job in part) == sorted(job.id for job in JOBS)
    for part in parts:
        ids = [job.id for job in part]
        for place, job in enumerate(part):
            assert all(parent.id in ids[:place] for parent in job.parents)


@settings(deadline=None)
@given(st.lists(st.floats(0.1, 100), min_size=6, max_size=6), st.integers(2, 4))
def test_no_part_costs_more_than_the_mean_and_one_job(prices, count: int):
    jobs = jobs_of(grid_of(TASKS, jobs=["single", "pairs"], seeds=1))[: len(prices)]
    cost = dict(zip([job.id for job in jobs], prices, strict=False))
    loads = [sum(cost[job.id] for job in Part(n, count).of(jobs, cost)) for n in range(1, count + 1)]
    assert max(loads) <= sum(cost.values()) / count + max(cost.values()) * (1 - 1 / count) + 1e-9


@pytest.mark.parametrize("text", ["", "3", "0/4", "5/4", "1/0", "a/b", "-1/4", "1/4/4"])
def test_a_part_that_is_none_is_refused(text: str):
    with pytest.raises(InputError, match="should be NUMBER/COUNT"):
        Part.parse(text)


def test_the_commands_of_the_page_on_clusters(
    transfer, tiny_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Three parts, merged, give the report of one run; the test plays the part of Slurm."""
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")
    section = page.partition("## Without Ray")[2].replace("my.yaml", str(tiny_run.grid))
    run, pack, merge, report = re.findall(r"^transfer (.+)$", section, flags=re.MULTILINE)
    for number in ("3", "1", "2"):
        for command in (run.replace("/8", "/3"), pack):
            code, out, err = transfer(*command.replace("$SLURM_ARRAY_TASK_ID", number).split())
            assert code == 0, err
            assert "report" not in out or f"part {number}/3: " in out
    ledgers = sorted(path.name for path in tmp_path.glob("part*.ledger"))
    assert len(ledgers) == 3
    assert transfer(*merge.replace("part*.ledger", " ".join(ledgers)).split())[0] == 0
    code, _, err = transfer(*report.split(), "--out", tmp_path / "out")
    assert code == 0, err
    for name in ("edges.csv", "table_scores.csv", "graph.graphml"):
        assert (tmp_path / "out" / "tiny" / name).read_bytes() == (tiny_run.out / "tiny" / name).read_bytes()


def test_adaptive_seeds_have_no_parts(transfer, tiny_grid: Path, tmp_path: Path):
    code, _, err = transfer(
        "run-grid", tiny_grid, "--part", "1/2", "--executor", "inline", "--set", "seeds={first: 3, most: 4}",
        "--store", tmp_path / "runs",
    )  # fmt: skip
    assert code == 2
    assert "--part needs fixed seeds" in err
