"""Axes of a forest plot: all gains are on them, and what does not matter can be seen."""

import itertools
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.analysis.forest import forest_axes, ticks


def edges(gains, spread):
    return pd.DataFrame(
        {"gain": gains, "ci_low": [g - spread for g in gains], "ci_high": [g + spread for g in gains]}
    )


def test_every_gain_is_on_the_wide_axis():
    axes = forest_axes(edges([0.01, -0.3, 0.02], 0.01), smallest_effect=0.005)
    assert axes.wide > 30


def test_a_second_axis_only_where_the_band_cannot_be_seen():
    assert forest_axes(edges([0.01, -0.02], 0.01), smallest_effect=0.005).near is None
    assert forest_axes(edges([0.01, -0.7], 0.01), smallest_effect=0.005).near == pytest.approx(2.5)


def test_edges_without_an_interval_or_none_at_all_have_axes():
    assert forest_axes(edges([0.1], math.nan), smallest_effect=0.005).wide > 10
    assert forest_axes(edges([], 0.0), smallest_effect=0.005).wide > 2


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(3, 8))
def test_ticks_are_inside_evenly_spaced_and_few(low, span, most):
    found = ticks(low, low + span, most)
    assert 1 <= len(found) <= most
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in found)
    steps = [b - a for a, b in itertools.pairwise(found)]
    assert max(steps, default=0) == pytest.approx(min(steps, default=0), rel=1e-6, abs=1e-9)
