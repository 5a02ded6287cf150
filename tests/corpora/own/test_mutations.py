"""Mutated files of users: a corpus with an item for each row, or one message; never a traceback."""

import csv
import io
import json
import random
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.corpora.own.files import csv_text, read
from transfer.inputs import InputError

QUICK, MANY = 200, 5000

ROWS = [
    (f'On day {i}, "fine";\nseen at {i} | all well' if i % 3 else f"note {i}: it's 5' wide", "ab"[i % 2])
    for i in range(14)
]
SAID = ['he said "so"', "fine", "ill", "well", '"good"']
PLAIN = [(f"note {i}: {SAID[i % 5]}", "ab"[i % 2]) for i in range(14)]
SENTENCES = [["Old", "pain", f"x{i}", ",", "no", "cough"] for i in range(12)]
TAGS = ["O", "B-Sign", "I-Sign", "O", "O", "B-Sign"]
SNIPPETS = [
    '"', '""', "'", "\t", ",", ";", "|", "\n", "\r", "\r\n", "\n\n", "\x00", "\ufeff", "\u2028", "\x85",
    "\xa0", "é", "\u200b", "\\", '\\"', "[", "]", "{", "}", "null", "NaN", "O", "B-X", "-DOCSTART- O", "#",
    "text", "label", '"a"\t', ',"', '", ', "['a']", "[]", "sep=;\n", " ", "  ", "T9\tSign 4 8\tpain\n", "0",
    "1.0", "\ud83d", "\x1a",
]  # fmt: skip


def lines(rows: list[tuple], between: str) -> str:
    return "".join(between.join(row) + "\n" for row in rows)


HEAD = ("text", "label")
CLEAN: dict[str, tuple[str, str]] = {
    "d.csv": ("classification", csv_text([HEAD, *ROWS])),
    "semicolons.csv": ("classification", csv_text([HEAD, *ROWS], delimiter=";", quoting=csv.QUOTE_ALL)),
    "d.tsv": ("classification", lines([HEAD, *PLAIN], "\t")),
    "quoted.tsv": ("classification", csv_text([HEAD, *ROWS], delimiter="\t", quoting=csv.QUOTE_ALL)),
    "d.jsonl": ("classification", "".join(json.dumps({"text": t, "label": y}) + "\n" for t, y in ROWS)),
    "d.json": ("classification", json.dumps([{"text": t, "label": y} for t, y in ROWS], indent=1)),
    "d.txt": ("classification", lines([HEAD, *PLAIN], "\t")),
    "lists.csv": ("multilabel", csv_text([("text", "labels"), *((t, repr([y])) for t, y in PLAIN)])),
    "tokens.csv": ("tagging", csv_text([("tokens", "tags"), *[("old pain", "O B-Sign")] * 12])),
    "d.conll": (
        "tagging",
        "".join(
            "".join(f"{word} {tag}\n" for word, tag in zip(words, TAGS, strict=True)) + "\n"
            for words in SENTENCES
        ),
    ),
    "brat": (
        "tagging",
        "T1\tSign 4 8\tpain\nT2\tDrug 13 18\tcough\nR1\tCauses Arg1:T1 Arg2:T2\n#1\tNote T1\tx\n",
    ),
}


def spoiled(text: str, rng: random.Random) -> bytes:
    """A text after one to three slips of an editor, a merge, an export or a disk."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        rows = text.split("\n")
        i, at = rng.randrange(len(rows)), rng.randrange(len(text) + 1)
        match rng.randrange(11):
            case 0:
                del rows[i]
            case 1:
                rows.insert(i, rng.choice(rows))
            case 2:
                j = rng.randrange(len(rows))
                rows[i], rows[j] = rows[j], rows[i]
            case 3 | 4 | 5:
                rows = (text[:at] + rng.choice(SNIPPETS) + text[at:]).split("\n")
            case 6:
                rows = text[:at].split("\n")
            case 7:
                rows[i] = rows[i].replace('"', rng.choice(["", "'", '""', '\\"', "“"]), rng.choice([1, -1]))
            case 8:
                rows = (text[:at] + text[at + rng.randrange(1, 9) :]).split("\n")
            case 9:
                rows = text.replace("\n", rng.choice(["\r\n", "\r", "\n\n", " \n"])).split("\n")
            case 10:
                rows[i] = rng.choice(["", " ", "\t", ",,", ";", "\t\t", "\ufeff"]) + rows[i]
        text = "\n".join(rows) or " "
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.08:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if rng.random() < 0.05:
        codec = rng.choice(["utf-16", "utf-16-le", "cp1252", "utf-8-sig", "utf-32"])
        data = text.encode(codec, "replace")
    return data


def text_in(path: Path) -> str:
    data = path.read_bytes()
    for codec in ("utf-32", "utf-16"):
        if data.startswith(
            ("" if codec == "utf-32" else "\ufeff").encode(codec)[: 4 if codec == "utf-32" else 2]
        ):
            return data.decode(codec)
    return data.decode("utf-8-sig")


def count_of(path: Path, told: str) -> int:
    """The number of items in an accepted file, counted by other means than the reader's own."""
    if path.is_dir():
        mentions = 0
        for ann in path.glob("*.ann"):
            marks = [line.split("\t")[1] for line in re.split(r"\r?\n", text_in(ann)) if line.startswith("T")]
            mentions += len({re.sub(r"\s+", " ", mark) for mark in marks})
        return mentions
    text = text_in(path)
    if "\n" not in text:  # the line ends of old Macs
        text = text.replace("\r", "\n")
    if "JSON array" in told:
        return len(json.loads(text))
    if "JSON lines" in told:
        return sum(1 for line in text.split("\n") if line.strip(" \t\r\n"))
    if "separator" not in told:  # CoNLL: runs of lines that hold something
        runs = re.split(r"(?:^|\n)(?:-DOCSTART-[^\n]*|[^\S\n]*)(?=\n|$)", text)
        return sum(1 for run in runs if run.strip())
    text = re.sub(r'\A"?sep=[^\n]*\n', "", text, flags=re.IGNORECASE)
    names = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
    delimiter = next(char for name, char in names.items() if f"separator {name}" in told)
    quoting = csv.QUOTE_NONE if "no quoting" in told else csv.QUOTE_MINIMAL
    rows = list(
        csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting, skipinitialspace=True)
    )
    filled = [row for row in rows if len(row) > 1 or any(cell.strip() for cell in row)]
    while filled and not any(cell.strip() for cell in filled[-1]):
        filled.pop()
    return len(filled) - 1


def a_case(folder: Path, seed: int) -> tuple[str, bool]:
    """The name of a file that was spoiled and whether it was read; AssertionError where it was read wrong."""
    rng = random.Random(seed)
    name = list(CLEAN)[seed % len(CLEAN)]
    kind, text = CLEAN[name]
    path = folder / name
    if name == "brat":
        path.mkdir(exist_ok=True)
        for i in range(4):
            (path / f"n{i}.txt").write_text("Old pain and\ncough. No fever.\n")
            (path / f"n{i}.ann").write_text(text)
        (path / "n2.ann").write_bytes(spoiled(text, rng))
    else:
        path.write_bytes(spoiled(text, rng))
    try:
        _, reading = read(kind, path)
    except InputError:
        return name, False
    items = sum(reading.gold.values() if name == "brat" else map(len, reading.rows.values()))
    assert items == count_of(path, reading.tables[0].format), f"{items} items, {reading.tables[0].format}"
    return name, True


def try_many(folder: Path, seeds: range) -> None:
    outcomes: dict[str, Counter[bool]] = {name: Counter() for name in CLEAN}
    wrong = []
    for seed in seeds:
        try:
            name, was_read = a_case(folder, seed)
        except Exception as error:
            wrong.append(f"seed {seed}: {type(error).__name__}: {error}")
        else:
            outcomes[name][was_read] += 1
    print({name: f"{count[True]} read, {count[False]} refused" for name, count in outcomes.items()})
    assert not wrong, f"{len(wrong)} of {len(seeds)}:\n" + "\n".join(wrong[:20])
    assert all(count[True] and count[False] for count in outcomes.values()), outcomes


def test_a_few_mutated_files(tmp_path: Path):
    try_many(tmp_path, range(QUICK))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_mutated_files(tmp_path: Path):
    try_many(tmp_path, range(100_000, 100_000 + MANY))
