"""Messages of `plan` and `run-grid` about the jobs before any of them runs."""

from pathlib import Path

import pytest

from transfer import cost, expansion
from transfer.grid import Grid

NOTE = "all seeds train on the same subset of "


def families(**change) -> dict[str, int]:
    """The families of a grid's jobs, every job as long as its number of corpora; shares in %."""
    recipe = {"lr": 1e-3, "epochs": 1, "batch_size": 2, "fine_tune": {"lr": 1e-3, "epochs": 1}}
    given = {"name": "g", "tasks": ["a", "b", "c"], "encoder": "e", "recipe": recipe, "seeds": 2, **change}
    jobs = expansion.jobs_of(
        Grid.model_validate(given),
        dict.fromkeys("abc", "0" * 16),
        encoder_fingerprint="e",
        train_items=dict.fromkeys("abc", 9),
    )
    found = cost.families(jobs, {job.id: float(len(job.names)) for job in jobs})
    assert sum(count for count, _ in found.values()) == len(jobs)
    assert sum(share for _, share in found.values()) == pytest.approx(1)
    return {f"{family}, {100 * share:.0f} %": count for family, (count, share) in found.items()}


def test_jobs_are_counted_by_family_with_their_share_of_the_cost():
    assert families() == {"single, 25 %": 6, "pairs, 50 %": 6, "larger groups, 25 %": 2}
    assert families(single_seeds="2x", jobs=["single", "pairs"]) == {
        "single, 25 %": 6,
        "pairs, 50 %": 6,
        "single, further seeds, 25 %": 6,
    }
    assert families(jobs=["single"], single_seeds="2x") == {"single, 100 %": 6}


def test_controls_and_fine_tuning_are_families_of_their_own():
    found = families(
        jobs=["single", ["a", "b"]], controls=["null", "same-steps"], stages=["refine", "fine-tune"]
    )
    assert list(found.values()) == [6, 10, 2, 6, 4]
    assert [family.rpartition(",")[0] for family in found] == [
        "single", "fine-tuning", "pairs", "null control", "same-steps control",
    ]  # fmt: skip


def test_plan_shows_the_families(transfer, tiny_grid: Path, tmp_path: Path):
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path, "--set", "single_seeds=2x")
    assert code == 0
    assert "20 jobs, 20 to run" in out
    shown = [line.strip() for line in out.splitlines() if line.endswith("of the training time")]
    assert [line.partition(", ")[0] for line in shown[:3]] == ["single: 6", "pairs: 6", "larger groups: 2"]
    assert shown[3].startswith("single, further seeds: 6, ")


def test_plan_counts_the_sample_and_not_the_pool(transfer, tiny_grid: Path, tmp_path: Path):
    """The same examples to train on, so the same shares, whether or not they are drawn anew."""
    shares = []
    for resample in ("true", "false"):
        limit = f"limit={{train: 12, resample: {resample}}}"
        more = ("--set", limit, "--set", "controls=[same-steps]")
        code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path, *more)
        assert code == 0
        assert "same-steps 12 control sim seed 0" in out
        shares.append([line for line in out.splitlines() if line.endswith("of the training time")])
    assert shares[0] == shares[1]


@pytest.mark.parametrize(
    ("limit", "of"),
    [
        ("limit={train: 12}", "sim, rel, ner"),
        ("limits={rel: {train: 12}}", "rel"),
        ("limit={train: 12, resample: true}", None),
        ("limit={train: 12, resample: false}", None),
        ("limit={train: 1000, dev: 8}", None),
    ],
)
def test_plan_asks_whether_a_limited_train_is_to_be_resampled(transfer, tiny_grid, tmp_path, limit, of):
    code, out, _ = transfer("plan", tiny_grid, "--store", tmp_path, "--set", limit)
    assert code == 0
    assert (f"note: {NOTE}{of}, so no interval" in out) if of else (NOTE not in out)
