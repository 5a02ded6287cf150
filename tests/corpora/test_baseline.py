"""The baseline: what a constant that is fit on train scores on test, against scikit-learn's."""

import pytest
from sklearn.dummy import DummyClassifier
from sklearn.metrics import accuracy_score

from transfer.corpora import prepared
from transfer.corpora.base import SPLITS
from transfer.corpora.baseline import Baseline, baseline_of
from transfer.kinds import Kind, kind_of


def corpus(card: dict, train: list, test: list):
    """A corpus with these gold values; dev has those of train."""
    key = kind_of(card["kind"]).gold

    def row(split: str, i: int, gold) -> dict:
        texts = {"text_a": f"{split} {i}", "text_b": "b"} if key == "score" else {"text": f"{split} {i}"}
        texts = {"tokens": [f"w{n}" for n in range(len(gold))]} if key == "tags" else texts
        return {"id": f"{split}-{i}", **texts, key: gold}

    golds = {"train": train, "dev": train, "test": test}
    rows = {split: [row(split, i, gold) for i, gold in enumerate(golds[split])] for split in SPLITS}
    return prepared.from_rows({"name": "c", **card}, rows, source="prepared")


def test_the_majority_class_of_train_on_test():
    train, test = list("aabbbcb" * 9), list("abcabbbca")
    found = baseline_of(
        corpus({"kind": "classification", "metric": "accuracy", "labels": ["a", "b", "c"]}, train, test)
    )
    dummy = DummyClassifier().fit([[0]] * len(train), train)
    assert found == Baseline(
        predictor="always 'b'", value=accuracy_score(test, dummy.predict([[0]] * len(test)))
    )


@pytest.mark.parametrize(
    ("train", "value"), [(["no", "no", "no", "yes"] * 9, 0.0), (["yes", "yes", "no"] * 9, 0.8)]
)
def test_f1_of_the_majority_class(train, value):
    card = {"kind": "classification", "metric": "micro_f1", "labels": ["yes", "no"], "negative": "no"}
    # all three are called positive, two of them are: precision 2/3, recall 1
    assert baseline_of(corpus(card, train, ["yes", "no", "yes"])).value == pytest.approx(value)


def test_a_constant_has_no_correlation():
    found = baseline_of(corpus({"kind": "similarity", "metric": "pearson"}, [1.0, 2.0, 4.5] * 9, [1.0, 3.0]))
    assert (found.predictor, found.value, found.reference) == ("always the mean score 2.50", None, 0.0)
    assert found.undefined == "all 2 predictions are 2.5"


def test_no_mention_finds_nothing():
    card = {"kind": "tagging", "metric": "span_f1", "entities": ["X"]}
    found = baseline_of(corpus(card, [["B-X", "O"]] * 9, [["O", "B-X"], ["O"]]))
    assert found == Baseline(predictor="no mention", value=0.0)


def test_the_most_frequent_label_set():
    card = {"kind": "multilabel", "metric": "example_f1", "labels": ["x", "y"]}
    found = baseline_of(corpus(card, [["y", "x"], ["x", "y"], ["x"], []] * 9, [["x"], []]))
    # F1 of {x, y} against {x} is 2/3, against nothing 0
    assert (found.predictor, found.value) == ("always x and y", pytest.approx(1 / 3))


def test_where_gold_leaves_the_score_undefined_so_does_the_baseline():
    card = {"kind": "tagging", "metric": "span_f1", "entities": ["X"]}
    found = baseline_of(corpus(card, [["B-X", "O"]] * 9, [["O"], ["O"]]))
    assert (found.value, found.undefined) == (None, "none of the 2 gold items has a mention")


def test_a_kind_that_names_no_predictor_has_no_baseline(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(type(kind_of("classification")), "baseline", Kind.baseline)
    card = {"kind": "classification", "metric": "accuracy", "labels": ["a", "b"]}
    assert baseline_of(corpus(card, ["a", "b"] * 9, ["a", "b"])) is None
