"""BC5CDR in both of its formats: what a mention is and is not, and whatever is wrong is named."""

import shutil
from pathlib import Path

import pytest

from transfer.corpora.releases.bc5cdr import documents

BOTH = ("bc5cdr", "bc5cdr_bioc")
TRAIN, TEST = "CDR.Corpus.v010516/CDR_TrainingSet.PubTator.txt", "CDR.Corpus.v010516/CDR_TestSet.PubTator.txt"
BIOC = "CDR.Corpus.v010516/CDR_TrainingSet.BioC.xml"


def tagged(rows: list[dict], entity: str) -> list[str]:
    """The tagged mentions of a split, tokens joined by a space."""
    found: list[str] = []
    for row in rows:
        for token, tag in zip(row["tokens"], row["tags"], strict=True):
            if tag == f"B-{entity}":
                found.append(token)
            elif tag == f"I-{entity}":
                found[-1] += f" {token}"
    return found


@pytest.mark.parametrize("fixture", BOTH)
def test_mentions_of_one_type_and_their_counts(release, reading, fixture: str):
    raw = release(fixture)
    diseases, chemicals = reading("bc5cdr-disease", raw), reading("bc5cdr-chemical", raw)
    assert diseases.gold == {"train": 4, "dev": 3, "test": 2}
    assert chemicals.gold == {"train": 5, "dev": 2, "test": 5}
    assert tagged(diseases.rows["dev"], "Disease") == ["Headache", "headache", "vertigo"]
    assert tagged(chemicals.rows["dev"], "Chemical") == ["kestrolol", "Kestrolol"]


@pytest.mark.parametrize("fixture", BOTH)
def test_a_composite_mention_is_one_and_its_parts_are_none(release, reading, fixture: str):
    rows = reading("bc5cdr-disease", release(fixture)).rows["train"]
    # the seventh column of PubTator, or BioC's IndividualMention with its two places
    assert tagged(rows, "Disease")[0] == "renal and / or hepatic failure"
    assert rows[0]["mentions"] == [["Disease", 18, 46]]


def test_an_empty_seventh_column_and_relations_are_no_trouble(release, reading):
    raw = release("bc5cdr")
    text = (raw / TRAIN).read_text(encoding="utf-8")
    assert "\tD900005\t\n" in text
    assert "9000001\tCID\tD900001\tD900002\n" in text
    assert "rash" in tagged(reading("bc5cdr-disease", raw).rows["train"], "Disease")


@pytest.mark.parametrize("identifier", ["-1", "D900002|D900003"])
def test_identifiers_that_name_nothing_or_two_things(release, identifier: str):
    raw = release("bc5cdr")
    lines = [line for line in (raw / TRAIN).read_text().splitlines() if identifier in line.split("\t")]
    assert lines
    said = {line.split("\t")[3] for line in lines}
    found = {d.text[slice(*m.span)] for d in documents(raw, "Training") for m in d.mentions}
    assert said <= found


def test_the_sentences_of_both_corpora_are_the_same_and_a_title_is_one(release, reading):
    raw = release("bc5cdr")
    a, b = reading("bc5cdr-disease", raw).rows, reading("bc5cdr-chemical", raw).rows
    for split in ("train", "dev", "test"):
        assert [(r["id"], r["tokens"]) for r in a[split]] == [(r["id"], r["tokens"]) for r in b[split]]
    assert a["test"][0]["tokens"] == ["Quelidone", "and", "the", "imagined", "heart", "."]


@pytest.mark.parametrize("fixture", BOTH)
def test_a_mention_within_a_token_stays_in_the_gold_and_is_told(release, reading, fixture: str):
    found = reading("bc5cdr-chemical", release(fixture))
    (row,) = [row for row in found.rows["test"] if "NaQl" in row["tokens"]]
    at = row["starts"][row["tokens"].index("NaQl")]
    assert ["Chemical", at, at + 2] in row["mentions"]
    assert row["tags"][row["tokens"].index("NaQl")] == "O"
    assert found.notes == [
        "test: 1 of 5 mentions have no tags and count as missed (1 with a border inside a token)"
    ]


def test_an_abstracts_own_offset_that_is_off_is_not_used(release, reading):
    raw = release("bc5cdr_bioc")
    part = (raw / "CDR.Corpus.v010516/CDR_DevelopmentSet.BioC.xml").read_text(encoding="utf-8")
    assert "tester&apos;s blocker.</text>" in part
    (document,) = documents(raw, "Development")
    assert f"<offset>{len(document.title) + 1 + 5}</offset>" in part  # &apos; was counted as six
    assert tagged(reading("bc5cdr-disease", raw).rows["dev"], "Disease") == [
        "Headache",
        "headache",
        "vertigo",
    ]


def test_both_formats_give_the_same_rows(release, reading):
    one, other = (reading("bc5cdr-disease", release(fixture)) for fixture in BOTH)
    assert one.rows["train"] == other.rows["train"]
    assert one.rows["test"] == other.rows["test"]


def test_windows_line_ends_and_a_last_line_without_one(release, reading):
    raw = release("bc5cdr")
    before = reading("bc5cdr-disease", raw).rows
    path = raw / TRAIN
    path.write_bytes(path.read_bytes().rstrip(b"\n").replace(b"\n", b"\r\n"))
    assert reading("bc5cdr-disease", raw).rows == before


def test_the_folder_of_the_files_and_the_one_above_it_are_the_release(release, reading):
    raw = release("bc5cdr")
    inner = raw / "CDR.Corpus.v010516"
    assert reading("bc5cdr-disease", inner).rows == reading("bc5cdr-disease", raw).rows


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("\t0\t9\tZelvarine\t", "\t1\t10\tZelvarine\t", 3, "are 'elvarine-', but the mention is 'Zelvarine'"),
        ("\t0\t9\tZelvarine\t", "\t0\t9\t\t", 3, "the mention is ''"),
        ("\t0\t9\tZelvarine\t", "\t-1\t9\tZelvarine\t", 3, "start is '-1'"),
        ("\t0\t9\tZelvarine\t", "\t0\t9999999\tZelvarine\t", 3, "the mention is 'Zelvarine'"),
        ("Zelvarine\tChemical", "Zelvarine\tGene", 3, "the type 'Gene' is neither Chemical nor Disease"),
        ("Zelvarine\tChemical\tD900001", "Zelvarine\tChemical", 3, "5 tab-separated fields"),
        ("9000001\tCID", "9000009\tCID", 11, "belongs to '9000009', but stands below 9000001"),
        ("9000001|t|", "9000001|x|", 1, "should begin with a line 'number|t|title'"),
        ("9000001|a|", "9000007|a|", 2, "there should be a line '9000001|a|abstract'"),
    ],
)
def test_a_wrong_line_is_named(release, refusal, change, old: str, new: str, line: int, what: str):
    raw = release("bc5cdr")
    change(raw / TRAIN, old, new)
    message = refusal("bc5cdr-disease", raw)
    assert message.startswith(f"{raw / TRAIN} line {line}: ")
    assert what in message


def test_a_mention_across_the_end_of_the_title(release, refusal, change):
    raw = release("bc5cdr")
    change(raw / TEST, "9000004\t0\t9\tQuelidone", "9000004\t27\t43\theart. Quelidone")
    assert "runs from the title into the abstract" in refusal("bc5cdr-chemical", raw)


@pytest.mark.parametrize("fixture", BOTH)
def test_a_document_that_is_there_twice(release, refusal, fixture: str):
    raw = release(fixture)
    path = raw / (TRAIN if fixture == "bc5cdr" else BIOC)
    text = path.read_text(encoding="utf-8")
    if fixture == "bc5cdr":
        path.write_text(text + text)
    else:
        path.write_text(text.replace("<id>9000002</id>", "<id>9000001</id>"))
    assert "document 9000001 is there" in refusal("bc5cdr-disease", raw)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("offset='0' length='9'", "offset='1' length='9'", "document 9000001: characters 1 to 10"),
        ('<infon key="type">Chemical', '<infon key="type">Gene', "document 9000001: the type 'Gene'"),
        ("<id>9000001</id>", "<id/>", "a document has no id"),
        ("UTF-8", "UTF-5", "not BioC XML"),
        ("</collection>", "", "not BioC XML"),
        ("<location offset='0' length='9' />", "", "has no one place"),
        ("<passage>", "<passage><offset>0</offset></passage><passage>", "has 3 passages"),
        ("<key>invented.key</key>", "<key>&more;</key>", "not BioC XML"),
    ],
)
def test_bad_bioc_is_named(release, refusal, change, old: str, new: str, what: str):
    raw = release("bc5cdr_bioc")
    change(raw / BIOC, old, new)
    message = refusal("bc5cdr-chemical", raw)
    assert message.startswith(str(raw / BIOC))
    assert what in message


def test_entities_that_a_file_declares_are_not_expanded(release, refusal, change):
    raw = release("bc5cdr_bioc")
    change(raw / BIOC, "SYSTEM 'BioC.dtd'", '[<!ENTITY more "much">]')
    assert "not BioC XML" in refusal("bc5cdr-disease", raw)


def test_wrong_folder_missing_part_both_formats_and_wrong_encoding(release, refusal, tmp_path: Path):
    raw = release("bc5cdr")
    assert "there is no such folder" in refusal("bc5cdr-disease", tmp_path / "none")
    (tmp_path / "empty").mkdir()
    assert "the folder has: nothing" in refusal("bc5cdr-disease", tmp_path / "empty")
    assert "holds no CDR_TrainingSet.PubTator.txt or" in refusal("bc5cdr-disease", release("chemprot"))
    (raw / TRAIN).write_bytes((raw / TRAIN).read_bytes().replace(b"asthenia", b"asth\xe9nia", 1))
    assert f"{raw / TRAIN} line 2: not UTF-8 (byte 0xe9)" in refusal("bc5cdr-disease", raw)
    (raw / TRAIN).write_bytes(b"")
    assert "holds no document" in refusal("bc5cdr-disease", raw)
    (raw / TRAIN).unlink()
    assert "holds no CDR_TrainingSet" in refusal("bc5cdr-disease", raw)
    shutil.copytree(release("bc5cdr_bioc"), raw, dirs_exist_ok=True)
    assert "holds more than one" in refusal("bc5cdr-disease", raw)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "gold"),
    [("bc5cdr-disease", (4182, 4244, 4424)), ("bc5cdr-chemical", (5203, 5347, 5385))],
)
def test_the_release_has_the_published_mentions(real_release, reading, name: str, gold: tuple[int, ...]):
    found = reading(name, real_release("bc5cdr"))
    assert tuple(found.gold.values()) == gold
    for split, count in found.gold.items():
        assert sum(len(row["mentions"]) for row in found.rows[split]) == count


@pytest.mark.slow
def test_the_releases_sample_is_the_same_in_both_formats(real_release, tmp_path: Path):
    sample = real_release("bc5cdr") / "sample"
    if not sample.is_dir():
        pytest.skip(f"no sample of 50 documents at {sample}")
    found = []
    for name, end in (("CDR_sample.gold.PubTator", "PubTator.txt"), ("CDR_sample.gold.BioC.xml", "BioC.xml")):
        (tmp_path / end).mkdir()
        shutil.copy(sample / name, tmp_path / end / f"CDR_TrainingSet.{end}")
        found.append(documents(tmp_path / end, "Training"))
    assert len(found[0]) == 50
    assert found[0] == found[1]
