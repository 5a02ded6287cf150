"""Looking again and again: the shares add up, decisions stand, errors stay what they should be."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer.analysis.inference import Estimate, over_seeds
from transfer.analysis.sequential import Verdicts, looks, shares

HALF = 0.5


@given(st.integers(3, 20), st.integers(1, 40))
def test_looks_rise_from_the_first_to_the_most_and_their_shares_add_up(first: int, more: int):
    at = looks(first, first + more)
    assert (at[0], at[-1]) == (first, first + more)
    assert list(at) == sorted(set(at))
    assert sum(shares(at)) == pytest.approx(1)
    assert min(shares(at)) > 0


def played(gains: dict[str, np.ndarray], at=(3, 5, 7, 10), **options) -> Verdicts[str]:
    """All looks on the gains of each edge, in points."""
    verdicts = Verdicts(list(gains), at=at, smallest_effect=HALF, **options)
    while verdicts.open:
        verdicts.look(lambda edge, seeds: over_seeds(gains[edge][:seeds]))
    return verdicts


def test_one_look_has_the_whole_error():
    gains = np.array([1.0, 1.2, 1.1])
    verdicts = played({"a": gains}, at=(3,))
    assert verdicts.states["a"].p == pytest.approx(over_seeds(gains).p)
    assert verdicts.states["a"].verdict == "improves"


def test_a_clear_edge_is_decided_early_and_its_verdict_stands():
    rng = np.random.default_rng(0)
    clear, tiny, noisy = 5 + 0.05 * rng.normal(size=10), 0.01 * rng.normal(size=10), rng.normal(size=10)
    verdicts = played({"clear": clear, "tiny": tiny, "noisy": 2 * noisy})
    states = verdicts.states
    assert (states["clear"].verdict, states["clear"].seeds) == ("improves", 3)
    assert (states["tiny"].verdict, states["tiny"].seeds) == ("no effect", 3)
    assert states["noisy"].verdict == "inconclusive"
    assert verdicts.open == ()


def test_an_edge_that_cannot_be_decided_any_more_is_given_up():
    gains = np.array([4.0, -4.0, 4.1, -4.1, 0.0, 3.0, -3.0, 2.0, -2.0, 1.0])
    state = played({"a": gains}).states["a"]
    assert state.verdict == "inconclusive"
    assert state.seeds == 5


def test_the_corrected_p_of_an_edge_never_rises_with_a_look():
    rng = np.random.default_rng(1)
    gains = {str(i): 0.4 + rng.normal(size=10) for i in range(6)}
    verdicts = Verdicts(list(gains), at=(3, 5, 7, 10), smallest_effect=HALF)
    before: dict[str, float] = {}
    while verdicts.open:
        verdicts.look(lambda edge, seeds: over_seeds(gains[edge][:seeds]))
        now = {edge: state.p for edge, state in verdicts.states.items()}
        assert all(now[edge] <= p for edge, p in before.items())
        before = now


def test_an_edge_without_any_gain_stays_inconclusive():
    verdicts = Verdicts(["a"], at=(3, 5), smallest_effect=HALF)
    while verdicts.open:
        verdicts.look(lambda edge, _: over_seeds(np.array([])))
    state = verdicts.states["a"]
    assert state.verdict == "inconclusive"
    assert math.isnan(state.p)


@pytest.mark.parametrize("noise", [0.3, 3.0])
def test_nothing_is_called_something_no_more_often_than_allowed(noise: float):
    rng = np.random.default_rng(5)
    claims = [
        played({"a": noise * rng.normal(size=10)}).states["a"].verdict in ("improves", "harms")
        for _ in range(1500)
    ]
    # 5 % of 1,500 and three standard errors of that
    assert np.mean(claims) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1500)


def test_equivalence_is_the_interval_inside_the_margin():
    rng = np.random.default_rng(2)
    for _ in range(200):
        found = over_seeds(0.3 * rng.normal(size=5))
        inside = abs(found.gain) + found.reach(2 * 0.05) < HALF
        assert (found.p_equivalence(HALF) < 0.05) == inside
    assert Estimate(0.6, 1e-4, 0.0, 4, 0).p_equivalence(HALF) > 0.5
