"""The store of finished jobs: one folder per job, written completely or not at all, without locks.

<store>/jobs/<job id>/result.json         status, scores, chosen epochs, history, provenance, checksum
<store>/jobs/<job id>/predictions.parquet what was predicted for every test item (no text)
<store>/jobs/<job id>/encoder/            only while a child of the job needs it
<store>/jobs/<job id>/model/              where the grid keeps it (learning/kept_models.py)
<store>/grids/<grid id>.json              what a grid was expanded to: all that a report needs
<store>/running/<job id>.json             which process works on a job, and how far it is
<store>/claims/<job id>.<token>.json      which run has taken a job (claims.py)
<store>/checkpoints/<job id>/             where a job goes on that was interrupted (learning/checkpoint.py)
<store>/quarantine/                       what was found damaged, for a person to look at
"""

import contextlib
import hashlib
import io
import json
import shutil
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from transfer.arms import Group
from transfer.claims import Claims, lives, this_process
from transfer.files import address, files_at
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.records import Damaged, GridRecord, JobResult, Score, result_of, signed


class NotRun(InputError):
    """A grid was never run into the store."""


class Store:
    """The results in a folder, or in a bucket of an object store (``s3://bucket/prefix``).

    Safe to write from many processes. Reading writes nothing: a report may be made of a store that
    cannot be written to. ``damaged`` holds a message for each result that was asked for and found
    damaged; it counts as missing.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = files_at(root)
        self.damaged: dict[str, str] = {}

    @property
    def place(self) -> str:
        """The store's address, as messages and commands show it."""
        return address(self.root)

    def home(self, job_id: str) -> Path:
        """The folder of a job, there or not."""
        return self.root / "jobs" / job_id

    def put(
        self,
        result: JobResult,
        *,
        predictions: pd.DataFrame | None = None,
        encoder: Path | None = None,
        model: Path | None = None,
    ) -> None:
        """Store a result; one that is done already stays as it is (but gets an encoder or model it lacks).

        ``predictions``: columns corpus, id, doc, gold, predicted (the last two as JSON texts).
        ``encoder``: a folder to keep for child jobs, ``model``: one to keep for people; they are moved.
        """
        home = f"jobs/{result.id}"
        with self.files.scratch() as folder:
            draft = folder / result.id
            draft.mkdir()
            if predictions is not None:
                table = draft / "predictions.parquet"
                predictions.to_parquet(table, index=False)
                digest = hashlib.sha256(table.read_bytes()).hexdigest()
                result = result.model_copy(update={"predictions": digest})
            (draft / "result.json").write_bytes(signed(result))
            if encoder is not None:
                shutil.move(encoder, draft / "encoder")
            if model is not None:
                shutil.move(model, draft / "model")
            if not self.is_done(result.id):
                self.files.publish(draft, home, last="result.json")
            else:
                if encoder is not None and not self.has_encoder(result.id):
                    self.files.publish(draft / "encoder", f"{home}/encoder", last="model.safetensors")
                if model is not None and not self.has_model(result.id):
                    self.files.publish(draft / "model", f"{home}/model", last="model.json")
        if result.status == "done":
            self.files.remove(f"checkpoints/{result.id}")
        self.no_longer_running(result.id)

    def sweep(self) -> None:
        """Remove what killed runs left: drafts a day old, claims, notes of progress, finished checkpoints."""
        self.files.sweep()
        claims = Claims(self.files, run="")
        claims.sweep()
        for name in self.files.names("running"):
            if not claims.held(Path(name).stem):
                self.files.remove(f"running/{name}")
        for job_id in self.files.names("checkpoints"):
            if self.is_done(job_id):
                self.files.remove(f"checkpoints/{job_id}")

    def is_done(self, job_id: str) -> bool:
        """Whether there is a result with scores."""
        try:
            return self.get(job_id).status == "done"
        except (FileNotFoundError, Damaged):
            return False

    def get(self, job_id: str) -> JobResult:
        """The result of a job. Raises FileNotFoundError where there is none, Damaged where it is damaged."""
        return self._result(job_id, self.files.read(f"jobs/{job_id}/result.json"))

    def _result(self, job_id: str, text: bytes) -> JobResult:
        where = self.files.at(f"jobs/{job_id}/result.json")
        result = result_of(text, where=where)
        if result.id != job_id:
            raise Damaged(f"{where}: is the result of another job, {result.id}")
        return result

    def results(self, jobs: Iterable[Job]) -> dict[str, JobResult]:
        """Results of the jobs that have one, by job id; see ``damaged``."""
        names = {f"jobs/{job.id}/result.json": job.id for job in jobs}
        found = {}
        for name, text in self.files.read_all(names).items():
            try:
                found[names[name]] = self._result(names[name], text)
            except Damaged as error:
                self.damaged[names[name]] = str(error)
        return found

    def quarantine(self, jobs: Iterable[Job]) -> list[str]:
        """Set aside the damaged results of the jobs, so that they run again; return a message for each."""
        told = []
        for job_id, result in self.results(jobs).items():
            if result.predictions:
                with contextlib.suppress(FileNotFoundError, Damaged):
                    self._predictions(job_id, result.predictions)
                    continue
                self.damaged[job_id] = (
                    f"{self.files.at(f'jobs/{job_id}')}: its predictions are damaged or gone"
                )
        for job_id, message in self.damaged.items():
            aside = self.set_aside(f"jobs/{job_id}")
            told.append(f"{message}; set aside in {aside}, the job runs anew")
        self.damaged.clear()
        return told

    def set_aside(self, name: str) -> str:
        """Move a folder into the quarantine; return its new address."""
        aside = f"quarantine/{name.replace('/', '-')}-{uuid.uuid4().hex[:8]}"
        self.files.move(name, aside)
        return self.files.at(aside)

    def pending(self, jobs: Sequence[Job], *, keep: Collection[str] = ()) -> tuple[Job, ...]:
        """The jobs still to run, in order: those without a result and those that failed.

        A finished job runs again where a pending child needs its encoder, or its model is to be kept
        (``keep`` has its id), and that is not there.
        """
        results = self.results(jobs)
        done = {id_ for id_, result in results.items() if result.status == "done"}
        done -= {id_ for id_ in done.intersection(keep) if not self.has_model(id_)}
        todo = {job.id for job in jobs if job.id not in done}
        for job in jobs:
            if job.id in todo:
                todo |= {parent.id for parent in job.parents if not self.has_encoder(parent.id)}
        return tuple(job for job in jobs if job.id in todo)

    def has_all(self, job_id: str, *, encoder: bool, model: bool) -> bool:
        """Whether a job is done, and its encoder and model are there where they are asked for."""
        there = (not encoder or self.has_encoder(job_id)) and (not model or self.has_model(job_id))
        return there and self.is_done(job_id)

    def has_model(self, job_id: str) -> bool:
        """Whether the job's model is kept."""
        return self.files.exists(f"jobs/{job_id}/model/model.json")

    def has_encoder(self, job_id: str) -> bool:
        """Whether the job's encoder is kept for its children."""
        return self.files.exists(f"jobs/{job_id}/encoder/model.safetensors")

    def encoder(self, job_id: str) -> bytes:
        """The kept weights of a job's encoder, as safetensors."""
        return self.files.read(f"jobs/{job_id}/encoder/model.safetensors")

    def drop_encoder(self, job_id: str) -> None:
        """Remove an encoder that no child job needs any more."""
        self.files.remove(f"jobs/{job_id}/encoder")

    def predictions(self, job_id: str, *, digest: str = "") -> pd.DataFrame:
        """Columns corpus, id, doc, gold, predicted: a row for each test item, values as JSON.

        Raises Damaged where the file's SHA-256 is not ``digest``, if one is given.
        """
        return pd.read_parquet(io.BytesIO(self._predictions(job_id, digest)))

    def prediction_table(self, job_id: str, *, digest: str = "") -> pa.Table:
        """The same for a program that reads thousands: corpus and predicted say each value once.

        In a ledger without labels the columns are corpus, document, share and constant.
        """
        data = pa.BufferReader(self._predictions(job_id, digest))
        repeated = [name for name in pq.read_schema(data).names if name in ("corpus", "predicted")]
        data.seek(0)
        with pq.ParquetFile(data, read_dictionary=repeated) as file:
            return file.read(use_threads=False).unify_dictionaries()

    def _predictions(self, job_id: str, digest: str) -> bytes:
        name = f"jobs/{job_id}/predictions.parquet"
        data = self.files.read(name)
        if digest and hashlib.sha256(data).hexdigest() != digest:
            raise Damaged(f"{self.files.at(name)}: was changed after it was written")
        return data

    def running(self, job_id: str, progress: Mapping[str, Any]) -> None:
        """Note that this process works on a job, and its progress."""
        note = {**this_process(), **progress}
        self.files.write(f"running/{job_id}.json", json.dumps(note).encode())

    def no_longer_running(self, job_id: str) -> None:
        self.files.remove(f"running/{job_id}.json")

    def all_running(self) -> dict[str, dict[str, Any]]:
        """The notes of all jobs that somebody works on, by job id."""
        files = self.files.read_all(f"running/{name}" for name in self.files.names("running"))
        notes = {Path(name).stem: _note(data) for name, data in files.items()}
        return {id_: note for id_, note in notes.items() if note}

    def progress(self, job_id: str) -> dict[str, Any] | None:
        """The note of the process that works on a job; None where none does, or it is gone.

        epoch (ended) and epochs, and the process; after the first epoch also loss (its mean over corpora)
        and best (each corpus's best dev score so far).
        """
        try:
            return _note(self.files.read(f"running/{job_id}.json"))
        except FileNotFoundError:
            return None

    def put_grid(self, record: GridRecord) -> None:
        text = record.model_dump_json(indent=1).encode()
        self.files.write(f"grids/{record.grid.id}.json", text, durable=True)

    def grids(self) -> list[GridRecord]:
        """The records of all grids that were run into this store, without those that cannot be read."""
        names = [f"grids/{name}" for name in self.files.names("grids")]
        found = []
        for data in self.files.read_all(names).values():
            with contextlib.suppress(ValidationError):
                found.append(GridRecord.model_validate_json(data))
        return found

    def get_grid(self, grid: Grid) -> GridRecord:
        """The record of a grid. Raises NotRun if it was never run into this store."""
        name = f"grids/{grid.id}.json"
        try:
            return GridRecord.model_validate_json(self.files.read(name))
        except FileNotFoundError:
            raise NotRun(
                f"{self.place}: the grid '{grid.name}' as it now reads was never run into this store; "
                "run it first: transfer run-grid GRID (with the same --store and --set)"
            ) from None
        except ValidationError as error:
            raise InputError(
                f"{self.files.at(name)}: is no record of this program ({error.errors()[0]['msg']}); "
                "run the grid again, that writes it anew"
            ) from None

    def frame(self, record: GridRecord, results: Mapping[str, JobResult] | None = None) -> pd.DataFrame:
        """The results of a grid, tidy: one row for each job, target and split. See FRAME_COLUMNS.

        A failed job has a row for each of its targets, with no value and its error; an undefined score
        has no value and the reason. ``results`` are those of the grid's jobs by id, where they have been
        read already.
        """
        results = self.results(record.jobs) if results is None else results
        rows = [
            row for job in record.jobs if job.id in results for row in _rows(job, results[job.id], record)
        ]
        frame = pd.DataFrame(rows, columns=list(FRAME_COLUMNS))
        return frame.astype(FRAME_COLUMNS)


def _note(data: bytes) -> dict[str, Any] | None:
    """A note of ``Store.running``; None if it is damaged, or its process is known to be gone."""
    try:
        note = json.loads(data)
        return None if lives(note) is False else note
    except (ValueError, KeyError, TypeError):
        return None


FRAME_COLUMNS: dict[str, str] = {
    "job": "str", "stage": "str", "corpora": "str", "target": "str", "split": "str", "metric": "str",
    "seed": "int64", "value": "float64", "status": "str", "error": "str", "epoch": "int64",
    "items": "int64", "train_items": "int64", "steps": "int64", "seconds": "float64",
    "peak_memory": "float64", "source": "str", "encoder": "str",
    "recipe": "str",
}  # fmt: skip


def _rows(job: Job, result: JobResult, record: GridRecord) -> Iterable[dict[str, Any]]:
    metrics = {c.card.name: c.card.metric for c in record.corpora}
    encoder = job.encoder.name + (f" ({job.encoder.layers} layers)" if job.encoder.layers else "")
    shared = {
        "job": job.id, "stage": str(job.arm), "corpora": str(Group(job.group)), "seed": job.arm_seed,
        "status": result.status,
        "steps": result.steps, "seconds": result.seconds, "source": result.source,
        "peak_memory": float("nan") if result.peak_memory is None else result.peak_memory,
        "encoder": encoder, "recipe": record.recipe_name,
    }  # fmt: skip
    failed = result.reason or "failed"
    scores = result.scores or tuple(
        Score(corpus=name, split="test", metric=metrics[name], value=None, items=0, undefined=failed)
        for name in job.names
    )
    for score in scores:
        yield shared | {
            "target": score.corpus, "split": score.split, "metric": score.metric, "value": score.number,
            "epoch": result.chosen_epoch.get(score.corpus, 0), "items": score.items,
            "train_items": result.train_items.get(score.corpus, 0),
            "error": f"undefined: {score.undefined}" if result.status == "done" and score.undefined
            else result.reason,
        }  # fmt: skip
