"""ChemProt: pairs of a sentence, labels of the evaluated groups, and whatever is wrong is named."""

from pathlib import Path

import pytest

TRAIN = "chemprot_training/chemprot_training"


def labels(rows: list[dict]) -> dict[str, str]:
    return {row["id"]: row["label"] for row in rows}


def texts(rows: list[dict]) -> dict[str, str]:
    return {row["id"]: row["text"] for row in rows}


@pytest.fixture
def train(release, reading) -> list[dict]:
    return reading("chemprot", release("chemprot")).rows["train"]


def test_gold_counts_relations_and_not_items(release, reading):
    found = reading("chemprot", release("chemprot"))
    assert found.gold == {"train": 5, "dev": 1, "test": 2}
    positive = {split: sum(row["label"] != "false" for row in rows) for split, rows in found.rows.items()}
    assert positive == {"train": 3, "dev": 1, "test": 2}
    assert found.notes == [
        "train: 1 positive relations are between two sentences and have no item",
        "train: 1 pairs have two groups; an item has the rarer one",
    ]


def test_a_pair_with_two_groups_is_one_item_with_the_rarer_one(train):
    assert labels(train)["8000001.T1.T4"] == "CPR:6"  # CPR:4 is twice in train


def test_the_rarer_group_does_not_depend_on_the_order_of_lines(release, reading):
    raw = release("chemprot")
    path = raw / f"{TRAIN}_gold_standard.tsv"
    path.write_text("".join(reversed(path.read_text().splitlines(keepends=True))))
    assert labels(reading("chemprot", raw).rows["train"])["8000001.T1.T4"] == "CPR:6"


def test_a_relation_across_sentences_has_no_item(train):
    assert "8000001.T3.T9" not in labels(train)


def test_relations_that_are_not_evaluated_are_negative(train):
    assert labels(train)["8000001.T2.T8"] == "false"  # CPR:10, an explicit NOT


def test_the_relations_file_with_its_trailing_spaces_is_not_needed(release, reading):
    raw = release("chemprot")
    path = raw / f"{TRAIN}_relations.tsv"
    assert "\tY \t" in path.read_text()
    before = reading("chemprot", raw).rows
    path.unlink()
    assert reading("chemprot", raw).rows == before


def test_a_title_that_ends_in_a_space_moves_no_offset(train):
    assert texts(train)["8000002.T2.T3"] == "@GENE$ is cut by tavorin (a substrate is @CHEMICAL$)."


def test_nested_and_identical_spans_are_one_tag(train):
    assert texts(train)["8000002.T1.T3"].startswith("@CHEM-GENE$ is cut by")  # Tavomide in Tavomide-kinase
    assert texts(train)["8000002.T6.T5"] == "@CHEM-GENE$-like peptides were not."  # the very same span


def test_offsets_are_characters_and_quotation_marks_are_ordinary(release, reading):
    rows = reading("chemprot", release("chemprot")).rows
    # α is two bytes
    assert texts(rows["train"])["8000001.T1.T4"] == "@CHEMICAL$ blocks the @GENE$."
    assert texts(rows["test"])["8000004.T2.T4"] == "@CHEMICAL$ activates lumin 2 and @GENE$."


def test_a_quotation_mark_at_the_start_of_a_field(release, reading, change):
    raw = release("chemprot")
    change(raw / f"{TRAIN}_abstracts.tsv", "8000002\tTavomide ", '8000002\t"avomide ')
    assert len(reading("chemprot", raw).rows["train"]) == 7


def test_the_test_part_is_found_by_its_gs_names(release, reading, refusal):
    raw = release("chemprot")
    home = raw / "chemprot_test_gs"
    assert (home / "chemprot_test_entities_gs.tsv").is_file()
    (home / "chemprot_test_gold_standard.tsv").rename(home / "chemprot_test_gold_standard_gs.tsv")
    assert "chemprot_test_gold_standard.tsv: no such file" in refusal("chemprot", raw)


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "what"),
    [
        ("entities", "\t0\t9\tZelvarine", "\t1\t10\tZelvarine", 1, "are 'elvarine ', the entity is 'Zelvari"),
        ("entities", "\t0\t9\tZelvarine", "\t0\tnine\tZelvarine", 1, "end is 'nine'"),
        ("entities", "\t0\t9\tZelvarine", "\t0\t9", 1, "5 tab-separated fields"),
        ("entities", "T1\tCHEMICAL", "T1\tDRUG", 1, "the type 'DRUG' is not one of"),
        ("entities", "\tT2\t", "\tT1\t", 2, "the entity T1 of 8000001 is there twice"),
        ("entities", "8000001\tT1", "8000009\tT1", 1, "there is no abstract '8000009'"),
        ("abstracts", "8000002\t", "8000001\t", 2, "the abstract 8000001 is there twice"),
        ("abstracts", "8000002\tTavomide \t", "8000002\tTavomide ", 2, "2 tab-separated fields"),
        ("gold_standard", "CPR:6", "CPR:7", 1, "the group 'CPR:7' is not one of"),
        ("gold_standard", "Arg1:T1", "Arg1:T44", 1, "'Arg1:T44' is not 'Arg1:' and an entity"),
        ("gold_standard", "Arg1:T1", "Arg2:T1", 1, "'Arg2:T1' is not 'Arg1:' and an entity"),
        ("gold_standard", "Arg1:T1", "Arg1:T5", 1, "'Arg1:T5' is a GENE; Arg1 should be a CHEMICAL"),
        ("gold_standard", "CPR:6", "CPR:4", 2, "says a second time that 8000001 T1 T4 is CPR:4"),
    ],
)
def test_a_wrong_line_is_named(release, refusal, change, file: str, old: str, new: str, line: int, what: str):
    raw = release("chemprot")
    path = raw / f"{TRAIN}_{file}.tsv"
    change(path, old, new)
    message = refusal("chemprot", raw)
    assert message.startswith(f"{path} line {line}: ")
    assert what in message


def test_wrong_folder_missing_part_and_wrong_encoding(release, refusal, tmp_path: Path):
    raw = release("chemprot")
    assert "there is no such folder" in refusal("chemprot", tmp_path / "none")
    assert "holds no chemprot_training" in refusal("chemprot", release("ddi2013"))
    path = raw / f"{TRAIN}_abstracts.tsv"
    text = path.read_text(encoding="utf-8")
    path.write_bytes(text.replace("α", "é").encode("latin-1"))
    assert f"{path} line 1: not UTF-8 (byte 0xe9)" in refusal("chemprot", raw)
    path.write_text("\n")
    assert "holds no abstract" in refusal("chemprot", raw)
    path.unlink()
    assert f"{path}: no such file" in refusal("chemprot", raw)


@pytest.mark.slow
def test_the_release_has_its_relations_and_all_but_three_are_in_one_sentence(real_release, reading):
    found = reading("chemprot", real_release("chemprot"))
    assert found.gold == {"train": 4157, "dev": 2416, "test": 3458}
    assert [note for note in found.notes if "two sentences" in note] == [
        "train: 3 positive relations are between two sentences and have no item"
    ]
