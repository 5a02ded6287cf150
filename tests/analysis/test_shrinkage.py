"""Expected gains: limits that are known, and that neither luck nor a shared arm is promised."""

import numpy as np
import pytest

from transfer.analysis.estimate import Estimate
from transfer.analysis.shrinkage import expected_gains


def expected(gains, variances, targets, **other) -> np.ndarray:
    """With variances over seeds of 30 degrees of freedom, and none from test items."""
    found = [Estimate(g, v, 0.0, 30, 100) for g, v in zip(gains, variances, strict=True)]
    return expected_gains(found, targets, **other)


def test_gains_that_noise_explains_are_expected_to_be_near_nothing():
    rng = np.random.default_rng(0)
    targets = np.repeat(np.arange(8), 7)
    gains = rng.normal(0, 0.01, 8)[targets] + rng.normal(0, 0.01, 56)
    found = expected(gains, np.full(56, 2e-4), targets.tolist())
    assert np.abs(found).max() < 0.25 * np.abs(gains).max()


def test_a_gain_far_beyond_its_error_is_hardly_shrunk():
    found = expected([0.3, 0.0, 0.001, -0.002], [1e-6] * 4, ["a", "b", "c", "d"])
    assert found[0] == pytest.approx(0.3, rel=0.01)


def test_the_fewer_seeds_a_variance_rests_on_the_more_its_gain_is_shrunk():
    gains, targets = [0.05, 0.01, -0.01, 0.0, 0.02, 0.0], list("abcdef")
    sure, unsure = (
        expected_gains([Estimate(g, 2e-4, 0.0, degrees, 100) for g in gains], targets)[0]
        for degrees in (30, 3)
    )
    assert unsure < 0.9 * sure


def test_the_order_and_the_unit_do_not_matter():
    rng = np.random.default_rng(1)
    gains, variances = rng.normal(0, 0.02, 12), rng.uniform(1e-5, 2e-4, 12)
    targets = [f"t{i % 4}" for i in range(12)]
    found = expected(gains, variances, targets)
    order = rng.permutation(12)
    moved = expected(gains[order], variances[order], [targets[i] for i in order])
    assert moved == pytest.approx(found[order], abs=1e-9)
    assert expected(100 * gains, 1e4 * variances, targets) == pytest.approx(100 * found, rel=1e-6)
    assert expected(-gains, variances, targets) == pytest.approx(-found, abs=1e-9)


def test_a_bad_draw_of_the_single_task_runs_is_not_taken_for_helpful_partners():
    """All gains of one target are high by the same amount: half of the error is shared."""
    targets = ["bad draw"] * 6 + [f"t{i}" for i in range(6) for _ in range(6)]
    rng = np.random.default_rng(2)
    gains = np.concatenate([np.full(6, 0.02), rng.normal(0, 0.007, 36)])
    variances = np.full(42, 2e-4)
    aware = expected(gains, variances, targets, shared=0.5)[:6]
    unaware = expected(gains, variances, targets, shared=0.0)[:6]
    assert aware.mean() < 0.7 * unaware.mean()


def test_an_unknown_error_gives_no_expectation():
    found = expected([0.01, 0.02, np.nan, 0.03], [0.0, 1e-4, 1e-4, 1e-4], ["a", "a", "a", "a"])
    assert np.isnan(found[[0, 2]]).all()
    assert np.isfinite(found[[1, 3]]).all()
    assert expected_gains([], []).shape == (0,)
