"""The page for one's own data does what it says: its blocks are run as they are written."""

import re
from pathlib import Path

import pandas as pd
import pytest

from tests.docs.conftest import blocks_of

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


def test_the_commands_for_tagged_text(runner):
    ran = runner()
    for name in ("train", "test"):
        (ran.folder / f"{name}.conll").write_text("no O\ngout B-Disease\n\nall O\nwell O\n\n" * 12)
    (ran.folder / "skills.conll").write_text("managed\tB-S\tO\nwards\tI-S\tB-K\n\n" * 12)
    word = "{}\t{}\t_\t{}\t_\t_\t0\troot\t_\t_\n"
    (ran.folder / "words.conllu").write_text(
        (word.format(1, "rest", "NOUN") + word.format(2, "well", "ADV") + "\n") * 12
    )
    blocks = [block for block in blocks_of(PAGE) if block.by.endswith("::test_the_commands_for_tagged_text")]
    assert blocks
    for block in blocks:
        ran.sh(block)
    made = {path.parent.name for path in ran.folder.glob("corpora/*/corpus.yaml")}
    assert made == {"disease", "jobs-2", "jobs-3", "pos"}
