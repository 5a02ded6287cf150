"""The summary of ``prepare own`` lets a user check what was read; --strict refuses assumptions."""

import csv
import json
import re
from pathlib import Path

import pytest


@pytest.fixture
def prepare(tmp_path: Path, transfer):
    def call(kind: str, *options: object) -> tuple[int, str, str]:
        where = ["--name", "mine", "--to", tmp_path / "to", "--force"]
        return transfer("corpora", "prepare", "own", "--kind", kind, *options, *where)

    return call


def notes(path: Path, *, delimiter: str = ",", end: str = "") -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter=delimiter)
        rows.writerow(["n", "text", "label", "ward"])
        for i in range(30):
            rows.writerow(
                [i, f'Note {i}, "fine"' if i != 20 else "pain " * 300, ["yes", "no", "no"][i % 3], "A"]
            )
        file.write(end)
    return path


def test_the_summary_says_what_was_read_and_as_what(tmp_path: Path, prepare):
    code, out, err = prepare("classification", "--from", notes(tmp_path / "d.csv", end=",,,\r\n" * 2))
    assert (code, err) == (0, "")
    assert (
        "32 rows, 30 items (2 empty rows at the end left out); UTF-8, separator comma, double quotes" in out
    )
    assert "columns read: text, label\n" in out
    assert "columns not read: n, ward\n" in out
    rows = re.findall(r"^ *(yes|no|items) +(\d+) +(\d+) +(\d+)$", out, re.M)
    counts = {name: list(map(int, numbers)) for name, *numbers in rows}
    assert {label: sum(count) for label, count in counts.items()} == {"yes": 10, "no": 20, "items": 30}
    examples = re.findall(r"^  d-(\d+): (yes|no) \| (.*)$", out, re.M)
    assert len(examples) == 3
    for number, label, text in examples:
        assert (label, text) == (["no", "yes", "no"][int(number) % 3], f'Note {int(number) - 1}, "fine"')
        assert 10 < int(number) < 20
    assert re.search(r"over 128 subword tokens of minilm-l6 \(assumed; --encoder .*: 1 of 30 \(", out)
    assert "assumed: " in out  # the empty rows


def test_the_encoder_that_counts_is_chosen(tmp_path: Path, prepare, tiny_encoder: Path):
    source = notes(tmp_path / "d.csv")
    _, out, _ = prepare("classification", "--from", source, "--encoder", tiny_encoder)
    assert f"over 128 subword tokens of {tiny_encoder}: 1 of 30" in out
    code, _, err = prepare("classification", "--from", source, "--encoder", "minilm")
    assert (code, "did you mean 'minilm-l6'" in err) == (2, True)


def test_columns_that_options_name_are_told_by_their_use(tmp_path: Path, prepare):
    _, out, _ = prepare("classification", "--from", notes(tmp_path / "d.csv"), "--id", "n", "--doc", "n")
    assert out == ""  # two options name one column
    _, out, _ = prepare("classification", "--from", notes(tmp_path / "d.csv"), "--id", "n")
    assert "columns read: text, label, id = n\n" in out
    assert "columns not read: ward\n" in out


def test_scores_are_shown_by_their_range(tmp_path: Path, prepare):
    rows = "".join(f"a {i},b,{i % 5}\n" for i in range(25))
    (tmp_path / "d.csv").write_text(f"text_a,text_b,score\n{rows}")
    code, out, _ = prepare("similarity", "--from", tmp_path / "d.csv")
    assert code == 0
    assert re.search(r"^  lowest score +0 +", out, re.M)
    assert re.search(r"^  highest score +4 +", out, re.M)


def test_strict_refuses_an_assumption_and_writes_nothing(tmp_path: Path, prepare):
    source = notes(tmp_path / "d.csv", end=",,,\r\n")
    code, out, err = prepare("classification", "--from", source, "--strict")
    assert (code, out) == (2, "")
    assert err.startswith(f"error: --strict: {source} line 32: ")
    assert err.count("\n") == 1
    assert not (tmp_path / "to").exists()
    assert prepare("classification", "--from", notes(tmp_path / "d.csv"), "--strict")[0] == 0


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (["--delimiter", "::"], "--delimiter '::': should be one character, or one of comma, semicolon, tab"),
        (["--delimiter", '"'], "--delimiter"),
        (["--quoting", "single"], "--quoting: 'single' is unknown"),
        (["--encoding", "utf-9"], "--encoding 'utf-9': is not a text encoding"),
        (["--encoding", "rot13"], "--encoding 'rot13'"),
        (["--labels", "a,b"], "--labels is for tagging and multilabel"),
        (["--metric", "micro_f1"], "--metric micro_f1 needs --negative"),
    ],
)
def test_options_that_make_no_sense_are_one_message(tmp_path: Path, prepare, options: list[str], what: str):
    code, _, err = prepare("classification", "--from", notes(tmp_path / "d.csv"), *options)
    assert code == 2
    assert what in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("said", [";", "semicolon"])
def test_the_separator_is_named_by_character_or_word(tmp_path: Path, prepare, said: str):
    source = notes(tmp_path / "d.csv", delimiter=";")
    code, out, _ = prepare("classification", "--from", source, "--delimiter", said)
    assert (code, "separator semicolon" in out) == (0, True)
    assert prepare("classification", "--from", source, "--delimiter", "tab")[0] == 2


def test_labels_may_be_named_by_position_on_the_command_line(tmp_path: Path, prepare):
    (tmp_path / "d.csv").write_text("text,labels\n" + "".join(f'n {i},"[{i % 2}, 1]"\n' for i in range(12)))
    code, out, _ = prepare("multilabel", "--from", tmp_path / "d.csv", "--labels", "gout,fever")
    assert code == 0
    assert re.search(r"^  fever +\d+ +\d+ +\d+$", out, re.M)
    code, _, err = prepare("multilabel", "--from", tmp_path / "d.csv", "--labels", "gout,,fever")
    assert (code, "--labels: should be different names" in err) == (2, True)


def test_a_file_of_tokens_has_sentences_not_rows(tmp_path: Path, prepare):
    source = tmp_path / "d.conll"
    source.write_text("".join(f"gout{i}\tB-X\nnow\tO\n\n" for i in range(30)), encoding="utf-8")
    _, out, _ = prepare("tagging", "--from", source)
    assert f"read {source}: 30 sentences; UTF-8, 60 lines of tokens in 2 columns" in out
    rows = "".join(
        f"{i // 2},{word}{i},{tag}\n" for i, (word, tag) in enumerate([("gout", "B-X"), ("now", "O")] * 30)
    )
    source = tmp_path / "d.csv"
    source.write_text(f"sentence_id,token,tag\n{rows}", encoding="utf-8")
    _, out, _ = prepare("tagging", "--from", source)
    assert f"read {source}: 30 sentences; UTF-8, " in out
    assert "60 rows of one token" in out


def test_dev_that_a_grid_tops_up_is_not_said_to_be_written_so(tmp_path: Path, prepare):
    _, out, _ = prepare("classification", "--from", notes(tmp_path / "d.csv"))
    written = len((tmp_path / "to" / "mine" / "dev.jsonl").read_text(encoding="utf-8").splitlines())
    assert f"note: in a grid, dev topped up from {written} to " in out


HEADLESS = [(f'note {i}, "fine', "ab"[i % 2]) for i in range(30)]


@pytest.mark.parametrize(("name", "mark"), [("d.tsv", "\t"), ("d.txt", "\t"), ("d.csv", ";")])
def test_a_table_without_a_header_loses_no_row(tmp_path: Path, prepare, name: str, mark: str):
    source = tmp_path / name
    source.write_text("".join(f"{text}{mark}{label}\n" for text, label in HEADLESS), encoding="utf-8")
    code, _, err = prepare("classification", "--from", source)
    assert (code, "--no-header" in err) == (2, True)
    columns = ["--no-header", "--text", 1, "--label", 2]
    if name != "d.tsv":  # each text holds one comma, so commas divide every row alike
        code, _, err = prepare("classification", "--from", source, *columns)
        assert (code, "separated by comma or " in err, "--delimiter" in err) == (2, True, True)
        columns += ["--delimiter", mark]
    code, out, _ = prepare("classification", "--from", source, *columns)
    assert (code, "30 rows, 30 items" in out) == (0, True)
    written = [
        json.loads(line)
        for split in ("train", "dev", "test")
        for line in (tmp_path / "to" / "mine" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert sorted((row["text"], row["label"]) for row in written) == sorted(HEADLESS)


def test_columns_of_a_table_without_a_header_are_named_by_number(tmp_path: Path, prepare):
    source = tmp_path / "d.tsv"
    source.write_text("".join(f"{text}\t{label}\n" for text, label in HEADLESS), encoding="utf-8")
    code, _, err = prepare("classification", "--from", source, "--no-header")
    assert (code, "columns are named by their number, as in --text 1" in err) == (2, True)


def test_no_header_keeps_a_first_token_that_looks_like_one(tmp_path: Path, prepare):
    source = tmp_path / "d.conll"
    source.write_text("word\tner\ngout\tB-X\n\n" * 30, encoding="utf-8")
    _, out, _ = prepare("tagging", "--from", source, "--no-header", "--metric", "token_accuracy")
    assert "60 lines of tokens" in out


def test_no_header_is_for_tables_in_text(tmp_path: Path, prepare):
    source = tmp_path / "d.jsonl"
    source.write_text(
        "".join(f'{{"text": "{t[:6]}", "label": "{y}"}}\n' for t, y in HEADLESS), encoding="utf-8"
    )
    code, _, err = prepare("classification", "--from", source, "--no-header")
    assert (code, "--no-header is for tables in text (CSV, TSV)" in err) == (2, True)
