"""Subsets of a split: the fixed one, and samples that each seed draws."""

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.corpora.base import Card, Example, Limit, build
from transfer.corpora.sampling import stratified_subset

CARD = Card(name="c", kind="classification", metric="accuracy", labels=("a", "b", "c"))


def rows(labels, prefix: str = "x", doc=lambda i: "") -> list[Example]:
    return [Example(f"{prefix}{i}", (f"{prefix} text {i}",), label, doc(i)) for i, label in enumerate(labels)]


labels = st.lists(st.sampled_from("aaaabbc"), min_size=2, max_size=60)


@given(labels, st.data())
def test_a_subset_has_the_size_asked_for_and_each_labels_share(given_labels, data):
    examples = rows(given_labels)
    most = data.draw(st.integers(1, len(examples) - 1))
    subset = stratified_subset(examples, most, kind="classification")
    assert len(subset) == most
    whole, part = Counter(given_labels), Counter(e.gold for e in subset)
    for label, count in whole.items():
        assert abs(part[label] - most * count / len(examples)) < 1


@given(labels, st.data(), st.randoms(use_true_random=False))
def test_a_subset_is_the_same_in_any_order_of_rows(given_labels, data, rng: random.Random):
    examples = rows(given_labels)
    most = data.draw(st.integers(1, len(examples) - 1))
    shuffled = rng.sample(examples, len(examples))
    subset = stratified_subset(shuffled, most, kind="classification")
    assert set(subset) == set(stratified_subset(examples, most, kind="classification"))
    assert list(subset) == [e for e in shuffled if e in subset], "the old order is kept"


def test_a_smaller_subset_lies_mostly_in_a_larger_one():
    examples = rows("aabac" * 60)
    small = set(stratified_subset(examples, 50, kind="classification"))
    large = set(stratified_subset(examples, 120, kind="classification"))
    assert len(small - large) <= 2


@pytest.mark.parametrize(
    ("kind", "golds"),
    [
        ("similarity", [0.1, 0.2, 4.1, 4.2] * 10),
        ("tagging", [("O", "B-X"), ("O", "O"), ("B-Y", "I-Y"), ("B-X", "B-Y")] * 10),
        ("multilabel", [(), ("x",), ("x", "y"), ("y",)] * 10),
    ],
)
def test_every_kind_has_strata(kind, golds):
    examples = [Example(str(i), ("t",), gold) for i, gold in enumerate(golds)]
    found = Counter(e.gold for e in stratified_subset(examples, 20, kind=kind))
    if kind == "similarity":
        assert sum(count for gold, count in found.items() if gold < 1) == 10
    else:
        assert set(found.values()) == {5}


@given(labels, st.data(), st.text(min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_draw_has_the_size_asked_for_each_labels_share_and_no_order(given_labels, data, draw, rng):
    examples = rows(given_labels)
    most = data.draw(st.integers(1, len(examples) - 1))
    drawn = stratified_subset(examples, most, kind="classification", draw=draw)
    assert len(drawn) == most
    whole, part = Counter(given_labels), Counter(e.gold for e in drawn)
    for label, count in whole.items():
        assert abs(part[label] - most * count / len(examples)) < 1
    shuffled = rng.sample(examples, len(examples))
    assert set(drawn) == set(stratified_subset(shuffled, most, kind="classification", draw=draw))


@pytest.mark.parametrize(
    "golds",
    [
        ["a"] * 30 + ["b"] * 9 + ["c"],  # one example of a class
        [(f"B-{i}",) for i in range(40)],  # every example a stratum of its own, as in tagging
        [("B-X",)] * 25 + [(f"B-{i}",) for i in range(15)],
    ],
)
def test_every_example_is_as_likely_to_be_drawn_as_every_other(golds):
    kind = "classification" if isinstance(golds[0], str) else "tagging"
    examples = [Example(str(i), ("t",), gold) for i, gold in enumerate(golds)]
    draws = 600
    count = Counter(
        e.id for seed in range(draws) for e in stratified_subset(examples, 7, kind=kind, draw=f"seed {seed}")
    )
    share = np.array([count[e.id] for e in examples]) / draws
    error = np.sqrt(7 / 40 * (1 - 7 / 40) / draws)
    assert np.abs(share - 7 / 40).max() < 4.5 * error


def corpus_of(limit: Limit, *, train: int = 300, dev: int = 20, name: str = "c"):
    card = Card.model_validate({**CARD.model_dump(), "name": name})
    splits = {
        "train": rows("aab" * (train // 3), "train-", lambda i: f"doc {i // 4}"),
        "dev": rows("a" * dev, "dev-"),
        "test": rows("ab" * 20, "test-"),
    }
    return build(card, splits, source="prepared", limit=limit)


def test_each_seed_draws_its_own_train_and_the_same_dev_and_test():
    corpus = corpus_of(Limit(train=60, dev=50, test=10, resample=True))
    drawn = [corpus.drawn(seed) for seed in range(5)]
    assert [len(c.train) for c in drawn] == [60] * 5
    assert len({frozenset(e.id for e in c.train) for c in drawn}) == 5
    assert {c.dev for c in drawn} == {corpus.dev}
    assert {c.test for c in drawn} == {corpus.test}
    assert (len(corpus.dev), len(corpus.test)) == (50, 10)
    assert corpus.drawn(3).train == corpus.drawn(3).train
    assert corpus.train_items == 60
    assert "train: 60 of 216, drawn anew for each seed, stratified" in corpus.notes


def test_a_topped_up_dev_split_is_fixed_and_apart_from_every_sample():
    corpus = corpus_of(Limit(train=60, resample=True))
    topped_up = {e.doc for e in corpus.dev if e.doc}
    assert topped_up, "this dev split should have been topped up"
    assert corpus.dev == corpus_of(Limit()).dev
    for seed in range(20):
        assert not topped_up & {e.doc for e in corpus.drawn(seed).train}


def test_samples_of_two_corpora_are_drawn_independently():
    one, other = (corpus_of(Limit(train=60, resample=True), name=name) for name in ("c", "d"))
    ids = [[e.id for e in c.drawn(0).train] for c in (one, other)]
    assert ids[0] != ids[1]


def test_a_resampled_corpus_has_one_fingerprint_that_follows_pool_and_size():
    resampled = corpus_of(Limit(train=60, resample=True))
    assert resampled.drawn(0).fingerprint == resampled.drawn(1).fingerprint == resampled.fingerprint
    others = [
        Limit(train=60),
        Limit(train=61, resample=True),
        Limit(train=60, dev=50, resample=True),
        Limit(),
    ]
    prints = [corpus_of(limit).fingerprint for limit in others]
    prints.append(corpus_of(Limit(train=60, resample=True), train=303).fingerprint)
    assert len({resampled.fingerprint, *prints}) == 6


@pytest.mark.parametrize("limit", [{"train": 60}, {"train": 1000}, {"test": 10}])
def test_a_corpus_is_as_before_where_nothing_is_resampled(limit: dict):
    before = corpus_of(Limit(**limit))
    asked = Limit(**limit, resample=limit.get("train") != 60)
    assert corpus_of(asked).fingerprint == before.fingerprint
    assert corpus_of(asked).drawn(4) == before == before.drawn(2)
