"""The bar: seen on a terminal's stderr, gone when all is done, and no byte of it anywhere else."""

import io

import pytest

from transfer.cli.terminal import about, bar, paragraph


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_the_bar_is_for_terminals_alone(stream, monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm")
    errors = stream()
    monkeypatch.setattr("sys.stderr", errors)
    with bar() as watch:
        watch("predictions", 3, 10)
        watch("figures", 1, 4)
    assert ("figures" in errors.getvalue()) == (stream is Terminal)
    assert errors.getvalue() == "" or stream is Terminal
    assert capsys.readouterr().out == ""


def test_a_paragraph_never_breaks_a_path():
    path = "/a/long/folder/" + "x" * 120 + "/file.txt"
    assert f"{path}:" in paragraph(f"note: {path}: read as one text per line").split("\n")


def test_an_estimate_under_a_second_is_not_about_that():
    assert about(0.3) == "under 1 s"
    assert about(40) == "about 40 s"
