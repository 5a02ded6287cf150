"""i2b2 2010: each oddity of the fixture (invented text, the release's format), and files that are off."""

import shutil
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES, unwatched
from transfer.corpora.writing import write
from transfer.inputs import InputError

FIXTURE = Path(__file__).parents[2] / "assets" / "releases" / "i2b2-2010-re"
RELEASE = RELEASES["i2b2-2010-re"]
BETH = Path("concept_assertion_relation_training_data") / "beth"
PARTNERS = BETH.parent / "partners"
CONCEPTS = BETH / "concept" / "record-01.con"
RELATIONS = BETH / "rel" / "record-01.rel"


@pytest.fixture(scope="module")
def reading():
    return RELEASE.read(FIXTURE, unwatched)


@pytest.fixture(scope="module")
def items(reading):
    return {row["id"]: (row["text"], row["label"]) for split in reading.rows for row in reading.rows[split]}


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "release"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def test_it_is_written_and_reads_back(reading, tmp_path: Path):
    corpus = write(RELEASE.card, reading.rows, tmp_path)
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (17, 8, 3)


def test_gold_counts_each_positive_relation_once(reading):
    assert reading.gold == {"train": 13, "dev": 5, "test": 2}


def test_dev_is_whole_records_of_both_hospitals(reading):
    assert {row["doc"] for row in reading.rows["train"]} == {"record-01"}
    assert {row["doc"] for row in reading.rows["dev"]} == {"record-02", "100000002_XYZ"}
    assert "SHA-256" in reading.splits


def test_a_line_that_begins_with_white_space_has_an_empty_token_first(items):
    assert items["record-01.2.treatment:5-5.problem:7-7"] == (
        "The patient was given @TREATMENT$ for @PROBLEM$ .",
        "TrAP",
    )


def test_runs_of_spaces_are_one_border_and_case_is_that_of_the_text(items):
    text, label = items["record-01.3.problem:6-7.problem:11-12"]
    assert text == "He took aspirin and Plavix for @PROBLEM$ but still had @PROBLEM$ at rest ."
    assert label == "PIP"


def test_quotation_marks_inside_a_concept(items):
    text, label = items["record-01.4.test:0-1.problem:3-6"]
    assert (text, label) == ("@TEST$ showed @PROBLEM$ suggestive of ischemia .", "TeRP")


def test_a_concept_inside_another_gives_one_tag_the_problem_first(items):
    text, label = items["record-01.5.treatment:0-0.problem:0-2"]
    assert (text, label) == ("@PROBLEM-TREATMENT$ were treated with clonidine .", "TrCP")


def test_a_pair_with_two_relations_has_the_rarer_one(items, reading):
    assert items["record-01.6.problem:0-1.treatment:3-3"][1] == "TrCP"
    assert "train: 1 pairs have several relations; an item has the rarest one" in reading.notes


def test_a_place_with_two_types_is_two_concepts_and_the_relation_tells_which(items):
    assert items["record-01.8.problem:0-0.treatment:2-4"][1] == "TrAP"
    assert items["record-01.8.problem:0-0.problem:2-4"][1] == "false"
    assert items["record-01.8.problem:2-4.treatment:2-4"][0] == (
        "Fever prompted @PROBLEM-TREATMENT$ and blood cultures ."
    )


def test_pairs_without_a_problem_are_no_items(items):
    assert not [id_ for id_ in items if id_.startswith("record-01.9.")]
    assert all("problem" in id_ for id_ in items)


def test_relations_without_item_are_counted(reading):
    (note,) = [note for note in reading.notes if "have no item" in note]
    assert note.startswith("train: 2 positive relations are between two lines")


def test_what_is_listed_twice_is_kept_once(reading):
    assert "train: 2 relations are listed a second time; one is kept" in reading.notes
    assert "train: 1 concepts are listed a second time; one is kept" in reading.notes


def test_an_empty_relation_file_gives_negatives_and_windows_line_ends_are_none_of_the_text(items):
    text, label = items["record-02.1.problem:3-3.problem:5-5"]
    assert (text, label) == ("Chief complaint : @PROBLEM$ and @PROBLEM$ .", "false")


def test_every_label_of_the_card_is_read(items):
    assert {label for _, label in items.values()} == set(RELEASE.card.labels)


def test_the_release_may_lie_one_folder_down(reading, release: Path):
    assert RELEASE.read(release.parent / "release", unwatched) == reading
    shutil.move(release, release.parent / "outer" / "i2b2")
    assert RELEASE.read(release.parent / "outer", unwatched) == reading


def test_wrong_folder(tmp_path: Path):
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match=r"holds no concept_assertion.*the folder has: other"):
        RELEASE.read(tmp_path, unwatched)
    with pytest.raises(InputError, match="no such folder; --raw"):
        RELEASE.read(tmp_path / "none", unwatched)


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ("test_data", "holds no test_data"),
        ("reference_standard_for_test_data", "holds no reference_standard"),
        ("reference_standard_for_test_data/rel", "rel: no such folder, or no .rel file"),
        ("reference_standard_for_test_data/concepts", "concept: no such folder, or no .con file"),
        (PARTNERS, "partners/txt: no such folder, or no .txt file"),
        (BETH / "txt" / "record-02.txt", r"record-02.con: there is no text record-02.txt"),
        (BETH / "rel" / "record-02.rel", r"record-02.txt: there is no file record-02.rel"),
        (BETH / "concept" / "record-02.con", r"record-02.txt: there is no file record-02.con"),
    ],
)
def test_missing_parts(release: Path, missing, says: str):
    path = release / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(InputError, match=says):
        RELEASE.read(release, unwatched)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (CONCEPTS, '2:5||t="treatment"', "2:5", "line 1: should be like"),
        (CONCEPTS, '2:7||t="problem"', '2:7||t="event"', "line 2: the type 'event' is not one of"),
        (CONCEPTS, '2:5||t="', '3:5||t="', "line 1: 2:5 3:5 runs from one line into another"),
        (CONCEPTS, "2:7 2:7", "99:7 99:7", r"line 2: 99:7 99:7 is in line 99; the text has lines 1 to 10"),
        (CONCEPTS, "2:7 2:7", "0:7 0:7", "line 2: 0:7 0:7 is in line 0"),
        (CONCEPTS, "2:7 2:7", "7:0 7:0", "line 2: 7:0 7:0 does not fit line 7"),
        (CONCEPTS, "2:7 2:7", "2:7 2:9", "line 2: 2:7 2:9 does not fit line 2, whose tokens are 0 to 8"),
        (CONCEPTS, "2:7 2:7", "2:7 2:6", "line 2: 2:7 2:6 does not fit"),
        (CONCEPTS, "2:7 2:7", "2:6 2:6", "line 2: 2:6 2:6 is 'for', but the concept is 'hypertension'"),
        (CONCEPTS, 'c="hypertension" 2:7 2:7', 'c="" 2:0 2:0', "line 2: 2:0 2:0 is '', but"),
        (CONCEPTS, "2:7 2:7", f"2:{'7' * 5000} 2:7", "line 2: should be like"),
        (RELATIONS, 'r="TrAP"', 'r="TrAB"', "line 1: the relation 'TrAB' is not one of PIP"),
        (RELATIONS, '||r="TrAP"', "", r"line 1: should be like c=.*r="),
        (RELATIONS, "lisinopril", "heparin", "line 1: 2:5 2:5 is 'lisinopril', but the concept is 'heparin'"),
        (RELATIONS, 'c="aspirin" 3:2 3:2', 'c="for" 3:5 3:5', "line 2: there is no concept 'for' at 3:5"),
        (BETH / "txt" / "record-01.txt", " The patient", "The patient", r"record-01.con line 1: 2:5 2:5 is"),
    ],
)
def test_lines_that_are_off(release: Path, file: Path, old: str, new: str, says: str):
    edit(release / file, old, new)
    with pytest.raises(InputError, match=says) as raised:
        RELEASE.read(release, unwatched)
    assert str(release) in str(raised.value)


@pytest.mark.parametrize("file", [CONCEPTS, RELATIONS, BETH / "txt" / "record-01.txt"])
def test_a_cut_file_or_another_encoding_is_named(release: Path, file: Path):
    whole = (release / file).read_bytes()
    (release / file).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"record-01\.(con|rel) line \d+: "):
        RELEASE.read(release, unwatched)
    for data in (whole + "é".encode("latin-1"), whole.decode().encode("utf-16")):
        (release / file).write_bytes(data)
        with pytest.raises(InputError, match=rf"{file.name} line \d+: not UTF-8"):
            RELEASE.read(release, unwatched)


def test_swapped_lines_change_nothing(reading, release: Path):
    for file in (CONCEPTS, RELATIONS):
        lines = (release / file).read_bytes().split(b"\r\n")
        (release / file).write_bytes(b"\r\n".join([*reversed(lines)]))
    assert RELEASE.read(release, unwatched) == reading


def test_a_record_in_both_hospitals(release: Path):
    for kind in ("txt/{}.txt", "concept/{}.con", "rel/{}.rel"):
        name = kind.format("record-02")
        shutil.copy(release / BETH / name, release / PARTNERS / name)
    with pytest.raises(InputError, match="record-02 is in beth and in partners"):
        RELEASE.read(release, unwatched)
