"""One's own files become a corpus: every format reads alike, and what is wrong is named where it stands."""

import csv
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transfer.corpora import own, prepared
from transfer.corpora.own.rows import Columns
from transfer.corpora.writing import write
from transfer.inputs import InputError

TEXT = 'He said "stop, please"\nand left; Größe {i}'
FLAT = [{"id": f"n{i}", "text": TEXT.format(i=i), "label": ["ade", "none"][i % 2]} for i in range(20)]
TAGGED = [
    {"tokens": ["old", "pain", f"x{i}", "cough"], "tags": ["O", "B-Sign", "I-Sign", "B-Drug"]}
    for i in range(20)
]


def as_jsonl(path: Path, rows: Sequence[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def as_csv(path: Path, rows: Sequence[dict], *, encoding: str = "utf-8", delimiter: str = ",") -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_parquet(path: Path, rows: Sequence[dict]) -> Path:
    pyarrow.parquet.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def as_arrow(folder: Path, rows: Sequence[dict], features: dict | None = None) -> Path:
    """A folder as save_to_disk writes it: streams, a state.json, and a cache that is not the data."""
    folder.mkdir(parents=True)
    table = pa.Table.from_pylist(list(rows))
    if features:
        told = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": told})
    half = len(rows) // 2
    parts = {"data-00000-of-00002.arrow": table[:half], "data-00001-of-00002.arrow": table[half:]}
    for name, part in {**parts, "cache-1.arrow": table[:1]}.items():
        with pyarrow.ipc.new_stream(folder / name, table.schema) as stream:
            stream.write_table(part)
    files = [{"filename": name} for name in parts]
    (folder / "state.json").write_text(json.dumps({"_data_files": files}))
    return folder


def as_conll(path: Path, rows: Sequence[dict], *, between: str = " ", ends: str = "\n") -> Path:
    lines = []
    for row in rows:
        pairs = zip(row["tokens"], row["tags"], strict=True)
        lines += [f"{token}{between}X{between}{tag}" for token, tag in pairs]
        lines.append("")
    path.write_bytes(ends.join(lines).encode("utf-8"))
    return path


def read(kind: str, *sources: Path, **more):
    request = own.Request(kind=kind, name="mine", sources=tuple((p, None) for p in sources), **more)  # type: ignore[arg-type]
    return own.read(request)


def every(reading) -> list[dict]:
    rows = [row for split in ("train", "dev", "test") for row in reading.rows[split]]
    return sorted(rows, key=lambda row: row["id"])


FLAT_FORMATS: dict[str, Callable[[Path], Path]] = {
    "jsonl": lambda folder: as_jsonl(folder / "d.jsonl", FLAT),
    "csv": lambda folder: as_csv(folder / "d.csv", FLAT),
    "csv with a byte order mark": lambda folder: as_csv(folder / "d.csv", FLAT, encoding="utf-8-sig"),
    "tsv": lambda folder: as_csv(folder / "d.tsv", FLAT, delimiter="\t"),
    "parquet": lambda folder: as_parquet(folder / "d.parquet", FLAT),
    "arrow": lambda folder: as_arrow(folder / "d", FLAT),
}
TAGGED_FORMATS: dict[str, Callable[[Path], Path]] = {
    "jsonl": lambda folder: as_jsonl(folder / "d.jsonl", TAGGED),
    "csv": lambda folder: as_csv(
        folder / "d.csv", [{key: " ".join(value) for key, value in row.items()} for row in TAGGED]
    ),
    "parquet": lambda folder: as_parquet(folder / "d.parquet", TAGGED),
    "conll": lambda folder: as_conll(folder / "d.conll", TAGGED),
    "iob with tabs": lambda folder: as_conll(folder / "d.iob", TAGGED, between="\t"),
    "txt with two characters a line end": lambda folder: as_conll(folder / "d.txt", TAGGED, ends="\r\n"),
}


@pytest.mark.parametrize("name", FLAT_FORMATS)
def test_a_table_reads_alike_in_every_format(tmp_path: Path, name: str):
    card, reading = read("classification", FLAT_FORMATS[name](tmp_path))
    assert every(reading) == sorted(FLAT, key=lambda row: row["id"])
    assert (card.labels, card.metric, card.unit) == (("ade", "none"), "accuracy", "items")
    assert reading.gold == {"train": 16, "dev": 2, "test": 2}
    # which item is where depends on the ids, not on the format
    assert sorted(row["id"] for row in reading.rows["test"]) == ["n2", "n8"]
    assert write(card, reading.rows, tmp_path / "to") == prepared.read(tmp_path / "to", "mine")


@pytest.mark.parametrize("name", TAGGED_FORMATS)
def test_tagged_text_reads_alike_in_every_format(tmp_path: Path, name: str):
    card, reading = read("tagging", TAGGED_FORMATS[name](tmp_path))
    wanted = [{"id": f"d-{i}", **row} for i, row in enumerate(TAGGED, 1)]
    assert every(reading) == sorted(wanted, key=lambda row: row["id"])
    assert (card.entities, card.metric, card.unit) == (("Drug", "Sign"), "span_f1", "mentions")
    assert reading.gold == {"train": 32, "dev": 4, "test": 4}
    write(card, reading.rows, tmp_path / "to")


def test_numbers_of_labels_get_the_names_that_datasets_keeps(tmp_path: Path):
    names = {"_type": "ClassLabel", "names": ["O", "B-Sign"]}
    rows = [{"tokens": ["a", "pain"], "tags": [0, 1]} for _ in range(10)]
    for i, feature in enumerate(([names], {"feature": names, "_type": "Sequence"})):
        _, reading = read("tagging", as_arrow(tmp_path / str(i), rows, {"tags": feature}))
        assert {tuple(row["tags"]) for row in every(reading)} == {("O", "B-Sign")}


def test_a_dataset_of_several_splits_is_taken_apart(tmp_path: Path):
    for name in ("train", "validation", "test", "unlabelled"):
        as_arrow(tmp_path / "d" / name, FLAT)
    card, reading = read("classification", tmp_path / "d")
    assert reading.gold == {"train": 20, "dev": 20, "test": 20}
    assert card.notes == ("the folder unlabelled names no split and is left out",)


def test_similarity_takes_its_range_from_the_scores_and_rounds_it_outwards(tmp_path: Path):
    rows = [{"text_a": f"a {i}", "text_b": "b", "score": 0.5 + i / 4} for i in range(15)]
    card, reading = read("similarity", as_csv(tmp_path / "d.csv", rows))
    assert (card.range, card.pair, card.metric, card.unit) == ((0, 4), True, "pearson", "pairs")
    assert write(card, reading.rows, tmp_path / "to").card == card


def test_several_labels_are_separated_in_a_cell_or_stand_in_a_list(tmp_path: Path):
    cells = [{"text": f"t {i}", "labels": ["", "x", "x; y"][i % 3]} for i in range(12)]
    lists = [{"text": f"t {i}", "labels": [[], ["x"], ["x", "y"]][i % 3]} for i in range(12)]
    card, reading = read("multilabel", as_csv(tmp_path / "d.csv", cells))
    assert every(reading) == every(read("multilabel", as_jsonl(tmp_path / "d.jsonl", lists))[1])
    assert (card.labels, card.metric) == (("x", "y"), "example_f1")
    write(card, reading.rows, tmp_path / "to")


def test_a_negative_label_makes_it_micro_f1_and_counts_the_others(tmp_path: Path):
    card, reading = read("classification", as_jsonl(tmp_path / "d.jsonl", FLAT), negative="none")
    assert (card.metric, card.negative, card.unit) == ("micro_f1", "none", "positive items")
    assert sum(reading.gold.values()) == 10


def test_columns_are_named_by_options(tmp_path: Path):
    rows = [{"q": f"q {i}", "a": "yes", "gold": i % 2, "key": i, "note": i // 2} for i in range(20)]
    columns = Columns(text="q", text_b="a", label="gold", id="key", doc="note")
    card, reading = read("classification", as_jsonl(tmp_path / "d.jsonl", rows), columns=columns)
    assert card.pair
    assert every(reading)[0] == {"id": "0", "doc": "0", "text_a": "q 0", "text_b": "yes", "label": "0"}
    docs = {split: {row["doc"] for row in reading.rows[split]} for split in ("train", "dev", "test")}
    assert not docs["train"] & docs["test"]
    assert not docs["dev"] & (docs["train"] | docs["test"])


# splits


def test_splits_come_from_the_names_of_files(tmp_path: Path):
    for name, rows in (("my-train", FLAT[:10]), ("my.valid", FLAT[10:14]), ("TestSet", FLAT[14:])):
        as_csv(tmp_path / f"{name}.csv", rows)
    _, reading = read("classification", *sorted(tmp_path.iterdir()))
    assert [len(reading.rows[split]) for split in ("train", "dev", "test")] == [10, 4, 6]
    assert reading.splits == "by the names of the files"


def test_latest_is_not_a_test_file(tmp_path: Path):
    files = [as_csv(tmp_path / name, FLAT[i::2]) for i, name in enumerate(("latest.csv", "first.csv"))]
    assert "80, 10 and 10 %" in read("classification", *files)[1].splits


def test_splits_come_from_a_column(tmp_path: Path):
    rows = [row | {"split": ["train", "validation", "test"][i % 3]} for i, row in enumerate(FLAT)]
    _, reading = read("classification", as_csv(tmp_path / "d.csv", rows))
    assert [len(reading.rows[split]) for split in ("train", "dev", "test")] == [7, 7, 6]
    rows[3]["split"] = "tset"
    with pytest.raises(InputError, match=r"d2\.csv line 8: .*'tset'; did you mean 'test'"):
        read("classification", as_csv(tmp_path / "d2.csv", rows))


def test_dev_is_cut_from_train_where_only_train_and_test_are_given(tmp_path: Path):
    train, test = as_csv(tmp_path / "a.csv", FLAT[:15]), as_csv(tmp_path / "b.csv", FLAT[15:])
    request = own.Request(kind="classification", name="mine", sources=((train, "train"), (test, "test")))
    card, reading = own.read(request)
    assert [len(reading.rows[split]) for split in ("train", "dev", "test")] == [10, 5, 5]
    assert "dev is 5 documents of train" in card.splits


# what is wrong


def bad(path: Path, rows: Sequence[dict]) -> Callable[[Path], Path]:
    writers = {".jsonl": as_jsonl, ".csv": as_csv}
    return lambda folder: writers[path.suffix](folder / path, rows)


def raw(name: str, data: bytes) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(data)
        return folder / name

    return make


HEAD = b"text,label\nt,a\n"
WRONG = {
    "a missing column": (
        raw("d.csv", b"text,lable\nt,a\n"),
        r"d\.csv line 1: there is no column 'label'; did you mean 'lable'",
    ),
    "a missing key": (
        raw("d.jsonl", b'{"text":"t","label":"a"}\n{"text":"t"}'),
        r"line 2: the key 'label'",
    ),
    "an empty label": (raw("d.csv", HEAD + b"t, \n"), r"d\.csv line 3: the column 'label' .* not nothing"),
    "an empty text": (raw("d.csv", HEAD + b" ,a\n"), r"d\.csv line 3: the column 'text' .* not nothing"),
    "a ragged row": (
        raw("d.csv", b'text,label\n"a\nb",x\nt,a,b\n'),
        r"d\.csv line 4: 3 cells, but the header names 2 columns",
    ),
    "a broken quotation": (raw("d.csv", HEAD + b'"t"x,a\n'), r"d\.csv line 3: the quoting"),
    "a quotation without end": (raw("d.csv", HEAD + b'"t,a\nu,b\n'), r"d\.csv line 3: the quoting"),
    "a column twice": (raw("d.csv", b"text,text,label\n"), r"line 1: the column 'text' is named twice"),
    "an unknown suffix": (
        raw("d.jsnl", b""),
        r"unknown kind of file '\.jsnl'; did you mean '\.jsonl'",
    ),
    "CoNLL for another kind": (raw("d.conll", b"a O"), "--kind tagging reads it"),
    "a wrong encoding": (
        raw("d.csv", HEAD + "Größe,a".encode("latin-1")),
        r"line 3: not UTF-8 \(byte 0xf6",
    ),
    "UTF-16 without its mark": (raw("d.csv", "text".encode("utf-16-le")), r"line 1: .*--encoding utf-16-le"),
    "a null character": (raw("d.csv", HEAD + b"\0,a"), r"line 3: holds a null character"),
    "not JSON": (raw("d.jsonl", b"{"), r"d\.jsonl line 1: not valid JSON"),
    "half a character": (raw("d.jsonl", b'{"text":"\\ud800"}'), r"line 1: holds half a character"),
    "an id twice": (bad(Path("d.csv"), [*FLAT, FLAT[0]]), r"line 42: the id 'n0' is used twice.* line 2$"),
    "one label": (bad(Path("d.jsonl"), FLAT[::2]), "only the label 'ade'"),
    "no rows": (raw("d.csv", b"text,label\n"), r"d\.csv: holds no example"),
    "nothing": (raw("d.csv", b""), r"d\.csv: is empty"),
    "two items": (bad(Path("d.jsonl"), FLAT[:2]), "no example is left for dev: 2 in all"),
    "no test": (
        bad(Path("d.jsonl"), [row | {"split": "train"} for row in FLAT]),
        "there is no example for test, only for train; --test FILE",
    ),
    "not Parquet": (raw("d.parquet", b"text"), r"d\.parquet: cannot be read as a Parquet file"),
    "no such file": (lambda folder: folder / "d.csv", r"d\.csv: no such file"),
    "an empty folder": (lambda folder: folder, "expected train, dev and test as .*; found nothing"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named_where_it_stands(tmp_path: Path, name: str):
    make, what = WRONG[name]
    with pytest.raises(InputError, match=what):
        read("classification", make(tmp_path))


def test_broken_arrow_files_are_refused(tmp_path: Path):
    folder = as_arrow(tmp_path / "d", FLAT)
    data = folder / "data-00001-of-00002.arrow"
    whole = data.read_bytes()
    for broken in (b"", b"text", whole[:200], whole[: len(whole) // 2], whole[:-200] + b"\xff" * 200):
        data.write_bytes(broken)
        with pytest.raises(InputError, match=r"cannot be read as a dataset|'label'|should hold|twice"):
            read("classification", folder)
    data.unlink()
    with pytest.raises(InputError, match="no such file"):
        read("classification", folder)
    for state in ("", "[]", '{"_data_files": [1]}'):
        (folder / "state.json").write_text(state)
        with pytest.raises(InputError, match=r"state\.json: should name the data files"):
            read("classification", folder)


def test_a_file_name_that_is_no_text_is_refused(tmp_path: Path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/d\xff.csv"))
    path.write_bytes(HEAD)
    with pytest.raises(InputError, match="rename it"):
        read("classification", path)


@pytest.mark.parametrize("score", ["3,5", "nan", "1_0", "", "high", "1e999"])
def test_a_score_that_is_no_number_is_refused(tmp_path: Path, score: str):
    rows = [{"text_a": "a", "text_b": "b", "score": s} for s in ("1", score)]
    with pytest.raises(InputError, match=r"line 3: the column 'score' should hold a number"):
        read("similarity", as_csv(tmp_path / "d.csv", rows))


# the command


def test_the_command_writes_a_corpus_and_says_what_comes_next(tmp_path: Path, transfer):
    file, to = as_csv(tmp_path / "d.csv", FLAT), tmp_path / "to"
    ask = [
        "corpora",
        "prepare",
        "own",
        "--kind",
        "classification",
        "--name",
        "mine",
        "--from",
        file,
        "--to",
        to,
    ]
    code, out, err = transfer(*ask)
    assert (code, err) == (0, "")
    assert re.search(r"^items +16 +2 +2$", out, re.M)
    assert f"transfer corpora check {to}" in out
    assert transfer("corpora", "check", to)[0] == 0
    before = (to / "mine" / "train.jsonl").read_bytes()
    code, _, err = transfer(*ask)
    assert (code, "already exists; --force" in err) == (2, True)
    assert transfer(*ask, "--force")[0] == 0
    assert (to / "mine" / "train.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ("--name a --from F", "--kind: similarity, classification, tagging, multilabel"),
        ("--kind clasification --name a --from F", "did you mean 'classification'"),
        ("--kind classification --from F", "--name NAME"),
        ("--kind classification --name a/b --from F", "--name 'a/b'"),
        ("--kind classification --name a", "--from FILE"),
        ("--kind classification --name a --from F --train F", "do not go together"),
        ("--kind classification --name a --from F --from F", "given twice"),
        ("--kind classification --name a --train F", "--test FILE is missing"),
        ("--kind classification --name a --from F --score s", "--score is for similarity"),
        ("--kind tagging --name a --from F --negative O", "--negative is for classification"),
        ("--kind tagging --name a --from F --metric accuracy", "did you mean|known: span_f1"),
        ("--kind classification --name a --from F --negative nine", "did you mean 'none'"),
        ("--kind classification --name a --from F --metric f1", "--metric f1 needs --negative"),
        ("--kind classification --name a --from F --text id --label id", "--text and --label"),
    ],
)
def test_options_that_make_no_sense_are_one_message(tmp_path: Path, transfer, options: str, what: str):
    file = as_csv(tmp_path / "d.csv", FLAT)
    words = [file if word == "F" else word for word in options.split()]
    code, _, err = transfer("corpora", "prepare", "own", *words, "--to", tmp_path / "to")
    assert code == 2
    assert re.search(what, err), err
    assert err.count("\n") == 1
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(("corpus", "option"), [("chemprot", "--kind"), ("own", "--raw")])
def test_options_of_own_files_and_of_releases_are_told_apart(tmp_path: Path, transfer, corpus, option):
    code, _, err = transfer("corpora", "prepare", corpus, option, "x", "--to", tmp_path)
    assert (code, f"No such option: {option}" in err) == (2, True)


# whatever the bytes

STARTS = {
    ".csv": "text,label,text_b,score,tokens,tags,labels,split\n",
    ".tsv": "text\tlabel\ttext_b\tscore\ttokens\ttags\n",
    ".jsonl": '{"text": "a", "label": "x", "tokens": ["a"], "tags": ["O"]}\n',
    ".conll": "a B-X\n\n",
    ".ann": "T1\tX 0 1\ta\n",
    ".parquet": "PAR1",
}
PIECES = st.sampled_from(
    [*'a,\t\n\r" ;{}[]:-\\', "B-X", "I-X", "E-X", "O\n", "-DOCSTART-", "T2\tX 0 1\t", "\x85", "\u2028",
     "\xa0", "é", "\ufeff", '{"text": "', '"label": ', "x\n", "a\tO\n", "a B-X\n", "1e9", "\0", "\x1c"]
)  # fmt: skip


@pytest.mark.parametrize("suffix", STARTS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(kind=st.sampled_from(["classification", "tagging", "similarity", "multilabel"]), data=st.data())
def test_random_bytes_are_a_corpus_or_an_input_error(suffix: str, kind: str, data):
    text = "".join(data.draw(st.lists(PIECES, max_size=40)))
    noise = data.draw(st.binary(max_size=8))
    content = data.draw(st.sampled_from([STARTS[suffix], ""])).encode() + text.encode() + noise
    folder = Path(tempfile.mkdtemp())
    try:
        source = folder / f"d{suffix}"
        source.write_bytes(content)
        if suffix == ".ann":
            (folder / "d.txt").write_text(f"a {text}".replace("\0", ""), encoding="utf-8")
            for i in range(3):
                (folder / f"e{i}.txt").write_text("a b")
                (folder / f"e{i}.ann").write_text("T1\tX 0 1\ta")
            source = folder
        try:
            card, reading = read(kind, source)
        except InputError:
            return
        # whatever is wrong was found above, where it stands, and not in what is written
        write(card, reading.rows, folder / "to")
    finally:
        shutil.rmtree(folder)
