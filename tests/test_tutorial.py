"""The page for one's own data does what it says: its blocks are run as they are written."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

PAGE = Path(__file__).parents[1] / "docs" / "own-data.md"
PROGRAM = shlex.join([sys.executable, "-c", "from transfer.cli import main; main()"])


def blocks(page: str) -> list[tuple[str, str]]:
    """The fenced blocks of a page: language and content."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder after all blocks of the page, in their order, and what the commands said."""
    folder = tmp_path_factory.mktemp("tutorial")
    # one thread: on a busy machine more of them only make so small a run slower
    environment = os.environ | {"PYTHONPATH": str(PAGE.parents[1]), "OMP_NUM_THREADS": "1"}
    said = ""
    for language, content in blocks(PAGE.read_text(encoding="utf-8")):
        if language == "sh":
            script = re.sub(r"^(\.venv/bin/)?transfer ", lambda _: f"{PROGRAM} ", content, flags=re.MULTILINE)
            script = re.sub(
                r"^python3 ", lambda _: f"{shlex.quote(sys.executable)} ", script, flags=re.MULTILINE
            )
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", script],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                timeout=240,
            )
            assert ran.returncode == 0, f"{content}\n{ran.stdout}\n{ran.stderr}"
            said += ran.stdout
        elif language == "yaml":
            name = re.match(r"# (\S+\.yaml)\n", content)
            assert name, f"the first line of a grid should name its file: {content}"
            (folder / name[1]).write_text(content, encoding="utf-8")
        elif language == "csv":
            begins = (folder / "visits.csv").read_text(encoding="utf-8")
            assert begins.startswith(content)
        else:
            raise AssertionError(f"a block of {language} is not run by this test")
    return folder, said


def test_both_tasks_are_nodes_and_each_has_an_edge_to_the_other(done: tuple[Path, str]):
    folder, _ = done
    graph = (folder / "reports/visits/graph.graphml").read_text(encoding="utf-8")
    assert set(re.findall(r'<node id="([^"]+)"', graph)) == {"adverse", "urgency"}
    edges = pd.read_csv(folder / "reports/visits/edges.csv")
    assert set(zip(edges["source"], edges["target"], strict=True)) == {
        ("adverse", "urgency"),
        ("urgency", "adverse"),
    }


def test_every_file_that_the_page_tells_to_look_at_is_there(done: tuple[Path, str]):
    folder, _ = done
    named = re.findall(r"`((?:reports|corpora)/[\w./-]+)`", PAGE.read_text(encoding="utf-8"))
    assert len(named) >= 4
    assert [name for name in named if not (folder / name).is_file()] == []


def test_the_page_says_what_the_commands_do(done: tuple[Path, str]):
    folder, said = done
    assert "80, 10 and 10 %" in said
    tested = [
        {line.split('"')[3] for line in (folder / "corpora" / name / "test.jsonl").read_text().splitlines()}
        for name in ("adverse", "urgency")
    ]
    assert tested[0] == tested[1]
