"""BIOSSES: the fixture (invented text, tables as they are saved), and files that are off."""

import shutil
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES, unwatched
from transfer.corpora.writing import write
from transfer.inputs import InputError

FIXTURE = Path(__file__).parents[2] / "assets" / "releases" / "biosses"
RELEASE = RELEASES["biosses"]
PAIRS, SCORES = "pairs.tsv", "scores.tsv"
HEAD = "sentence_id\tsentence_1\tsentence_2\tannotator_a\tannotator_b\tannotator_c\tannotator_d\tannotator_e"


@pytest.fixture(scope="module")
def reading():
    return RELEASE.read(FIXTURE, unwatched)


@pytest.fixture(scope="module")
def rows(reading):
    return {row["id"]: row for part in reading.rows.values() for row in part}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "release"))


@pytest.fixture
def one_table(tmp_path: Path):
    """A release of one table of the pairs with these numbers."""

    def made(numbers) -> Path:
        path = tmp_path / "annotation_pairs_scores.tsv"
        lines = [f"{n}\tone of {n}\tother of {n}\t4\t3\t3\t3\t{n % 5}" for n in numbers]
        path.write_text("\n".join([HEAD, *lines]))
        return tmp_path

    return made


def refusal(release: Path, read=RELEASE.read) -> str:
    with pytest.raises(InputError) as raised:
        read(release, unwatched)
    return str(raised.value)


def test_it_is_written_and_reads_back(reading, tmp_path: Path):
    write(RELEASE.card, reading.rows, tmp_path)
    assert {split: len(part) for split, part in reading.rows.items()} == reading.gold
    assert reading.gold == {"train": 9, "dev": 1, "test": 2}


def test_a_score_is_the_mean_of_five(rows):
    assert rows["biosses-1"] == {
        "id": "biosses-1",
        "text_a": "Protein K7 binds the promoter.",
        "text_b": "The promoter is bound by K7.",
        "score": 3.8,
    }
    assert (rows["biosses-4"]["score"], rows["biosses-6"]["score"], rows["biosses-11"]["score"]) == (
        0,
        0.2,
        4,
    )


def test_quoted_fields(rows):
    assert rows["biosses-2"]["text_a"] == 'The so-called "late" wave came first.'


def test_scores_go_with_their_pair_whatever_the_order(release: Path, reading):
    path = release / SCORES
    head, *lines = path.read_text().splitlines()
    path.write_text("\n".join([head, *reversed(lines)]))
    assert RELEASE.read(release, unwatched).rows == reading.rows


def test_commas_and_columns_in_another_order(release: Path, reading):
    (release / SCORES).unlink()
    letters = "EDCBA"
    scores = [line.split("\t") for line in (FIXTURE / SCORES).read_text().splitlines()[1:]]
    text = "".join(f"{','.join(reversed(given))},kept\n" for _, *given in scores)
    numbered = [f"{line.removesuffix(',kept')},{i}" for i, line in enumerate(text.splitlines(), 1)]
    head = ",".join([*(f"annotator {letter}" for letter in letters), "Id"])
    (release / "scores.csv").write_text("\n".join([head, *numbered]))
    assert RELEASE.read(release, unwatched).rows == reading.rows


def test_one_table_of_all_divided_for_ever_the_same(one_table):
    reading = RELEASE.read(one_table(range(1, 101)), unwatched)
    assert reading.gold == {"train": 64, "dev": 16, "test": 20}
    assert [row["id"] for row in reading.rows["dev"]][:4] == [
        "biosses-3",
        "biosses-5",
        "biosses-7",
        "biosses-22",
    ]
    assert [row["id"] for row in reading.rows["test"]][:4] == [
        "biosses-1",
        "biosses-11",
        "biosses-16",
        "biosses-26",
    ]
    assert reading.rows["train"][0]["score"] == 3.0
    assert "by SHA-256 of their id" in reading.splits


def test_the_division_of_the_benchmark(one_table):
    reading = RELEASE.readers["blue"](one_table(range(1, 101)), unwatched)
    assert reading.gold == {"train": 64, "dev": 16, "test": 20}
    ids = {split: {row["id"] for row in part} for split, part in reading.rows.items()}
    assert not ids["dev"] & ids["test"]
    assert {"biosses-88", "biosses-82", "biosses-100"} <= ids["dev"]
    assert {"biosses-59", "biosses-96", "biosses-7"} <= ids["test"]
    assert {"biosses-78", "biosses-1", "biosses-99"} <= ids["train"]
    assert "BLUE" in reading.splits


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        (range(100), "the division is one of pairs 1 to 100, but pair 0 is there"),
        (range(1, 100), "pair 100 is missing"),
        (range(1, 102), "pair 101 is there"),
    ],
)
def test_the_division_of_the_benchmark_needs_its_hundred_pairs(one_table, numbers, says: str):
    message = refusal(one_table(numbers), RELEASE.readers["blue"])
    assert message.endswith(says)
    assert "annotation_pairs_scores.tsv: " in message


def test_word_and_excel_files_are_to_be_saved_as_text(release: Path):
    (release / SCORES).rename(release / "Annotation-Scores.xls")
    assert refusal(release).startswith(
        f"{release}: holds no scores.tsv or scores.csv: save what Annotation-Scores.xls hold as text"
    )
    (release / PAIRS).rename(release / "Annotation-Pairs.docx")
    assert "save what Annotation-Pairs.docx and Annotation-Scores.xls hold as text" in refusal(release)


def test_wrong_folder_missing_and_double_tables(release: Path, tmp_path: Path):
    assert "there is no such folder" in refusal(tmp_path / "nowhere")
    (release / SCORES).unlink()
    assert "holds no scores.tsv or scores.csv; the folder has: pairs.tsv" in refusal(release)
    shutil.copy(release / PAIRS, release / "pairs.csv")
    (release / "scores.xls").write_bytes(b"")
    assert "holds more than one" in refusal(release)


@pytest.mark.parametrize(
    ("name", "line", "text", "says"),
    [
        (SCORES, 3, "2\t4\t4\t4\t4\t5", "the score is '5'; it should be a number from 0 to 4"),
        (SCORES, 3, "2\t4\t4\t4\t4\t", "the score is ''"),
        (SCORES, 3, "2\t4\t4\t4\tnan\t4", "the score is 'nan'"),
        (SCORES, 3, "2\t4\t4\t4\t4", "5 fields; there are 6 columns"),
        (SCORES, 3, "1\t4\t4\t4\t4\t4", "the pair 1 was at line 2 already"),
        (SCORES, 3, "two\t4\t4\t4\t4\t4", "the id is 'two'; it should be a whole number"),
        (SCORES, 1, "id\tAnnotator A\tB\tC\tD\tE", "there is no column annotatorb; the first line has 'id, "),
        (SCORES, 1, "id\tannotator_a\tannotator_a\tb\tc\td", "there is no column annotatorb"),
        (PAIRS, 1, "id\tsentence1\tsentence2\tAnnotator A", None),
        (PAIRS, 1, "1\tone\tother", "there is no column id; the first line has '1, one, other'"),
        (PAIRS, 1, "id\tid\tsentence1", "there is no column sentence2"),
        (PAIRS, 3, "2\t\tother", "sentence1 is empty"),
        (PAIRS, 3, '2\t"late" wave\tother', "not a valid table ("),
        (PAIRS, 3, "2\tone\rmore\tother", "2 fields; there are 3 columns"),
    ],
)
def test_lines_that_are_off(release: Path, name: str, line: int, text: str, says: str | None):
    path = release / name
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[line - 1] = text
    path.write_bytes("\n".join(lines).encode())
    message = refusal(release)
    assert message.startswith(f"{path} line ")
    if says is not None:
        assert message.startswith(f"{path} line {line}: {says}")


def test_a_quotation_mark_that_never_ends(release: Path):
    path = release / PAIRS
    path.write_text(path.read_text(encoding="utf-8").replace("Zinc is", '"Zinc is'), encoding="utf-8")
    assert refusal(release).startswith(f"{path} line 13: not a valid table (unexpected end of data)")


def test_columns_that_are_there_twice_or_not_all(one_table):
    release = one_table(range(1, 9))
    path = release / "annotation_pairs_scores.tsv"
    text = path.read_text()
    path.write_text(text.replace("annotator_b", "annotator_a", 1))
    assert refusal(release).startswith(f"{path} line 1: there is more than one column annotatora")
    path.write_text(text.replace("annotator_b", "annotator_f", 1))
    assert refusal(release).startswith(f"{path} line 1: there is no column annotatorb")


def test_pairs_without_scores_and_scores_without_pairs(release: Path):
    pairs, scores = release / PAIRS, release / SCORES
    text = scores.read_text()
    scores.write_text(text.replace("12\t", "13\t"))
    assert refusal(release) == f"{scores}: there is no pair 12; {PAIRS} has it"
    scores.write_text(text + "13\t1\t1\t1\t1\t1\n")
    assert refusal(release) == f"{pairs}: there is no pair 13; {SCORES} has it"


def test_files_with_too_little(release: Path, one_table, tmp_path: Path):
    (release / PAIRS).write_text("\n")
    assert refusal(release).startswith(f"{release / PAIRS}: holds no pair")
    shutil.rmtree(release)
    assert refusal(one_table([1, 2])).endswith("train, dev and test need a pair each, it holds 2")
