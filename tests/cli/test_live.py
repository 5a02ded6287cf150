"""The progress display of a running grid: in a terminal, in a narrow one, without color, in a file."""

import io
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from transfer.analysis.interim import Decided
from transfer.cli.interrupts import interruptible
from transfer.cli.live import Lines, Progress, View, edges, how_far, shortened, shown
from transfer.cost import Speed
from transfer.records import JobResult
from transfer.store import Store

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture
def results(tiny_run) -> list[JobResult]:
    store = Store(tiny_run.store)
    found = [store.get(path.name) for path in (tiny_run.store / "jobs").iterdir()]
    return sorted(found, key=lambda result: (len(result.job.names), result.job.label))


@pytest.fixture
def progress(results: list[JobResult], tmp_path: Path) -> Progress:
    """A grid of which the first four jobs were done before; nothing has happened in this run yet."""
    return Progress(
        name="tiny",
        store=Store(tmp_path / "runs"),
        jobs={result.id: result.job for result in results},
        cost={result.id: 100.0 * len(result.job.names) for result in results},
        results={result.id: result for result in results[:4]},
        at_once=2,
    )


def terminal(width: int = 80, **more) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=24, highlight=False, **more)


def seen(progress: Progress, console: Console) -> list[str]:
    """The lines of the view, as the terminal gets them."""
    console.print(View(progress, console).drawn())
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


def test_a_resumed_run_starts_from_what_is_there(progress: Progress):
    lines = seen(progress, terminal(no_color=True))
    text = ESCAPES.sub("", "\n".join(lines))
    assert "4 done, 0 running, 10 waiting, 0 failed" in text
    assert "29%" in text
    assert "workers are starting" in text
    # by the speed of the jobs that an earlier run has done
    assert "left" in ESCAPES.sub("", "\n".join(seen(running(progress), terminal(no_color=True))))


def test_an_interrupted_run_does_not_say_that_workers_are_starting(progress: Progress):
    view = View(progress, terminal(no_color=True))

    def now() -> str:
        paper = terminal(no_color=True)
        paper.print(view.drawn())
        return ESCAPES.sub("", paper.file.getvalue())  # type: ignore[attr-defined]

    with view:
        assert "workers are starting" in now()
        view.stopping()
        assert "so far, stopping" in now()
        assert "left" not in now()
    assert "so far, interrupted" in now()


def test_the_view_is_told_before_a_signal_stops_the_run():
    told: list[str] = []
    with pytest.raises(KeyboardInterrupt), interruptible(lambda: told.append("stopping")):
        signal.raise_signal(signal.SIGINT)
    assert told == ["stopping"]


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_signal_in_a_finalizer_stops_the_loop_instead():
    class Finalized:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)
            sum(range(10))  # the handler runs between two steps of the interpreter

    told: list[str] = []
    with interruptible(lambda: told.append("stopping")):
        Finalized()
        assert told == ["stopping"]


def running(progress: Progress) -> Progress:
    waiting = [id_ for id_ in progress.jobs if id_ not in progress.results]
    best = {name: 0.5 + i / 10 for i, name in enumerate(progress.jobs[waiting[-1]].names)}
    progress.store.running(waiting[0], {"epoch": 0, "epochs": 8})
    progress.store.running(waiting[-1], {"epoch": 3, "epochs": 8, "loss": 0.12345, "best": best})
    return progress


def test_running_jobs_show_corpora_seed_epoch_loss_and_best_dev(progress: Progress):
    text = ESCAPES.sub("", "\n".join(seen(running(progress), terminal())))
    assert "2 running" in text
    (row,) = [line for line in text.splitlines() if "3/8" in line]
    for cell in ("refine ner+rel+sim", "0.123", "0.500, 0.600, 0.700"):
        assert cell in row
    (begun,) = [line for line in text.splitlines() if "0/8" in line]
    assert "nan" not in begun.lower()


def test_long_names_leave_room_for_the_numbers(progress: Progress):
    """Three corpora with names as the known ones have, in 80 columns."""
    names = ("clinicalsts", "i2b2-2010-re", "mednli", "shareclefe")
    job = next(job for job in progress.jobs.values() if len(job.names) == 3)
    long = job.model_copy(
        update={"corpora": tuple(job.corpora[0].model_copy(update={"name": n}) for n in names)}
    )
    progress.jobs, progress.cost, progress.results = {"x": long}, {"x": 1.0}, {}
    best = dict.fromkeys(names, 0.987654)
    progress.store.running("x", {"epoch": 12, "epochs": 100, "loss": 0.25, "best": best})
    (row,) = [line for line in seen(progress, terminal()) if "12/100" in line]
    assert "refine clinicalsts and 3 more " in row
    assert " 0 " in row
    assert " 0.250 " in row
    assert "0.988, 0.988" in row


def test_jobs_that_end_move_from_running_to_done_and_failures_stay_above(
    progress: Progress, results: list[JobResult]
):
    console = terminal(no_color=True)
    view = View(running(progress), console)
    done = results[-1]
    failed = JobResult(
        id=results[5].id, job=results[5].job, status="failed", source="prepared", error="Trace\nOSError: full"
    )
    view.tell(done.job, done)
    view.tell(failed.job, failed)
    console.print(view.drawn())
    text = ESCAPES.sub("", console.file.getvalue())  # type: ignore[attr-defined]
    assert f"failed: {failed.job.label} ({failed.id}): OSError: full" in text
    assert "5 done, 1 running, 7 waiting, 1 failed" in text
    assert f"last: {failed.job.label}: OSError: full" in text
    assert "jobs a minute" in text


@pytest.mark.parametrize("width", [80, 60, 132])
def test_no_line_is_wider_than_the_terminal(progress: Progress, width: int):
    verdicts = {"improves": 4, "harms": 2, "no effect": 1, "inconclusive": 0}
    progress.edges = edges(Decided(verdicts, open=5, seeds=7))
    progress.synthetic = True
    lines = [ESCAPES.sub("", line) for line in seen(running(progress), terminal(width))]
    assert max(map(len, lines)) <= width
    assert any(line.startswith("edges: 7 of 12 decided (4 improves") for line in lines)
    assert any("SYNTHETIC" in line for line in lines)


def test_many_running_jobs_do_not_push_the_counts_off_the_screen(progress: Progress):
    for id_ in progress.jobs:
        if id_ not in progress.results:
            progress.store.running(id_, {"epoch": 1, "epochs": 2})
    ours = progress.jobs
    progress.jobs = ours | {f"{id_}x": job for id_, job in ours.items()}
    progress.cost = dict.fromkeys(progress.jobs, 1.0)
    for id_ in list(progress.jobs)[14:]:
        progress.store.running(id_, {"epoch": 1, "epochs": 2})
    lines = seen(progress, terminal())
    assert len(lines) < 24
    assert "and 12 more" in "\n".join(lines)


def test_without_colour_nothing_is_told_by_colour_alone(progress: Progress, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    lines = seen(running(progress), terminal())
    colours = [code for line in lines for code in re.findall(r"\x1b\[([0-9;]*)m", line)]
    assert not [c for code in colours for c in code.split(";") if c.isdigit() and 30 <= int(c) <= 107]


@pytest.mark.parametrize(
    ("console", "kind"),
    [
        (Console(file=io.StringIO()), Lines),
        (Console(file=io.StringIO(), force_terminal=True, _environ={"TERM": "dumb"}), Lines),
        (terminal(), View),
    ],
    ids=["a file", "a dumb terminal", "a terminal"],
)
def test_the_view_is_for_terminals_that_can_move_the_cursor(progress: Progress, console: Console, kind: type):
    assert type(shown(progress, console=console)) is kind


def test_lines_count_this_run_and_say_what_is_left(progress: Progress, results: list[JobResult], capsys):
    lines = Lines(progress)
    lines.tell(results[5].job, results[5])
    added = results[6].job.model_copy(update={"seed": 9})
    progress.cost = {**progress.cost, added.id: 100.0}
    lines.add([added])
    told = capsys.readouterr().out
    assert re.match(r"\[1/10\] refine .* seed \d: .* \(\d+ s, (about .*|under 1 s) left\)\n", told)


def test_what_is_left_is_kept_as_jobs_end_and_is_what_a_count_gives(
    progress: Progress, results: list[JobResult]
):
    assert progress.speed == Speed.of(results[:4], progress.cost), "of an earlier run, before the first job"
    for ended, result in enumerate(results[4:], start=5):
        progress.tell(result.job, result)
        assert progress.todo == {r.id: progress.cost[r.id] for r in results[ended:]}
        found, counted = progress.speed, Speed.of(results[4:ended], progress.cost)
        assert found is not None
        assert counted is not None
        assert found.words == pytest.approx(counted.words)
    assert progress.remaining({}) == 0
    assert not any(result.history for result in progress.results.values()), "epochs would fill the memory"


def test_labels_are_shortened_by_whole_names(progress: Progress):
    job = next(job for job in progress.jobs.values() if len(job.names) == 3)
    assert [shortened(job, width) for width in (40, 21, 5)] == [
        "refine ner+rel+sim",
        "refine ner+rel+sim",
        "refine ner and 2 more",
    ]


def test_a_note_in_words():
    assert how_far({"epoch": 0, "epochs": 8}) == "epoch 0 of 8 done"
    note = {"epoch": 2, "epochs": 8, "loss": 0.5, "best": {"rel": 0.25}}
    assert how_far(note) == "epoch 2 of 8 done, loss 0.500, best dev rel 0.250"


@pytest.mark.parametrize("executor", ["inline", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_whole_run_in_a_real_terminal(tiny_grid: Path, tiny_run, tmp_path: Path, executor: str):
    """In a pseudo-terminal of 80 columns: the view appears, ends with all done, and the report is named."""
    shutil.copytree(tiny_run.store, tmp_path / "runs")
    for job in sorted((tmp_path / "runs" / "jobs").iterdir())[:3]:
        shutil.rmtree(job)
    arguments = ["run-grid", tiny_grid, "--store", tmp_path / "runs", "--out", tmp_path / "reports",
                 "--executor", executor]  # fmt: skip
    code = "import os; os.cpu_count = lambda: 1\n"
    code += f"from transfer.cli import main; main({[*map(str, arguments)]!r})"
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24", "NO_COLOR": "1"}
    ours, theirs = pty.openpty()
    ran = subprocess.Popen([sys.executable, "-c", code], stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    output, end = b"", time.monotonic() + 240
    while time.monotonic() < end:
        ready, _, _ = select.select([ours], [], [], 1)
        try:
            output += os.read(ours, 65536) if ready else b""
        except OSError:  # the other side is closed
            break
    os.close(ours)
    assert ran.wait(timeout=60) == 0, output.decode()
    text = ESCAPES.sub("", output.decode()).replace("\r", "")
    assert "tiny  11 done, 0 running, 3 waiting, 0 failed" in text, "it starts from what is there"
    assert "tiny  14 done, 0 running, 0 waiting, 0 failed" in text
    assert "100%" in text
    assert "Traceback" not in text
    assert text.rstrip().endswith("report.md") or "open " in text.splitlines()[-1]


def test_a_running_job_notes_its_loss_and_the_best_dev_score_so_far(
    transfer, tiny_grid: Path, tmp_path: Path, monkeypatch
):
    noted: list[dict] = []
    monkeypatch.setattr(Store, "running", lambda self, id_, progress: noted.append({"id": id_, **progress}))
    store = tmp_path / "runs"
    few = ["--set", "tasks=[rel]", "--set", "jobs=[single]", "--set", "seeds=1", "--set", "recipe.epochs=4"]
    assert (
        transfer("run-grid", tiny_grid, "--executor", "inline", "--store", store, "--out", tmp_path, *few)[0]
        == 0
    )
    history = Store(store).get(noted[-1]["id"]).history
    assert [note["epoch"] for note in noted] == [0, 1, 2, 3, 4]
    assert [note.get("loss") for note in noted[1:]] == [epoch.loss["rel"] for epoch in history]
    dev = [epoch.dev["rel"] for epoch in history]
    assert [note["best"]["rel"] for note in noted[1:]] == [max(dev[: i + 1]) for i in range(4)]
