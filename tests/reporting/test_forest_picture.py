"""Axes of a forest plot: all gains are on them, and what does not matter can be seen."""

import itertools
import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.reporting.forest_picture import MOST_ROWS, forest_axes, legible, ticks


def edges(gains, spread):
    return pd.DataFrame(
        {"gain": gains, "ci_low": [g - spread for g in gains], "ci_high": [g + spread for g in gains]}
    )


def test_every_gain_is_on_the_wide_axis():
    axes = forest_axes(edges([0.01, -0.3, 0.02], 0.01), smallest_effect=0.005)
    assert axes.wide > 30


def test_every_interval_is_on_the_wide_axis():
    axes = forest_axes(edges([0.01, -0.3, 0.02, 0.0], 0.532), smallest_effect=0.005)
    assert axes.wide > 83.2
    wild = pd.concat([edges([0.01] * 9, 0.01), edges([0.02], 0.6)])
    assert forest_axes(wild, smallest_effect=0.005).wide > 62


def test_an_interval_beyond_what_a_score_can_change_does_not_widen_the_axis():
    assert 100 < forest_axes(edges([0.01, 0.02], 9.0), smallest_effect=0.005).wide < 110


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


def many(count: int, claims: int) -> pd.DataFrame:
    """Edges of which the first ones claim something, the later the more; then p grows."""
    gains = [(-1) ** n * 0.01 * (n + 1) for n in range(claims)] + [0.5] * (count - claims)
    verdicts = ["improves" if g > 0 else "harms" for g in gains[:claims]] + ["no effect"] * (count - claims)
    return pd.DataFrame(
        {
            "source": [f"s{n}" for n in range(count)],
            "target": "t",
            "gain": gains,
            "p": [n / count for n in range(count)],
            "verdict": verdicts,
        }
    )


def test_as_many_edges_as_a_page_holds_are_all_shown():
    edges = many(MOST_ROWS, 3)
    shown, note = legible(edges)
    assert shown.equals(edges)
    assert note == ""


def test_of_more_the_claims_come_first_and_then_the_smallest_p():
    shown, note = legible(many(400, 30).sample(frac=1, random_state=0))
    assert set(shown["source"]) == {f"s{n}" for n in range(MOST_ROWS)}
    assert "all 30 edges that improve or harm and the 102 others with the smallest p, of 400" in note
    shown, note = legible(many(400, 200))
    assert set(shown["source"]) == {f"s{n}" for n in range(200 - MOST_ROWS, 200)}
    assert "the 132 largest of 200 edges" in note


def test_an_edge_without_p_is_shown_last():
    edges = many(133, 0)
    edges.loc[0, "p"] = math.nan
    assert "s0" not in set(legible(edges)[0]["source"])
