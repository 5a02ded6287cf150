"""Critical values: the level of a test by exact integration, and the two textbook rules that bracket it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from transfer.analysis.critical import critical_value, two_sided_p

RATIOS = np.sin(np.linspace(0.05, np.pi / 2, 25)) ** 2  # the true share of the first variance
LEVELS = (0.05, 0.005, 0.05 / 56)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(200)
MANY = 1e7  # degrees of freedom of a variance that is known


def draws(degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Values of an estimated variance whose true value is 1, and their weights (Gauss-Legendre in z)."""
    z = 8 * NODES
    value = np.where(
        z < 0, stats.chi2.ppf(stats.norm.cdf(z), degrees), stats.chi2.isf(stats.norm.sf(z), degrees)
    )
    return value / degrees, 8 * WEIGHTS * stats.norm.pdf(z)


def level(share: float, degrees: float, alpha: float, rule=critical_value) -> float:
    """The rate of significant results at a true mean of 0, the second variance known."""
    value, weight = draws(degrees)
    first, second = share * value, 1 - share
    bound = rule([first, second], [degrees, MANY], alpha) * np.sqrt(first + second)
    return float((2 * stats.norm.sf(bound) * weight).sum())


def satterthwaite(variances, degrees, alpha):
    total = sum(variances)
    free = total**2 / sum(v**2 / d for v, d in zip(variances, degrees, strict=True))
    return stats.t.isf(alpha / 2, free)


def cochran(variances, degrees, alpha):
    total = sum(variances)
    return sum(v / total * stats.t.isf(alpha / 2, d) for v, d in zip(variances, degrees, strict=True))


@pytest.mark.parametrize("degrees", range(2, 10))
@pytest.mark.parametrize("alpha", LEVELS)
def test_the_level_is_at_most_a_tenth_above_nominal(degrees: int, alpha: float):
    found = [level(share, degrees, alpha) / alpha for share in RATIOS]
    assert max(found) < 1.1
    assert found[-1] == pytest.approx(1, abs=0.01)  # the first variance is everything: Student's t
    if degrees >= 6:
        assert min(found) > 0.6  # little of the error goes unused


def test_the_textbook_rules_would_claim_too_much():
    """The integration sees what the rule is for."""
    assert max(level(share, 6, 0.05 / 56, satterthwaite) for share in RATIOS) > 2 * 0.05 / 56
    assert max(level(share, 2, 0.05 / 56, cochran) for share in RATIOS) > 2 * 0.05 / 56


def test_the_level_holds_where_both_variances_are_estimated_from_few():
    for few, more in ((2, 5), (4, 5), (6.5, 5), (9, 19)):
        (a, wa), (b, wb) = draws(few), draws(more)
        for alpha in LEVELS:
            for share in RATIOS[::4]:
                first, second = share * a[:, None], (1 - share) * b
                bound = critical_value([first, second], [few, more], alpha) * np.sqrt(first + second)
                assert (2 * stats.norm.sf(bound) * wa[:, None] * wb).sum() < 1.15 * alpha


@given(
    st.lists(st.tuples(st.floats(0.01, 100), st.floats(1, 300)), min_size=1, max_size=3),
    st.floats(1e-6, 0.5),
    st.floats(0.01, 5),
)
def test_p_is_the_level_whose_interval_just_reaches(parts, alpha: float, distance: float):
    variances, degrees = zip(*parts, strict=True)
    error = np.sqrt(sum(variances))
    p = float(two_sided_p(distance * error, variances, degrees))
    assert float(critical_value(variances, degrees, p)) == pytest.approx(distance, rel=1e-6)
    if abs(p - alpha) > 1e-9:
        assert (p < alpha) == (float(critical_value(variances, degrees, alpha)) < distance)
    assert satterthwaite(variances, degrees, alpha) <= critical_value(variances, degrees, alpha) * (1 + 1e-9)


def test_one_variance_has_students_quantile_and_a_part_without_variance_does_not_count():
    assert float(critical_value([2.0], [4], 0.05)) == pytest.approx(stats.t.isf(0.025, 4))
    assert float(critical_value([2.0, 0.0], [4, 1], 0.05)) == pytest.approx(stats.t.isf(0.025, 4))
    assert np.isnan(critical_value([0.0, 0.0], [4, 4], 0.05))
    assert np.isnan(two_sided_p(1.0, [np.nan], [4]))


def test_arrays_give_what_scalars_give():
    rng = np.random.default_rng(0)
    gain, first, second, degrees = rng.normal(size=20), *rng.gamma(2, size=(2, 20)), rng.uniform(2, 20, 20)
    many = two_sided_p(gain, [first, second], [degrees, 99])
    one = [two_sided_p(g, [a, b], [d, 99]) for g, a, b, d in zip(gain, first, second, degrees, strict=True)]
    assert many == pytest.approx(np.array(one), rel=1e-7)
