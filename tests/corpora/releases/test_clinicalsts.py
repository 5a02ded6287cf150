"""ClinicalSTS: the fixture (invented text, the release's format), and files that are off."""

import shutil
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES, unwatched
from transfer.corpora.writing import write
from transfer.inputs import InputError

FIXTURE = Path(__file__).parents[2] / "assets" / "releases" / "clinicalsts"
RELEASE = RELEASES["clinicalsts"]
TRAIN, TEST, SCORES = "clinicalSTS.train.txt", "clinicalSTS.test.txt", "clinicalSTS.test.gs.sim.txt"


@pytest.fixture(scope="module")
def reading():
    return RELEASE.read(FIXTURE, unwatched)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "release"))


def pairs(count: int) -> str:
    return "".join(f"one of {i}\tother of {i}\t{i % 6}\n" for i in range(count))


def refusal(release: Path) -> str:
    with pytest.raises(InputError) as raised:
        RELEASE.read(release, unwatched)
    return str(raised.value)


def test_it_is_written_and_reads_back(reading, tmp_path: Path):
    write(RELEASE.card, reading.rows, tmp_path)
    assert {split: len(rows) for split, rows in reading.rows.items()} == reading.gold
    assert reading.gold == {"train": 10, "dev": 1, "test": 4}


def test_the_ids_are_lines_and_scores_are_numbers_with_spaces_around_them(reading):
    rows = {row["id"]: row for row in reading.rows["train"] + reading.rows["dev"]}
    assert sorted(rows) == sorted(f"train-{line}" for line in range(1, 12))
    first = rows["train-1"]
    assert first["text_b"] == "Patient was advised to increase fluids."
    assert (first["score"], rows["train-10"]["score"]) == (4.0, 3.25)


def test_quotation_marks_are_ordinary_characters(reading):
    row = next(row for row in reading.rows["train"] if row["id"] == "train-2")
    assert row["text_a"] == 'He said the pain is "sharp.'
    assert row["text_b"] == 'The pain was described as "sharp" by him.'


def test_windows_line_ends_and_scores_of_a_file_of_their_own(reading):
    assert [(row["id"], row["score"]) for row in reading.rows["test"]] == [
        ("test-1", 4.5),
        ("test-2", 0.0),
        ("test-3", 2.0),
        ("test-4", 3.0),
    ]
    assert reading.rows["test"][0]["text_b"] == "Cast removal was uneventful."


def test_a_test_file_with_scores_needs_no_other(release: Path):
    (release / SCORES).unlink()
    (release / TEST).write_text(pairs(3))
    assert [row["score"] for row in RELEASE.read(release, unwatched).rows["test"]] == [0.0, 1.0, 2.0]


def test_a_blank_line_moves_no_score(release: Path):
    path = release / TEST
    path.write_text(path.read_text().replace("\n", "\n\n", 1))
    rows = RELEASE.read(release, unwatched).rows["test"]
    assert [(row["id"], row["score"]) for row in rows][:2] == [("test-1", 4.5), ("test-3", 0.0)]


def test_dev_is_75_of_750_and_for_ever_the_same(release: Path):
    (release / TRAIN).write_text(pairs(750))
    reading = RELEASE.read(release, unwatched)
    assert reading.gold == {"train": 675, "dev": 75, "test": 4}
    assert [row["id"] for row in reading.rows["dev"]][:4] == ["train-11", "train-39", "train-43", "train-52"]
    told = "official train and test; dev is 75 pairs of train, those whose id has the smallest SHA-256"
    assert reading.splits == told


def test_other_names(release: Path, tmp_path: Path):
    (release / TRAIN).rename(release / "sts.train.tsv")
    assert f"holds no {TRAIN}; the folder has: {SCORES}, {TEST}, sts.train.tsv" in refusal(release)
    assert "there is no such folder" in refusal(tmp_path / "nowhere")


def test_a_test_file_without_scores_needs_theirs(release: Path):
    (release / SCORES).unlink()
    assert f"holds no {SCORES}; the folder has: {TEST}, {TRAIN}" in refusal(release)


@pytest.mark.parametrize(
    ("name", "line", "text", "says"),
    [
        (TRAIN, 2, "a\tb\t5.5", "the score is '5.5'; it should be a number from 0 to 5"),
        (TRAIN, 2, "a\tb\t-1", "the score is '-1'"),
        (TRAIN, 2, "a\tb\tnan", "the score is 'nan'"),
        (TRAIN, 2, "a\tb\t1e999", "the score is '1e999'"),
        (TRAIN, 2, "a\tb\t١", "the score is '١'"),
        (TRAIN, 2, "a\tb\t3,5", "the score is '3,5'"),
        (TRAIN, 2, "a\tb\t", "the score is ''"),
        (TRAIN, 2, "a\tb", "2 tab-separated fields; there should be two sentences and their score"),
        (TRAIN, 2, "a\tb\tc\t4", "4 tab-separated fields"),
        (TRAIN, 2, "a\t \t4", "a sentence is empty"),
        (TEST, 3, "a\tb\t4", "3 tab-separated fields, but 2 in line 1"),
        (TEST, 3, "a", "1 tab-separated fields"),
        (TEST, 3, "\tb", "a sentence is empty"),
        (SCORES, 3, "4\t4", r"the score is '4\t4'"),
        (SCORES, 3, "high", "the score is 'high'"),
    ],
)
def test_lines_that_are_off(release: Path, name: str, line: int, text: str, says: str):
    lines = (release / name).read_text(encoding="utf-8").split("\n")
    lines[line - 1] = text
    (release / name).write_text("\n".join(lines), encoding="utf-8")
    assert refusal(release).startswith(f"{release / name} line {line}: {says}")


def test_scores_that_are_too_few(release: Path):
    (release / SCORES).write_text("4\n4\n4\n")
    assert refusal(release) == f"{release / SCORES}: holds 3 scores; {TEST} has 4 pairs"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        (TRAIN, "\n", "train and dev need a pair each, it holds 0"),
        (TRAIN, "a\tb\t1\n", "train and dev need a pair each, it holds 1"),
        (TEST, "", "holds no pair"),
    ],
)
def test_files_with_too_little(release: Path, name: str, text: str, says: str):
    (release / name).write_text(text)
    assert refusal(release).startswith(f"{release / name}: {says}")
