"""Readers of public releases, on fixtures of their formats with invented text."""

from collections.abc import Callable
from pathlib import Path

import pytest

from transfer.corpora.releases import Reading

ASSETS = Path(__file__).parents[2] / "assets" / "releases"


@pytest.fixture
def rows(reading: Callable[[str, Path], Reading]) -> Callable[..., list[dict]]:
    """``rows("ade", "train")`` are the rows of a split of a fixture."""
    return lambda name, split, fixture="": reading(name, ASSETS / (fixture or name)).rows[split]


def test_ade_has_each_sentence_once_and_an_abstract_in_one_split(rows, reading, release):
    ade = reading("ade", release("ade"))
    assert [row["text"] for row in ade.rows["train"]] == [
        "Zelvarine caused a rash in one man.",
        "Hair loss under brodamine and lumol.",
        "The man was 40 years old.",
        'We followed "healthy" people | over a year.',
        "Lumol is given twice a day.",
    ]
    assert [row["label"] for row in ade.rows["train"]] == ["ade", "ade", *["not_ade"] * 3]
    assert [row["id"] for row in ade.rows["test"]] == ["ade-8000004-1", "ade-8000004-2"]
    assert {row["doc"] for row in ade.rows["dev"]} == {"8000015"}
    assert ade.gold == {"train": 2, "dev": 1, "test": 1}
    assert ade.notes == ["2 lines of ADE-NEG.txt repeat an earlier sentence and have no item"]


def test_stsb_keeps_quoted_commas_and_all_digits(rows):
    assert rows("stsb", "train")[1] == {
        "id": "stsb-train-00001",
        "text_a": "A man, tired, sits.",
        "text_b": 'He said "no" twice.',
        "score": 0.25,
    }


def test_sick_has_one_pair_with_two_kinds_of_label(rows):
    pair = {"id": "sick-3", "text_a": "A bird sings", "text_b": "A bird is singing"}
    assert rows("sick-relatedness", "dev", "sick")[1] == pair | {"score": 5.0}
    assert rows("sick-entailment", "dev", "sick")[1] == pair | {"label": "entailment"}


def test_nli4ct_has_the_marked_lines_in_the_order_of_the_report(rows):
    first, second, third = rows("nli4ct", "train")
    assert first["text_a"] == "Primary trial: INTERVENTION 1: Lumol INTERVENTION 2: Placebo"
    assert (first["text_b"], first["label"]) == ("All women got lumol.", "contradiction")
    assert second["text_a"].split(" Secondary trial: ")[1] == "Inclusion Criteria: Men & women"
    assert third["text_a"] == "Primary trial: Adverse Events 1: Cough 1/9"
    assert first["doc"] == second["doc"] == third["doc"] == "NCT90000001"


def test_the_test_part_of_nli4ct_is_the_one_with_labels(rows):
    assert [row["label"] for row in rows("nli4ct", "test")] == ["entailment"]


def test_rqe_keeps_the_pairs_of_a_question_together(rows, reading, release):
    rqe = reading("rqe", release("rqe"))
    assert [row["id"] for row in rqe.rows["dev"]] == ["rqe-train-3", "rqe-train-4"]
    assert len({row["doc"] for row in rqe.rows["dev"]}) == 1
    assert rqe.rows["train"][2]["text_a"] == "Should a man of 40 & older take brodamine?"
    assert rqe.notes == ["rqe-train-5: a question is empty, no item is made"]


def test_pubmedqa_joins_the_parts_of_an_abstract_and_takes_the_official_test(rows):
    assert rows("pubmedqa", "train")[0] == {
        "id": "pubmedqa-8000001",
        "text_a": "Does zelvarine cause rash?",
        "text_b": "We gave zelvarine to 9 men. Four had a rash, p = 0.04.",
        "label": "yes",
    }
    assert [row["id"] for row in rows("pubmedqa", "test")] == ["pubmedqa-8000003", "pubmedqa-8000019"]


@pytest.mark.parametrize("name", ["scierc-re", "chemprot13"])
def test_relations_of_one_sentence_are_one_document(name: str, rows):
    first, second, third = rows(name, "train")
    assert first["text"] != second["text"]
    assert first["doc"] == second["doc"]
    assert (first["doc"] == third["doc"]) == (name == "scierc-re")


def test_bionlp13cg_keeps_two_mentions_side_by_side_apart(rows):
    first, second = rows("bionlp13cg", "train")
    assert first["tags"][1:4] == ["B-Gene_or_gene_product", *["I-Gene_or_gene_product"] * 2]
    assert second["tags"] == ["B-Cancer", "I-Cancer", "B-Cancer"]


def test_maccrobat_has_six_types_and_counts_what_no_tag_can_name(rows, reading, release):
    maccrobat = reading("maccrobat", release("maccrobat"))
    cough, drug = maccrobat.rows["train"]
    assert [tag for tag in cough["tags"] if tag != "O"] == ["B-Sign_symptom", "I-Sign_symptom"]
    assert ["Biological_structure", 51, 55, 66, 70] in drug["mentions"]
    assert maccrobat.gold == {"train": 6, "dev": 2, "test": 4}
    assert maccrobat.notes == [
        "train: 2 of 6 mentions have no tags and count as missed (1 in several pieces, 1 overlapped by a "
        "longer one)"
    ]


def test_maccrobat_is_read_from_the_folder_of_its_files_too(rows, reading, release):
    folder = release("maccrobat")
    assert reading("maccrobat", folder / "MACCROBAT2020").rows == reading("maccrobat", folder).rows


def test_the_divided_tables_of_biosses_hold_the_same_pairs(reading, release):
    def pairs(fixture: str) -> list[tuple]:
        found = reading("biosses", release(fixture)).rows.values()
        return sorted(
            (row["id"], row["text_a"], row["text_b"], row["score"]) for part in found for row in part
        )

    assert pairs("biosses_parts") == pairs("biosses")


AGAIN = '<pair pid="1" type="x" value="true">\n<chq>\na\n</chq>\n<faq>\nb\n</faq>\n</pair>\n</RQE-med-train>'
SICK = "\tA dog sleeps\tNo dog sleeps\t3.5\tCONTRADICTION"
MARKED = "We use [[ graphs ]] for << search >> and ranking ."
QUESTION = '"Does zelvarine cause rash?"'
RASH = "Zelvarine caused a rash in one man.|rash|200"
TRAIN_RQE, MAC = "RQE_Train_8588_AMIA2016.xml", "MACCROBAT2020/8000001.ann"


@pytest.mark.parametrize(
    ("name", "file", "old", "new", "says"),
    [
        ("ade", "DRUG-AE.rel", "|180|", "|", "DRUG-AE.rel line 1: 7 fields between |"),
        ("ade", "DRUG-AE.rel", RASH, "|rash|200", "DRUG-AE.rel line 1: the sentence is empty"),
        ("ade", "ADE-NEG.txt", "8000001 NEG", "8000001 NEU", "ADE-NEG.txt line 1: is '8000001 NEU The"),
        ("ade", "ADE-NEG.txt", "8000001", "x", "ADE-NEG.txt line 1: the PMID is 'x'"),
        ("ade", "ADE-NEG.txt", "Both women recovered.", "Lumol-induced cough.", "is in DRUG-AE.rel, too"),
        ("stsb", "stsb-en-dev.csv", ",5.0", ",5.1", "stsb-en-dev.csv line 1: the score is '5.1'"),
        ("stsb", "stsb-en-dev.csv", "A cat runs.,", "", "line 1: 2 fields; a record is two sentences"),
        ("stsb", "stsb-en-train.csv", 'no""', 'no"', "not a valid table"),
        ("sick-entailment", "SICK_train.txt", "pair_ID", "id", "the first line should name the columns"),
        ("sick-entailment", "SICK_train.txt", "NEUTRAL", "NONE", "entailment_judgment is 'none'"),
        ("sick-entailment", "SICK_train.txt", "\t3.5\t", "\t0.5\t", "the score is '0.5'"),
        ("sick-entailment", "SICK_trial.txt", "4\tA man", "1\tA man", "was at SICK_train.txt line 2"),
        ("sick-relatedness", "SICK_train.txt", SICK, "\t \tNo\t3.5\tNEUTRAL", "line 3: a sentence is empty"),
        ("rqe", TRAIN_RQE, 'value="true"', 'value="yes"', "rqe-train-1: value is 'yes'"),
        ("rqe", TRAIN_RQE, "</RQE-med-train>", AGAIN, "the id 'rqe-train-1' was at"),
        ("rqe", TRAIN_RQE, "<chq>", "<chq/><chq>", "rqe-train-1: has 2 <chq>; it should have one"),
        ("rqe", TRAIN_RQE, "<RQE-med-train>", "<RQE>", "not well-formed XML"),
        ("pubmedqa", "ori_pqal.json", QUESTION, "7", "8000001: 'QUESTION' should be a text"),
        ("pubmedqa", "ori_pqal.json", '"final_decision": "yes"', '"final_decision": "si"', "is 'si'"),
        ("pubmedqa", "ori_pqal.json", '"8000003"', '"8000099"', "8000003: ori_pqal.json has no question"),
        ("pubmedqa", "test_ground_truth.json", '"yes"', '"no"', "8000003: is 'no'; ori_pqal.json has 'yes'"),
        ("pubmedqa", "test_ground_truth.json", "8000003", "8000019", "the key '8000019' is there twice"),
        ("scierc-re", "train.txt", MARKED, "We use graphs .", "train.txt line 1: the text has no [["),
        ("scierc-re", "train.txt", "USED-FOR", "USES", "line 1: the label is 'USES'"),
        ("scierc-re", "dev.txt", '"label"', '"class"', "dev.txt line 1: the key 'label' is missing"),
        ("bionlp13cg", "train.tsv", "B-Organism", "I-Organism", "line 6: the tag is 'I-Organism'"),
        ("bionlp13cg", "train.tsv", "B-Organism", "B-Robot", "line 6: the tag's type is 'Robot'"),
        ("bionlp13cg", "train.tsv", "in\tO", "in O", "line 5: is 'in O'"),
        ("nli4ct", "train.json", "Entailment", "Neutral", "a-2: Label is 'neutral'"),
        ("nli4ct", "train.json", '"Single"', '"Twofold"', "a-1: Type is 'Twofold'"),
        ("nli4ct", "train.json", '"a-2"', '"a-1"', "the key 'a-1' is there twice"),
        ("nli4ct", "dev.json", '"b-1"', '"a-1"', "the id 'a-1' was at train.json already"),
        ("nli4ct", "dev.json", "NCT90000002", "NCT90000009", "NCT90000009.json: no such file"),
        (
            "nli4ct",
            "Gold_test.json",
            "        1",
            "        9",
            "c-1: the evidence should be a list of numbers",
        ),
        ("nli4ct", "CT json/NCT90000002.json", '"Results"', '"Result"', "'Results' should be a list"),
        ("maccrobat", MAC, "\tdry cough", "\tdry cold", "8000001.ann line 2: at "),
        ("maccrobat", MAC, "Age 2 13", "Age 2 913", "8000001.ann line 1: the offsets 2 913"),
    ],
)
def test_what_is_off_is_named_with_file_and_line(name, file, old, new, says, release, change, refusal):
    folder = release({"sick-entailment": "sick", "sick-relatedness": "sick"}.get(name, name))
    change(folder / file, old, new)
    assert says in refusal(name, folder)


def test_a_report_of_maccrobat_without_its_annotations(release, refusal):
    folder = release("maccrobat")
    (folder / MAC).unlink()
    assert "8000001.ann: no such file; a report is a .txt and an .ann" in refusal("maccrobat", folder)


def test_a_pair_of_biosses_in_two_parts(release, change, refusal):
    folder = release("biosses_parts")
    change(folder / "dev.tsv", "10\t", "1\t")
    assert "dev.tsv line 2: the pair 1 is in another part already" in refusal("biosses", folder)
