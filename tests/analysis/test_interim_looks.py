"""The error that each interim analysis may spend, checked on simulated studies with repeated looks."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.analysis.interim_looks import SPENDING, looks, shares


@given(st.integers(2, 20), st.integers(1, 40))
def test_looks_rise_from_the_first_to_the_most(first: int, more: int):
    at = looks(first, first + more)
    assert (at[0], at[-1]) == (first, first + more)
    assert list(at) == sorted(set(at))


def test_one_look_has_the_whole_error():
    assert shares((5,), 0.05) == (1.0,)


@pytest.mark.parametrize("at", [(3, 10), (3, 5, 7, 10), looks(3, 10)])
@pytest.mark.parametrize("level", [0.05, 0.01])
def test_studies_without_effect_are_claimed_as_often_as_was_spent_so_far(at, level: float):
    rng, studies = np.random.default_rng(3), 200_000
    total, passed = np.zeros(studies), np.zeros(studies, dtype=bool)
    for before, now, share in zip((0, *at), at, shares(at, level), strict=False):
        total += math.sqrt(now - before) * rng.normal(size=studies)
        z = np.abs(total) / math.sqrt(now)
        passed |= z > -NormalDist().inv_cdf(level * share / 2)
        spent = level * (now / at[-1]) ** SPENDING
        assert passed.mean() == pytest.approx(spent, abs=4 * math.sqrt(spent / studies))


def test_the_shares_of_a_small_level_serve_larger_ones():
    strict, loose = shares(looks(3, 10), 0.001), shares(looks(3, 10), 0.05)
    assert all(a <= b + 1e-9 for a, b in zip(strict, loose, strict=True))
    assert sum(loose) > 1 > loose[-1]
