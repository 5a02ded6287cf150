"""A grid from Python: the same jobs, report and study as the command's, told to a callback, not printed."""

import os
from pathlib import Path

import pytest

from transfer import Study, run_grid
from transfer.inputs import InputError
from transfer.progress import GridExpanded, JobEnded, Note, ReportProgress, ReportWritten, RunStarted
from transfer.scheduling.execution import Execution
from transfer.store import Store

FEW = ("tasks=[sim, rel]", "jobs=[single, pairs]", "recipe.epochs=1")


@pytest.fixture(autouse=True)
def one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    return {"store": tmp_path / "runs", "out": tmp_path / "reports"}


@pytest.mark.parametrize("executor", ["inline", "ray"])
def test_a_callback_is_told_of_every_job_and_nothing_is_printed(
    tiny_grid: Path, places, capfd, executor: str
):
    events: list[object] = []
    study = run_grid(tiny_grid, **places, overrides=FEW, executor=executor, on_progress=events.append)
    assert isinstance(study, Study)
    assert len(study.edges) == 2
    assert events[0] == GridExpanded(study.title, jobs=6, at_most=6, pending=6, synthetic=False)
    ended = [event for event in events if isinstance(event, JobEnded)]
    assert {event.result.status for event in ended} == {"done"}
    assert len({event.job.id for event in ended}) == 6
    kinds = [type(event) for event in events if not isinstance(event, Note | ReportProgress)]
    assert kinds == [GridExpanded, RunStarted, *[JobEnded] * 6, ReportWritten]
    assert any(isinstance(event, ReportProgress) for event in events)
    assert isinstance(events[-1], ReportWritten)
    assert all(file.is_file() for file in events[-1].files)
    assert capfd.readouterr().out == ""


def test_the_study_and_the_report_are_the_commands(transfer, tiny_run, tmp_path: Path):
    study = run_grid(tiny_run.grid, store=tiny_run.store, out=tmp_path, executor="inline")
    opened = Study.open(tiny_run.grid, store=tiny_run.store)
    assert study.edges.equals(opened.edges)
    assert study.results.equals(opened.results)
    name = "edges.csv"
    assert (tmp_path / "tiny" / name).read_bytes() == (tiny_run.out / "tiny" / name).read_bytes()


def test_a_failed_job_is_a_row_of_the_study(tiny_grid: Path, places, monkeypatch: pytest.MonkeyPatch):
    from transfer.learning import run as learning

    real = learning.RunningJob.begin

    def failing(job, site):
        if job.names == ("rel",):
            raise ValueError("a fault")
        return real(job, site)

    monkeypatch.setattr(learning.RunningJob, "begin", staticmethod(failing))
    study = run_grid(tiny_grid, **places, overrides=FEW, executor="inline")
    failed = study.results[study.results["status"] == "failed"]
    assert set(failed["corpora"]) == {"rel"}
    assert failed["error"].str.contains("a fault").all()


@pytest.mark.parametrize("by", ["raising", "interrupting"])
def test_a_callback_can_stop_the_run_and_the_next_call_goes_on(tiny_grid: Path, places, by: str):
    started: list[RunStarted] = []

    def stop(event: object) -> None:
        if isinstance(event, RunStarted):
            started.append(event)
        if isinstance(event, JobEnded):
            if by == "raising":
                raise KeyboardInterrupt
            started[0].interrupt()

    with pytest.raises(KeyboardInterrupt):
        run_grid(tiny_grid, **places, overrides=FEW, executor="inline", on_progress=stop)
    events: list[object] = []
    run_grid(tiny_grid, **places, overrides=FEW, executor="inline", on_progress=events.append)
    assert isinstance(events[0], GridExpanded)
    assert events[0].pending == 5


def test_wrong_input_raises_before_anything_is_written(tiny_grid: Path, places):
    with pytest.raises(InputError, match="did you mean 'seeds'"):
        run_grid(tiny_grid, **places, overrides=["sedes=3"])
    with pytest.raises(InputError, match="--workers works through Ray"):
        run_grid(tiny_grid, **places, workers=2, executor=Execution("inline"))
    assert not places["store"].exists()


def test_seeds_are_added_where_edges_are_undecided(tiny_grid: Path, places):
    from transfer.progress import SeedsAdded

    events: list[object] = []
    seeds = (*FEW, "seeds={first: 3, most: 4}")
    run_grid(tiny_grid, **places, overrides=seeds, executor="inline", on_progress=events.append)
    looks = [event for event in events if isinstance(event, SeedsAdded)]
    assert looks[0].jobs
    assert looks[-1].jobs == ()
    ended = {event.job.id for event in events if isinstance(event, JobEnded)}
    assert {job.id for look in looks for job in look.jobs} < ended
    assert ended == set(Store(places["store"]).files.names("jobs"))
