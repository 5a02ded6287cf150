"""The ledger of finished jobs: one folder a job, written whole or not at all, without locks.

<store>/jobs/<job id>/result.json         status, scores, chosen epochs, history, provenance
<store>/jobs/<job id>/predictions.parquet what was predicted for every test item (no text)
<store>/jobs/<job id>/encoder/            only while a child of the job needs it
<store>/grids/<grid id>.json              what a grid was expanded to: all that a report needs
<store>/running/<job id>.json             which process works on a job, and how far it is
"""

import contextlib
import json
import os
import shutil
import socket
import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from transfer.corpora.base import Card
from transfer.grid import Grid, Job
from transfer.inputs import InputError

# seconds; a job that is being written renames its draft within moments, a kept encoder within its job
DRAFTS_LIVE = 24 * 3600


class _Record(BaseModel):
    # a later version may add keys; an old result loads for ever
    model_config = ConfigDict(extra="ignore", frozen=True)


class Score(_Record):
    """One score of a corpus on a split, at the epoch chosen for that corpus."""

    corpus: str
    split: Literal["dev", "test"]
    metric: str
    value: float
    items: int


class Epoch(_Record):
    """One epoch: mean training loss and dev score of each corpus, and how long it took (s)."""

    epoch: int
    loss: dict[str, float]
    dev: dict[str, float]
    seconds: float


class JobResult(_Record):
    """What came of a job. A failed one has its error and no score.

    ``ended`` is in seconds since 1970 (UTC), ``seconds`` earlier it began; None where no worker ran it.
    """

    format: Literal[1] = 1
    id: str
    job: Job
    status: Literal["done", "failed"]
    scores: tuple[Score, ...] = ()
    chosen_epoch: dict[str, int] = {}
    history: tuple[Epoch, ...] = ()
    train_items: dict[str, int] = {}
    steps: int = 0
    seconds: float = 0.0
    ended: float | None = None
    source: str
    provenance: dict[str, str] = {}
    error: str = ""


class CorpusRecord(_Record):
    """What a report says of a corpus."""

    card: Card
    fingerprint: str
    items: dict[str, int]
    notes: tuple[str, ...] = ()


class GridRecord(_Record):
    """A grid as it was last run: its jobs, corpora and where the data came from."""

    format: Literal[1] = 1
    grid: Grid
    recipe_name: str
    overrides: tuple[str, ...] = ()
    source: str
    corpora: tuple[CorpusRecord, ...]
    overlaps: tuple[str, ...] = ()
    jobs: tuple[Job, ...]


class Store:
    """The folder of results. Safe to write from many processes: the last step is a rename."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def home(self, job_id: str) -> Path:
        """The folder of a job, there or not."""
        return self.root / "jobs" / job_id

    def put(
        self,
        result: JobResult,
        *,
        predictions: pd.DataFrame | None = None,
        encoder: Path | None = None,
    ) -> None:
        """Keeps a result; a result that is done already stays as it is (but gets an encoder it lacks).

        ``predictions``: columns corpus, id, doc, gold, predicted (the last two as JSON texts).
        ``encoder``: a folder to keep for child jobs; it is moved.
        """
        draft = self.root / "tmp" / f"{result.id}-{uuid.uuid4().hex}"
        draft.mkdir(parents=True)
        _write(draft / "result.json", result.model_dump_json(indent=1))
        if predictions is not None:
            predictions.to_parquet(draft / "predictions.parquet", index=False)
        if encoder is not None:
            os.replace(encoder, draft / "encoder")
        home = self.home(result.id)
        home.parent.mkdir(parents=True, exist_ok=True)
        if self._is_done(result.id):
            if (draft / "encoder").is_dir() and not (home / "encoder").exists():
                os.replace(draft / "encoder", home / "encoder")
            shutil.rmtree(draft)
        else:
            if home.exists():
                old = self.root / "tmp" / f"{result.id}-old-{uuid.uuid4().hex}"
                os.replace(home, old)
                shutil.rmtree(old)
            os.replace(draft, home)
        self.no_longer_running(result.id)

    def sweep(self) -> None:
        """Removes what killed workers left half-written: drafts that nobody touched for a day."""
        for draft in (self.root / "tmp").glob("*"):
            with contextlib.suppress(OSError):  # another run sweeps too, or the draft's writer lives
                if time.time() - draft.stat().st_mtime > DRAFTS_LIVE:
                    shutil.rmtree(draft)

    def _is_done(self, job_id: str) -> bool:
        try:
            return self.get(job_id).status == "done"
        except (FileNotFoundError, InputError):
            return False

    def get(self, job_id: str) -> JobResult:
        """The result of a job. Raises FileNotFoundError where there is none."""
        path = self.home(job_id) / "result.json"
        try:
            return JobResult.model_validate_json(path.read_bytes())
        except ValidationError as error:
            raise InputError(
                f"{path}: not a result of this program ({error.errors()[0]['msg']}); "
                f"remove the folder {path.parent} and run the grid again"
            ) from None

    def results(self, jobs: Iterable[Job]) -> dict[str, JobResult]:
        """Those of the jobs that have a result, by job id."""
        found = {}
        for job in jobs:
            with contextlib.suppress(FileNotFoundError):
                found[job.id] = self.get(job.id)
        return found

    def pending(self, jobs: Sequence[Job]) -> tuple[Job, ...]:
        """The jobs still to run, in order: those without a result and those that failed.

        A finished job whose encoder a pending child needs, and whose encoder is gone, runs again.
        """
        results = self.results(jobs)
        done = {id_ for id_, result in results.items() if result.status == "done"}
        todo = {job.id for job in jobs if job.id not in done}
        for job in jobs:
            parent = job.parent
            if job.id in todo and parent and not (self.home(parent.id) / "encoder").is_dir():
                todo.add(parent.id)
        return tuple(job for job in jobs if job.id in todo)

    def drop_encoder(self, job_id: str) -> None:
        """Removes a kept encoder that no child needs any more."""
        shutil.rmtree(self.home(job_id) / "encoder", ignore_errors=True)

    def predictions(self, job_id: str) -> pd.DataFrame:
        """Columns corpus, id, doc, gold, predicted: a row for each test item, values as JSON."""
        return pd.read_parquet(self.home(job_id) / "predictions.parquet")

    def running(self, job_id: str, progress: Mapping[str, Any]) -> None:
        """Notes that this process works on a job, and how far it is."""
        note = {"pid": os.getpid(), "host": socket.gethostname(), **progress}
        _write(self.root / "running" / f"{job_id}.json", json.dumps(note))

    def no_longer_running(self, job_id: str) -> None:
        (self.root / "running" / f"{job_id}.json").unlink(missing_ok=True)

    def progress(self, job_id: str) -> dict[str, Any] | None:
        """The note of the process that works on a job; None where none does, or it is gone."""
        try:
            note = json.loads((self.root / "running" / f"{job_id}.json").read_text())
        except (FileNotFoundError, ValueError):
            return None
        if note["host"] == socket.gethostname() and not Path(f"/proc/{note['pid']}").exists():
            return None
        return note

    def put_grid(self, record: GridRecord) -> None:
        _write(self.root / "grids" / f"{record.grid.id}.json", record.model_dump_json(indent=1))

    def get_grid(self, grid: Grid) -> GridRecord:
        """What a grid was expanded to. Raises InputError where it was never run into this store."""
        path = self.root / "grids" / f"{grid.id}.json"
        try:
            return GridRecord.model_validate_json(path.read_bytes())
        except FileNotFoundError:
            raise InputError(
                f"{self.root}: the grid '{grid.name}' as it now reads was never run into this store; "
                "run it first: transfer run-grid GRID (with the same --store and --set)"
            ) from None
        except ValidationError as error:
            raise InputError(f"{path}: not a record of this program ({error.errors()[0]['msg']})") from None

    def frame(self, record: GridRecord) -> pd.DataFrame:
        """The results of a grid, tidy: one row for each job, target and split. See FRAME_COLUMNS.

        A failed job has a row for each of its targets, with no value and its error.
        """
        results = self.results(record.jobs)
        rows = [
            row for job in record.jobs if job.id in results for row in _rows(job, results[job.id], record)
        ]
        frame = pd.DataFrame(rows, columns=list(FRAME_COLUMNS))
        return frame.astype(FRAME_COLUMNS)


FRAME_COLUMNS: dict[str, str] = {
    "job": "str", "stage": "str", "corpora": "str", "target": "str", "split": "str", "metric": "str",
    "seed": "int64", "value": "float64", "status": "str", "error": "str", "epoch": "int64",
    "items": "int64", "train_items": "int64", "steps": "int64", "seconds": "float64", "source": "str",
    "encoder": "str", "recipe": "str",
}  # fmt: skip


def _rows(job: Job, result: JobResult, record: GridRecord) -> Iterable[dict[str, Any]]:
    metrics = {c.card.name: c.card.metric for c in record.corpora}
    encoder = job.encoder.name + (f" ({job.encoder.layers} layers)" if job.encoder.layers else "")
    shared = {
        "job": job.id, "stage": job.arm, "corpora": "+".join(job.group), "seed": job.arm_seed,
        "status": result.status, "error": result.error.strip().splitlines()[-1] if result.error else "",
        "steps": result.steps, "seconds": result.seconds, "source": result.source,
        "encoder": encoder, "recipe": record.recipe_name,
    }  # fmt: skip
    scores = result.scores or tuple(
        Score(corpus=name, split="test", metric=metrics[name], value=float("nan"), items=0)
        for name in job.names
    )
    for score in scores:
        yield shared | {
            "target": score.corpus, "split": score.split, "metric": score.metric, "value": score.value,
            "epoch": result.chosen_epoch.get(score.corpus, 0), "items": score.items,
            "train_items": result.train_items.get(score.corpus, 0),
        }  # fmt: skip


def _write(path: Path, text: str) -> None:
    """The whole text or none of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
