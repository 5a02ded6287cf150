"""The executor without Ray: all jobs, each once, failures recorded and passed by."""

import json
from pathlib import Path

import pandas as pd
import pytest

from transfer.grid import Grid
from transfer.learning import run as learning
from transfer.scheduling.timeline import busy
from transfer.store import Store


def results_of(store: Path) -> dict[str, dict]:
    found = [json.loads(path.read_text()) for path in store.glob("jobs/*/result.json")]
    return {r["id"]: r for r in found}


def written(store: Path) -> dict[Path, tuple[int, bytes]]:
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in store.glob("jobs/*/result.json")}


@pytest.fixture
def run(transfer, tmp_path: Path):
    """``run(grid, "--set", …)`` runs a grid inline into ``tmp_path/runs``."""

    def call(grid: Path, *more: str) -> tuple[int, str, str]:
        places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports", "--set", "name=tiny"]
        return transfer("run-grid", grid, "--executor", "inline", *places, *more)

    return call


def test_every_job_has_its_result(tiny_run):
    record = Store(tiny_run.store).get_grid(Grid.load(tiny_run.grid))
    results = Store(tiny_run.store).results(record.jobs)
    assert len(results) == 2 * (3 + 3 + 1)
    for result in results.values():
        assert result.status == "done"
        assert {s.corpus for s in result.scores if s.split == "test"} == set(result.job.names)
        assert len(result.history) == 2
        predictions = Store(tiny_run.store).predictions(result.id)
        assert predictions.groupby("corpus").size().to_dict() == dict.fromkeys(result.job.names, 12)
    assert not list((tiny_run.store / "running").iterdir())
    assert not list((tiny_run.store / "tmp").iterdir())


def test_results_say_when_they_ended(tiny_run):
    record = Store(tiny_run.store).get_grid(Grid.load(tiny_run.grid))
    results = Store(tiny_run.store).results(record.jobs).values()
    # one after the other: together they cannot fill more than the time that passed; how much less is load
    assert 0 < busy(results, workers=1) < 1.05


def test_nothing_runs_twice_and_a_second_grid_runs_only_what_is_new(run, tiny_grid: Path, tmp_path: Path):
    one = ["--set", "jobs=[single]", "--set", "seeds=1"]
    assert run(tiny_grid, *one)[0] == 0
    before = written(tmp_path / "runs")
    assert len(before) == 3
    code, out, _ = run(tiny_grid, *one)
    assert code == 0
    assert "3 jobs, 3 done, 0 to run" in out
    assert written(tmp_path / "runs") == before
    code, out, _ = run(
        tiny_grid, "--set", "seeds=1", "--set", "jobs=[single, [rel, sim]]", "--set", "name=other"
    )
    assert code == 0
    assert "4 jobs, 3 done, 1 to run" in out
    after = written(tmp_path / "runs")
    assert len(after) == 4
    assert {path: after[path] for path in before} == before


def test_a_job_that_raises_is_recorded_and_the_others_go_on(
    run, tiny_grid: Path, tmp_path: Path, monkeypatch
):
    real = learning.RunningJob.begin

    def begin(job, site):
        if job.names == ("rel",) and job.parent is None:
            raise OSError("the disk is on fire")
        return real(job, site)

    choice = ["tasks=[rel, ner]", "seeds=1", "jobs=[single]", "stages=[refine, fine-tune]"]
    overrides = [part for c in choice for part in ("--set", c)]
    monkeypatch.setattr(learning.RunningJob, "begin", staticmethod(begin))
    code, _, err = run(tiny_grid, *overrides)
    assert code == 1
    assert "failed: refine rel seed 0" in err
    assert "OSError: the disk is on fire" in err
    assert "2 of 4 jobs failed" in err
    assert "Traceback" not in err
    results = results_of(tmp_path / "runs")
    state = {(r["job"]["stage"], r["job"]["corpora"][0]["name"]): r for r in results.values()}
    assert {key: r["status"] for key, r in state.items()} == {
        ("refine", "rel"): "failed", ("fine-tune", "rel"): "failed",
        ("refine", "ner"): "done", ("fine-tune", "ner"): "done",
    }  # fmt: skip
    assert "its parent job" in state["fine-tune", "rel"]["error"]
    assert state["refine", "rel"]["scores"] == []
    assert (tmp_path / "reports" / "tiny" / "report.md").is_file(), "the report tells what is missing"
    assert not list((tmp_path / "runs").glob("jobs/*/encoder")), "no checkpoint outlives its last child"
    before = written(tmp_path / "runs")
    monkeypatch.setattr(learning.RunningJob, "begin", real)
    code, out, _ = run(tiny_grid, *overrides)
    assert code == 0, "the same command tries the failed ones again"
    assert "4 jobs, 2 done, 2 to run" in out
    after = written(tmp_path / "runs")
    assert all(after[p] == was for p, was in before.items() if b'"status": "done"' in was[1])


def test_a_run_that_diverged_has_no_score(run, tiny_grid: Path, tmp_path: Path):
    choice = ["tasks=[rel]", "seeds=1", "jobs=[single]", "recipe.lr=1e30"]
    code, _, err = run(tiny_grid, *[part for c in choice for part in ("--set", c)])
    assert code == 1
    assert "training diverged: " in err
    assert "try a learning rate below 1e+30" in err
    assert "transfer.learning" not in err
    (result,) = results_of(tmp_path / "runs").values()
    assert (result["status"], result["scores"]) == ("failed", [])


def test_children_that_were_lost_get_their_parents_encoder_again(run, tiny_grid: Path, tmp_path: Path):
    """The parent's encoder goes with its last child; a child that is run again needs it again."""
    choice = ["tasks=[rel]", "seeds=1", "jobs=[single]", "stages=[refine, fine-tune]"]
    overrides = [part for c in choice for part in ("--set", c)]
    assert run(tiny_grid, *overrides)[0] == 0
    before = results_of(tmp_path / "runs")
    (child,) = (r for r in before.values() if r["job"]["parent"])
    (tmp_path / "runs" / "jobs" / child["id"] / "result.json").unlink()
    code, out, err = run(tiny_grid, *overrides)
    assert (code, err) == (0, "")
    assert "2 jobs, 0 done, 2 to run" in out
    assert results_of(tmp_path / "runs")[child["id"]]["scores"] == child["scores"]


def test_the_null_control_is_run_and_reported(run, tiny_grid: Path, tmp_path: Path):
    options = ["--set", "jobs=[single, pairs]", "--set", "tasks=[sim, rel]", "--set", "controls=[null]"]
    code, out, err = run(tiny_grid, *options)
    assert code == 0, err
    assert "10 jobs, 0 done, 10 to run" in out
    assert "null control rel seed 1" in out
    report = tmp_path / "reports" / "tiny"
    assert "## Null control" in (report / "report.md").read_text()
    assert "Claimed: 0 of 2" in (report / "report.md").read_text()
    null, edges = ((report / name).read_text().splitlines() for name in ("table_null.csv", "edges.csv"))
    assert len(null) == 3
    assert len(edges) == 3
    assert not any("null" in line for line in edges)


def test_controls_stand_beside_the_edges_and_in_the_report(run, tiny_grid: Path, tmp_path: Path):
    options = ["--set", "jobs=[single, pairs]", "--set", "tasks=[sim, rel]", "--set", "seeds=3"]
    options += ["--set", "controls=[same-steps, left-out]", "--set", "tune={lr: [0.01, 0.003]}"]
    code, out, err = run(tiny_grid, *options)
    assert code == 0, err
    assert "21 jobs, 0 done, 21 to run" in out  # the tiny corpora share no text; 0.003 is the recipe's rate
    assert "tuned 0.01 control sim seed 2" in out
    assert "same-steps 24 control rel seed 1" in out
    report = tmp_path / "reports" / "tiny"
    text = (report / "report.md").read_text()
    assert "## Same-steps control" in text
    assert "No edge has such text" in text
    edges = pd.read_csv(report / "edges.csv")
    control = pd.read_csv(report / "table_same_steps.csv")
    assert edges["gain_same_steps"].tolist() == pytest.approx(control["gain"].tolist())
    assert edges["gain_same_steps"].notna().all()
    assert edges["gain_left_out"].isna().all()
    assert edges["gain_tuned"].notna().all()
    assert "Chosen: rel " in text
    results = pd.read_csv(report / "results.csv")
    steps = results.groupby("stage")["steps"].unique()
    assert steps["same-steps 24"].tolist() == [12]
    assert set(results.loc[results["corpora"] == "rel+sim", "steps"]) == {12}
    page = (report / "report.html").read_text()
    assert "Same-steps control" in page
    assert "Tuned control" in page


def test_results_of_two_versions_are_told_apart_in_the_report(run, tiny_grid: Path, tmp_path: Path):
    options = ["--set", "jobs=[single, pairs]", "--set", "tasks=[sim, rel]"]
    assert run(tiny_grid, *options)[0] == 0
    path = next((tmp_path / "runs" / "jobs").glob("*/result.json"))
    result = json.loads(path.read_text())
    result["provenance"]["torch"] = "1.0"
    path.write_text(json.dumps(result | {"checksum": ""}))
    assert run(tiny_grid, *options)[0] == 0
    text = (tmp_path / "reports" / "tiny" / "report.md").read_text()
    assert "ran with different versions: torch 1.0 (1 job), torch 2" in text


def test_models_that_were_not_kept_are_made_by_running_just_their_jobs_again(
    run, transfer, tiny_grid: Path, tmp_path: Path
):
    choice = ["--set", "jobs=[single]", "--set", "seeds=1"]
    assert run(tiny_grid, *choice)[0] == 0
    before = written(tmp_path / "runs")
    one = next(
        id_ for id_, result in results_of(tmp_path / "runs").items() if "ner" in result["scores"][0]["corpus"]
    )
    keep = [*choice, "--set", f'keep=["{one}"]']
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path / "runs", *keep)
    assert (code, out.count("again  ")) == (0, 1)
    assert "3 jobs, 1 to run\n" in out
    assert "models kept: 1 of 3\n" in out
    assert "more for models that are kept" in out
    code, out, err = run(tiny_grid, *keep)
    assert (code, err) == (0, "")
    assert "3 jobs, 2 done, 1 to run" in out
    assert [path.parent.parent.name for path in (tmp_path / "runs").glob("jobs/*/model/model.json")] == [one]
    assert written(tmp_path / "runs") == before, "results stay as they are"
    assert "3 done, 0 to run" in run(tiny_grid, *keep)[1].replace("3 jobs, ", "")


def test_a_model_that_could_not_be_kept_is_named(run, tiny_grid: Path, tmp_path: Path, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no such luck")

    choice = ["--set", "jobs=[single]", "--set", "seeds=1"]
    assert run(tiny_grid, *choice)[0] == 0
    monkeypatch.setattr(learning.kept_models, "save", broken)
    code, _, err = run(tiny_grid, *choice, "--set", "keep=models")
    assert code == 1
    assert err.count("could not be kept") == 3
