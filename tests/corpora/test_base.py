"""Limits, the dev split's top-up and fingerprints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.corpora.base import Card, Example, Limit, build

CARD = Card(name="c", kind="classification", metric="accuracy", labels=("a", "b", "c"))


def rows(labels, prefix: str = "x", doc=lambda i: "") -> list[Example]:
    return [Example(f"{prefix}{i}", (f"{prefix} text {i}",), label, doc(i)) for i, label in enumerate(labels)]


def built(train=60, dev=40, test=20, *, card: Card = CARD, limit: Limit | None = None, **doc):
    splits = {
        "train": rows("abc" * (train // 3) + "a" * (train % 3), "train-", **doc),
        "dev": rows("a" * dev, "dev-"),
        "test": rows("a" * test, "test-"),
    }
    return build(card, splits, source="prepared", limit=limit)


def test_a_limit_is_written_down_and_a_large_one_is_not():
    corpus = built(limit=Limit(train=30, test=1000))
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (30, 40, 20)
    assert "train: a stratified subset of 30 of 60" in corpus.notes
    assert not any(note.startswith("test") for note in corpus.notes)


def test_a_limit_holds_where_splits_use_the_same_ids():
    """Ids are unique in a split only, and dev takes rows of train."""
    splits = {"train": rows("abc" * 100), "dev": rows("bca" * 10), "test": rows("abc")}
    corpus = build(CARD, splits, source="prepared", limit=Limit(dev=50))
    assert len(corpus.dev) == 50


def test_a_small_dev_split_takes_whole_documents_of_train():
    corpus = built(900, 11, doc=lambda i: f"doc {i // 5}")
    assert 200 <= len(corpus.dev) < 205
    assert len(corpus.train) + len(corpus.dev) == 911
    assert not {e.doc for e in corpus.train} & {e.doc for e in corpus.dev}
    assert corpus.notes == (
        f"dev topped up from 11 to {len(corpus.dev)} with {(len(corpus.dev) - 11) // 5} documents of train",
    )


def test_a_dev_split_that_is_large_enough_stays():
    corpus = built(300, 200)
    assert len(corpus.dev) == 200
    assert corpus.notes == ()


@given(train=st.integers(1, 120), dev=st.integers(1, 60), size=st.integers(1, 130))
def test_dev_never_takes_more_than_a_third(train, dev, size):
    corpus = built(train, dev, doc=lambda i: f"doc {i // size}")
    assert len(corpus.train) > 0
    assert len(corpus.dev) <= max(dev, (train + dev) // 3)


def test_whose_dev_is_topped_up_depends_on_no_order():
    train = rows("abc" * 100, "train-")
    dev, test = rows("a", "dev-"), rows("a", "test-")
    one = build(CARD, {"train": train, "dev": dev, "test": test}, source="prepared")
    two = build(CARD, {"train": train[::-1], "dev": dev, "test": test}, source="prepared")
    assert set(one.dev) == set(two.dev)


def changed(split: str, **change) -> str:
    splits = {name: rows("abc", f"{name}-") for name in ("train", "dev", "test")}
    e = splits[split][1]
    old = {"id": e.id, "text": e.text, "gold": e.gold, "doc": e.doc}
    splits[split][1] = Example(**{**old, **change})
    return build(CARD, splits, source="prepared").fingerprint


def test_a_fingerprint_follows_every_text_and_label():
    changes = [{}, {"text": ("other",)}, {"gold": "c"}, {"id": "other"}, {"doc": "d"}]
    prints = {changed(split, **c) for split in ("train", "dev", "test") for c in changes}
    assert len(prints) == 1 + 3 * 4
    assert changed("train") == changed("test"), "and nothing else"


@pytest.mark.parametrize(
    "change", [{"labels": ("a", "b", "c", "d")}, {"negative": "c", "metric": "micro_f1"}]
)
def test_a_fingerprint_follows_what_the_card_rules(change):
    other = Card.model_validate({**CARD.model_dump(), **change})
    assert built(card=other).fingerprint != built().fingerprint


def test_a_fingerprint_does_not_follow_what_is_only_said():
    said = {
        "licence": "CC BY 4.0",
        "source": "a paper",
        "domain": "clinical",
        "text": "abstracts",
        "name": "d",
    }
    other = Card.model_validate({**CARD.model_dump(), **said})
    assert built(card=other).fingerprint == built().fingerprint


def test_a_subset_has_a_fingerprint_of_its_own():
    assert built(limit=Limit(train=30)).fingerprint != built().fingerprint
