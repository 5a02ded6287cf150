"""Looking again and again: decisions stand, pairs go together, errors stay what they should be."""

import math

import numpy as np
import pytest

from transfer.analysis.estimate import Estimate, over_seeds
from transfer.analysis.verdicts import Verdicts

HALF = 0.5
EVERY = tuple(range(3, 11))


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
    state = played({"a": HOPELESS}).states["a"]
    assert state.verdict == "inconclusive"
    assert state.seeds == 5


def arms(edge: str) -> tuple[str, str]:
    """``ab`` is the edge from a to b."""
    return edge[1], "".join(sorted(edge))


def seen(gains: dict[str, np.ndarray]) -> tuple[Verdicts[str], list[tuple[str, int]]]:
    """The verdicts with arms, and which edge was asked for after how many seeds."""
    asked = []
    verdicts = Verdicts(list(gains), at=(5, 7, 10), smallest_effect=HALF, arms=arms)

    def estimate(edge: str, seeds: int) -> Estimate:
        asked.append((edge, seeds))
        return over_seeds(gains[edge][:seeds])

    while verdicts.open:
        verdicts.look(estimate)
    return verdicts, asked


# after 5 seeds: in doubt, to be an improvement; nothing to expect ever; decided later in 1 of 9; clear
DOUBTFUL = np.array([1.2, 0.1, 1.9, -0.2, 1.6, 1.3, 1.1, 0.9, 1.2, 1.0])
HOPELESS = np.array([4.0, -4.0, 4.1, -4.1, 0.0, 3.0, -3.0, 2.0, -2.0, 1.0])
FAINT = 0.43 + np.array([1.0, -1.0, 0.6, -0.6, 0.0, 0.4, -0.4, 0.2, -0.2, 0.0])
CLEAR = 5 + 0.01 * np.arange(10)


def test_a_pair_goes_on_for_its_two_edges_together():
    _, asked = seen({"ab": FAINT, "ba": -FAINT})
    assert {("ab", 7), ("ba", 7)} <= set(asked)
    _, asked = seen({"ab": FAINT, "cd": -FAINT})
    assert asked == [("ab", 5), ("cd", 5)]


@pytest.mark.parametrize(("most", "goes_on"), [(6, True), (40, False)])
def test_a_pair_must_promise_more_the_more_of_its_seeds_are_still_to_come(monkeypatch, most, goes_on):
    # that its edge will be decided
    monkeypatch.setattr(Verdicts, "_chances", lambda _, edges, level: [0.2] * len(edges))
    verdicts = Verdicts(["ab"], at=(5, most), smallest_effect=HALF, arms=arms)
    verdicts.look(lambda edge, seeds: over_seeds(DOUBTFUL[:seeds]))
    assert bool(verdicts.open) == goes_on


def test_a_hopeless_edge_does_not_go_on_with_its_pair():
    verdicts, asked = seen({"ab": HOPELESS, "ba": DOUBTFUL})
    assert [seeds for edge, seeds in asked if edge == "ab"] == [5]
    assert verdicts.states["ab"].verdict == "inconclusive"
    assert verdicts.states["ba"].verdict == "improves"


def test_a_decided_edge_is_left_alone():
    _, asked = seen({"ab": CLEAR, "ba": DOUBTFUL, "cb": DOUBTFUL, "bc": DOUBTFUL})
    assert [seeds for edge, seeds in asked if edge == "ab"] == [5]


def test_variances_are_lent_only_where_arms_are_known():
    rng = np.random.default_rng(3)
    gains = {a + b: rng.normal(size=5) for a in "abcdef" for b in "abcdef" if a != b}
    states = {}
    for named in (arms, None):
        verdicts = Verdicts(list(gains), at=(5,), smallest_effect=HALF, arms=named)
        verdicts.look(lambda edge, seeds: over_seeds(gains[edge][:seeds]))
        states[named] = verdicts.states
    assert all(state.estimate.borrowed > 0 for state in states[arms].values())
    assert all(state.estimate == over_seeds(gains[edge]) for edge, state in states[None].items())


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
        played({"a": noise * rng.normal(size=10)}, at=tuple(range(3, 11))).states["a"].verdict
        in ("improves", "harms")
        for _ in range(1500)
    ]
    # 5 % of 1,500 and three standard errors of that
    assert np.mean(claims) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1500)


@pytest.mark.parametrize("noise", [0.2, 0.5])
def test_an_effect_at_the_margin_is_called_none_no_more_often_than_allowed(noise: float):
    rng = np.random.default_rng(6)
    claims = [
        played({"a": HALF + noise * rng.normal(size=10)}, at=tuple(range(3, 11))).states["a"].verdict
        == "no effect"
        for _ in range(1500)
    ]
    assert np.mean(claims) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 1500)


def test_precise_small_gains_do_not_raise_the_threshold_for_others():
    """A smallest effect applied after the correction would let 20 significant small gains vouch for one."""
    rng = np.random.default_rng(4)
    small = {f"small {i}": 0.35 + 0.01 * rng.normal(size=3) for i in range(20)}
    doubtful = np.array([1.0, 1.6, 1.9])  # p = 0.03 by itself
    alone = played({"doubtful": doubtful}, at=(3,)).states["doubtful"]
    assert alone.verdict == "improves"
    verdicts = played({"doubtful": doubtful} | small, at=(3,))
    assert verdicts.adjusted()["doubtful"] > 0.05
    assert {state.verdict for edge, state in verdicts.states.items() if edge in small} == {"no effect"}
    assert all(p == 1 for edge, p in verdicts.adjusted().items() if edge in small)


def test_the_interval_of_a_claim_is_wider_and_leaves_out_0():
    rng = np.random.default_rng(8)
    gains = {str(i): (3.0 if i < 3 else 0.0) + rng.normal(size=5) for i in range(12)}
    for correction in ("bh", "holm"):
        verdicts = played(gains, at=(5,), correction=correction)
        reach = verdicts.selected_reach()
        claims = [edge for edge, state in verdicts.states.items() if state.claimed]
        assert list(reach) == claims
        assert 1 <= len(claims) < 12
        for edge in claims:
            found = verdicts.states[edge].estimate
            assert reach[edge] == pytest.approx(found.reach(0.05 * len(claims) / 12))
            assert found.reach(0.05) < reach[edge] < abs(found.gain)


def test_the_intervals_of_claims_miss_as_often_as_promised():
    rng, missed, plain = np.random.default_rng(9), [], []
    for _ in range(300):
        true = np.where(rng.random(20) < 0.5, 0.0, 2 * rng.normal(size=20))
        gains = {str(i): gain + rng.normal(size=6) for i, gain in enumerate(true)}
        verdicts = played(gains, at=(6,))
        for edge, reach in verdicts.selected_reach().items():
            found = verdicts.states[edge].estimate
            off = abs(found.gain - true[int(edge)])
            missed.append(off > reach)
            plain.append(off > found.reach(0.05))
    assert np.mean(missed) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(missed))
    assert np.mean(plain) > 1.4 * np.mean(missed)  # what the adjustment is for


def test_an_adaptive_claim_shows_the_estimate_of_the_look_that_it_is_based_on():
    """An early p value may become a claim later, when others raise the threshold: then its look is shown."""
    early = np.array([2.0, 2.25, 2.5, -1.0, 0.0, 3.0])

    def estimate(edge: str, seeds: int) -> Estimate:
        if edge == "early":
            return over_seeds(early[:seeds])
        return over_seeds(np.array([3.0, -3.0, 1.0]) if seeds == 3 else 3 + 0.01 * np.arange(seeds))

    verdicts = Verdicts(["early", *"abcde"], at=(3, 4, 6), smallest_effect=HALF)
    verdicts.look(estimate)
    first = verdicts.states["early"]
    assert first.verdict == "inconclusive"
    verdicts.look(estimate)
    state = verdicts.states["early"]
    assert (state.verdict, state.seeds) == ("improves", 3)
    assert state.estimate == first.estimate
    assert verdicts.selected_reach()["early"] < state.estimate.gain


def test_the_level_of_a_first_claim_is_that_of_all_edges_with_a_p_value():
    gains = {"a": np.array([1.0, 2.0, 3.0]), "b": np.array([1.0, 2.0, 4.0]), "lone": np.array([1.0])}
    assert played(gains, at=(3,)).first_level == pytest.approx(0.05 / 2)


def test_equivalence_is_the_interval_inside_the_margin():
    rng = np.random.default_rng(2)
    for _ in range(200):
        found = over_seeds(0.3 * rng.normal(size=5))
        inside = abs(found.gain) + found.reach(2 * 0.05) < HALF
        assert (found.p_equivalence(HALF) < 0.05) == inside
    assert Estimate(0.6, 1e-4, 0.0, 4, 0).p_equivalence(HALF) > 0.5
