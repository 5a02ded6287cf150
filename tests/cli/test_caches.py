"""A home folder that cannot be written to: libraries write elsewhere, and nothing is printed about it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from transfer.cli.caches import FOLDERS, use_writable_folders

NOWHERE = "/proc/nope"  # not even root can make it
MOVED = (*FOLDERS, "RAY_AUTH_TOKEN")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    for name in (*MOVED, "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, "")  # so that it is as before afterwards
        monkeypatch.delenv(name)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("HOME", NOWHERE)
    return monkeypatch


def test_what_libraries_write_is_moved(environment):
    use_writable_folders()
    for name in FOLDERS:
        Path(os.environ[name]).mkdir()
    assert len(os.environ["RAY_AUTH_TOKEN"]) == 32


def test_a_home_that_can_be_written_to_is_left_alone(environment, tmp_path: Path):
    environment.setenv("HOME", str(tmp_path))
    use_writable_folders()
    assert not set(MOVED) & set(os.environ)
    assert list(tmp_path.iterdir()) == [], "nothing is made there either"


def test_folders_that_the_user_set_stay_if_they_work(environment, tmp_path: Path):
    environment.setenv("XDG_CACHE_HOME", str(tmp_path / "mine"))
    environment.setenv("MPLCONFIGDIR", NOWHERE)
    use_writable_folders()
    assert os.environ["XDG_CACHE_HOME"] == str(tmp_path / "mine")
    assert os.environ["MPLCONFIGDIR"] != NOWHERE


@pytest.mark.parametrize("executor", ["inline", pytest.param("ray", marks=pytest.mark.slow)])
def test_a_whole_run_says_nothing_of_it(tiny_grid: Path, tmp_path: Path, executor: str):
    arguments = ["run-grid", tiny_grid, "--store", tmp_path / "runs", "--out", tmp_path / "reports"]
    arguments += ["--set", "jobs=[single]", "--set", "seeds=1", "--executor", executor]
    code = "import os; os.cpu_count = lambda: 1\n"
    code += f"from transfer.cli import main; main({[*map(str, arguments)]!r})"
    own = ("MPLCONFIGDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "HF_HOME", "RAY_AUTH_TOKEN")
    environment = {k: v for k, v in os.environ.items() if k not in own}
    environment |= {"HOME": NOWHERE, "TMPDIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "3 jobs, 0 done, 3 to run" in ran.stdout
    assert not [line for line in ran.stdout.splitlines() if "matplotlib" in line or "cache" in line.lower()]
    assert not list(tmp_path.glob("transfer-*")), "the temporary folder is gone"
