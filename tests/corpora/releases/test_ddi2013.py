"""DDI 2013: every pair of a sentence, offsets that include their end, and whatever is wrong is named."""

from pathlib import Path

import pytest

HOME = Path("DDICorpus")
TRAIN = HOME / "Train"
TEST = HOME / "Test" / "Test for DDI Extraction task"
FIRST = TRAIN / "DrugBank" / "Zelvarine_ddi.xml"


def every(found) -> dict[str, dict]:
    """All rows by id."""
    return {row["id"]: row for rows in found.rows.values() for row in rows}


@pytest.fixture
def rows(release, reading) -> dict[str, dict]:
    return every(reading("ddi2013", release("ddi2013")))


def test_every_pair_is_an_item(release, reading):
    found = reading("ddi2013", release("ddi2013"))
    assert {split: len(rows) for split, rows in found.rows.items()} == {"train": 4, "dev": 3, "test": 4}
    assert found.gold == {"train": 2, "dev": 3, "test": 3}
    assert found.notes == [
        "1 interactions without a type are DDI-int",
        "1 mentions whose text is not what their offsets cover; the offsets count",
        "1 mentions in several pieces are replaced from first to last character",
    ]


def test_dev_is_whole_documents_of_train(release, reading):
    found = reading("ddi2013", release("ddi2013"))
    train, dev = ({row["doc"] for row in found.rows[split]} for split in ("train", "dev"))
    assert train.isdisjoint(dev)
    assert len(train | dev) == 4
    assert "dev is 2 documents of train" in found.splits


def test_offsets_include_their_last_character(rows):
    assert rows["DDI-DrugBank.d1.s0.p0"]["text"] == (
        "@DRUG$ raises the level of @DRUG$; never give them together."
    )


def test_labels_are_the_types_and_an_untyped_interaction_is_int(rows):
    assert {id_: row["label"] for id_, row in rows.items() if id_.startswith("DDI-DrugBank.d1")} == {
        "DDI-DrugBank.d1.s0.p0": "DDI-mechanism",
        "DDI-DrugBank.d1.s2.p0": "DDI-advise",
    }
    assert rows["DDI-DrugBank.d2.s0.p1"]["label"] == "DDI-effect"
    assert rows["DDI-DrugBank.d2.s0.p0"]["label"] == "DDI-false"
    assert rows["DDI-MedLine.d1.s1.p0"]["label"] == "DDI-int"


def test_a_mention_in_two_pieces_is_replaced_from_first_to_last(rows):
    # 'Calming … agents' around 'or sleeping'
    assert rows["DDI-DrugBank.d2.s0.p1"]["text"] == "@DRUG$ add to the effect of @DRUG$."
    assert rows["DDI-DrugBank.d2.s0.p0"]["text"] == "@DRUG-DRUG$ add to the effect of brodamine."
    assert rows["DDI-DrugBank.d2.s0.p2"]["text"].startswith("Calming or @DRUG$ add")


def test_line_ends_as_character_references_and_escaped_characters(release, reading):
    raw = release("ddi2013")
    source = (raw / TRAIN / "MedLine" / "7000002.xml").read_text(encoding="utf-8")
    assert "&#xd;&#xa;" in source
    rows = every(reading("ddi2013", raw))
    assert rows["DDI-MedLine.d2.s0.p0"]["text"] == '@DRUG$ & "lemon" <1 % had no effect on @DRUG$.'


def test_blank_sentences_and_sentences_without_a_pair_give_nothing(rows):
    assert not [id_ for id_ in rows if id_.startswith(("DDI-DrugBank.d1.s1", "DDI-MedLine.d1.s0"))]


def test_the_test_for_drug_names_is_not_read(release, reading):
    raw = release("ddi2013")
    hidden = raw / HOME / "Test" / "Test for DrugNER task" / "MedLine" / "7000004.xml"
    assert 'ddi="false"' in hidden.read_text()
    found = every(reading("ddi2013", raw))
    assert not [id_ for id_ in found if ".d4." in id_]
    hidden.write_text("no XML at all")
    assert every(reading("ddi2013", raw)) == found


def test_the_offsets_count_where_a_mentions_text_differs(rows):
    assert rows["DDI-MedLine.d3.s0.p0"]["text"] == "@DRUG$ reduced @DRUG$ clearance."


def test_nested_mentions_are_one_tag(rows):
    assert rows["DDI-DrugBank.d3.s0.p0"]["text"].startswith("@DRUG-DRUG$ and the lumols")
    assert rows["DDI-DrugBank.d3.s0.p2"]["text"].startswith("@DRUG$-acid and")


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('charOffset="0-8"', 'charOffset="0-80"', "charOffset 0-80 does not fit a text of 66 characters"),
        ('charOffset="0-8"', 'charOffset="8-0"', "charOffset 8-0 does not fit"),
        ('charOffset="0-8"', 'charOffset="0"', "charOffset is '0'; it should be like 4-19"),
        ('charOffset="0-8"', "", "DDI-DrugBank.d1.s0.e0 has no attribute 'charOffset'"),
        ('type="mechanism"', 'type="mechanic"', "ddi='true' with type='mechanic'; types are advise"),
        ('ddi="true"', 'ddi="false"', "ddi='false' with type='mechanism'"),
        ('ddi="true"', 'ddi="maybe"', "ddi='maybe'"),
        ('e1="DDI-DrugBank.d1.s0.e0"', 'e1="DDI-DrugBank.d1.s2.e0"', "no entity of its sentence"),
        ('e1="DDI-DrugBank.d1.s0.e0"', 'e1="DDI-DrugBank.d1.s0.e1"', "with itself"),
        ('<document id="DDI-DrugBank.d1">', "<document>", "<document> has no attribute 'id'"),
        ("</document>", "", "not well-formed XML"),
        ('encoding="UTF-8"', 'encoding="UTF-5"', "XML that this program does not read"),
    ],
)
def test_a_wrong_file_is_named(release, refusal, change, old: str, new: str, what: str):
    raw = release("ddi2013")
    change(raw / FIRST, old, new)
    message = refusal("ddi2013", raw)
    assert message.startswith(str(raw / FIRST))
    assert what in message


def test_other_xml_and_declared_entities_are_refused(release, refusal):
    raw = release("ddi2013")
    (raw / FIRST).write_text("<page/>")
    assert f"{raw / FIRST}: is not an XML <document>" in refusal("ddi2013", raw)
    (raw / FIRST).write_text('<!DOCTYPE d [<!ENTITY a "b">]><document id="&a;"/>')
    assert "XML that this program does not read" in refusal("ddi2013", raw)


def test_an_entity_that_is_there_twice(release, refusal, change):
    raw = release("ddi2013")
    change(raw / FIRST, '<entity id="DDI-DrugBank.d1.s0.e1"', '<entity id="DDI-DrugBank.d1.s0.e0"')
    assert f"{raw / FIRST}: the entity DDI-DrugBank.d1.s0.e0 is there twice" == refusal("ddi2013", raw)


def test_a_pair_that_is_there_twice(release, refusal):
    raw = release("ddi2013")
    (raw / TRAIN / "DrugBank" / "Copy_ddi.xml").write_bytes((raw / FIRST).read_bytes())
    assert "the pair DDI-DrugBank.d1.s0.p0 is there 2 times" in refusal("ddi2013", raw)


def test_wrong_folder_missing_part_and_wrong_encoding(release, refusal, tmp_path: Path):
    raw = release("ddi2013")
    assert "there is no such folder" in refusal("ddi2013", tmp_path / "none")
    assert "holds no Train" in refusal("ddi2013", release("bc5cdr"))
    (raw / FIRST).write_bytes((raw / FIRST).read_bytes().replace(b"Kestrol", b"K\xe9strol", 1))
    assert "not UTF-8 (byte 0xe9)" in refusal("ddi2013", raw)
    for path in (raw / TEST / "MedLine").iterdir():
        path.unlink()
    (raw / FIRST).unlink()
    assert f"{raw / TEST / 'MedLine'}: no such folder, or no XML file in it" in refusal("ddi2013", raw)


@pytest.mark.slow
def test_the_release_has_its_positive_pairs(real_release, reading):
    found = reading("ddi2013", real_release("ddi2013"))
    assert found.gold["test"] == 979
    assert found.gold["train"] + found.gold["dev"] == 4021
    assert len(found.rows["test"]) == 5716
    assert len(found.rows["train"]) + len(found.rows["dev"]) == 27792
