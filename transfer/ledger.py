"""Ledger: one file with everything that the reports of some grids need, safe to share.

A ledger is a zip archive. Its members have the names that they have in a store (see ``store``):
``grids/<grid id>.json``, ``jobs/<job id>/result.json`` and ``jobs/<job id>/predictions.parquet``, and
``ledger.json`` lists them with sizes and SHA-256 checksums. There is no text, no weight and no folder of the
machine that packed it. A ledger without labels holds each document's share in the score in place of gold
values and predictions. ``Store`` reads a ledger like a folder; nothing writes to one.
"""

import contextlib
import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from transfer import __version__
from transfer.inputs import InputError
from transfer.jobs import Encoder, Job
from transfer.ledger_files import (
    FORMAT,
    MANIFEST,
    MOST_BYTES,
    MOST_RATIO,
    LedgerFiles,
    Manifest,
    Member,
    reason,
)
from transfer.records import CorpusRecord, Damaged, GridRecord, JobResult, result_of, signed, without_paths
from transfer.store import Store

# scores of the same predictions differ by rounding alone
SAME = 1e-9
NOT_SHARED = "not shared"

Shares = Callable[[str], pa.Table]
"""Computes the shares of a job, by its id: columns corpus, document (a number), share and constant."""


@dataclass(frozen=True)
class Packed:
    """Contents of a ledger: jobs done, jobs failed, jobs of the grid without a result, and bytes."""

    done: int
    failed: int
    missing: int
    bytes: int


@dataclass(frozen=True)
class Merged:
    """Results that merging added. ``differing`` has a message for each job with other stored scores."""

    added: int
    known: int
    failed: int
    differing: tuple[str, ...]


def pack(store: Store, record: GridRecord, to: Path, *, shares: Shares | None = None) -> Packed:
    """Write a grid's results to one file; equal results give equal bytes.

    With ``shares`` the ledger has no labels: no gold value, prediction, label name or item id.
    Raises InputError if the store has no result of the grid, or ``to`` cannot be written.
    """
    results = store.results(record.jobs)
    if not results:
        raise InputError(f"{store.place}: has no result of the grid '{record.grid.name}'; run it first")
    members = {f"grids/{record.grid.id}.json": _shared_record(record, labels=shares is None)}
    for job in record.jobs:
        if job.id not in results:
            continue
        result = results[job.id]
        table = b""
        if result.status == "done" and shares is not None:
            table = _parquet(shares(job.id))
        elif result.status == "done":
            table = _checked(store, result)
        result = _shared_result(result, labels=shares is None)
        if table:
            result = result.model_copy(update={"predictions": hashlib.sha256(table).hexdigest()})
            members[f"jobs/{job.id}/predictions.parquet"] = table
        members[f"jobs/{job.id}/result.json"] = signed(result)
    manifest = Manifest(
        format=FORMAT,
        transfer=__version__,
        labels=shares is None,
        members={
            name: Member(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
            for name, data in sorted(members.items())
        },
    )
    text = manifest.model_dump_json(indent=1).encode()
    size = _write(to, {MANIFEST: text, **dict(sorted(members.items()))})
    done = sum(result.status == "done" for result in results.values())
    return Packed(done, len(results) - done, len(record.jobs) - len(results), size)


def _checked(store: Store, result: JobResult) -> bytes:
    name = f"jobs/{result.id}/predictions.parquet"
    try:
        data = store.files.read(name)
    except FileNotFoundError:
        raise Damaged(f"{store.files.at(name)}: is missing; run the grid again") from None
    if result.predictions and hashlib.sha256(data).hexdigest() != result.predictions:
        raise Damaged(f"{store.files.at(name)}: was changed after it was written; run the grid again")
    return data


def _write(to: Path, members: Mapping[str, bytes]) -> int:
    draft = to.with_name(f".{to.name}.part")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(draft, "w") as archive:
            for name, data in members.items():
                info = zipfile.ZipInfo(name)  # its date is fixed: 1980
                packed = not name.endswith(".parquet")  # which is compressed already
                archive.writestr(info, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
        draft.replace(to)
    except OSError as error:
        raise InputError(f"{to}: cannot be written ({error.strerror})") from None
    finally:
        draft.unlink(missing_ok=True)
    return to.stat().st_size


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _shared_result(result: JobResult, *, labels: bool) -> JobResult:
    """The result without folders of a machine; without ``labels`` also without any text that may name one."""
    if labels:
        error = without_paths(result.reason)
        notes = tuple(without_paths(note) for note in result.notes)
        return result.model_copy(update={"error": error, "notes": notes, "job": _shared_job(result.job)})
    scores = tuple(
        score.model_copy(update={"undefined": NOT_SHARED if score.undefined else ""})
        for score in result.scores
    )
    error = f"the reason is {NOT_SHARED}" if result.error else ""
    return result.model_copy(
        update={"error": error, "notes": (), "scores": scores, "job": _shared_job(result.job)}
    )


def _shared_job(job: Job) -> Job:
    """The job without the folder of its encoder; the job's id depends on the encoder's fingerprint."""
    return job.model_copy(update={"encoder": _shared_encoder(job.encoder)})


def _shared_encoder(encoder: Encoder) -> Encoder:
    return encoder.model_copy(update={"name": without_paths(encoder.name)})


def _shared_record(record: GridRecord, *, labels: bool) -> bytes:
    grid = record.grid
    corpora = grid.corpora if grid.corpora == "synthetic" else None
    changes: dict[str, object] = {
        "grid": grid.model_copy(update={"corpora": corpora, "encoder": _shared_encoder(grid.encoder)}),
        "jobs": tuple(map(_shared_job, record.jobs)),
        "overrides": tuple(map(without_paths, record.overrides)),
    }
    if not labels:
        changes |= {"corpora": tuple(map(_without_labels, record.corpora)), "overlaps": ()}
    return record.model_copy(update=changes).model_dump_json(indent=1).encode()


def _without_labels(corpus: CorpusRecord) -> CorpusRecord:
    card = corpus.card
    numbers = {label: f"label {i}" for i, label in enumerate(card.labels, start=1)}
    hidden = card.model_copy(
        update={
            "labels": tuple(numbers.values()),
            "entities": tuple(f"type {i}" for i, _ in enumerate(card.entities, start=1)),
            "negative": None if card.negative is None else numbers.get(card.negative, NOT_SHARED),
            "notes": (),
        }
    )
    baseline = corpus.baseline
    if baseline is not None:
        undefined = NOT_SHARED if baseline.undefined else ""
        baseline = baseline.model_copy(update={"predictor": "a constant prediction", "undefined": undefined})
    return corpus.model_copy(update={"card": hidden, "notes": (), "doubts": (), "baseline": baseline})


def merge(ledgers: Sequence[Path], store: Store) -> Merged:
    """Add the results of ledgers to a store.

    A job that is in the store already stays as it is; if the scores differ by more than rounding,
    ``differing`` says so. A result that is done replaces a failed one. Every ledger is verified before
    anything is added. Raises InputError, also where gold values in one place meet shares in another.
    """
    opened = [Store(path) for path in ledgers]
    for ledger in opened:
        _verify(ledger)
    added = known = failed = 0
    differing: list[str] = []
    for ledger in opened:
        for record in _records(ledger):
            _refuse_mixed(ledger, store, record)
            there = store.results(record.jobs)
            for job_id, result in ledger.results(record.jobs).items():
                mine = there.get(job_id)
                if mine is not None and mine.status == "done":
                    known += 1
                    differing += _differences(result, mine, ledger)
                elif mine is not None and result.status == "failed":
                    failed += 1
                else:
                    _add(ledger, store, job_id)
                    added += 1
        for name in ledger.files.names("grids"):
            if not store.files.exists(f"grids/{name}"):
                store.files.write(f"grids/{name}", ledger.files.read(f"grids/{name}"), durable=True)
    return Merged(added, known, failed, tuple(differing))


def _records(ledger: Store) -> list[GridRecord]:
    names = ledger.files.names("grids")
    found = ledger.grids()
    if len(found) < len(names) or not names:
        raise InputError(f"{ledger.place}: the record of a grid in it cannot be read")
    return found


def _verify(ledger: Store) -> None:
    if not isinstance(ledger.files, LedgerFiles):
        raise InputError(f"{ledger.place}: is not a ledger; write one with transfer ledger pack")
    for name in ledger.files.names("jobs"):
        members = [f"jobs/{name}/{file}" for file in ledger.files.names(f"jobs/{name}")]
        data = ledger.files.read_all(members)
        place = f"jobs/{name}/result.json"
        if place not in data:
            raise InputError(f"{ledger.files.at(place)}: is missing")
        result = result_of(data[place], where=ledger.files.at(place))
        table = data.get(f"jobs/{name}/predictions.parquet")
        if result.id != name or (result.status == "done") != (table is not None):
            raise InputError(f"{ledger.files.at(place)}: does not belong to what lies beside it")
        if table is not None:
            with _readable(ledger.files.at(f"jobs/{name}/predictions.parquet")):
                if hashlib.sha256(table).hexdigest() != result.predictions:
                    raise ValueError("its checksum is not the one in result.json")
                groups = pq.ParquetFile(pa.BufferReader(table)).metadata
                unpacked = sum(groups.row_group(i).total_byte_size for i in range(groups.num_row_groups))
                if unpacked > max(MOST_BYTES, MOST_RATIO * len(table)):
                    raise ValueError(f"it would unpack to {unpacked:,} bytes")


@contextlib.contextmanager
def _readable(place: str) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, ValueError, OSError) as error:
        raise InputError(f"{place}: is damaged ({reason(error)})") from None


def _refuse_mixed(ledger: Store, store: Store, record: GridRecord) -> None:
    assert isinstance(ledger.files, LedgerFiles)
    for job_id, result in store.results(record.jobs).items():
        if result.status == "done":
            with _readable(store.files.at(f"jobs/{job_id}/predictions.parquet")):
                names = store.prediction_table(job_id).column_names
            if ("predicted" in names) != ledger.files.manifest.labels:
                here, there = ("with", "without") if ledger.files.manifest.labels else ("without", "with")
                raise InputError(
                    f"{ledger.place}: has results {here} labels, {store.place} has results of the same grid "
                    f"{there} labels; merge them into another store"
                )
            return


def _differences(new: JobResult, old: JobResult, ledger: Store) -> list[str]:
    if new.status != "done":
        return []
    scores = {(s.corpus, s.split): s.number for s in old.scores}
    return [
        f"{ledger.place}: {new.job.label}: the {s.split} score of {s.corpus} is {s.shown} here and "
        f"{scores[s.corpus, s.split]:.4f} in the store; the store's stays"
        for s in new.scores
        if (s.corpus, s.split) in scores and abs(s.number - scores[s.corpus, s.split]) > SAME
    ]


def _add(ledger: Store, store: Store, job_id: str) -> None:
    home = f"jobs/{job_id}"
    with store.files.scratch() as folder:
        draft = folder / job_id
        draft.mkdir()
        for name in ledger.files.names(home):
            (draft / name).write_bytes(ledger.files.read(f"{home}/{name}"))
        store.files.publish(draft, home, last="result.json")


def is_ledger(where: Path) -> bool:
    """Whether a file is a zip archive, as a ledger is and a grid's YAML file is not."""
    return where.is_file() and zipfile.is_zipfile(where)


def grid_in(where: Path) -> tuple[Store, GridRecord]:
    """A ledger as a store, and the record of its only grid. Raises InputError if it has several."""
    ledger = Store(where)
    records = _records(ledger)
    if len(records) > 1:
        names = ", ".join(sorted(record.title for record in records))
        raise InputError(f"{where}: has several grids ({names}); name the grid's file, and this as its store")
    return ledger, records[0]
