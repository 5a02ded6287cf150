"""A folder of files: pages last, complete or absent, stale ones removed, others left alone."""

import pytest

from transfer.reporting.folder import write_folder


def test_drawings_come_first_and_the_page_last(tmp_path):
    def draw(folder):
        (folder / "graph.svg").write_text("<svg/>")
        return [folder / "graph.svg"]

    home = tmp_path / "new" / "report"
    written = write_folder(home, {"edges.csv": "a\n", "report.md": "# page\n"}, draw=draw)
    assert [path.name for path in written] == ["graph.svg", "edges.csv", "report.md"]
    assert sorted(home.iterdir()) == sorted(written), "nothing is left of the making"
    assert written[-1].read_text(encoding="utf-8") == "# page\n"


def test_stale_files_go_and_foreign_ones_stay(tmp_path):
    for name in ("table_old.csv", "table_new.csv", "notes.txt"):
        (tmp_path / name).write_text("old")
    write_folder(tmp_path, {"table_new.csv": "new"}, ours=("table_*.csv",))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "table_new.csv": "new",
        "notes.txt": "old",
    }


def test_a_failure_while_drawing_leaves_the_earlier_files(tmp_path):
    (tmp_path / "report.md").write_text("old")

    def draw(folder):
        (folder / "graph.svg").write_text("<sv")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_folder(tmp_path, {"report.md": "new"}, draw=draw, ours=("graph*.*",))
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"report.md": "old"}
