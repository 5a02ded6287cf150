"""Help with examples that parse, and what the shell completes."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from transfer.cli import app, completion

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "run-grid",
    "plan",
    "status",
    "report",
    "recommend",
    "group",
    "prepare",
    "corpora check",
    "export",
}


def commands(group: Any, *names: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, *names, name)
        else:
            yield " ".join([*names, name]), command


ALL = dict(commands(typer.main.get_command(app)))


def test_the_commands_are_those_that_users_know():
    assert set(ALL) >= COMMANDS


@pytest.mark.parametrize("name", ALL)
def test_every_command_and_option_says_what_it_is_and_shows_examples_that_parse(name: str):
    command = ALL[name]
    assert command.help
    assert [p.name for p in command.params if not p.hidden and not getattr(p, "help", None)] == []
    shown = [line.strip().removeprefix("watch ") for line in (command.epilog or "").splitlines()]
    lines = [line for line in shown if line.startswith("transfer ")]
    assert lines, f"{name} has no example"
    for line in lines:
        assert len(line) <= 96
        assert line.startswith(f"transfer {name}")
        words = shlex.split(line)[1 + len(name.split()) :]
        command.make_context(name, words)  # raises where an option or a value is unknown


def test_help_shows_the_examples_line_by_line(transfer):
    code, out, _ = transfer("run-grid", "--help")
    assert code == 0
    assert "\n  Examples:\n    transfer run-grid grids/clinical_pairs.yaml\n" in out


def test_grids_complete_to_yaml_files_and_folders(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "grids").mkdir()
    for name in ("grids/a.yaml", "grids/b.yml", "grids/notes.txt", "other.yaml", ".hidden.yaml"):
        (tmp_path / name).touch()
    assert completion.grids("") == ["grids/", "other.yaml"]
    assert completion.grids("gr") == ["grids/", "grids/a.yaml", "grids/b.yml"]
    assert completion.grids("grids/a") == ["grids/a.yaml"]
    assert completion.grids("nowhere/x") == []


def test_corpora_kinds_and_stages_complete():
    assert completion.releases("che") == ["chemprot", "chemprot13"]
    assert completion.downloads("m") == ["maccrobat"]  # not mednli
    assert "own" in completion.releases("")
    assert completion.kinds("t") == ["tagging"]
    assert completion.stages("f") == ["fine-tune"]


def completed(words: str) -> list[str]:
    """The completions that bash would receive from the script of --show-completion."""
    environment = {
        **os.environ,
        "_TRANSFER_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
        "PYTHONPATH": str(ROOT),
    }
    code = "import sys; sys.argv = ['transfer']; from transfer.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert not ran.stderr
    return ran.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("transfer run-gr", "run-grid"),
        ("transfer plan grids/clin", "grids/clinical_pairs.yaml"),
        ("transfer compare grids/clinical_pairs.yaml grids/public_b", "grids/public_biomedical_pairs.yaml"),
        ("transfer prepare bc5", "bc5cdr-chemical"),
        ("transfer recommend --from studies/clinical_pairs med", "mednli"),
        ("transfer recommend --from grids/public_clinical_pairs.yaml nli", "nli4ct"),
        ("transfer run-grid --execu", "--executor"),
    ],
)
def test_the_shell_is_offered_what_fits(words: str, offered: str):
    assert offered in completed(words)


def test_a_target_of_a_broken_grid_completes_to_nothing(tmp_path: Path):
    (tmp_path / "broken.yaml").write_text("tasks: {")
    assert completed(f"transfer recommend --from {tmp_path / 'broken.yaml'} m") == []
    assert completed("transfer recommend m") == []
