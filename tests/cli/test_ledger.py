"""``transfer ledger``: packed, read in place of a store, and merged."""

import re
from pathlib import Path

import pytest

from transfer.records import signed
from transfer.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "ledgers.md"


def same(one: Path, other: Path) -> None:
    for name in ("edges.csv", "results.csv", "graph.graphml"):
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_the_commands_of_the_page(transfer, tiny_run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^transfer (.+)$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(commands) == 4
    for command in commands:
        words = command.replace("grids/clinical_pairs.yaml", str(tiny_run.grid)).split()
        if words[1] == "pack":
            words += ["--store", tiny_run.store]
        code, out, err = transfer(*words)
        assert code == 0, err
    assert "14 jobs done" in out
    same(tmp_path / "from_ledger" / "tiny", tiny_run.out / "tiny")
    assert len(list((tmp_path / "other_runs" / "jobs").iterdir())) == 14


def test_another_score_in_the_store_is_an_exit_code(transfer, tiny_run, tmp_path: Path):
    ledger, store = tmp_path / "tiny.ledger", Store(tmp_path / "runs")
    assert transfer("ledger", "pack", tiny_run.grid, "--store", tiny_run.store, "--to", ledger)[0] == 0
    assert transfer("ledger", "merge", ledger, "--to", store.root)[0] == 0
    result = next(iter(store.results(store.grids()[0].jobs).values()))
    score = result.scores[-1].model_copy(update={"value": 0.125})
    changed = result.model_copy(update={"scores": (*result.scores[:-1], score)})
    store.files.write(f"jobs/{result.id}/result.json", signed(changed))
    code, out, err = transfer("ledger", "merge", ledger, "--to", store.root)
    assert code == 1
    assert "added 0 results" in out
    assert "0.1250 in the store; the store's stays" in err


def test_what_is_no_ledger_is_one_message(transfer, tiny_run, tmp_path: Path):
    code, _, err = transfer("ledger", "merge", tiny_run.grid, "--to", tmp_path / "runs")
    assert code == 2
    assert "is not a ledger" in err
    assert "Traceback" not in err
