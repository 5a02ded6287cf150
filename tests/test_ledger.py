"""Ledgers: a grid's results in one file, packed, read, merged, and refused when damaged."""

import io
import json
import random
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from transfer.analysis.stored import Stored
from transfer.analysis.study import Study
from transfer.inputs import InputError
from transfer.ledger import merge, pack
from transfer.records import Damaged, GridRecord, signed
from transfer.store import Store


@pytest.fixture(scope="module")
def store(tiny_run) -> Store:
    return Store(tiny_run.store)


@pytest.fixture(scope="module")
def record(store: Store) -> GridRecord:
    (found,) = store.grids()
    return found


@pytest.fixture(scope="module")
def ledger(store: Store, record: GridRecord, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "tiny.ledger"
    pack(store, record, path)
    return path


@pytest.fixture(scope="module")
def unlabelled(store: Store, record: GridRecord, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("ledger") / "tiny-without-labels.ledger"
    pack(store, record, path, shares=Stored(store, record).shares)
    return path


def edges(store: Store) -> pd.DataFrame:
    (record,) = store.grids()
    return Study.of(store, record).edges


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewritten(path: Path, to: Path, **changes: bytes | None) -> Path:
    """The ledger with members replaced, added or (None) removed, whatever its list of members says."""
    with zipfile.ZipFile(to, "w") as archive:
        for name, data in {**members(path), **changes}.items():
            if data is not None:
                archive.writestr(name, data)
    return to


def test_equal_results_give_equal_bytes(store: Store, record: GridRecord, ledger: Path, tmp_path: Path):
    packed = pack(store, record, tmp_path / "again.ledger")
    assert (packed.done, packed.failed, packed.missing) == (14, 0, 0)
    assert (tmp_path / "again.ledger").read_bytes() == ledger.read_bytes()


def test_a_ledger_is_read_like_a_store(store: Store, ledger: Path):
    pd.testing.assert_frame_equal(edges(Store(ledger)), edges(store))


def test_nothing_writes_to_a_ledger(store: Store, record: GridRecord, ledger: Path):
    with pytest.raises(InputError, match="nothing writes to"):
        Store(ledger).put_grid(record)


def test_without_labels_the_verdicts_stay_and_nothing_names_a_label_or_an_item(
    store: Store, record: GridRecord, unlabelled: Path
):
    told = ["flag"]  # its text names the predictor behind the baseline
    pd.testing.assert_frame_equal(
        edges(Store(unlabelled)).drop(columns=told), edges(store).drop(columns=told), rtol=1e-9
    )
    names = {label for c in record.corpora for label in (*c.card.labels, *c.card.entities)}
    for job in record.jobs:
        table = store.predictions(job.id)
        names |= {text for column in ("id", "doc") for text in table[column] if text}
    assert len(names) > 12
    for name, data in members(unlabelled).items():
        if name.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(data))
            assert table.column_names == ["corpus", "document", "share", "constant"]
            data = table.to_pandas().to_csv().encode()
        texts = json.dumps(json.loads(data)) if name.endswith(".json") else data.decode()
        assert not [label for label in names if f'"{label}"' in texts or f",{label}," in texts], name


def test_merging_adds_what_is_new_and_reports_what_differs(
    store: Store, record: GridRecord, ledger: Path, tmp_path: Path
):
    target = Store(tmp_path / "runs")
    assert (merge([ledger], target).added, merge([ledger], target).added) == (14, 0)
    pd.testing.assert_frame_equal(edges(target), edges(store))
    job = record.jobs[0]
    result = target.get(job.id)
    score = result.scores[-1]
    other = score.model_copy(update={"value": score.number + 0.01})
    changed = result.model_copy(update={"scores": (*result.scores[:-1], other)})
    target.files.write(f"jobs/{job.id}/result.json", signed(changed))
    merged = merge([ledger], target)
    assert merged.added == 0
    (told,) = merged.differing
    assert job.label in told
    assert "the store's stays" in told
    assert target.get(job.id).scores == changed.scores


def test_parts_merge_into_what_one_run_would_have_kept(
    store: Store, record: GridRecord, ledger: Path, tmp_path: Path
):
    parts = []
    for number in range(3):
        part = Store(tmp_path / f"part{number}")
        part.put_grid(record)
        for job in record.jobs[number::3]:
            part.put(store.get(job.id), predictions=store.predictions(job.id))
        parts.append(tmp_path / f"{number}.ledger")
        packed = pack(part, record, parts[-1])
        assert packed.done + packed.missing == 14
    target = Store(tmp_path / "runs")
    assert merge(parts[::-1], target).added == 14
    pack(target, record, tmp_path / "whole.ledger")
    assert (tmp_path / "whole.ledger").read_bytes() == ledger.read_bytes()


def test_a_result_that_is_done_replaces_a_failed_one(
    store: Store, record: GridRecord, ledger: Path, tmp_path: Path
):
    target, job = Store(tmp_path / "runs"), record.jobs[0]
    lost = store.get(job.id).model_copy(update={"status": "failed", "scores": (), "error": "worker died"})
    target.put(lost)
    assert merge([ledger], target).added == 14
    assert target.get(job.id).status == "done"


def test_gold_values_and_shares_are_not_mixed(ledger: Path, unlabelled: Path, tmp_path: Path):
    target = Store(tmp_path / "runs")
    merge([unlabelled], target)
    with pytest.raises(InputError, match=r"with labels.*without labels; merge them into another store"):
        merge([ledger], target)


def test_folders_of_the_machine_stay_behind(store: Store, record: GridRecord, ledger: Path, tmp_path: Path):
    assert str(tmp_path.parent).encode() not in b"".join(members(ledger).values())
    encoder = record.grid.encoder.name
    assert Path(encoder).is_absolute(), "the tiny encoder is a folder"
    assert encoder.encode() not in b"".join(members(ledger).values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"../outside.json": b"{}"}, "outside a store's layout"),
        ({"/tmp/absolute": b"{}"}, "outside a store's layout"),
        ({"jobs/0123456789abcdef/result.json": b"{}"}, "list of members"),
        ({"ledger.json": b'{"format": 2}'}, "later version"),
        ({"ledger.json": b"[]"}, r"ledger\.json is damaged"),
        ({"ledger.json": None}, "is not a ledger"),
    ],
)
def test_a_ledger_that_was_edited_is_refused(ledger: Path, tmp_path: Path, changes, message: str):
    path = rewritten(ledger, tmp_path / "edited.ledger", **changes)
    with pytest.raises(InputError, match=message):
        merge([path], Store(tmp_path / "runs"))
    assert not (tmp_path / "runs").exists()


def test_a_score_that_was_edited_is_refused(ledger: Path, tmp_path: Path):
    name = next(name for name in members(ledger) if name.endswith("result.json"))
    data = members(ledger)[name].replace(b'"seed": 0', b'"seed": 1').replace(b'"seed": 1', b'"seed": 0', 1)
    data = data if data != members(ledger)[name] else data.replace(b"0", b"1", 1)
    path = rewritten(ledger, tmp_path / "edited.ledger", **{name: data})
    with pytest.raises(InputError, match="was changed after it was packed"):
        merge([path], Store(tmp_path / "runs"))


def test_a_zip_bomb_is_refused_before_it_unpacks(ledger: Path, tmp_path: Path):
    name = next(name for name in members(ledger) if name.endswith("result.json"))
    path = tmp_path / "bomb.ledger"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ledger.json", members(ledger)["ledger.json"])
        with archive.open(name, "w") as file:
            for _ in range(100):
                file.write(bytes(2**20))
    with pytest.raises(InputError, match=r"would unpack to 104,\d+,\d+ bytes"):
        Store(path)


def test_a_folder_or_another_file_is_no_ledger(tmp_path: Path):
    (tmp_path / "notes.txt").write_text("no zip")
    with pytest.raises(InputError, match="is not a ledger"):
        Store(tmp_path / "notes.txt")
    with pytest.raises(InputError, match="is not a ledger; write one with transfer ledger pack"):
        merge([tmp_path], Store(tmp_path / "runs"))


def mutated(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    kind = rng.randrange(4)
    if kind == 0:
        return bytes(found[: rng.randrange(len(found))])
    for _ in range(rng.randrange(1, 6)):
        place = rng.randrange(len(found))
        if kind == 1:
            found[place] = rng.randrange(256)
        elif kind == 2:
            del found[place : place + rng.randrange(1, 30)]
        else:
            found[place:place] = rng.randbytes(rng.randrange(1, 30))
    return bytes(found)


@pytest.mark.parametrize("count", [200, pytest.param(2000, marks=pytest.mark.slow)])
def test_mutated_ledgers_end_in_a_message_or_in_the_results_that_were_packed(
    store: Store, record: GridRecord, ledger: Path, tmp_path: Path, count: int
):
    rng, data, refused = random.Random(count), ledger.read_bytes(), 0
    path, home = tmp_path / "mutated.ledger", tmp_path / "target"
    for number in range(count):
        path.write_bytes(mutated(data, rng))
        target = Store(home / str(number))
        told = ""
        try:
            merge([path], target)
        except (InputError, Damaged) as error:
            told = str(error)
        if told:
            refused += 1
            assert str(path) in told
            assert not target.root.exists()
        else:  # the change is in a place that zip ignores
            assert {j.id for j in record.jobs} == set(target.results(record.jobs))
            pd.testing.assert_frame_equal(target.frame(record), store.frame(record))
    assert refused > count * 0.9
    assert {p.name for p in tmp_path.iterdir()} <= {"mutated.ledger", "target"}
