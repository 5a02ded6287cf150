"""The files for contributors and forges run what `make` and `.ci/run` run, and ship what they promise."""

import os
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def loaded(name: str):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_workflow_runs_what_is_run_before_a_commit():
    steps = [step for job in loaded(".github/workflows/ci.yml")["jobs"].values() for step in job["steps"]]
    assert ".ci/run" in [step.get("run") for step in steps]
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert "\nmake lint type test\n" in (ROOT / ".ci/run").read_text(encoding="utf-8")


def test_the_hooks_use_the_environment_of_the_project():
    (repository,) = loaded(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local", "hooks of other repositories would be downloaded"
    entries = " ".join(hook["entry"] for hook in repository["hooks"])
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for command in ("ruff check", "ruff format --check", "lint-imports", "python -m pyright"):
        assert f".venv/bin/{command}" in entries
        assert f"$(BIN)/{command}" in makefile


@pytest.mark.parametrize("form", ["bug.yml", "feature.yml"])
def test_the_issue_forms_have_what_forges_ask_for(form: str):
    data = loaded(f".github/ISSUE_TEMPLATE/{form}")
    assert data["name"]
    assert data["description"]
    assert all(field["attributes"]["label"] for field in data["body"] if field["type"] != "markdown")


def test_the_package_is_typed_and_says_so():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert "Typing :: Typed" in project["classifiers"]
    assert (ROOT / "transfer" / "py.typed").is_file(), "type checkers ignore the annotations without it"
