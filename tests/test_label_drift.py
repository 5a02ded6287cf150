"""Labels of dev and test that train lacks are refused before anything runs."""

import json
from pathlib import Path

import pytest


@pytest.fixture
def grid(tmp_path: Path, tiny_encoder: Path, write_corpus):
    """``grid(train, dev, test)``: a grid over one corpus with these labels."""

    def made(*labels: list[str], kind: str = "classification", **keys) -> Path:
        def row(split: str, i: int, label: str) -> dict:
            if kind == "tagging":
                return {
                    "id": f"{split}-{i}",
                    "tokens": ["a", "fever"],
                    "tags": ["O", f"B-{label}" if label else "O"],
                }
            return {"id": f"{split}-{i}", "text": f"fever {split} {i}", "label": label}

        names = sorted({label for own in labels for label in own if label})
        card = {
            "classification": {"metric": "accuracy", "labels": names},
            "tagging": {"metric": "span_f1", "entities": names},
        }
        splits = {
            split: [row(split, i, label) for i, label in enumerate(own)]
            for split, own in zip(("train", "dev", "test"), labels, strict=True)
        }
        write_corpus(tmp_path / "corpora", {"name": "drift", "kind": kind, **card[kind]}, splits)
        file = tmp_path / "drift.yaml"
        file.write_text(
            json.dumps(
                {"name": "drift", "corpora": str(tmp_path / "corpora"), "tasks": ["drift"],
                 "encoder": str(tiny_encoder),
                 "recipe": {"base": "quick", "epochs": 1}, "jobs": ["single"], "seeds": 1, **keys}
            )
        )  # fmt: skip
        return file

    return made


@pytest.mark.parametrize("command", ["plan", "run-grid"])
def test_labels_spelled_otherwise_in_test_are_an_error_that_names_them(
    grid, transfer, command: str, tmp_path: Path
):
    file = grid(["1.0", "0.0"] * 20, ["1.0", "0.0"] * 10, ["1", "0", "1"] * 5)
    code, _, err = transfer(command, file, "--store", tmp_path / "runs")
    assert code == 2
    assert (
        "test has labels that no train item has: '1' (10 items), '0' (5 items); train has '0.0', '1.0'" in err
    )
    assert not (tmp_path / "runs").exists()
    code, said, _ = transfer("corpora", "check", tmp_path / "corpora")
    assert code == 2
    assert "error: drift: test has labels that no train item has: '1' (10 items), '0' (5 items)" in said


def test_so_are_entity_types_of_dev(grid, transfer):
    code, _, err = transfer(
        "plan", grid(["Drug", ""] * 20, ["Drug", "Sign"] * 10, ["Drug", ""] * 9, kind="tagging")
    )
    assert code == 2
    assert "dev has labels that no train item has: 'Sign' (10 items)" in err


def test_a_label_that_only_the_limit_took_out_of_train_is_told_of(grid, transfer):
    labels = ["a", "b"] * 30 + ["rare"]
    code, said, err = transfer("plan", grid(labels, ["a", "b"] * 40, ["a", "rare"] * 5, limit={"train": 6}))
    assert code == 0, err
    assert "note: drift: no example of 'rare' is left in train, and test has some" in said


def test_labels_that_only_train_has_are_no_matter(grid, transfer):
    code, said, _ = transfer("plan", grid(["a", "b", "c"] * 20, ["a", "b"] * 20, ["b", "a"] * 9))
    assert code == 0
    assert "note: drift" not in said
