"""Notes on what makes training slow on this machine."""

import json
from pathlib import Path

import pytest

from tests.families import write_family
from transfer.learning.native import library
from transfer.scheduling import preflight

BF16 = ("--set", "recipe.precision=bf16")
TOLD = "no bf16 arithmetic: matrix products in bf16 took 4.0 times as long as in fp32 just now"


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor (a fake) whose bf16 products take four times as long as those in fp32."""
    monkeypatch.setattr(preflight, "bf16_gain", lambda: 0.25)


def test_products_are_timed_in_both_precisions():
    assert 0.01 < preflight.bf16_gain.__wrapped__() < 100


@pytest.mark.usefixtures("without")
def test_plan_and_run_grid_tell_that_fp32_is_quicker(transfer, tiny_grid: Path, tmp_path: Path):
    here = ("--store", tmp_path / "runs")
    assert TOLD in transfer("plan", tiny_grid, *BF16, *here)[1]
    few = (
        "--set",
        "seeds=1",
        "--set",
        "jobs=[single]",
        "--executor",
        "inline",
        "--out",
        tmp_path / "reports",
    )
    code, out, _ = transfer("run-grid", tiny_grid, *BF16, *here, *few)
    assert code == 0
    assert f"{TOLD}; --set recipe.precision=fp32 is quicker on it" in out
    assert TOLD not in transfer("plan", tiny_grid, *here)[1]


@pytest.mark.usefixtures("without")
def test_pretrain_tells_it_too(transfer, tiny_encoder: Path, tmp_path: Path):
    text = tmp_path / "text.txt"
    documents = [f"the patient has asthma {letter}" for letter in "abcdefghijkl"]
    text.write_text("\n\n".join(documents), encoding="utf-8")
    small = ("--steps", 1, "--batch-size", 2, "--max-length", 16, "--precision", "bf16")
    code, out, err = transfer(
        "encoders", "pretrain", "--encoder", tiny_encoder, "--text", text, "--to", tmp_path / "to", *small
    )
    assert code == 0, err
    assert f"{TOLD}; --precision fp32 is quicker on it" in out


def test_nothing_is_told_where_bf16_is_quicker_or_not_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(preflight, "bf16_gain", lambda: 1.5)
    assert preflight.without_bf16("bf16", instead="…") is None
    monkeypatch.setattr(preflight, "bf16_gain", lambda: pytest.fail("no product needs to be timed"))
    assert preflight.without_bf16("fp32", instead="…") is None


@pytest.mark.parametrize(("family", "told"), [("bert", True), ("distilbert", False)])
def test_run_grid_tells_what_a_compiler_would_give(
    transfer, tiny_grid: Path, tmp_path: Path, monkeypatch, family, told
):
    monkeypatch.setattr(library, "found", lambda: (None, "torch (no C++ compiler)"))
    folder = write_family(tmp_path / family, family)
    quick = ("seeds=1", "jobs=[single]", f"encoder={folder}", "recipe.epochs=1")
    more = [word for each in quick for word in ("--set", each)]
    here = ("--store", tmp_path / "runs", "--out", tmp_path / "reports", "--executor", "inline")
    code, out, err = transfer("run-grid", tiny_grid, *more, *here)
    assert code == 0, err
    assert ("computed with torch (no C++ compiler); with a C++ compiler" in out) is told
    (result, *_) = (tmp_path / "runs" / "jobs").glob("*/result.json")
    assert json.loads(result.read_text())["provenance"]["passes"] == "torch (no C++ compiler)"
