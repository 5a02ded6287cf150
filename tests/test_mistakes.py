"""Common mistakes of newcomers and the complete messages that show the fix."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def below_another_folder(folder: Path) -> None:
    (folder / "grids").mkdir()
    (folder / "g.yaml").rename(folder / "grids" / "g.yaml")


def as_one_array(folder: Path) -> None:
    path = folder / "corpora" / "rel" / "train.jsonl"
    path.write_text(json.dumps(rows(path)))


def as_csv(folder: Path) -> None:
    home = folder / "corpora" / "rel"
    (home / "train.jsonl").rename(home / "train.csv")


# the mistake, what spoils the folder, the command if it is not `plan g.yaml`, and the whole message
Mistake = tuple[str, Callable[[Path], object], list[str], str]
MISTAKES: list[Mistake] = [
    (
        "a misspelt file",
        lambda folder: None,
        ["plan", "gg.yaml"],
        "gg.yaml: no such file; did you mean 'g.yaml'?",
    ),
    (
        "a misspelt key",
        lambda folder: edited(folder / "g.yaml", "seeds:", "sedes:"),
        [],
        "g.yaml line 7: unknown key 'sedes'; did you mean 'seeds'?",
    ),
    (
        "a key of the recipe beside the recipe",
        lambda folder: None,
        ["plan", "g.yaml", "--set", "lr=1e-4"],
        "--set lr=1e-4: unknown key 'lr'; did you mean 'recipe.lr'?",
    ),
    (
        "a tab",
        lambda folder: edited(folder / "g.yaml", "seeds: 3", "limit:\n\ttrain: 10\nseeds: 3"),
        [],
        "g.yaml line 8: not valid YAML: found character '\\t' that cannot start any token; "
        "indent with spaces, not with tabs",
    ),
    (
        "one name in the place of a list",
        lambda folder: edited(folder / "g.yaml", "[rel, ner]", "rel"),
        [],
        "g.yaml line 3: 'tasks' should be a list, as in [a, b], not 'rel'",
    ),
    (
        "a misspelt corpus",
        lambda folder: edited(folder / "g.yaml", "[rel, ner]", "[rle, ner]"),
        [],
        "g.yaml line 3: there is no corpus 'rle' in corpora; did you mean 'rel'?",
    ),
    (
        "a folder of corpora relative to the wrong place",
        below_another_folder,
        ["plan", "grids/g.yaml"],
        "grids/g.yaml line 2: there is no such folder of prepared corpora: grids/corpora; a grid's folder is "
        "relative to the grid's file, the one here goes with --corpora corpora",
    ),
    (
        "the folder of one corpus in the place of the folder of corpora",
        lambda folder: None,
        ["plan", "g.yaml", "--corpora", "corpora/rel"],
        "g.yaml line 3: there is no corpus 'rel' in corpora/rel; it is a corpus itself, "
        "name the folder above it: corpora",
    ),
    (
        "a CSV file where JSON lines should be",
        as_csv,
        [],
        "corpora/rel/train.jsonl: no such file; a prepared corpus has train.jsonl, dev.jsonl, test.jsonl; "
        "'transfer corpora prepare own' makes one of train.csv",
    ),
    (
        "one JSON array in the place of JSON lines",
        as_one_array,
        [],
        'corpora/rel/train.jsonl line 1: should be a JSON object, one a line, as in {"id": "1", …}',
    ),
    (
        "a label that the card does not know",
        lambda folder: edited(folder / "corpora/rel/dev.jsonl", '"good"', '"Good"'),
        [],
        "corpora/rel/dev.jsonl line 1: the label 'Good' is not in the card's set; did you mean 'good'?",
    ),
    (
        "a mention that begins with I-",
        lambda folder: edited(folder / "corpora/ner/test.jsonl", '"B-Sign"', '"I-Sign"'),
        [],
        "corpora/ner/test.jsonl line 1: an illegal BIO step, 'O' then 'I-Sign' at tag 3; "
        "a mention starts with B-Sign",
    ),
    (
        "no card",
        lambda folder: (folder / "corpora/rel/corpus.yaml").unlink(),
        [],
        "corpora/rel/corpus.yaml: no such file; a corpus has a card; 'transfer corpora prepare' makes a "
        "corpus of a release or of your own files",
    ),
    (
        "--set without =",
        lambda folder: None,
        ["plan", "g.yaml", "--set", "seeds"],
        "--set seeds: should be key=value, as in --set recipe.epochs=3",
    ),
    (
        "a report before a run",
        lambda folder: None,
        ["report", "g.yaml"],
        "runs: the grid 'g' was never run into this store, which has no results; run it first with "
        "'transfer run-grid GRID', or name its store with --store",
    ),
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, tiny_encoder: Path, tiny_corpora: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for home in tiny_corpora.iterdir():
        copy = tmp_path / "corpora" / home.name
        copy.mkdir(parents=True)
        for file in home.iterdir():
            (copy / file.name).write_bytes(file.read_bytes())
    (tmp_path / "g.yaml").write_text(
        f"name: g\ncorpora: corpora\ntasks: [rel, ner]\nencoder: {tiny_encoder}\nrecipe: quick\n"
        "jobs: [single, pairs]\nseeds: 3\n"
    )
    return tmp_path


@pytest.mark.parametrize(("mistake", "spoil", "command", "message"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_the_message_says_the_mend(
    transfer, folder: Path, mistake: str, spoil: Callable, command: list[str], message: str
):
    spoil(folder)
    code, out, err = transfer(*(command or ["plan", "g.yaml"]))
    assert (code, out, err) == (2, "", f"error: {message}\n"), mistake


def test_without_a_mistake_there_is_no_message(transfer, folder: Path):
    code, out, err = transfer("plan", "g.yaml")
    assert (code, err) == (0, "")
    assert "9 jobs, 9 to run" in out


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
        {"COLUMNS": "nonsense", "TERM": "dumb", "LINES": "-1"},
        {"HOME": "/nonexistent", "XDG_CACHE_HOME": "/dev/null", "HF_HOME": "/dev/null"},
        {"OMP_NUM_THREADS": "many", "CUDA_VISIBLE_DEVICES": "none", "RAY_ADDRESS": "nowhere:1"},
    ],
    ids=lambda e: next(iter(e)),
)
def test_an_odd_environment_is_no_hindrance(folder: Path, environment: dict[str, str]):
    edited(folder / "g.yaml", "name: g", "name: g\nlimit: {tränen: 3}")
    shown = subprocess.run(
        [sys.executable, "-c", "from transfer.cli import main; main()", "plan", "g.yaml"],
        env=os.environ | environment,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert shown.returncode == 2
    assert shown.stderr.startswith(b"error: g.yaml line 2: unknown key 'limit.tr")
    assert b"Traceback" not in shown.stderr


def test_a_reader_that_stops_listening_is_no_error(folder: Path):
    command = (
        f"{sys.executable} -c 'from transfer.cli import main; main()' plan g.yaml --set seeds=900 | head -n 1"
    )
    shown = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert shown.stdout.count("to run") == 1
    assert shown.stderr == ""


def test_a_store_that_cannot_be_written_is_named(transfer, folder: Path):
    (folder / "runs").write_text("a file")
    code, _, err = transfer("run-grid", "g.yaml", "--executor", "inline")
    assert code == 2
    assert err.startswith("error: ")
    assert str(folder / "runs") in err
    assert len(err.splitlines()) == 1
