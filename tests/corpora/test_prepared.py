"""Prepared folders: good ones of every kind are read; a wrong line is named with file and mend."""

import json
import re
from pathlib import Path

import pytest

from transfer import corpora
from transfer.corpora import prepared
from transfer.corpora.base import Card
from transfer.inputs import InputError
from transfer.metrics import measure_of

CARDS = {
    "sim": {"kind": "similarity", "metric": "pearson", "pair": True, "range": [0, 5]},
    "rel": {"kind": "classification", "metric": "micro_f1", "labels": ["good", "none"], "negative": "none"},
    "nli": {"kind": "classification", "metric": "accuracy", "labels": ["yes", "no"], "pair": True},
    "ner": {"kind": "tagging", "metric": "span_f1", "entities": ["Drug", "Sign"]},
    "multi": {"kind": "multilabel", "metric": "example_f1", "labels": ["x", "y"]},
}
ROWS = {
    "sim": {"id": "1", "text_a": "a", "text_b": "b", "score": 2.5},
    "rel": {"id": "1", "text": "a", "label": "good"},
    "nli": {"id": "1", "text_a": "a", "text_b": "b", "label": "no"},
    "ner": {"id": "1", "tokens": ["a", "b", "c"], "tags": ["O", "B-Drug", "I-Drug"]},
    "multi": {"id": "1", "text": "a", "labels": []},
}
SPLITS = ("train", "dev", "test")


@pytest.fixture
def home(tmp_path: Path, write_corpus):
    """``home("rel")`` writes a good corpus of three rows a split."""

    def write(name: str, **card) -> Path:
        rows = [{**ROWS[name], "id": str(i)} for i in range(3)]
        return write_corpus(tmp_path, {"name": name, **CARDS[name], **card}, dict.fromkeys(SPLITS, rows))

    return write


def message_of(home: Path) -> str:
    with pytest.raises(InputError) as caught:
        corpora.load(home.parent, [home.name])
    assert "\n" not in str(caught.value)
    return str(caught.value)


def with_line(home: Path, line: str | bytes, *, split: str = "dev") -> str:
    """The message where the second line of a split is ``line``; checks that it names the place."""
    path = home / f"{split}.jsonl"
    lines = path.read_bytes().splitlines()
    lines[1] = line.encode() if isinstance(line, str) else line
    path.write_bytes(b"\n".join(lines) + b"\n")
    message = message_of(home)
    assert message.startswith(f"{path} line 2: ")
    return message


def with_row(home: Path, **change) -> str:
    row = {**ROWS[home.name], "id": "1", **change}
    return with_line(home, json.dumps({k: v for k, v in row.items() if v is not None}))


@pytest.mark.parametrize("name", CARDS)
def test_good_ones_of_every_kind_are_read(home, name: str):
    (corpus,) = corpora.load(home(name).parent, [name])
    assert corpus.name == name
    assert corpus.source == "prepared"
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (3, 3, 3)
    example = corpus.test[1]
    assert example.id == "1"
    gold = {"sim": 2.5, "rel": "good", "nli": "no", "ner": ("O", "B-Drug", "I-Drug"), "multi": ()}
    assert example.gold == gold[name]
    assert example.text == {"sim": ("a", "b"), "nli": ("a", "b"), "ner": ("a", "b", "c")}.get(name, ("a",))


def test_documents_and_empty_lines_and_windows_line_ends(home):
    folder = home("rel")
    row = json.dumps({**ROWS["rel"], "doc": "d7"})
    (folder / "test.jsonl").write_bytes(b"\r\n" + row.encode() + b"\r\n\r\n")
    (corpus,) = corpora.load(folder.parent, ["rel"])
    assert [e.doc for e in corpus.test] == ["d7"]


def test_a_missing_corpus_names_the_nearest(home):
    folder = home("multi").parent
    with pytest.raises(InputError, match=f"there is no corpus 'mutli' in {folder}; did you mean 'multi'"):
        corpora.load(folder, ["mutli"])
    with pytest.raises(InputError, match="no such folder"):
        corpora.load(folder / "none", ["multi"])


def test_a_missing_synthetic_corpus_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'mednli'"):
        corpora.load("synthetic", ["mednly"])


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("rel", {"label": "god"}, "the label 'god' is not in the card's set; did you mean 'good'"),
        ("multi", {"labels": ["x", "z"]}, "the label 'z' is not in the card's set; known: x, y"),
        ("multi", {"labels": ["x", "x"]}, "names a label twice"),
        ("multi", {"labels": "x"}, "should be a list of texts"),
        ("ner", {"tags": ["O", "B-Drog", "O"]}, "'Drog' is not in the card's set; did you mean 'Drug'"),
        ("ner", {"tags": ["I-Drug", "O", "O"]}, "illegal BIO step, 'O' then 'I-Drug' at tag 1"),
        ("ner", {"tags": ["B-Sign", "I-Drug", "O"]}, "illegal BIO step, 'B-Sign' then 'I-Drug' at tag 2"),
        ("ner", {"tags": ["O", "E-Drug", "O"]}, "tag 2 is 'E-Drug'; it should be O, B-<type> or I-<type>"),
        ("ner", {"tags": ["O", "B-", "O"]}, "tag 2 is 'B-'"),
        ("ner", {"tags": ["O", "O"]}, "3 tokens but 2 tags"),
        ("ner", {"tokens": [], "tags": []}, "none of them empty"),
        ("ner", {"tokens": ["a", " ", "c"]}, "none of them empty"),
        ("ner", {"tokens": "a b c"}, "should be a list of texts"),
        ("rel", {"id": "0"}, "the id '0' is used twice; the first is at "),
        ("rel", {"id": 1}, "'id' should be a text that is not empty, not 1"),
        ("sim", {"score": "high"}, "'score' should be a number"),
        ("sim", {"score": True}, "'score' should be a number"),
        ("sim", {"score": float("nan")}, "'score' should be a number"),
        ("sim", {"score": 5.5}, "the score 5.5 is outside the card's range 0 to 5"),
        (
            "sim",
            {"text_b": None},
            "the key 'text_b' is missing; a similarity row has id, score, text_a, text_b",
        ),
        ("rel", {"label": None}, "the key 'label' is missing"),
        ("nli", {"text_a": None, "text": "a"}, "the key 'text_a' is missing"),
        ("rel", {"lable": "good"}, "unknown key 'lable'; did you mean 'label'"),
        ("rel", {"text": ""}, "'text' should be a text that is not empty"),
        ("rel", {"text": ["a"]}, "'text' should be a text that is not empty"),
        ("rel", {"doc": 3}, "'doc' should be a text that is not empty"),
    ],
)
def test_a_wrong_row_is_named_with_file_line_and_mend(home, name: str, change: dict, what: str):
    assert what in with_row(home(name), **change)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('{"id": "1", "text": "a", ', "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ('["a"]', "should be a JSON object"),
        (b'{"id": "1", "text": "caf\xe9", "label": "good"}', "not UTF-8 (byte 25 of the line)"),
        (r'{"id": "1", "text": "half a pair \ud800", "label": "good"}', "holds half a character"),
    ],
)
def test_a_broken_line_is_named(home, line: str | bytes, what: str):
    assert what in with_line(home("rel"), line)


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_is_checked(home, split: str):
    assert "not valid JSON" in with_line(home("rel"), "{", split=split)


@pytest.mark.parametrize("split", SPLITS)
def test_an_empty_and_a_missing_split(home, split: str):
    folder = home("rel")
    (folder / f"{split}.jsonl").write_text("\n")
    assert message_of(folder).startswith(f"{folder / split}.jsonl: holds no example")
    (folder / f"{split}.jsonl").unlink()
    assert message_of(folder).startswith(f"{folder / split}.jsonl: no such file")


@pytest.mark.parametrize(
    ("name", "change", "what"),
    [
        ("rel", {"labls": ["x"]}, "unknown key 'labls'; did you mean 'labels'"),
        ("rel", {"metric": "span_f1"}, "metric 'span_f1' does not measure a classification corpus"),
        (
            "sim",
            {"metric": "accuracy"},
            "metric 'accuracy' does not measure a similarity corpus; one of pearson",
        ),
        ("rel", {"metric": "micro-f1"}, "'micro_f1'"),
        ("rel", {"kind": "relation"}, "'classification'"),
        ("rel", {"labels": []}, "needs the key 'labels'"),
        ("ner", {"entities": []}, "needs the key 'entities'"),
        ("rel", {"labels": ["good", "none", "good"]}, "a label is listed twice"),
        ("rel", {"negative": "false"}, "the negative label 'false' is not among the labels"),
        ("nli", {"metric": "f1"}, "metric 'f1' needs two labels, one of them the negative"),
        ("rel", {"labels": [True, False]}, "'labels.0': without quotation marks, yes, no, on, off"),
        (
            "rel",
            {"labels": [1, "none"]},
            "'labels.0': without quotation marks, 1 is no text in YAML; quote it",
        ),
        ("rel", {"negative": False}, "'negative': without quotation marks, yes, no"),
        ("ner", {"entities": ["Drug", 2026]}, "'entities.1': without quotation marks, 2026 is no text"),
        ("rel", {"negative": None}, "without quotation marks, null is no label in YAML; quote it"),
        ("sim", {"range": [5, 0]}, "the range should be [lowest, highest]"),
    ],
)
def test_a_wrong_card_is_named(home, name: str, change: dict, what: str):
    folder = home(name, **change)
    message = message_of(folder)
    assert message.startswith(str(folder / "corpus.yaml"))
    assert what in message


def test_micro_f1_without_a_negative_label_counts_all_labels(home):
    folder = home("rel")
    (folder / "corpus.yaml").write_text(
        "name: rel\nkind: classification\nmetric: micro_f1\nlabels: [good, none]\n"
    )
    card = prepared.card_of(folder)
    # as old records keep it, with a null for each key that the card lacks
    assert Card.model_validate(card.model_dump(mode="json")) == card
    assert measure_of("micro_f1", negative=None)(["good", "none"], ["good", "good"]) == 0.5


def test_a_typo_in_a_card_has_its_line(home):
    folder = home("rel")
    card = "name: rel\nkind: classification\nmetric: accuracy\nlabels: [good, none]\nlicense: CC0\n"
    (folder / "corpus.yaml").write_text(card)
    assert (
        message_of(folder)
        == f"{folder / 'corpus.yaml'} line 5: unknown key 'license'; did you mean 'licence'?"
    )


def test_a_card_in_another_ones_folder(home):
    folder = home("rel")
    folder.rename(folder.parent / "copy")
    assert "the card's name is 'rel', its folder's 'copy'" in message_of(folder.parent / "copy")


def test_rows_of_a_program_are_checked_like_those_of_a_file():
    rows = {split: [{**ROWS["rel"], "label": "god"}] for split in SPLITS}
    with pytest.raises(InputError, match="rel train row 1: the label 'god'"):
        prepared.from_rows({"name": "rel", **CARDS["rel"]}, rows, source="synthetic")


@pytest.mark.slow
def test_every_real_corpus_is_read(real_corpora: Path):
    names = sorted(path.parent.name for path in real_corpora.glob("*/corpus.yaml"))
    assert names
    for corpus in corpora.load(real_corpora, names):
        assert corpus.train
        assert corpus.dev
        assert corpus.test
        total = len(corpus.train) + len(corpus.dev)
        assert len(corpus.dev) >= min(200, total // 3), corpus.name


OFFSETS = {
    "id": "1",
    "tokens": ["NSAIDs", "help"],
    "tags": ["O", "O"],
    "starts": [10, 17],
    "mentions": [["Drug", 10, 15]],
}


def tagging(row) -> tuple:
    card = Card(name="c", kind="tagging", metric="span_f1", entities=("Drug",))
    (example,) = prepared.examples(card, [("f line 1", row)])
    return example.gold  # type: ignore[return-value]


def test_a_gold_mention_without_tags_stands_behind_the_last_token():
    assert tagging(OFFSETS) == ("O", "O", "B-Drug")
    assert tagging(OFFSETS | {"tags": ["B-Drug", "O"], "mentions": [["Drug", 10, 16]]}) == ("B-Drug", "O")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"starts": [10]}, "'starts' should be"),
        ({"starts": [17, 10]}, "'starts' should be"),
        ({"starts": [10, "17"]}, "'starts' should be"),
        ({"mentions": [["Drug", 10]]}, "should be [type, start, end]"),
        ({"mentions": "Drug"}, "should be [type, start, end]"),
        ({"mentions": [["Drog", 10, 15]]}, "did you mean 'Drug'"),
        ({"tags": ["B-Drug", "O"]}, "the tags name a Drug from 10 to 16"),
    ],
)
def test_offsets_that_are_wrong_are_named(changed, said):
    with pytest.raises(InputError, match=re.escape(said)):
        tagging(OFFSETS | changed)


@pytest.mark.parametrize("key", ["starts", "mentions"])
def test_offsets_and_mentions_go_together(key):
    with pytest.raises(InputError, match=f"'{key}' is missing"):
        tagging({k: v for k, v in OFFSETS.items() if k != key})
