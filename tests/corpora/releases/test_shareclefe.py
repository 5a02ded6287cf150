"""ShARe/CLEF: each oddity of the fixture (invented text, the release's format), and files that are off."""

import shutil
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES, unwatched
from transfer.corpora.writing import write
from transfer.inputs import InputError

FIXTURE = Path(__file__).parents[2] / "assets" / "releases" / "shareclefe"
RELEASE = RELEASES["shareclefe"]
TEXTS = Path("Task1TrainSetCorpus199")
GOLD = Path("Task1TrainSetGOLD199knowtatorehost")
SUMMARY, RADIOLOGY, ECG = (
    "10001-000001-DISCHARGE_SUMMARY",
    "10002-000002-RADIOLOGY_REPORT",
    "10003-000003-ECG_REPORT",
)
XML = GOLD / f"{SUMMARY}.txt.knowtator.xml"
PIPES = GOLD / f"{RADIOLOGY}.txt"
ECHO = "20001-000001-ECHO_REPORT"


@pytest.fixture(scope="module")
def reading():
    return RELEASE.read(FIXTURE, unwatched)


@pytest.fixture(scope="module")
def sentences(reading):
    """The tokens of each sentence, by document."""
    found: dict[str, list[list[str]]] = {}
    for rows in reading.rows.values():
        for row in rows:
            found.setdefault(row["doc"], []).append(row["tokens"])
    return found


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "release"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode())


def row_of(reading, start: str) -> dict:
    (row,) = [
        row for rows in reading.rows.values() for row in rows if " ".join(row["tokens"]).startswith(start)
    ]
    return row


def tagged(row: dict) -> list[str]:
    return [token for token, tag in zip(row["tokens"], row["tags"], strict=True) if tag != "O"]


def test_it_is_written_and_reads_back(reading, tmp_path: Path):
    corpus = write(RELEASE.card, reading.rows, tmp_path)
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (11, 6, 6)


def test_gold_counts_distinct_mentions_of_whole_documents(reading):
    assert reading.gold == {"train": 9, "dev": 3, "test": 4}
    assert {row["doc"] for row in reading.rows["train"]} == {SUMMARY}
    assert {row["doc"] for row in reading.rows["dev"]} == {RADIOLOGY, ECG}


def test_all_places_are_those_of_the_original_file(reading):
    texts = {path.stem: path.read_bytes().decode() for path in FIXTURE.glob("Task1*Corpus*/**/*.txt")}
    for rows in reading.rows.values():
        for row in rows:
            for start, token in zip(row["starts"], row["tokens"], strict=True):
                assert texts[row["doc"]][start : start + len(token)] == token


def test_lines_that_run_on_are_one_sentence(sentences):
    assert [" ".join(tokens) for tokens in sentences[SUMMARY][3:6]] == [
        "Ms . [**Known lastname 123**] is a 61 year old woman with chronic kidney disease who came from "
        "[**Hospital1 18**] with swelling .",
        "She denied chest pain .",
        "On exam the abdomen was soft , there was no mass and it was tender at the left .",
    ]


def test_headers_and_list_items_stay_sentences(sentences):
    assert [" ".join(tokens) for tokens in sentences[SUMMARY][:3]] == [
        "Admission Date : [**2012-3-4**] Discharge Date : [**2012-3-9**]",
        "Service : MEDICINE",
        "History of Present Illness :",
    ]
    assert [tokens[:3] for tokens in sentences[SUMMARY][7:10]] == [
        ["1", ".", "Acute"],
        ["2", ".", "[**Name (NI) 7**]"],
        ["-", "anemia", "of"],
    ]


def test_a_long_line_before_a_list_a_header_or_a_blank_line_ends_its_sentence(release: Path):
    long = "She takes her pills and has a very long line of words here"
    for i, after in enumerate(["- one more", "2. one more", "Plan: one more", "", "one more"]):
        (release / TEXTS / f"{ECG}.txt").write_text(f"{long}\n{after}\n")
        rows = RELEASE.read(release, unwatched).rows
        found = [row["tokens"] for part in rows.values() for row in part if row["doc"] == ECG]
        assert (found[0][-1] == "here") is (i < 4), after


def test_a_mark_over_a_line_end_with_a_full_stop_inside_is_one_token(sentences):
    assert sentences[ECHO][-1] == ["Read", "by", "[**Doctor Last Name\n12. (NI)**]", "today", "."]


def test_a_mention_that_begins_with_a_mark_is_tagged(reading):
    assert tagged(row_of(reading, "2 .")) == ["[**Name (NI) 7**]", "'", "s", "disease"]


def test_a_mention_over_a_line_end_is_tagged(reading):
    assert tagged(row_of(reading, "She denied")) == ["chest", "pain"]
    assert tagged(row_of(reading, "Ms .")) == ["chronic", "kidney", "disease"]


def test_a_mention_over_a_line_that_would_end_a_sentence_joins_both(release: Path):
    (release / TEXTS / f"{RADIOLOGY}.txt").write_text("Signs of heart\nfailure. No fever.\n")
    (release / PIPES).write_text(f"{RADIOLOGY}.txt||Disease_Disorder||C0018801||9||22\n")
    assert tagged(row_of(RELEASE.read(release, unwatched), "Signs of")) == ["heart", "failure"]


def test_a_mention_in_pieces_stays_in_the_gold_without_tags(reading):
    row = row_of(reading, "On exam")
    assert row["mentions"] == [["Disease_Disorder", 281, 288, 328, 334]]
    assert not tagged(row)
    row = row_of(reading, "The left atrium")
    assert row["mentions"] == [["Disease_Disorder", 17, 28, 32, 39]]


def test_what_has_no_tags_is_told(reading):
    assert (
        "train: 3 of 9 mentions have no tags and count as missed (1 in several pieces, 1 with a border "
        "inside a token, 1 overlapped by a longer one)"
    ) in reading.notes
    assert "test: 1 mentions repeat another's type and place; one is kept" in reading.notes


def test_white_space_at_the_ends_of_a_mention_is_left_out(reading):
    assert tagged(row_of(reading, "Hypertension")) == ["reflux"]
    assert tagged(row_of(reading, "1 .")) == ["Acute", "renal", "failure"]
    assert "train: white space at the ends of 2 mentions is left out of them" in reading.notes


def test_windows_line_ends_count_as_two_characters(reading, sentences):
    assert [(tokens[0], tokens[-1]) for tokens in sentences[RADIOLOGY]] == [
        ("CHEST", "."),
        ("A", "."),
        ("IMPRESSION", "."),
    ]
    assert row_of(reading, "IMPRESSION")["mentions"] == [["Disease_Disorder", 157, 166]]
    assert tagged(row_of(reading, "IMPRESSION")) == ["pneumonia"]
    assert tagged(row_of(reading, "A small")) == ["pleural", "effusion"]


def test_a_document_without_disorders_has_an_empty_file(reading, sentences):
    assert sentences["20002-000002-ECG_REPORT"] == [["Normal", "sinus", "rhythm", "."]]


def test_wrong_folder_and_missing_parts(release: Path, tmp_path: Path):
    (tmp_path / "other" / "deep").mkdir(parents=True)
    with pytest.raises(InputError, match="holds no Task1TrainSetCorpus199; the folder has: deep"):
        RELEASE.read(tmp_path / "other", unwatched)
    shutil.rmtree(release / "Task1Gold_SN2012" / "Gold_SN2012")
    with pytest.raises(InputError, match=r"Task1Gold_SN2012: holds no file that ends in \.knowtator\.xml or"):
        RELEASE.read(release, unwatched)
    shutil.rmtree(release / "Task1Gold_SN2012")
    with pytest.raises(InputError, match="holds no Task1Gold_SN2012"):
        RELEASE.read(release, unwatched)


def test_gold_without_text_text_without_gold_and_gold_twice(release: Path):
    shutil.copy(release / PIPES, release / GOLD / f"{ECG}.txt")
    with pytest.raises(InputError, match=rf"{ECG} is there twice: .*; one should go"):
        RELEASE.read(release, unwatched)
    for path in (release / GOLD).glob(f"{ECG}*"):
        path.unlink()
    with pytest.raises(InputError, match=rf"{ECG}\.txt: there is no gold in .*an empty \.txt there"):
        RELEASE.read(release, unwatched)
    (release / GOLD / f"{ECG}.txt").touch()
    RELEASE.read(release, unwatched)
    (release / TEXTS / f"{RADIOLOGY}.txt").unlink()
    with pytest.raises(InputError, match=rf"{RADIOLOGY}\.txt: there is no text"):
        RELEASE.read(release, unwatched)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        (PIPES, "||55||67", "||55", "line 1: should be like"),
        (PIPES, "||55||67", "", "line 1: should be like"),
        (PIPES, "||55||67", "||55||6x", "line 1: a place is '6x'; it should be a whole number"),
        (PIPES, "||55||67", f"||55||{'9' * 5000}", "line 1: a place is '9999"),
        (PIPES, "||55||67", "||-5||67", "line 1: a place is '-5'"),
        (PIPES, "||55||67", "||55||6700", "line 1: 55 to 6700 is no place in a text of 169 characters"),
        (PIPES, "||55||67", "||67||55", "line 1: 67 to 55 is no place"),
        (PIPES, "||55||67", "||55||55", "line 1: 55 to 55 is no place"),
        (PIPES, "||55||67", "||54||55", "line 1: characters 54 to 55 are white space"),
        (PIPES, "||55||67", "||55||67||60||70", "line 1: two pieces of the mention overlap at character 60"),
        (PIPES, "Disease_Disorder", "Drug", "line 1: the class 'Drug' is not Disease_Disorder"),
        (PIPES, RADIOLOGY, ECG, f"line 1: is about '{ECG}.txt', but stands in the file of {RADIOLOGY}"),
        (XML, "<annotations ", "<annotation ", "not well-formed XML"),
        (XML, 'start="175"', 'start="176"', r"Instance_a: its places are 'hronic kidney\\ndisease', but"),
        (XML, 'start="175"', 'start="x"', "Instance_a: start is 'x'; it should be a whole number"),
        (XML, 'start="175" ', "", "a span of .*Instance_a has no attribute 'start'"),
        (XML, 'end="197"', 'end="9197"', "Instance_a: 175 to 9197 is no place in a text of"),
        (XML, '    <span start="175" end="197" />\n', "", "Instance_a: its annotation has no span"),
        (XML, '_Instance_a" />', '_Instance_q" />', "Instance_q: there is no classMention of this id"),
        (XML, f'    <mention id="{SUMMARY}_Instance_a" />\n', "", "the mention of an annotation has no"),
        (XML, 'mentionClass id="Disease_Disorder"', 'mentionClass id="Drug"', "the class 'Drug' is not"),
        (
            XML,
            '<mentionClass id="Disease_Disorder">disorder</mentionClass>',
            "",
            "the mentionClass of .*has no",
        ),
        (
            XML,
            f'classMention id="{SUMMARY}_Instance_b"',
            f'classMention id="{SUMMARY}_Instance_a"',
            "is there twice",
        ),
        (XML, "<annotations", '<!DOCTYPE a [<!ENTITY b "c">]><annotations', "XML that this program does not"),
    ],
)
def test_gold_that_is_off(release: Path, file: Path, old: str, new: str, says: str):
    edit(release / file, old, new)
    with pytest.raises(InputError, match=says) as raised:
        RELEASE.read(release, unwatched)
    assert str(raised.value).startswith(str(release / file))


@pytest.mark.parametrize("encoding", ["no-such-encoding", "utf-16", "big5"])
def test_the_encoding_that_xml_declares_is_not_believed(reading, release: Path, encoding: str):
    edit(release / XML, 'encoding="UTF-8"', f'encoding="{encoding}"')
    assert RELEASE.read(release, unwatched) == reading


def test_other_xml(release: Path):
    (release / XML).write_text("<html/>")
    with pytest.raises(InputError, match="is not an XML <annotations>, but <html>"):
        RELEASE.read(release, unwatched)


@pytest.mark.parametrize("file", [XML, PIPES, TEXTS / f"{SUMMARY}.txt"])
def test_a_cut_file_or_another_encoding_is_named(release: Path, file: Path):
    whole = (release / file).read_bytes()
    (release / file).write_bytes(whole[: int(len(whole) * 0.6)])
    with pytest.raises(InputError, match=r"line \d+: |is no place in a text of"):
        RELEASE.read(release, unwatched)
    for data in (whole + "é".encode("latin-1"), whole.decode().encode("utf-16")):
        (release / file).write_bytes(data)
        with pytest.raises(InputError, match=rf"{file.name} line \d+: not UTF-8"):
            RELEASE.read(release, unwatched)
    (release / file).write_bytes(b"")
    if file != PIPES:  # an empty file of pipe lines is one without disorders
        with pytest.raises(InputError, match=r"holds no text; is the file cut|not well-formed XML"):
            RELEASE.read(release, unwatched)
