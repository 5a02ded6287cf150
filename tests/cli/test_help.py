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
from transfer.cli.commands import MOVED

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "run-grid",
    "plan",
    "status",
    "report",
    "recommend",
    "group",
    "corpora prepare",
    "corpora prepare own",
    "corpora check",
    "models export",
    "encoders pretrain",
}


VERBS = {
    "Advise", "Compare", "Continue", "Convert", "Divide", "Download", "Draw", "Export", "Find", "List",
    "Merge", "Predict", "Prepare", "Print", "Rebuild", "Run", "Show", "Write",
}  # fmt: skip
UNWELCOME = {"Of", "What", "Whose", "Who", "Where", "As", "Also", "Makes", "Shows", "Writes", "Keeps"}


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


def test_the_help_fits_a_small_terminal_without_truncated_summaries(transfer, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = transfer("--help")
    assert code == 0
    assert len(out.splitlines()) <= 24
    assert max(map(len, out.splitlines())) <= 80
    assert "..." not in out.partition("Options:")[2]


@pytest.mark.parametrize("name", ALL)
def test_help_begins_with_an_imperative_verb_and_options_are_noun_phrases(name: str):
    command = ALL[name]
    first, *_ = command.help.split()
    assert first in VERBS
    helps = {p.name: p.help for p in command.params if getattr(p, "help", None) and p.name != "help"}
    assert {key: text for key, text in helps.items() if text.split()[0] in UNWELCOME} == {}
    assert [key for key, text in helps.items() if not text.endswith(".") or not text[0].isupper()] == []


@pytest.mark.parametrize(("former", "present"), MOVED.items())
def test_a_former_name_works_and_tells_the_present_one(transfer, former: str, present: str):
    code, out, err = transfer(former, "--help")
    assert code == 0
    assert err.strip() == f"note: 'transfer {former}' is now 'transfer {present}'"
    assert out == transfer(*present.split(), "--help")[1]
    assert f"  {former} " not in transfer("--help")[1]


def test_prepare_own_and_prepare_show_their_own_options_only(transfer):
    own, release = (transfer("corpora", "prepare", *more, "--help")[1] for more in (["own"], []))
    assert "Usage: transfer corpora prepare own " in own
    assert "--raw" not in own
    assert "--kind" in own
    assert "--raw" in release
    assert "--kind" not in release


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
    code = "from transfer.cli import main; main([])"
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
        ("transfer corpora prepare bc5", "bc5cdr-chemical"),
        ("transfer corpora prepare own --ki", "--kind"),
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
