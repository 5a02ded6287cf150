"""A file that a person wrote wrongly: one message with file, line and mend."""

import os
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from transfer.inputs import InputError, did_you_mean, read_yaml, validated


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    rate: float


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    inner: Inner | None = None


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "file.yaml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def message_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_yaml(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


def test_the_lines_of_keys_and_items(tmp_path: Path):
    data, lines = read_yaml(written(tmp_path, "title: x\ninner:\n  rate: 1\nlist:\n  - a\n  - b\n"))
    assert data == {"title": "x", "inner": {"rate": 1}, "list": ["a", "b"]}
    assert lines[("inner", "rate")] == 3
    assert lines[("list", 1)] == 6


def test_a_missing_file(tmp_path: Path):
    assert message_of(tmp_path / "none.yaml").endswith("no such file")


def test_a_folder_in_the_place_of_a_file(tmp_path: Path):
    assert "cannot be read" in message_of(tmp_path)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("title: x\ntitle: y\n", 2, "'title' is given twice"),
        ("title: x\ninner:\n  rate: 1\n  rate: 2\n", 4, "'rate' is given twice"),
        ("list:\n  - {a: 1, a: 2}\n", 2, "'a' is given twice"),
        ("title: [x\n", 2, "not valid YAML"),
        ("title: x\n\tinner: y\n", 2, "not valid YAML"),
        ("title: x\n- y\n", 2, "not valid YAML"),
    ],
)
def test_wrong_yaml_is_named_with_its_line(tmp_path: Path, text: str, line: int, what: str):
    message = message_of(written(tmp_path, text))
    assert f"line {line}: " in message
    assert what in message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just a text\n", "3\n"])
def test_what_is_no_mapping(tmp_path: Path, text: str):
    assert "should be a mapping" in message_of(written(tmp_path, text))


def test_not_utf_8(tmp_path: Path):
    assert "UTF-8" in message_of(written(tmp_path, b"title: caf\xe9\n"))


@pytest.mark.parametrize("text", ["day: 2026-13-45\n", "a: &a\n  - *a\n", "? [a, b]\n: c\n"])
def test_yaml_that_stands_for_nothing(tmp_path: Path, text: str):
    message_of(written(tmp_path, text))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"titel": "x"}, "line 1: unknown key 'titel'; did you mean 'title'?"),
        ({"title": "x", "inner": {"rat": 1}}, "line 3: unknown key 'inner.rat'; did you mean 'rate'?"),
        ({"title": "x", "inner": {"rate": "fast"}}, "line 3: 'inner.rate' should be a number, not 'fast'"),
        ({}, ": the key 'title' is missing"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(data: dict, message: str):
    lines = {("titel",): 1, ("title",): 1, ("inner",): 2, ("inner", "rat"): 3, ("inner", "rate"): 3}
    # an unknown key is named before the one that it stands for
    with pytest.raises(InputError) as caught:
        validated(Outer, data, path=Path("x.yaml"), lines=lines)
    assert message in str(caught.value)
    assert str(caught.value).startswith("x.yaml")


def test_no_word_is_near():
    assert did_you_mean("zzz", ["b", "a"]) == "; known: a, b"


def test_aliases_of_aliases_are_refused_at_once(tmp_path: Path):
    layers = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 10))
    assert "more than 100,000 values" in message_of(written(tmp_path, f"l0: &l0 [x, x]\n{layers}"))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "file.yaml")
    assert "no regular file" in message_of(tmp_path / "file.yaml")


def test_a_message_is_one_line_whatever_it_quotes(tmp_path: Path):
    assert str(InputError("a\nb\x1b[31m é")) == "a\\nb\\x1b[31m é"
    assert len(str(InputError("a" * 10_000))) < 1100
