"""The ledger: written whole or not at all, done once, read for ever."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from transfer import claims, expansion
from transfer.corpora.base import Card
from transfer.files import address
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.records import CorpusRecord, Damaged, GridRecord, JobResult, Score, signed
from transfer.store import FRAME_COLUMNS, Store

# a store as the first version of the format wrote it: no checksums, no notes, no time of ending
ASSET = Path(__file__).parent / "assets" / "store-v1"
OLD = "45b0123ba37e54f8"
RECIPE = {"lr": 1e-3, "epochs": 2, "batch_size": 4, "fine_tune": {"lr": 1e-3, "epochs": 1}}
GRID = Grid.model_validate(
    {
        "name": "g",
        "corpora": "some/folder",
        "tasks": ["a", "b"],
        "encoder": {"name": "some-bert", "layers": 2},
        "recipe": RECIPE,
        "stages": ["refine", "fine-tune"],
        "jobs": ["pairs"],
        "seeds": 1,
    }
)
CARDS = [
    Card(name=n, kind="classification", metric=m, labels=("x", "y"))
    for n, m in [("a", "accuracy"), ("b", "micro_f1")]
]
PARENT, CHILD, OTHER = expansion.jobs_of(GRID, {"a": "fa", "b": "fb"}, encoder_fingerprint="e")
RECORD = GridRecord(
    grid=GRID,
    recipe_name="own",
    source="prepared",
    corpora=tuple(
        CorpusRecord(card=c, fingerprint=f"f{c.name}", items={"train": 9, "dev": 3, "test": 3}) for c in CARDS
    ),
    jobs=(PARENT, CHILD, OTHER),
)


def done(job: Job, value: float = 0.5, **change) -> JobResult:
    metric = {"a": "accuracy", "b": "micro_f1"}
    scores = tuple(
        Score(corpus=name, split=split, metric=metric[name], value=value, items=3)
        for name in job.names
        for split in ("dev", "test")
    )
    result = JobResult(
        id=job.id,
        job=job,
        status="done",
        scores=scores,
        source="prepared",
        seconds=2.0,
        chosen_epoch=dict.fromkeys(job.names, 2),
    )
    return result.model_copy(update=change)


def failed(job: Job, error: str = "Traceback\nOSError: no space") -> JobResult:
    return JobResult(id=job.id, job=job, status="failed", source="prepared", error=error)


def kept(store: Store, job: Job) -> JobResult:
    """The result of a job without what the store adds to it."""
    return store.get(job.id).model_copy(update={"checksum": "", "predictions": ""})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def weights(tmp_path: Path):
    def make() -> Path:
        folder = tmp_path / "weights"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"weights")
        return folder

    return make


def test_what_is_put_is_got(store: Store):
    predictions = pd.DataFrame(
        {"corpus": ["a"], "id": ["1"], "doc": [""], "gold": ['"x"'], "predicted": ['"y"']}
    )
    store.put(done(PARENT), predictions=predictions)
    assert kept(store, PARENT) == done(PARENT)
    pd.testing.assert_frame_equal(store.predictions(PARENT.id), predictions)
    assert not list((store.root / "tmp").iterdir()), "nothing half-written is left"


def test_the_first_done_result_stays(store: Store):
    store.put(done(PARENT, 0.5))
    before = (store.home(PARENT.id) / "result.json").read_bytes()
    store.put(done(PARENT, 0.9))
    store.put(failed(PARENT))
    assert (store.home(PARENT.id) / "result.json").read_bytes() == before
    assert not list((store.root / "tmp").iterdir())


def test_a_failed_result_gives_way(store: Store):
    store.put(failed(PARENT))
    store.put(done(PARENT))
    assert store.get(PARENT.id).status == "done"
    assert not list((store.root / "tmp").iterdir())


def test_a_result_that_cannot_be_written_leaves_nothing_in_its_place(store: Store, monkeypatch):
    monkeypatch.setattr(
        pd.DataFrame, "to_parquet", lambda *a, **k: (_ for _ in ()).throw(OSError("disk full"))
    )
    with pytest.raises(OSError, match="disk full"):
        store.put(done(PARENT), predictions=pd.DataFrame({"corpus": ["a"]}))
    with pytest.raises(FileNotFoundError):
        store.get(PARENT.id)
    assert store.pending(RECORD.jobs) == RECORD.jobs


def test_pending_is_what_lacks_a_result_or_failed(store: Store, weights):
    assert store.pending(RECORD.jobs) == RECORD.jobs
    store.put(done(PARENT), encoder=weights())
    store.put(failed(CHILD))
    assert store.pending(RECORD.jobs) == (CHILD, OTHER)
    store.put(done(CHILD))
    store.put(done(OTHER))
    store.drop_encoder(PARENT.id)
    assert store.pending(RECORD.jobs) == (), "an encoder that nobody needs is not missed"


def test_a_parent_whose_encoder_is_gone_is_pending_where_a_child_is(store: Store):
    store.put(done(PARENT))
    assert store.pending(RECORD.jobs) == RECORD.jobs
    assert store.pending([PARENT]) == ()


def test_a_parent_that_ran_again_has_its_encoder_and_its_old_result(store: Store, weights):
    """A second run adds the missing encoder, which its children need, and keeps the old result."""
    store.put(done(PARENT, 0.5))
    store.put(done(PARENT, 0.6), encoder=weights())
    assert kept(store, PARENT) == done(PARENT, 0.5)
    assert (store.home(PARENT.id) / "encoder" / "model.safetensors").read_bytes() == b"weights"
    assert store.pending(RECORD.jobs) == (CHILD, OTHER)


def test_the_frame_is_tidy(store: Store, weights):
    store.put(done(PARENT, 0.25), encoder=weights())
    store.put(failed(CHILD))
    frame = store.frame(RECORD)
    assert list(frame.columns) == list(FRAME_COLUMNS)
    assert frame.dtypes.astype(str).to_dict() == FRAME_COLUMNS
    of_parent = frame[frame["job"] == PARENT.id]
    assert list(zip(of_parent["target"], of_parent["split"], strict=True)) == [
        ("a", "dev"), ("a", "test"), ("b", "dev"), ("b", "test"),
    ]  # fmt: skip
    assert set(of_parent["corpora"]) == {"a+b"}
    assert set(of_parent["value"]) == {0.25}
    assert set(of_parent["epoch"]) == {2}
    assert set(of_parent["encoder"]) == {"some-bert (2 layers)"}


def test_a_failed_job_has_rows_without_a_value_and_its_error(store: Store):
    store.put(failed(PARENT))
    store.put(failed(CHILD, error=""))
    frame = store.frame(RECORD)
    assert frame["value"].isna().all()
    assert set(frame["status"]) == {"failed"}
    rows = frame[frame["job"] == PARENT.id]
    assert list(rows["target"]) == ["a", "b"]
    assert list(rows["metric"]) == ["accuracy", "micro_f1"]
    assert set(rows["error"]) == {"OSError: no space"}
    assert set(frame[frame["job"] == CHILD.id]["corpora"]) == {"a+b"}


def test_the_frame_of_an_empty_store(store: Store):
    frame = store.frame(RECORD)
    assert len(frame) == 0
    assert frame.dtypes.astype(str).to_dict() == FRAME_COLUMNS


def damage_it(store: Store, how: str) -> None:
    path = store.home(PARENT.id) / "result.json"
    text = path.read_text()
    edited = {
        "empty": "",
        "cut short": text[: len(text) // 2],
        "no object": "[]",
        "of no job": '{"format": 1}',
        "a score edited": text.replace('"value": 0.5', '"value": 0.9', 1),
        "its last byte gone": text[:-1],
        "another job's": signed(done(OTHER)).decode(),
        "the checksum edited": text[:-8] + "0000" + text[-4:],
        "written anew by an editor": json.dumps(json.loads(text)),
    }
    if how == "no text":
        path.write_bytes(b"\xff\xfe\x00")
    else:
        assert edited[how] != text
        path.write_text(edited[how])


DAMAGES = [
    "empty", "cut short", "no object", "of no job", "a score edited", "its last byte gone", "another job's",
    "the checksum edited", "written anew by an editor", "no text",
]  # fmt: skip


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_result_is_named_and_never_a_score(store: Store, how: str):
    store.put(done(PARENT))
    store.put(done(OTHER, 0.25))
    damage_it(store, how)
    with pytest.raises(Damaged, match=str(store.home(PARENT.id) / "result.json")):
        store.get(PARENT.id)
    frame = store.frame(RECORD)
    assert set(frame["job"]) == {OTHER.id}
    assert list(store.damaged) == [PARENT.id]
    assert PARENT in store.pending(RECORD.jobs)
    before = {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()}
    assert {path: path.read_bytes() for path in store.root.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_result_is_set_aside_and_runs_anew(store: Store, how: str):
    store.put(done(PARENT))
    store.put(done(OTHER))
    damage_it(store, how)
    damaged = (store.home(PARENT.id) / "result.json").read_bytes()
    (told,) = store.quarantine(RECORD.jobs)
    (aside,) = (store.root / "quarantine").iterdir()
    assert str(store.home(PARENT.id) / "result.json") in told
    assert str(aside) in told
    assert (aside / "result.json").read_bytes() == damaged, "a person may want to look at it"
    assert not store.home(PARENT.id).exists()
    assert store.get(OTHER.id).status == "done"
    store.put(done(PARENT))
    assert store.quarantine(RECORD.jobs) == []


@pytest.mark.parametrize("how", ["gone", "edited", "cut short"])
def test_a_result_whose_predictions_are_damaged_is_set_aside(store: Store, how: str):
    rows = {"corpus": ["a"], "id": ["1"], "doc": [""], "gold": ['"x"'], "predicted": ['"y"']}
    store.put(done(PARENT), predictions=pd.DataFrame(rows))
    path = store.home(PARENT.id) / "predictions.parquet"
    if how == "gone":
        path.unlink()
    elif how == "edited":
        pd.DataFrame({**rows, "predicted": ['"x"']}).to_parquet(path)
    else:
        path.write_bytes(path.read_bytes()[:-10])
    (told,) = store.quarantine(RECORD.jobs)
    assert "its predictions are damaged or gone" in told
    assert store.pending([PARENT]) == (PARENT,)


def test_a_result_of_a_later_version_is_named_and_left_alone(store: Store):
    store.put(done(PARENT))
    path = store.home(PARENT.id) / "result.json"
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))
    for read in (store.get, lambda _: store.results(RECORD.jobs), lambda _: store.quarantine(RECORD.jobs)):
        with pytest.raises(InputError, match="written by a later version of transfer"):
            read(PARENT.id)
    assert path.exists()


def test_a_grids_record_is_read_as_it_was_written(store: Store):
    store.put_grid(RECORD)
    again = store.get_grid(GRID)
    assert again == RECORD
    assert [job.id for job in again.jobs] == [job.id for job in RECORD.jobs]


def test_a_grid_that_was_never_run_here(store: Store):
    store.put_grid(RECORD)
    with pytest.raises(InputError, match="the grid 'g' as it now reads was never run into this store"):
        store.get_grid(GRID.model_copy(update={"seeds": (0, 1)}))


def test_a_later_versions_keys_are_no_hindrance(store: Store):
    store.put(done(PARENT))
    path = store.home(PARENT.id) / "result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "energy": 3.5, "checksum": ""}))
    assert store.get(PARENT.id) == done(PARENT)


def test_an_old_result_loads_for_ever(store: Store):
    id_ = OLD
    shutil.copytree(ASSET / "jobs" / id_, store.home(id_))
    result = store.get(id_)
    assert result.status == "done"
    assert result.job.id == id_, "its job is still the same job"
    assert {(s.corpus, s.split, s.metric) for s in result.scores} == {
        ("ner", "dev", "span_f1"), ("ner", "test", "span_f1"),
        ("rel", "dev", "micro_f1"), ("rel", "test", "micro_f1"),
    }  # fmt: skip
    assert store.pending([result.job]) == ()
    predictions = store.predictions(id_)
    assert list(predictions.columns) == ["corpus", "id", "doc", "gold", "predicted"]
    assert predictions.groupby("corpus").size().to_dict() == {"ner": 12, "rel": 12}
    assert all(
        isinstance(json.loads(value), list) for value in predictions[predictions["corpus"] == "ner"]["gold"]
    )


def test_the_old_result_names_no_place_of_a_machine():
    files = [path.read_bytes() for path in ASSET.rglob("*") if path.is_file()]
    assert len(files) == 2 * 9 + 2
    assert not any(b"/tmp" in text or b"/work" in text or b"/root" in text for text in files)


def test_a_store_of_the_first_format_is_nothing_to_set_aside(tmp_path: Path):
    store = Store(Path(shutil.copytree(ASSET, tmp_path / "runs")))
    record = store.get_grid(Grid.load(ASSET / "first.yaml"))
    assert len(store.results(record.jobs)) == len(record.jobs) == 9
    assert store.quarantine(record.jobs) == []
    assert store.pending(record.jobs) == ()
    assert store.damaged == {}


def test_a_store_of_the_first_format_is_reported_on_and_not_written_to(transfer, tmp_path: Path):
    shutil.copytree(ASSET, tmp_path / "runs")
    before = {
        p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (tmp_path / "runs").rglob("*") if p.is_file()
    }
    code, _, err = transfer(
        "report", ASSET / "first.yaml", "--store", tmp_path / "runs", "--out", tmp_path / "out"
    )
    assert (code, err) == (0, "")
    frame = pd.read_csv(tmp_path / "out" / "first" / "results.csv")
    kept = {
        (result["id"], score["corpus"], score["split"]): score["value"]
        for path in ASSET.glob("jobs/*/result.json")
        for result in [json.loads(path.read_text())]
        for score in result["scores"]
    }
    shown = {(row.job, row.target, row.split): row.value for row in frame.itertuples()}
    assert shown == pytest.approx(kept, abs=1e-6)
    edges = pd.read_csv(tmp_path / "out" / "first" / "edges.csv")
    assert dict(zip(edges["source"], edges["gain"], strict=True)) == pytest.approx(
        {"ner": -0.133333, "rel": -0.111111}, abs=1e-6
    )
    after = {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in (tmp_path / "runs").rglob("*") if p.is_file()}
    assert after == before


def test_progress_of_a_living_process(store: Store):
    assert store.progress(PARENT.id) is None
    store.running(PARENT.id, {"epoch": 1, "epochs": 3})
    note = store.progress(PARENT.id)
    assert note is not None
    assert (note["pid"], note["epoch"]) == (os.getpid(), 1)
    store.put(done(PARENT))
    assert store.progress(PARENT.id) is None


def test_a_job_whose_result_was_there_already_runs_no_more(store: Store):
    store.put(done(PARENT))
    store.running(PARENT.id, {"epoch": 1, "epochs": 3})
    store.put(done(PARENT))
    assert store.progress(PARENT.id) is None


def test_progress_of_a_dead_process_counts_for_nothing(store: Store):
    store.running(PARENT.id, {"epoch": 1, "epochs": 3})
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    path = store.root / "running" / f"{PARENT.id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "pid": gone.pid}))
    assert store.progress(PARENT.id) is None
    path.write_text("{")
    assert store.progress(PARENT.id) is None


def test_a_running_job_is_seen_on_a_machine_without_proc(store: Store, monkeypatch):
    """A machine without /proc, as macOS: every running job was missing from ``transfer status``."""
    exists = Path.exists
    monkeypatch.setattr(
        Path, "exists", lambda path, **kw: not str(path).startswith("/proc") and exists(path, **kw)
    )
    monkeypatch.setattr(claims, "HERE", "")
    monkeypatch.setattr(claims, "_born", lambda pid: None)
    store.running(PARENT.id, {"epoch": 1, "epochs": 3})
    assert store.progress(PARENT.id) is not None
    assert store.all_running().keys() == {PARENT.id}


def test_progress_of_a_process_whose_number_another_one_has_now(store: Store):
    store.running(PARENT.id, {"epoch": 1, "epochs": 3})
    path = store.root / "running" / f"{PARENT.id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "born": 1}))
    assert store.progress(PARENT.id) is None


def test_notes_of_jobs_that_no_process_has_taken_are_swept(store: Store):
    with claims.Claims(store.files, run="a").take(PARENT.id) or pytest.fail("it is taken"):
        store.running(PARENT.id, {"epoch": 1, "epochs": 3})
        store.running(OTHER.id, {"epoch": 1, "epochs": 3})
        store.sweep()
        assert store.files.names("running") == [f"{PARENT.id}.json"]


def test_drafts_of_killed_workers_are_swept_when_they_are_a_day_old(tmp_path: Path):
    store = Store(tmp_path)
    store.sweep()  # a store without drafts
    for name, age in (("old", 25 * 3600), ("new", 60)):
        draft = tmp_path / "tmp" / name
        draft.mkdir(parents=True)
        (draft / "result.json").write_text("{")
        os.utime(draft, (time.time() - age,) * 2)
    store.sweep()
    assert [path.name for path in (tmp_path / "tmp").iterdir()] == ["new"]


@pytest.mark.parametrize(
    "told",
    ["runs", "/data/s3:/runs", "s3://bucket/runs", "s3://bucket/runs?scheme=http&endpoint_override=host:9"],
)
def test_a_store_is_called_what_a_person_calls_it(told: str):
    assert address(Path(told)) == told


def test_a_signal_while_drafts_are_removed_leaves_none(tmp_path: Path, monkeypatch):
    files, plain = Store(tmp_path).files, shutil.rmtree
    removals: list[Path] = []

    def rmtree(folder: Path, **how: bool) -> None:
        removals.append(folder)
        if len(removals) == 1:
            raise KeyboardInterrupt
        plain(folder, **how)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    with pytest.raises(KeyboardInterrupt), files.scratch() as folder:
        (folder / "half").write_text("")
    assert removals == [folder, folder]
    assert not folder.exists()
