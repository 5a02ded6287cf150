"""Cross-fitting over seeds and test items: by hand, and on choices among options that are all the same."""

import math

import numpy as np
import pytest

from transfer.analysis.crossfit import Crossfit, SeedGains


def largest(chosen_by, left_out) -> float:
    return left_out[max(chosen_by, key=chosen_by.__getitem__)]


def seed_gains(by_seed, shares) -> SeedGains:
    return SeedGains(by_seed, SeedGains.halved("t", np.array(shares)))


def nothing(rng: np.random.Generator, *, by_seed: float, by_item: float, seeds: int = 3, items: int = 300):
    """Ten options that gain nothing, all tested on the same items."""
    options = {}
    for i in range(10):
        luck = by_seed * rng.normal(size=(seeds, 1))
        shares = luck + by_item * rng.normal(size=(1, items)) + 0.1 * rng.normal(size=(seeds, items))
        options[i] = seed_gains(dict(enumerate(shares.mean(axis=1))), shares)
    return options


@pytest.mark.parametrize(("by_seed", "by_item"), [(0.01, 0.0), (0.0, 0.2), (0.01, 0.2)])
def test_the_value_is_free_of_the_luck_of_seeds_and_items(by_seed: float, by_item: float):
    rng = np.random.default_rng(3)
    naive, by_seeds, by_both = [], [], []
    for _ in range(200):
        options = nothing(rng, by_seed=by_seed, by_item=by_item)
        naive.append(max(np.mean([*o.by_seed.values()]) for o in options.values()))
        by_both.append(Crossfit(options).value(largest))
        without = {key: SeedGains(o.by_seed) for key, o in options.items()}
        by_seeds.append(Crossfit(without).value(largest))
    error = np.std(by_both) / len(by_both) ** 0.5
    assert np.mean(naive) > 10 * error
    assert abs(np.mean(by_both)) < 3.5 * error
    if by_item:
        assert np.mean(by_seeds) > 0.25 * np.mean(naive), "items are luck too, and all seeds share them"


def test_the_folds_by_hand():
    a = seed_gains({0: 0.5, 4: 0.0}, [[1.0, 0.0], [0.0, 0.0]])
    b = seed_gains({0: 0.0, 4: 0.5}, [[0.0, 0.0], [0.0, 1.0]])
    seen = []
    Crossfit({"a": a, "b": b}).value(lambda chosen_by, left_out: seen.append((chosen_by, left_out)) or 0.0)
    assert len(seen) == 4
    halves = sorted((left["a"], left["b"]) for _, left in seen)
    # seed 0 left out: one half has a's 1; seed 4 left out: one half has b's 1; the other halves have nothing
    assert halves == [(0.0, 0.0), (0.0, 0.0), (0.0, 1.0), (1.0, 0.0)]
    for chosen_by, left_out in seen:
        assert not (left_out["a"] and chosen_by["a"]), "what is left out did not help to choose"


def test_seeds_that_an_option_lacks_are_not_used_and_one_seed_has_no_value():
    a, b = SeedGains({0: 1.0, 1: 2.0, 2: 3.0}), SeedGains({1: 0.0, 2: 0.0})
    folds = Crossfit({"a": a, "b": b})
    assert folds.seeds == [1, 2]
    assert not folds.items
    assert folds.value(largest) == pytest.approx(2.5)
    assert math.isnan(Crossfit({"a": SeedGains({0: 1.0})}).value(largest))
    assert math.isnan(Crossfit({}).value(largest))
