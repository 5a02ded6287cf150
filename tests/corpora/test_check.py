"""Every finding of a broken folder, with its place; doubtful text counted as a person would count it."""

import json
from pathlib import Path

import pytest

from transfer.corpora.check import Finding, check
from transfer.inputs import InputError

REL = {
    "name": "rel",
    "kind": "classification",
    "metric": "micro_f1",
    "labels": ["good", "none"],
    "negative": "none",
}
NER = {"name": "ner", "kind": "tagging", "metric": "span_f1", "entities": ["Drug"]}


def rows(split: str, count: int = 200) -> list[dict]:
    return [
        {"id": f"{split}{i}", "text": f"{split} number {i}", "label": ["good", "none"][i % 2]}
        for i in range(count)
    ]


def clean() -> dict[str, list[dict]]:
    return {split: rows(split) for split in ("train", "dev", "test")}


def texts(folder: Path, level: str = "warning") -> list[str]:
    return [finding.text for finding in check(folder) if finding.level == level]


def only(folder: Path) -> Finding:
    (finding,) = check(folder)
    return finding


def test_a_clean_corpus_has_no_finding(tmp_path: Path, write_corpus):
    write_corpus(tmp_path, REL, clean())
    assert list(check(tmp_path)) == []


def test_all_errors_of_all_splits_each_with_its_line(tmp_path: Path, write_corpus):
    splits = clean()
    splits["train"][4]["label"] = "god"
    splits["train"][7]["id"] = "train4"
    splits["test"][0] = {"id": "1", "txt": "a", "label": "good"}
    home = write_corpus(tmp_path, REL, splits)
    lines = (home / "dev.jsonl").read_bytes().splitlines()
    lines[1], lines[2] = b"{", b'{"id": "x", "text": "caf\xe9", "label": "good"}'
    (home / "dev.jsonl").write_bytes(b"\n".join(lines))
    found = texts(tmp_path, "error")
    places = [("train", 5), ("train", 8), ("dev", 2), ("dev", 3), ("test", 1)]
    assert [text.split(": ")[0] for text in found] == [f"{home / s}.jsonl line {n}" for s, n in places]
    for text, what in zip(
        found, ["'god'", "used twice", "valid JSON", "not UTF-8", "'text' is missing"], strict=True
    ):
        assert what in text


def test_all_errors_of_a_card_and_the_broken_lines_below_it(tmp_path: Path, write_corpus):
    home = write_corpus(tmp_path, REL, clean())
    (home / "corpus.yaml").write_text("name: rel\nkind: classification\nmetric: f3\nlicense: CC0\n")
    (home / "dev.jsonl").write_text("{\n")
    (home / "test.jsonl").unlink()
    found = texts(tmp_path, "error")
    for text, what in zip(
        found,
        ["line 4: unknown key 'license'", "line 3: 'metric'", "dev.jsonl line 1: not valid", "no such file"],
        strict=True,
    ):
        assert what in text


def test_illegal_bio_and_an_empty_split(tmp_path: Path, write_corpus):
    bad = {"id": "1", "tokens": ["a", "b"], "tags": ["O", "I-Drug"]}
    write_corpus(tmp_path, NER, {"train": [bad, {**bad, "id": "2"}], "dev": [], "test": [bad]})
    found = texts(tmp_path, "error")
    assert ["illegal BIO" in text for text in found] == [True, True, False, True]
    assert "dev.jsonl: holds no example" in found[2]


def test_a_folder_without_a_card_is_an_error_and_a_draft_is_none(tmp_path: Path, write_corpus):
    home = write_corpus(tmp_path, REL, clean())
    (home / "corpus.yaml").unlink()
    (tmp_path / ".rel.draft").mkdir()
    (tmp_path / ".rel.draft" / "train.jsonl").touch()
    (error,) = texts(tmp_path, "error")
    assert error.startswith(f"{home / 'corpus.yaml'}: no such file; a corpus has a card")


def test_repeated_text_names_both_places_and_counts_lines(tmp_path: Path, write_corpus):
    splits = clean()
    for i in (2, 4, 6, 8, 10):
        splits["dev"][i]["text"] = "DEV  number\t0"
    home = write_corpus(tmp_path, REL, splits)
    found = only(tmp_path)
    assert found.text == "lines of dev that repeat the text of another: 5"
    assert len(found.examples) == 3
    dev = home / "dev.jsonl"
    assert found.examples[0] == f"{dev} line 3 is {dev} line 1: 'dev number 0'"


def test_contradictory_labels_count_each_text_once(tmp_path: Path, write_corpus):
    splits = clean()
    for i in (1, 2, 3):
        splits["train"][i]["text"] = "train number 0"
    assert splits["train"][0]["label"] != splits["train"][1]["label"]
    home = write_corpus(tmp_path, REL, splits)
    repeated, contradicted = check(tmp_path)
    assert repeated.count == 3
    assert contradicted.text == "texts with more than one label: 1"
    train = home / "train.jsonl"
    assert contradicted.examples == (f"{train} line 2 and {train} line 1: 'train number 0'",)


@pytest.mark.parametrize(("late", "early"), [("test", "train"), ("test", "dev"), ("dev", "train")])
def test_text_in_two_splits(tmp_path: Path, write_corpus, late: str, early: str):
    splits = clean()
    splits[late][6]["text"] = f"{early} number 8"
    home = write_corpus(tmp_path, REL, splits)
    found = only(tmp_path)
    assert found.text == f"lines of {late} that are also in {early}: 1 of 200"
    assert found.examples[0].startswith(f"{home / late}.jsonl line 7 is {home / early}.jsonl line 9: ")


def test_leaked_lines_are_counted_and_not_different_texts(tmp_path: Path, write_corpus):
    splits = clean()
    for i in (6, 8, 10):
        splits["test"][i]["text"] = "train number 8"
    write_corpus(tmp_path, REL, splits)
    assert "lines of test that are also in train: 3 of 200" in texts(tmp_path)


def test_a_corpus_with_errors_is_not_said_to_lack_labels(tmp_path: Path, write_corpus):
    splits = {split: [{**row, "label": "good"} for row in part] for split, part in clean().items()}
    splits["train"][0]["label"] = "non"
    write_corpus(tmp_path, REL, splits)
    assert len(texts(tmp_path, "error")) == 1
    assert texts(tmp_path) == []


def test_test_text_in_the_train_split_of_another_corpus(tmp_path: Path, write_corpus):
    one = clean()
    one["test"][1]["text"] = "A test text: more than twenty letters."
    write_corpus(tmp_path, REL, one)
    other = {split: [{**r, "text": f"other {r['text']}"} for r in part] for split, part in clean().items()}
    other["train"][5]["text"] = other["train"][7]["text"] = "a test text more  than twenty letters"
    other["train"][7]["label"] = other["train"][5]["label"]
    write_corpus(tmp_path, {**REL, "name": "other"}, other)
    found = [f for f in check(tmp_path) if "train of" in f.text]
    assert [(f.corpus, f.text) for f in found] == [
        ("rel", "lines of test with text that is in train of other: 1 of 200")
    ]
    assert str(tmp_path / "other" / "train.jsonl line 6") in found[0].examples[0]
    assert not [f for f in check(tmp_path, ["rel"]) if f.corpus == "rel"]


def test_small_dev_unused_labels_wordless_lines_and_divided_documents(tmp_path: Path, write_corpus):
    splits = {"train": rows("train"), "dev": rows("dev", 20), "test": rows("test")}
    splits["test"][0]["label"] = "late"
    splits["test"][2]["text"] = "- ."
    splits["train"][0]["doc"] = splits["dev"][0]["doc"] = splits["dev"][1]["doc"] = "d1"
    write_corpus(tmp_path, {**REL, "labels": ["good", "none", "late", "never"]}, splits)
    assert texts(tmp_path) == [
        "documents in more than one split: 1",
        "lines without a letter or a digit: 1",
        "labels of the card that no line has: 1",
        "lines in dev: 20; a grid tops up dev splits under 200 from train",
    ]
    assert texts(tmp_path, "error") == ["rel: test has labels that no train item has: 'late' (1 item)"]


def test_what_is_not_there_is_an_input_error(tmp_path: Path, write_corpus):
    write_corpus(tmp_path, REL, clean())
    with pytest.raises(InputError, match="did you mean 'rel'"):
        list(check(tmp_path, ["rell"]))
    with pytest.raises(InputError, match="no such folder"):
        list(check(tmp_path / "none"))


def test_the_command_ends_with_2_for_errors_and_with_0_for_warnings(tmp_path: Path, write_corpus, transfer):
    splits = clean()
    splits["test"][6]["text"] = "train number 8"
    home = write_corpus(tmp_path, REL, splits)
    code, out, _ = transfer("corpora", "check", tmp_path)
    assert code == 0
    assert "warning: rel: lines of test that are also in train: 1 of 200" in out
    assert out.endswith("corpora: 1; errors: 0; warnings: 1\n")
    (home / "dev.jsonl").write_text(json.dumps({"id": "1"}) + "\n")
    code, out, _ = transfer("corpora", "check", tmp_path, "--corpus", "rel")
    assert code == 2
    assert f"error: {home / 'dev.jsonl'} line 1: the key 'label' is missing" in out
    assert transfer("corpora", "check", tmp_path / "rel")[0] == 2


@pytest.mark.slow
def test_real_corpora_have_no_error_and_the_duplicates_counted_elsewhere(real_corpora: Path):
    found = list(check(real_corpora))
    assert not [f.text for f in found if f.level == "error"]
    counts = {(f.corpus, f.text.split(": ")[0]): f.count for f in found}
    expected = {"bc5cdr-disease": 16, "ddi2013": 61, "chemprot": 5, "stsb": 7, "sick-relatedness": 49}
    for name, count in expected.items():
        assert counts[name, "lines of test that are also in train"] == count
    for name, count in {"ddi2013": 26, "chemprot": 28, "chemprot13": 65, "nli4ct": 9, "rqe": 2}.items():
        assert counts[name, "texts with more than one label"] == count
