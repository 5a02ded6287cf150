"""Intervals against what can be computed otherwise, and their laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from transfer.analysis.estimate import Estimate, Runs, combined, crossed, over_seeds, two_way
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


@pytest.mark.parametrize(("seeds", "alpha"), [(4, 0.05), (4, 0.05 / 56), (30, 0.05)])
def test_the_detectable_gain_is_found_in_four_of_five_studies(seeds: int, alpha: float):
    gains = np.random.default_rng(0).normal(size=(4000, seeds))
    size = over_seeds(gains[0] / gains[0].std(ddof=1)).detectable(alpha)
    assert np.mean(over_seeds(gains + size).p < alpha) == pytest.approx(0.8, abs=0.025)


def test_what_is_smaller_than_the_smallest_effect_is_not_detectable():
    precise = over_seeds(np.array([0.1, 0.101, 0.099, 0.1]))
    assert precise.detectable(0.05) < 0.01
    assert 0.5 < precise.detectable(0.05, smallest=0.5) < 0.501
    assert math.isnan(over_seeds(np.array([0.1])).detectable(0.05))


def test_a_few_large_documents_leave_few_degrees_of_freedom():
    rng = np.random.default_rng(5)
    alike, unequal = rng.normal(size=(2, 3, 200))
    shares = np.stack([alike + alike[:1], (unequal + unequal[:1]) * np.exp(1.5 * rng.normal(size=200))])
    found = crossed(shares.mean(-1), shares)
    assert found.item_degrees[0] > 150
    assert found.item_degrees[1] < 60


def test_one_document_says_nothing_of_others():
    found = crossed(np.array([0.1, 0.2, 0.15]), np.array([[0.1], [0.2], [0.15]]))
    assert not found.known
    assert math.isnan(found.p)
    assert math.isnan(found.reach(0.05))
    assert math.isnan(found.p_equivalence(1.0))
    assert found.gain == pytest.approx(0.15)


def runs(rng, arms: int, joint: int, single: int, *, same: float, vary=(1.0, 1.0), documents=40):
    """Studies [arms] of a joint and a single arm that share ``same`` of their seeds' variance."""
    common = rng.normal(size=(arms, single, 1))
    own = [np.sqrt(same) * common[:, :n] + np.sqrt(1 - same) * rng.normal(size=(arms, n, 1))
           for n in (joint, single)]  # fmt: skip
    profit = 2 * rng.normal(size=(arms, 1, documents))
    shares = [v * o + rng.normal(size=(arms, o.shape[1], documents)) for v, o in zip(vary, own, strict=True)]
    shares[0] += profit
    return [Runs(values.mean(-1), values) for values in shares]


def test_as_many_single_runs_as_joint_ones_are_paired_whatever_matching_explains():
    joint, single = runs(np.random.default_rng(0), 5, 4, 4, same=0.1)
    paired = crossed(joint.scores - single.scores, joint.shares - single.shares)
    for matching in (0.0, 0.1, 1.0):
        found = combined(joint, single, matching)
        assert found.single == pytest.approx(single.scores.var(axis=-1, ddof=1))
        for mine, theirs in zip(found._replace(single=0.0), paired, strict=True):
            assert np.asarray(mine) == pytest.approx(np.asarray(theirs))


@pytest.mark.parametrize("same", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("vary", [(1.0, 1.0), (2.0, 1.0), (1.0, 2.0)])
def test_the_variances_of_a_combined_gain_are_those_over_many_studies(same: float, vary):
    joint, single = runs(np.random.default_rng(1), 6000, 3, 6, same=same, vary=vary)
    found = combined(joint, single, 0.1)
    # the joint arm's documents vary by 2 / sqrt(40)
    assert found.items.mean() == pytest.approx(4 / 40, rel=0.06)
    assert (found.over_seeds + found.items).mean() == pytest.approx(found.gain.var(), rel=0.08)
    paired = crossed(joint.scores - single.first(3).scores, joint.shares - single.first(3).shares)
    if same < 0.5:
        assert found.over_seeds.mean() < 0.95 * paired.seeds.mean()
    assert np.mean(np.abs(found.gain) <= found.reach(0.05)) > 0.94


def test_scores_alone_are_combined_with_the_test_items_as_given():
    joint, single = runs(np.random.default_rng(2), 3000, 5, 10, same=0.1)
    found = combined(Runs(joint.scores), Runs(single.scores), 0.1)
    assert not found.items.any()
    assert found.gain == pytest.approx(combined(joint, single, 0.1).gain)


def test_more_seeds_of_both_arms_shrink_both_variances():
    joint, single = runs(np.random.default_rng(3), 1, 3, 6, same=0.1)
    now = Estimate(*(float(np.squeeze(field)) for field in combined(joint, single, 0.1)))
    later = now.with_seeds(6)
    assert (later.seeds, later.unmatched) == (pytest.approx(now.seeds / 2), pytest.approx(now.unmatched / 2))
    assert (later.seed_degrees, later.unmatched_degrees) == (5, 11)
    assert later.reach(0.05) < now.reach(0.05)
