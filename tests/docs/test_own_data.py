"""The page for one's own data does what it says: its blocks are run as they are written."""

import re
from pathlib import Path

import pandas as pd
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "own-data.md"


@pytest.fixture(scope="module")
def done(runner) -> tuple[Path, str]:
    """The folder after all blocks of the page, in their order, and what the commands said."""
    ran = runner().run(PAGE)
    return ran.folder, ran.said


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
