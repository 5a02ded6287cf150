"""Intervals against what can be computed otherwise, and their laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from transfer.analysis.inference import Estimate, over_seeds, two_way
from transfer.metrics import measure_of

ACCURACY = measure_of("accuracy")


def parts(right: np.ndarray) -> np.ndarray:
    """[seeds, items, 2] parts of accuracy from which items were right."""
    return np.stack([right.astype(float), np.ones(right.shape)], axis=-1)


def drawn(seed: int, *, seeds: int = 5, items: int = 60, gain: float = 0.1, spread: float = 0.5):
    """Two arms' parts: right where a latent value is positive; items differ in how they profit."""
    rng = np.random.default_rng(seed)
    item, profit = rng.normal(size=(1, items)), spread * rng.normal(size=(1, items))
    noise = rng.normal(size=(2, seeds, items))
    return parts(item + noise[0] > 0), parts(item + profit + gain + noise[1] > 0)


def test_over_seeds_is_the_paired_t_test():
    gains = np.array([0.01, 0.02, 0.04, -0.01])
    found, theirs = over_seeds(gains), stats.ttest_1samp(gains, 0)
    assert found.p == pytest.approx(theirs.pvalue)
    interval = theirs.confidence_interval(0.95)
    assert found.gain - found.reach(0.05) == pytest.approx(interval.low)
    assert found.gain + found.reach(0.05) == pytest.approx(interval.high)


def test_the_variances_of_accuracy_are_those_of_the_two_way_table():
    single, joint = drawn(1, spread=2.0)
    found = two_way(single, joint, ACCURACY)
    table = joint[..., 0] - single[..., 0]  # of a mean, the pseudo-values are the items themselves
    seeds, items = table.shape
    rows, columns = table.mean(axis=1), table.mean(axis=0)
    rest = table - rows[:, None] - columns + table.mean()
    ms_row = items * ((rows - table.mean()) ** 2).sum() / (seeds - 1)
    ms_column = seeds * ((columns - table.mean()) ** 2).sum() / (items - 1)
    ms_rest = (rest**2).sum() / ((seeds - 1) * (items - 1))
    assert found.gain == pytest.approx(table.mean())
    assert found.seeds == pytest.approx(ms_row / table.size)
    assert ms_column > ms_rest
    assert found.items == pytest.approx((ms_column - ms_rest) / table.size)


def test_items_that_all_profit_alike_add_nothing():
    rng = np.random.default_rng(0)
    right = rng.random((4, 50)) < 0.6
    found = two_way(parts(right), parts(right[::-1]), ACCURACY)
    alone = over_seeds(right[::-1].mean(axis=1) - right.mean(axis=1))
    assert found.items == pytest.approx(0, abs=2e-3)
    assert found.error >= alone.error * 0.999999


@given(st.integers(0, 10_000), st.sampled_from([0.01, 0.05, 0.2]))
def test_p_and_interval_say_the_same(seed: int, alpha: float):
    found = two_way(*drawn(seed), ACCURACY)
    if not found.known or abs(found.p - alpha) < 1e-6:
        return
    assert (found.p < alpha) == (abs(found.gain) > found.reach(alpha))


@given(st.integers(0, 10_000))
def test_swapping_the_arms_flips_the_gain_and_nothing_else(seed: int):
    single, joint = drawn(seed)
    there, back = two_way(single, joint, ACCURACY), two_way(joint, single, ACCURACY)
    assert there.gain == -back.gain
    assert there[1:] == pytest.approx(back[1:])


def test_neither_the_order_of_seeds_nor_of_items_matters():
    single, joint = drawn(3)
    order = np.random.default_rng(0).permutation(single.shape[1])
    mixed = two_way(single[::-1, order], joint[::-1, order], ACCURACY)
    assert mixed == pytest.approx(two_way(single, joint, ACCURACY))


def test_one_seed_or_gains_that_do_not_vary_say_nothing():
    single, joint = drawn(3)
    assert math.isnan(two_way(single[:1], joint[:1], ACCURACY).p)
    still = two_way(single[[0, 0, 0]], joint[[0, 0, 0]], ACCURACY)
    assert math.isnan(still.p)
    assert math.isnan(still.reach(0.05))
    assert still.gain == pytest.approx(joint[0, :, 0].mean() - single[0, :, 0].mean())


def test_overwhelming_evidence_has_the_smallest_p_and_no_evidence_has_p_1():
    assert Estimate(0.5, 1e-12, 1e-12, 9, 100_000).p < 1e-12
    assert Estimate(0.0, 1e-4, 0.0, 4, 0).p == 1.0


def test_the_detectable_gain_is_found_in_four_of_five_studies():
    rng = np.random.default_rng(0)
    gains = rng.normal(size=(4000, 30))
    size = over_seeds(gains[0] / gains[0].std(ddof=1)).detectable(0.05)
    found = np.mean([over_seeds(g + size).p < 0.05 for g in gains])
    assert 0.75 < found < 0.85
