"""Learning curves in other tools: what TensorBoard's files hold, and messages where a tool is missing."""

import json
import re
import struct
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from transfer.scheduling.loggers import PACKAGES, Logs, callback_of, curves_of, shown_of
from transfer.store import Store


def events(path: Path) -> list[Event]:
    """The events of a TensorBoard file: records of a length, its checksum, the data and its checksum."""
    data, at, found = path.read_bytes(), 0, []
    while at < len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        event = Event()
        event.ParseFromString(data[at + 12 : at + 12 + length])
        found.append(event)
        at += 12 + length + 4
    return found


def scalars(folder: Path) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for path in folder.glob("events.out.tfevents.*"):
        for event in events(path):
            for value in event.summary.value:
                if value.HasField("simple_value"):
                    found.setdefault(value.tag, {})[event.step] = value.simple_value
    return found


def test_tensorboard_has_the_curves_that_the_store_has(transfer, tiny_grid: Path, tmp_path: Path):
    few = ["--set", "tasks=[rel, ner]", "--set", "jobs=[single, pairs]", "--set", "seeds=1", "--workers", 1]
    places = ["--store", tmp_path / "runs", "--out", tmp_path / "reports", "--log-dir", tmp_path / "logs"]
    code, out, err = transfer("run-grid", tiny_grid, "--log-to", "tensorboard", *places, *few)
    assert code == 0, err
    assert "3 jobs, 0 done, 3 to run" in out
    store = Store(tmp_path / "runs")
    results = [store.get(path.name) for path in (tmp_path / "runs" / "jobs").iterdir()]
    runs = {path.name: scalars(path) for path in (tmp_path / "logs" / "tiny").iterdir()}
    assert len(results) == len(runs) == 3
    for result in results:
        (name,) = [name for name in runs if name.endswith(result.id[:6])]
        assert name.startswith(f"refine-{'+'.join(result.job.names)}-seed-0")
        for corpus in result.job.names:
            shown = {kind: runs[name][f"ray/tune/{kind}/{corpus}"] for kind in ("loss", "dev")}
            assert sorted(shown["loss"]) == [1, 2]
            for epoch in result.history:
                assert shown["loss"][epoch.epoch] == pytest.approx(epoch.loss[corpus], rel=1e-6)
                assert shown["dev"][epoch.epoch] == pytest.approx(epoch.dev[corpus], rel=1e-6)
            (test,) = [s.value for s in result.scores if (s.corpus, s.split) == (corpus, "test")]
            assert runs[name][f"ray/tune/test/{corpus}"] == {2: pytest.approx(test, rel=1e-6)}
    files = (tmp_path / "logs" / "tiny").glob("*/events*")
    text = "".join(str(event) for path in files for event in events(path))
    assert str(tmp_path) not in text, "no path of this machine goes into another tool"
    assert "encoder_fingerprint" not in text, "the job's record is not a parameter of anybody's"


def test_without_being_asked_nothing_is_logged(tiny_run):
    assert not (tiny_run.store.parent / "logs").exists()


@pytest.mark.parametrize("tool", PACKAGES)
def test_a_tool_that_is_missing_is_named_with_the_mend_before_anything_is_written(
    transfer, tiny_grid: Path, tmp_path: Path, monkeypatch, tool: str
):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    code, _, err = transfer("run-grid", tiny_grid, "--log-to", tool, "--store", tmp_path / "runs")
    assert code == 2
    message = f"error: --log-to {tool}: the package {PACKAGES[tool]} is not installed here; pip install "
    assert err.strip() == message + PACKAGES[tool]
    assert not (tmp_path / "runs").exists()


def test_logging_without_ray_and_to_an_unknown_tool_are_refused(transfer, tiny_grid: Path, tmp_path: Path):
    store = ["--store", tmp_path / "runs"]
    code, _, err = transfer("run-grid", tiny_grid, "--log-to", "tensorboard", "--executor", "inline", *store)
    assert (code, err.strip()) == (2, "error: --log-to works through Ray; leave --executor inline out")
    code, _, err = transfer("run-grid", tiny_grid, "--log-to", "tensorbored", *store)
    assert code == 2
    assert "tensorboard" in err
    assert not (tmp_path / "runs").exists()


def test_parameters_are_readable_and_names_are_file_names(tiny_run, tmp_path: Path):
    store = Store(tiny_run.store)
    result = store.get(next(iter((tiny_run.store / "jobs").iterdir())).name)
    shown = shown_of("t1", result.job, Logs("tensorboard", tmp_path, "tiny"))
    assert re.fullmatch(r"[\w.+-]+", shown.name)
    assert Path(shown.local_path) == tmp_path / "tiny" / shown.name
    assert shown.config["lr"] == 0.003
    assert "/" not in json.dumps(shown.config)
    assert [told["training_iteration"] for told in curves_of(result)] == [1, 2]
    assert "test" in curves_of(result)[-1]


def test_wandb_stays_offline_unless_the_environment_says_otherwise(tmp_path: Path, monkeypatch):
    pytest.importorskip("wandb", reason="wandb is not installed; pip install wandb")
    for said, mode in ((None, "offline"), ("online", "online")):
        monkeypatch.delenv("WANDB_MODE", raising=False)
        if said:
            monkeypatch.setenv("WANDB_MODE", said)
        logger = callback_of(Logs("wandb", tmp_path, "tiny"))._logger
        assert logger.kwargs["mode"] == mode  # type: ignore[attr-defined]
