"""Sources: the content of a file decides what it is, and folders are read as people have them."""

import gzip
import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from tests.corpora.own.files import csv_text, items, read, write
from transfer.inputs import InputError

ROWS = [{"text": f"Note {i} x", "label": "ab"[i % 2]} for i in range(30)]
WANTED = [(row["text"], row["label"]) for row in ROWS]
JSONL = "".join(json.dumps(row) + "\n" for row in ROWS)
CSV = csv_text([("text", "label"), *WANTED])


def parquet(path: Path, rows: list[dict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pyarrow.parquet.write_table(pa.Table.from_pylist(rows), path)
    return path


def sizes(reading) -> list[int]:
    return [len(reading.rows[split]) for split in ("train", "dev", "test")]


# files with one name


@pytest.mark.parametrize(
    "names",
    [
        ("d1/notes.csv", "d2/notes.csv", "d3/notes(2).csv"),
        ("d3/notes(2).csv", "d1/notes.csv", "d2/notes.csv"),
        ("d1/a.csv", "d2/a.csv", "d3/a(2).csv", "d4/a(2).csv", "d5/a.csv", "d6/a(3).csv"),
        ("d1/a.csv", "d2/a.tsv", "d3/a(2)(2).csv", "d4/a(2).csv"),
    ],
)
def test_files_of_one_name_are_that_many_files(tmp_path: Path, names: tuple[str, ...]):
    for k, name in enumerate(names):
        rows = [(f"Note {k} {i}", "ab"[i % 2]) for i in range(8)]
        write(tmp_path / name, csv_text([("text", "label"), *rows]))
    _, reading = read("classification", *(tmp_path / name for name in names))
    rows = [row for split in reading.rows.values() for row in split]
    assert len({row["id"] for row in rows}) == len(rows) == 8 * len(names)
    assert {row["text"] for row in rows} == {f"Note {k} {i}" for k in range(len(names)) for i in range(8)}


# the content decides


@pytest.mark.parametrize("name", ["d.txt", "d.csv", "d.json", "d.jsonl", "d.ndjson", "d.dat", "d"])
@pytest.mark.parametrize("form", ["lines", "array", "pretty array"])
def test_json_is_read_whatever_the_suffix(tmp_path: Path, name: str, form: str):
    text = {"lines": JSONL, "array": json.dumps(ROWS), "pretty array": json.dumps(ROWS, indent=2)}[form]
    _, reading = read("classification", write(tmp_path / name, text))
    assert items(reading, "text", "label") == WANTED


@pytest.mark.parametrize("name", ["d.txt", "d.csv", "d.tab", "d.dat", "d"])
def test_a_table_is_read_whatever_the_suffix(tmp_path: Path, name: str):
    _, reading = read("classification", write(tmp_path / name, CSV))
    assert items(reading, "text", "label") == WANTED


@pytest.mark.parametrize("name", ["d.csv", "d.bin"])
def test_parquet_and_arrow_are_read_whatever_the_suffix(tmp_path: Path, name: str):
    _, reading = read("classification", parquet(tmp_path / name, ROWS))
    assert items(reading, "text", "label") == WANTED
    pyarrow.feather.write_feather(
        pa.Table.from_pylist(ROWS), str(tmp_path / name), compression="uncompressed"
    )
    _, reading = read("classification", tmp_path / name)
    assert items(reading, "text", "label") == WANTED


@pytest.mark.parametrize(("name", "text"), [("d.csv.gz", CSV), ("d.jsonl.gz", JSONL), ("d.csv", CSV)])
def test_gzip_is_looked_through(tmp_path: Path, name: str, text: str):
    (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    _, reading = read("classification", tmp_path / name)
    assert items(reading, "text", "label") == WANTED
    (tmp_path / name).write_bytes(gzip.compress(text.encode())[:60])
    with pytest.raises(InputError, match="gzip cannot be unpacked"):
        read("classification", tmp_path / name)


def test_braces_and_brackets_among_tokens_are_no_json(tmp_path: Path):
    text = "".join(f'{{ O\n[ O\n" O\nfever{i} B-X\n] O\n\n' for i in range(10))
    _, reading = read("tagging", write(tmp_path / "d.txt", text))
    assert items(reading, "tokens")[0] == (["{", "[", '"', "fever0", "]"],)


def test_a_table_of_tokens_in_a_txt_is_a_table(tmp_path: Path):
    rows = [("tokens", "tags"), *((f"a pain{i}", "O B-X") for i in range(10))]
    for delimiter in ",\t;":
        path = write(tmp_path / "d.txt", csv_text(rows, delimiter=delimiter))
        _, reading = read("tagging", path)
        assert items(reading, "tokens", "tags")[3] == (["a", "pain3"], ["O", "B-X"])


def test_a_text_file_that_is_nothing_says_what_would_be(tmp_path: Path):
    path = write(tmp_path / "d.txt", "It was a dark night.\nThe rain fell.\n")
    with pytest.raises(InputError, match=r"d\.txt: its first line names no columns; .*JSON lines"):
        read("classification", path)
    with pytest.raises(InputError, match=r"d\.dat: unknown kind of file '\.dat'"):
        read("classification", path.rename(tmp_path / "d.dat"))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ('[{"text": "a"}, 3]', r"line 1: should be a JSON object.*not 3"),
        ('[\n{"text": "a"}\n{"text": "b"}]', r"line 3: not valid JSON: there should be a comma or"),
        ('[{"text": "a"}', r"line 1: not valid JSON: there should be a comma"),
        ('[{"text": "a"}]\n\nx', r"line 3: something stands behind the end"),
        ('[\n\n{"text": }]', r"line 3: not valid JSON"),
        ("[]", r"holds no example"),
        ('{"train": [\n{"text": "a"}]}', r"d\.json: is one JSON object, with the keys train; write"),
        ('{"text": "a"}\n"b"', r"line 2: should be a JSON object"),
    ],
)
def test_broken_json_is_named_where_it_breaks(tmp_path: Path, text: str, what: str):
    with pytest.raises(InputError, match=what):
        read("classification", write(tmp_path / "d.json", text))


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_a_device_is_refused(device: str):
    with pytest.raises(InputError, match="is a pipe or a device, not a file; save"):
        read("classification", Path(device))


@pytest.mark.timeout(20)
def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path, transfer):
    os.mkfifo(tmp_path / "d.csv")
    for options in (
        ["--from", tmp_path / "d.csv"],
        ["--train", tmp_path / "d.csv", "--test", tmp_path / "d.csv"],
    ):
        code, _, err = transfer(
            "corpora",
            "prepare",
            "own",
            "--kind",
            "classification",
            "--name",
            "a",
            *options,
            "--to",
            tmp_path / "to",
        )
        assert code == 2
        assert "pipe" in err or "given twice" in err


# folders


def hub(folder: Path, *, hashed: bool = False) -> Path:
    """A data set as the hub's snapshots have it: shards below data/, a card, hidden files."""
    tail = "-0123456789abcdef" if hashed else ""
    parquet(folder / "data" / f"train-00000-of-00002{tail}.parquet", ROWS[:10])
    parquet(folder / "data" / f"train-00001-of-00002{tail}.parquet", ROWS[10:20])
    parquet(folder / "data" / f"validation-00000-of-00001{tail}.parquet", ROWS[20:24])
    parquet(folder / "data" / f"test-00000-of-00001{tail}.parquet", ROWS[24:])
    write(folder / "README.md", "---\nlicense: mit\n---\n")
    write(folder / ".gitattributes", "")
    write(folder / "dataset_infos.json", "{}")
    return folder


def named(suffix: str, text, names: tuple[str, ...]):
    def make(folder: Path) -> Path:
        for name, rows in zip(names, (ROWS[:20], ROWS[20:24], ROWS[24:]), strict=True):
            write(folder / f"{name}{suffix}", text(rows))
        write(folder / "README.md", "about")
        write(folder / "LICENSE", "MIT")
        return folder

    return make


def as_tsv(rows: list[dict]) -> str:
    return "text\tlabel\n" + "".join(f"{row['text']}\t{row['label']}\n" for row in rows)


def as_jsonl(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


FOLDERS = {
    "tsv": named(".tsv", as_tsv, ("train", "devel", "test")),
    "jsonl": named(".jsonl", as_jsonl, ("train", "validation", "test")),
    "json lines as .json": named(".json", as_jsonl, ("train", "dev", "test")),
    "with a prefix": named(".tsv", as_tsv, ("mnli_train", "mnli_dev", "mnli_test")),
    "hub": hub,
    "hub with hashes": lambda folder: hub(folder, hashed=True),
    "hub, data alone": lambda folder: hub(folder) / "data",
    "hub in a folder": lambda folder: hub(folder / "snapshot").parent,
    "folders with a file": named("/notes.jsonl", as_jsonl, ("train", "dev", "test")),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_folders_of_splits_are_read(tmp_path: Path, name: str):
    _, reading = read("classification", FOLDERS[name](tmp_path / "d"))
    assert sizes(reading) == [20, 4, 6]
    assert [row["text"] for row in reading.rows["test"]] == [row["text"] for row in ROWS[24:]]
    assert "names" in reading.splits


def test_conll_files_of_splits_in_a_folder_are_read(tmp_path: Path):
    for name, count in {"train": 8, "devel": 3, "test": 4}.items():
        write(tmp_path / "d" / f"{name}.tsv", "".join(f"a\tO\npain{i}\tB-X\n\n" for i in range(count)))
    _, reading = read("tagging", tmp_path / "d")
    assert sizes(reading) == [8, 3, 4]


def test_a_file_that_names_no_split_is_left_out_and_said(tmp_path: Path):
    folder = FOLDERS["tsv"](tmp_path / "d")
    write(folder / "extra.tsv", as_tsv(ROWS))
    _, reading = read("classification", folder)
    assert sizes(reading) == [20, 4, 6]
    assert reading.notes == ["the file extra.tsv names no split and is left out"]


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["train.tsv", "train.csv", "test.tsv"], r"train\.csv and train\.tsv are both of train.*--train"),
        (["train.csv", "train_small.csv", "test.csv"], r"train\.csv and train_small\.csv are both of train"),
        (["train-00000-of-00002.csv", "test.csv"], r"shard 00001 of 2 of train is missing"),
        (["train/a.csv", "test.csv"], r"splits as folders \(train\) and as files \(test\.csv\)"),
        (["a.csv", "b.csv"], r"expected train, dev and test .*; found a\.csv, b\.csv$"),
        (["train_test.csv", "x.csv"], r"its name tells two splits"),
        (["train.csv"], r"no example for test"),
        (["notes.pdf", "x/y.pdf"], r"d/x: expected .*; found y\.pdf$"),
    ],
)
def test_a_folder_that_is_not_clear_says_what_was_expected_and_found(
    tmp_path: Path, names: list[str], what: str
):
    for name in names:
        write(tmp_path / "d" / name, CSV)
    with pytest.raises(InputError, match=what):
        read("classification", tmp_path / "d")


def test_a_folder_with_one_file_is_that_file(tmp_path: Path):
    write(tmp_path / "d" / "notes.csv", CSV)
    write(tmp_path / "d" / "README.md", "about")
    _, reading = read("classification", tmp_path / "d")
    assert items(reading, "text", "label") == WANTED
