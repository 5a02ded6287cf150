"""HoC: the fixture (invented text, the release's format), and files that are off."""

import shutil
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES, unwatched
from transfer.corpora.releases.base import by_hash
from transfer.corpora.writing import write
from transfer.inputs import InputError

FIXTURE = Path(__file__).parents[2] / "assets" / "releases" / "hoc"
RELEASE = RELEASES["hoc"]


@pytest.fixture(scope="module")
def reading():
    return RELEASE.read(FIXTURE, unwatched)


@pytest.fixture(scope="module")
def rows(reading):
    return {row["id"]: row for part in reading.rows.values() for row in part}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "release"))


def refusal(release: Path) -> str:
    with pytest.raises(InputError) as raised:
        RELEASE.read(release, unwatched)
    return str(raised.value)


def test_it_is_written_and_reads_back(reading, tmp_path: Path):
    write(RELEASE.card, reading.rows, tmp_path)
    assert {split: len(part) for split, part in reading.rows.items()} == reading.gold
    assert reading.gold == {"train": 8, "dev": 1, "test": 2}


def test_the_card_has_the_ten_hallmarks_in_order():
    assert len(RELEASE.card.labels) == 10
    assert list(RELEASE.card.labels) == sorted(RELEASE.card.labels)


def test_a_document_is_its_sentences_and_the_hallmarks_of_all_of_them(rows):
    assert rows["10000001"] == {
        "id": "10000001",
        "text": "Cells of the line ABC1 were grown with factor Q . Factor Q made them divide and kept them "
        "from dying . Its receptor is not known .",
        "labels": ["Resisting cell death", "Sustaining proliferative signaling"],
    }


def test_and_between_labels_comes_with_and_without_a_space_after_it(rows):
    assert rows["10000003"]["labels"] == ["Evading growth suppressors", "Genomic instability and mutation"]
    assert rows["10000007"]["labels"] == [
        "Enabling replicative immortality",
        "Sustaining proliferative signaling",
    ]


def test_null_empty_and_unfinished_labels(rows):
    assert rows["10000004"]["labels"] == ["Inducing angiogenesis"]  # its second sentence has NULL
    assert rows["10000010"]["labels"] == []
    assert rows["10000005"]["labels"] == ["Activating invasion and metastasis"]  # one of them ends in --


def test_a_less_than_sign_in_the_text_is_text(rows):
    assert rows["10000002"]["text"].endswith("12 < 20 records .")


def test_windows_line_ends_and_a_last_line_without_one(release: Path, reading):
    path = release / "text" / "10000001.txt"
    path.write_bytes(path.read_bytes().strip().replace(b"\n", b"\r\n"))
    assert RELEASE.read(release, unwatched).rows == reading.rows


def test_files_of_the_operating_system_are_no_abstracts(release: Path, reading):
    (release / "text" / "._10000001.txt").write_bytes(b"\0\xff")
    (release / "labels" / ".DS_Store").write_bytes(b"\0\xff")
    assert RELEASE.read(release, unwatched).rows == reading.rows


def test_the_division_is_70_10_20_and_for_ever_the_same(release: Path):
    for folder in ("text", "labels"):
        shutil.rmtree(release / folder)
        (release / folder).mkdir()
        for pmid in range(100, 200):
            (release / folder / f"{pmid}.txt").write_text({"text": "One .", "labels": "< "}[folder])
    reading = RELEASE.read(release, unwatched)
    assert reading.gold == {"train": 70, "dev": 10, "test": 20}
    order = by_hash(str(pmid) for pmid in range(100, 200))
    assert [row["id"] for row in reading.rows["test"]] == sorted(order[:20])
    assert [row["id"] for row in reading.rows["dev"]] == [
        "102",
        "107",
        "117",
        "119",
        "120",
        "130",
        "136",
        "141",
        "179",
        "187",
    ]


def test_wrong_folder_and_missing_part(release: Path, tmp_path: Path):
    shutil.rmtree(release / "labels")
    assert "holds no labels; the folder has: text" in refusal(release)
    (release / "labels").write_text("<")
    assert refusal(release).startswith(f"{release / 'labels'}: should be a folder with a file <PMID>.txt")
    assert "there is no such folder" in refusal(tmp_path / "nowhere")


@pytest.mark.parametrize(("gone", "there"), [("text", "labels"), ("labels", "text")])
def test_a_file_without_its_other(release: Path, gone: str, there: str):
    (release / gone / "10000005.txt").unlink()
    missing, other = (release / folder / "10000005.txt" for folder in (gone, there))
    assert refusal(release) == f"{missing}: no such file, but there is {other}"


def test_a_file_that_no_pmid_names(release: Path):
    for folder in ("text", "labels"):
        (release / folder / "notes.txt").write_text("<")
    assert refusal(release).startswith(f"{release / 'text' / 'notes.txt'}: the name should be a PMID")


def test_too_few_abstracts(release: Path):
    for path in sorted(release.glob("*/*.txt")):
        if path.stem not in ("10000001", "10000002"):
            path.unlink()
    assert "train, dev and test need an abstract each, it holds 2" in refusal(release)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("< < ", " line 1: labels of 2 sentences, each after a '<'; text/10000001.txt has 3 sentences"),
        ("< < < < ", " line 1: labels of 4 sentences"),
        ("", " line 1: labels of 0 sentences"),
        ("Cellular energetics--< < < ", " line 1: begins with 'Cellular energetics--'"),
        ("< <cellular energetics--< ", " line 1: the label 'cellular energetics' is not one of Activating"),
        ("< <Cellular energetics AND AND < ", " line 1: the label 'AND' is not one of"),
        ("< <--< ", " line 1: the label '' is not one of"),
        ("< \0< < ", " line 1: holds a null character"),
    ],
)
def test_labels_that_are_off(release: Path, text: str, says: str):
    path = release / "labels" / "10000001.txt"
    path.write_text(text)
    assert refusal(release).startswith(f"{path}{says}")


def test_texts_that_are_off(release: Path):
    path = release / "text" / "10000001.txt"
    path.write_text(" \n")
    assert refusal(release) == f"{path}: holds no sentence"
    path.write_bytes(b"One .\nTw\xe9 .\n")
    assert refusal(release).startswith(f"{path} line 2: not UTF-8")
    path.unlink()
    path.mkdir()
    assert refusal(release).startswith(f"{path}: cannot be read")
