"""Mixtures: protocol point 2 (matched arms) under every way to mix, and the ways' limits."""

import pytest

from tests.learning.test_batches import cut
from transfer.learning.mixing import COUNTS, Mixture
from transfer.methods import MIXING, Annealed, Mix, Temperature, Uniform

SIZES = {"a": 25, "b": 3, "c": 12}
EVERY = [
    MIXING["proportional"](method="proportional"),
    Uniform(method="uniform"),
    Temperature(method="temperature", temperature=3.0),
    Annealed(method="annealed", temperature=4.0),
]


def test_every_way_is_tried_here():
    assert {mix.method for mix in EVERY} == set(MIXING) == set(COUNTS)


def order_of(mixture: Mixture, corpus: str, epoch: int) -> list[tuple]:
    return [(b.items, b.seed) for b in mixture.epoch(epoch) if b.corpus == corpus]


@pytest.mark.parametrize("partners", [("b",), ("b", "c"), ("B",)])
def test_a_corpus_meets_the_same_batches_in_the_same_order_with_any_partner(partners: tuple[str, ...]):
    alone = Mixture({"a": cut("a", 21)}, seed=3)
    joint = Mixture({"a": cut("a", 21), **{p: cut(p, 50) for p in partners}}, seed=3)
    for epoch in (1, 2, 3):
        assert order_of(alone, "a", epoch) == order_of(joint, "a", epoch)


def test_the_order_in_which_corpora_are_given_changes_nothing():
    one = Mixture({"a": cut("a", 9), "b": cut("b", 9)}, seed=0)
    two = Mixture({"b": cut("b", 9), "a": cut("a", 9)}, seed=0)
    assert [b.items for b in one.epoch(1)] == [b.items for b in two.epoch(1)]


def test_an_epoch_has_each_example_once():
    mixture = Mixture({"a": cut("a", 21), "b": cut("b", 6)}, seed=1)
    seen = [(b.corpus, example) for b in mixture.epoch(4) for example, _, _ in b.items]
    assert sorted(seen) == [("a", i) for i in range(21)] + [("b", i) for i in range(6)]
    assert mixture.steps(1) == 6 + 2


def test_composition_is_cut_once_and_the_order_shuffled_each_epoch():
    mixture = Mixture({"a": cut("a", 80)}, seed=1)
    first, second = ([b.items for b in mixture.epoch(e)] for e in (1, 2))
    assert first != second
    assert sorted(first) == sorted(second)


def test_longer_epochs_go_through_whole_passes_one_after_the_other():
    """The same-steps control: 5 mini-batches, and 3 more an epoch in the place of a partner's."""
    plain = Mixture({"a": cut("a", 20)}, seed=1)
    longer = Mixture({"a": cut("a", 20)}, seed=1, extra=3)
    assert longer.steps(1) == 8
    steps = [(b.items, b.seed) for epoch in range(1, 6) for b in longer.epoch(epoch)]
    assert [len(list(longer.epoch(e))) for e in (1, 2)] == [8, 8]
    # 40 steps are 8 passes, each as the plain training's epoch of that number
    assert steps == [(b.items, b.seed) for epoch in range(1, 9) for b in plain.epoch(epoch)]


def test_masks_differ_between_epochs_batches_corpora_and_seeds():
    seeds = [
        b.seed
        for seed in (0, 1)
        for epoch in (1, 2)
        for b in Mixture({"a": cut("a", 9, seed=seed), "b": cut("b", 9, seed=seed)}, seed=seed).epoch(epoch)
    ]
    assert len(set(seeds)) == len(seeds) == 24


def test_corpora_take_turns_at_random():
    mixture = Mixture({"a": cut("a", 80), "b": cut("b", 80)}, seed=0)
    turns = "".join(b.corpus for b in mixture.epoch(1))
    assert turns.count("a") == turns.count("b") == 20
    assert "a" * 20 not in turns
    assert turns != "ab" * 20


@pytest.mark.parametrize("mix", EVERY, ids=str)
def test_under_every_way_a_corpus_meets_its_own_mini_batches_in_its_own_order(mix: Mix):
    """The number of mini-batches in an epoch depends on the partners; the n-th one does not."""
    alone = Mixture({"a": cut("a", 21)}, seed=3, epochs=12)
    own = [step for epoch in range(1, 13) for step in order_of(alone, "a", epoch)]
    for partners in (("b",), ("b", "c")):
        joint = Mixture({"a": cut("a", 21), **{p: cut(p, 9) for p in partners}}, seed=3, epochs=4, mix=mix)
        met = [step for epoch in (1, 2, 3, 4) for step in order_of(joint, "a", epoch)]
        assert len(met) >= 4
        assert met == own[: len(met)]


@pytest.mark.parametrize("mix", EVERY, ids=str)
def test_an_epoch_has_as_many_mini_batches_under_every_way_and_some_of_each(mix: Mix):
    for epoch in (1, 2, 3):
        counts = COUNTS[mix.method](SIZES, mix, epoch, 3)
        assert sum(counts.values()) == sum(SIZES.values())
        assert min(counts.values()) >= 1


def test_a_temperature_of_1_is_proportional_and_a_large_one_uniform():
    def counts(t: float) -> dict[str, int]:
        return COUNTS["temperature"](SIZES, Temperature(method="temperature", temperature=t), 1, 1)

    assert counts(1.0) == SIZES
    assert counts(1e9) == COUNTS["uniform"](SIZES, EVERY[1], 1, 1)
    assert sorted(counts(1e9).values()) == [13, 13, 14]
    assert SIZES["b"] < counts(2.0)["b"] < 13


def test_a_temperature_of_1_gives_the_very_steps_of_proportional():
    corpora = {"a": cut("a", 50), "b": cut("b", 9)}
    one = Mixture(corpora, seed=5, epochs=3, mix=Temperature(method="temperature", temperature=1.0))
    plain = Mixture(corpora, seed=5, epochs=3)
    for epoch in (1, 2, 3):
        assert [(b.items, b.seed) for b in one.epoch(epoch)] == [
            (b.items, b.seed) for b in plain.epoch(epoch)
        ]


def test_an_annealed_temperature_ends_proportional():
    mix = Annealed(method="annealed", temperature=50.0)
    of_b = [COUNTS["annealed"](SIZES, mix, epoch, 4)["b"] for epoch in (1, 2, 3, 4)]
    assert of_b == sorted(of_b, reverse=True)
    assert of_b[0] > SIZES["b"] == of_b[-1]
    assert COUNTS["annealed"](SIZES, mix, 1, 1) == SIZES


def test_progress_goes_from_0_to_1():
    mixture = Mixture({"a": cut("a", 21), "b": cut("b", 9)}, seed=0, epochs=3)
    told = [batch.progress for epoch in (1, 2, 3) for batch in mixture.epoch(epoch)]
    assert told[0] == 0.0
    assert told[-1] == 1.0
    assert told == sorted(told)
    assert len(told) == mixture.steps(3)


def test_together_a_step_sees_a_mini_batch_of_each_corpus():
    mixture = Mixture({"a": cut("a", 21), "b": cut("b", 9)}, seed=0, epochs=2, together=True)
    steps = list(mixture.epoch(1))
    assert [b.corpus for b in steps] == ["a", "b"] * 5  # 6 and 3 mini-batches: half of 9, rounded up
    assert [b.last for b in steps] == [False, True] * 5
    assert mixture.steps(2) == 10
    assert {b.progress for b in steps} == {step / 9 for step in range(5)}
