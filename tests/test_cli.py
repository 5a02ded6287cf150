"""The commands as a user meets them: exit codes, one message for wrong input, light imports."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from transfer import experiment
from transfer.records import JobResult
from transfer.store import Store

BLOCKED = """
import os, sys

os.cpu_count = lambda: 1

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Blocked())
from transfer.cli import main
main({arguments!r})
"""


def without(blocked: set[str], *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command in a Python where some packages cannot be imported."""
    text = BLOCKED.format(blocked=blocked, arguments=[str(a) for a in arguments])
    return subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, timeout=120, check=False
    )


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def changed(grid: Path, **keys) -> Path:
    grid.write_text(json.dumps({**json.loads(grid.read_text()), **keys}, indent=1))
    return grid


@pytest.fixture
def places(tmp_path: Path) -> list[object]:
    return ["--store", tmp_path / "runs", "--out", tmp_path / "reports"]


HEAVY = {"torch", "transformers", "ray"}


def test_the_version_needs_no_heavy_package():
    shown = without(HEAVY | {"pandas", "matplotlib"}, "--version")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.strip() == f"transfer {importlib.metadata.version('task-transfer')}"


def test_a_report_needs_no_torch_transformers_or_ray(tiny_run, tmp_path: Path):
    shown = without(HEAVY, "report", tiny_run.grid, "--store", tiny_run.store, "--out", tmp_path)
    assert shown.returncode == 0, shown.stderr
    first, again = files(tiny_run.out / "tiny"), files(tmp_path / "tiny")
    assert again.keys() == first.keys()
    assert {n for n in first if first[n] != again[n]} == set(), "a report is a function of the store"


def test_inline_runs_where_ray_is_missing(tiny_grid: Path, places):
    small = ["--set", "tasks=[rel]", "--set", "jobs=[single]", "--set", "seeds=1"]
    shown = without({"ray"}, "run-grid", tiny_grid, "--executor", "inline", *places, *small)
    assert shown.returncode == 0, shown.stderr


def test_ray_that_is_missing_is_named_with_the_mend(tiny_grid: Path, places):
    shown = without({"ray"}, "run-grid", tiny_grid, *places)
    assert shown.returncode == 2
    assert shown.stderr.strip() == "error: ray is not installed here; use --executor inline"


def nothing_written(folder: Path) -> bool:
    return not (folder / "runs").exists() and not (folder / "reports").exists()


@pytest.mark.parametrize("command", ["run-grid", "plan"])
@pytest.mark.parametrize(
    ("keys", "what"),
    [
        ({"sedes": 3}, "unknown key 'sedes'; did you mean 'seeds'?"),
        ({"tasks": ["sim", "rle"]}, "did you mean 'rel'?"),
        ({"tasks": ["nothing-like-it"]}, "nothing-like-it"),
        ({"encoder": "minilm-l7"}, "did you mean 'minilm-l6'?"),
        ({"encoder": "/nowhere"}, "/nowhere"),
        ({"corpora": "/nowhere"}, "/nowhere"),
        ({"encoder": {"name": "tiny", "layer": 1}}, "unknown key 'encoder.layer'"),
    ],
)
def test_wrong_input_is_one_message_with_file_and_line_and_exit_2(
    transfer, tiny_grid: Path, tmp_path: Path, command: str, keys: dict, what: str
):
    grid = changed(tiny_grid, **keys)
    lines = grid.read_text().splitlines()
    (first,) = [n for n, text in enumerate(lines, 1) for key in keys if f'"{key}":' in text]
    out = ["--out", tmp_path / "reports"] if command == "run-grid" else []
    code, shown, err = transfer(command, grid, "--store", tmp_path / "runs", *out)
    assert code == 2
    assert shown == ""
    assert len(err.strip().splitlines()) == 1
    assert err.startswith("error: ")
    assert what in err
    assert nothing_written(tmp_path)
    assert str(grid) in err
    # the key's line, or that of the item in its list
    assert any(f"line {n}:" in err for n in range(first, first + 3))


@pytest.mark.parametrize(
    "arguments",
    [
        ["run-grid", "none.yaml"],
        ["run-grid"],
        ["run-gird", "g.yaml"],
        ["run-grid", "g.yaml", "--executor", "slurm"],
        ["report", "none.yaml"],
    ],
)
def test_a_wrong_command_is_exit_2(transfer, arguments: list[str], tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = transfer(*arguments)
    assert code == 2
    assert err
    assert "Traceback" not in err
    assert nothing_written(tmp_path)


def test_a_broken_line_of_a_corpus_is_exit_2(
    transfer, tiny_grid: Path, tiny_corpora: Path, tmp_path: Path, places
):
    broken = Path(shutil.copytree(tiny_corpora, tmp_path / "corpora"))
    with (broken / "rel" / "dev.jsonl").open("a") as file:
        file.write('{"id": "x", "text": "y", "label": "god"}\n')
    code, _, err = transfer("run-grid", tiny_grid, "--corpora", broken, "--executor", "inline", *places)
    assert code == 2
    assert f"{broken / 'rel' / 'dev.jsonl'} line 13: the label 'god'" in err
    assert nothing_written(tmp_path)


def test_more_layers_than_the_encoder_has_is_exit_2(transfer, tiny_grid: Path, tmp_path: Path, places):
    code, _, err = transfer(
        "run-grid",
        tiny_grid,
        "--executor",
        "inline",
        *places,
        "--set",
        "encoder.layers=5",
        "--set",
        "jobs=[single]",
    )
    assert code == 2
    assert "5" in err
    assert nothing_written(tmp_path)


def test_a_grid_that_names_no_corpora(transfer, tiny_grid: Path, places, tmp_path: Path):
    text = json.loads(tiny_grid.read_text())
    del text["corpora"]
    tiny_grid.write_text(json.dumps(text))
    code, _, err = transfer("run-grid", tiny_grid, *places)
    assert code == 2
    assert "--corpora DIR" in err
    assert nothing_written(tmp_path)


def test_a_report_of_what_was_never_run(transfer, tiny_grid: Path, tmp_path: Path, places):
    code, _, err = transfer("report", tiny_grid, *places)
    assert code == 2
    assert "was never run into this store, which has no results; run it first" in err
    assert nothing_written(tmp_path)


def test_an_interruption_is_130_and_says_that_all_is_kept(transfer, tiny_grid: Path, places, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(experiment._Run, "run", interrupted)
    code, _, err = transfer("run-grid", tiny_grid, *places)
    assert code == 130
    assert "what is finished is kept" in err
    assert "Traceback" not in err


def test_a_fault_of_the_program_is_1_without_a_traceback(transfer, tiny_grid: Path, places, monkeypatch):
    def fault(*_, **__):
        raise RuntimeError("some fault")

    monkeypatch.setattr(experiment._Run, "run", fault)
    code, _, err = transfer("run-grid", tiny_grid, *places)
    assert code == 1
    assert err.strip() == "error: RuntimeError: some fault (--debug shows where)"
    assert "Traceback" in transfer("--debug", "run-grid", tiny_grid, *places)[2]


def test_plan_of_a_new_store_writes_nothing(transfer, tiny_grid: Path, tmp_path: Path):
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path / "runs")
    assert code == 0
    assert out.count("to run   refine ") == 14
    assert "14 jobs, 14 to run" in out
    assert re.search(
        r"^about .* with 1 at a time .* training steps timed just now on this machine's 1 CPU core$",
        out,
        re.MULTILINE,
    )
    assert nothing_written(tmp_path)


def test_plan_and_status_of_a_store_that_has_some(transfer, tiny_run, tiny_grid: Path, tmp_path: Path):
    shutil.copytree(tiny_run.store, tmp_path / "runs")
    gone = sorted((tmp_path / "runs" / "jobs").iterdir())[0]
    shutil.rmtree(gone)
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path / "runs")
    assert code == 0
    assert f"{gone.name}  to run" in out
    assert out.count("  done     refine ") == 13
    assert "14 jobs, 1 to run" in out
    assert re.search(r"with 1 at a time \(10 s to start, .* of one worker: by the 13 jobs that are done", out)
    assert "disk: under 1 MiB in the store" in out
    code, out, _ = transfer("status", tiny_grid, "--store", tmp_path / "runs")
    assert code == 0
    assert "13 done, 0 running, 0 failed, 1 pending" in out


def test_status_tells_of_running_and_failed_jobs(transfer, tiny_run, tiny_grid: Path, tmp_path: Path):
    shutil.copytree(tiny_run.store, tmp_path / "runs")
    store = Store(tmp_path / "runs")
    one, two, *_ = (store.get(p.name) for p in sorted((store.root / "jobs").iterdir()))
    for result in (one, two):
        shutil.rmtree(store.home(result.id))
    store.put(JobResult(id=one.id, job=one.job, status="failed", source="prepared", error="a\nOSError: full"))
    store.running(two.id, {"epoch": 1, "epochs": 2})
    code, out, _ = transfer("status", tiny_grid, "--store", store.root)
    assert code == 0
    assert f"failed   {one.job.label} ({one.id}): OSError: full" in out
    assert f"running  {two.job.label}: epoch 1 of 2 done" in out
    assert "12 done, 1 running, 1 failed, 0 pending" in out


def test_status_tells_that_workers_are_starting(transfer, tiny_run, tiny_grid: Path, tmp_path: Path):
    """A run is at work on this grid and none of its jobs has begun; other grids do not count."""
    from transfer.claims import Claims
    from transfer.grid import Grid

    shutil.copytree(tiny_run.store, tmp_path / "runs")
    store = Store(tmp_path / "runs")
    shutil.rmtree(sorted((store.root / "jobs").iterdir())[0])
    claims, told = Claims(store.files, run="r"), "a run is at work; its workers are starting"
    with claims.present("another grid"):
        assert told not in transfer("status", tiny_grid, "--store", store.root)[1]
    with claims.present(Grid.load(tiny_grid).id):
        before = sorted(path.name for path in store.root.rglob("*"))
        assert told in transfer("status", tiny_grid, "--store", store.root)[1]
        assert sorted(path.name for path in store.root.rglob("*")) == before
        store.running(next(iter(store.get_grid(Grid.load(tiny_grid)).jobs)).id, {"epoch": 1, "epochs": 2})
        assert told not in transfer("status", tiny_grid, "--store", store.root)[1]
    assert told not in transfer("status", tiny_grid, "--store", store.root)[1]


def test_what_was_set_stands_in_the_report(transfer, tiny_grid: Path, tmp_path: Path, places):
    small = ["--set", "tasks=[rel]", "--set", "jobs=[single]", "--set", "seeds=1", "--set", "recipe.epochs=1"]
    code, _, err = transfer("run-grid", tiny_grid, "--executor", "inline", *places, *small)
    assert (code, err) == (0, "")
    (page,) = (tmp_path / "reports").glob("tiny+jobs=[[]single]+recipe.epochs=1+seeds=1+*/report.md")
    page = page.read_text()
    for value in small[1::2]:
        assert value.replace("_", "\\_") in page.replace("\\", "") or value in page.replace("\\", "")


def test_planted_of_real_corpora_is_refused(transfer, tiny_run):
    code, _, err = transfer("corpora", "planted", tiny_run.grid, "--store", tiny_run.store)
    assert code == 2
    assert "nothing was planted in real corpora" in err


def edit_scores(result: Path, **change) -> None:
    told = json.loads(result.read_text())
    told["scores"] = [score | {"value": 0.123} for score in told["scores"]]
    result.write_text(json.dumps({**told, **change}))


@pytest.mark.parametrize("what", ["gone", "edited", "the score of a result without a checksum"])
def test_predictions_that_do_not_give_the_score_are_one_message(
    transfer, tiny_run, tmp_path: Path, what: str
):
    store = Path(shutil.copytree(tiny_run.store, tmp_path / "store"))
    for result in store.glob("jobs/*/result.json"):
        predictions = result.with_name("predictions.parquet")
        if what == "gone":
            predictions.unlink()
        elif what == "edited":
            pd.read_parquet(predictions).assign(predicted="0").to_parquet(predictions)
        else:
            edit_scores(result, checksum="", predictions="")
    code, _, err = transfer("report", tiny_run.grid, "--store", store, "--out", tmp_path / "out")
    assert code == 2
    assert "predictions.parquet" in err
    assert "run the grid again" in err
    assert "Traceback" not in err


def test_a_report_names_a_damaged_result_and_leaves_it_out(transfer, tiny_run, tmp_path: Path):
    """And writes nothing into the store: it may be one that can only be read."""
    store = Path(shutil.copytree(tiny_run.store, tmp_path / "store"))
    damaged = sorted(store.glob("jobs/*/result.json"))[0]
    edit_scores(damaged)
    before = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in store.rglob("*") if p.is_file()}
    code, _, err = transfer("report", tiny_run.grid, "--store", store, "--out", tmp_path / "out")
    assert code == 0
    assert err.strip() == (
        f"warning: {damaged}: was changed after it was written; it was left out, run the grid again"
    )
    assert damaged.parent.name not in (tmp_path / "out" / "tiny" / "results.csv").read_text()
    for command in ("status", "plan"):
        assert transfer(command, tiny_run.grid, "--store", store)[0] == 0
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in store.rglob("*") if p.is_file()} == before


def test_a_damaged_result_is_set_aside_and_run_anew(transfer, tiny_run, tmp_path: Path):
    store, out = Path(shutil.copytree(tiny_run.store, tmp_path / "store")), tmp_path / "out"
    damaged = sorted(store.glob("jobs/*/result.json"))[0]
    true = json.loads(damaged.read_text())["scores"]
    edit_scores(damaged)
    run = ["run-grid", tiny_run.grid, "--store", store, "--out", out, "--executor", "inline"]
    code, shown, err = transfer(*run)
    assert code == 0, err
    assert "14 jobs, 13 done, 1 to run" in shown
    assert "was changed after it was written; set aside in" in err
    assert len(list((store / "quarantine").iterdir())) == 1
    assert json.loads(damaged.read_text())["scores"] == true
    for name in ("edges.csv", "table_scores.csv"):
        assert (out / "tiny" / name).read_bytes() == (tiny_run.out / "tiny" / name).read_bytes(), name


def test_a_corpus_may_have_a_limit_of_its_own(transfer, tiny_grid: Path, tmp_path: Path):
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports", "--executor", "inline"]
    less = ["--set", "jobs=[single]", "--set", "seeds=1", "--set", "recipe.epochs=1"]
    less += ["--set", "limit={train: 16}", "--set", "limits={rel: {train: 8}}"]
    code, _, err = transfer("run-grid", tiny_grid, *places, *less)
    assert code == 0, err
    (table,) = (tmp_path / "reports").glob("tiny+*/results.csv")
    results = pd.read_csv(table)
    assert dict(zip(results["target"], results["train_items"], strict=True)) == {
        "ner": 16,
        "rel": 8,
        "sim": 16,
    }


@pytest.mark.parametrize("asked", [False, True])
def test_cuda_graphs_are_for_who_asks(transfer, tiny_grid: Path, places, monkeypatch, asked: bool):
    from transfer.scheduling import inline

    seen = []
    monkeypatch.setattr(inline, "run_inline", lambda work, threads: seen.append(work.site.cuda_graphs))
    transfer("run-grid", tiny_grid, "--executor", "inline", *places, *(["--cuda-graphs"] if asked else []))
    assert seen == [asked]


@pytest.mark.parametrize("option", ["--workers=2", "--gpus-per-job=0.5", "--address=auto"])
def test_what_only_ray_can_do_is_refused_without_it(transfer, tiny_grid: Path, tmp_path: Path, option: str):
    for what in (["run-grid", tiny_grid], ["paper", tiny_grid.parent]):
        code, _, err = transfer(*what, option, "--executor", "inline", "--store", tmp_path / "runs")
        message = f"error: {option.split('=')[0]} works through Ray; leave --executor inline out"
        assert (code, err.strip()) == (2, message)
    assert not (tmp_path / "runs").exists()


def test_an_encoder_that_does_not_train_in_the_precision_of_the_recipe_is_refused_by_plan(
    transfer, tiny_grid: Path, tiny_encoder: Path, tmp_path: Path
):
    folder = Path(shutil.copytree(tiny_encoder, tmp_path / "encoder"))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "deberta"}))
    code, _, err = transfer(
        "plan", tiny_grid, "--set", f"encoder={folder}", "--set", "recipe.precision=bf16",
        "--store", tmp_path / "runs",
    )  # fmt: skip
    assert code == 2
    assert "'deberta' does not train in bf16; set the recipe's precision to fp32" in err
