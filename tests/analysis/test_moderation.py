"""Variances that like edges lend: more degrees of freedom where edges agree, errors held where not."""

import math

import numpy as np
import pytest
from scipy.special import stdtr

from transfer.analysis.estimate import Estimate, Runs, combined, over_seeds
from transfer.analysis.moderation import moderated


def estimates(tasks: int, seeds: int, rng: np.random.Generator, of_target=1.0, of_edge=1.0):
    """Edges without effect that share their target's arm alone, as arrays [edges], and their targets."""
    targets = np.repeat(np.arange(tasks), tasks - 1)
    wide = np.broadcast_to(of_target, tasks)
    alone = wide[:, None] * rng.normal(size=(tasks, seeds))
    gains = (wide[targets] * of_edge)[:, None] * rng.normal(size=(len(targets), seeds)) - alone[targets]
    return [over_seeds(values) for values in gains], [int(target) for target in targets]


def test_alike_edges_lend_and_their_variances_draw_together():
    found, kin = estimates(8, 3, np.random.default_rng(0))
    steadied = moderated(found, kin)
    before, after = (np.log([e.seeds for e in edges]).std() for edges in (found, steadied))
    assert after < before / 2
    assert np.median([e.borrowed for e in steadied]) > 3
    assert [e.gain for e in steadied] == [e.gain for e in found]
    assert all(e.seed_degrees == 2 for e in steadied)


def test_edges_that_differ_much_keep_to_themselves():
    rng = np.random.default_rng(1)
    alike, kin = estimates(8, 5, rng)
    unlike, _ = estimates(8, 5, rng, of_edge=np.exp(2 * rng.normal(size=56)))
    assert np.mean([e.borrowed for e in moderated(unlike, kin)]) < 1.5
    assert np.mean([e.borrowed for e in moderated(alike, kin)]) > 7


def test_a_noisy_target_is_not_taken_for_a_quiet_one():
    found, kin = estimates(8, 5, np.random.default_rng(2), of_target=np.array([10.0] + [1.0] * 7))
    noisy = [e.seeds for e, target in zip(moderated(found, kin), kin, strict=True) if target == 0]
    assert 200 / 5 / 3 < np.mean(noisy) < 200 / 5 * 3


def test_the_order_of_the_edges_does_not_matter():
    found, kin = estimates(6, 4, np.random.default_rng(3))
    order = np.random.default_rng(4).permutation(len(found))
    shuffled = moderated([found[i] for i in order], [kin[i] for i in order])
    straight = moderated(found, kin)
    assert [e.seeds for e in shuffled] == pytest.approx([straight[i].seeds for i in order])
    assert [e.borrowed for e in shuffled] == pytest.approx([straight[i].borrowed for i in order])


@pytest.mark.parametrize("tasks", [1, 2, 3])
def test_few_edges_lend_nothing(tasks: int):
    found, kin = estimates(tasks, 4, np.random.default_rng(5))
    assert moderated(found, kin) == found


def test_an_edge_without_a_variance_neither_gives_nor_takes():
    found, kin = estimates(6, 4, np.random.default_rng(6))
    one_document = over_seeds(np.array([0.3, 0.4, 0.5]))._replace(items=math.nan)
    lone = [over_seeds(np.array([0.3])), one_document, over_seeds(np.array([]))]
    with_lone = moderated([*found, *lone], [*kin, 0, 1, 2])
    assert with_lone[:-3] == moderated(found, kin)
    assert [repr(e) for e in with_lone[-3:]] == [repr(e) for e in lone]


def test_an_edge_whose_seeds_agree_by_chance_takes_what_others_tell_and_gives_nothing():
    found, kin = estimates(6, 4, np.random.default_rng(6))
    flat = over_seeds(np.array([0.3, 0.3, 0.3]))
    *others, taken = moderated([*found, flat], [*kin, 0])
    assert others == moderated(found, kin)
    assert not flat.known
    assert taken.known
    own = [3 * e.seeds for e, target in zip(found, kin, strict=True) if target == 0]
    assert taken.seeds == pytest.approx(np.mean(own) / 3, rel=0.7)
    assert [e.borrowed for e in moderated([flat] * 4, [0] * 4)] == [0.0] * 4


def test_an_edge_with_an_incredible_variance_keeps_to_itself():
    found, kin = estimates(8, 5, np.random.default_rng(8))
    wild = [found[0]._replace(seeds=100 * found[0].seeds), *found[1:]]
    before, after = moderated(found, kin)[0], moderated(wild, kin)[0]
    assert before.borrowed > 5
    assert after.borrowed < 0.5
    assert after.seeds == pytest.approx(wild[0].seeds, rel=0.3)


def test_more_degrees_of_freedom_make_a_shorter_interval():
    assert Estimate(1.0, 0.1, 0.0, 2, 0, 4.0).reach(0.05) == Estimate(1.0, 0.1, 0.0, 6, 0).reach(0.05)
    assert Estimate(1.0, 0.1, 0.0, 2, 0, 4.0).p == pytest.approx(2 * stdtr(6, -1 / math.sqrt(0.1)))


SPREADS = {
    "alike": lambda rng, tasks, edges: {},
    "targets differ": lambda rng, tasks, edges: {"of_target": np.exp(0.7 * rng.normal(size=tasks))},
    "edges differ": lambda rng, tasks, edges: {"of_edge": np.exp(0.5 * rng.normal(size=edges))},
    "one wild target": lambda rng, tasks, edges: {"of_target": np.array([5.0] + [1.0] * (tasks - 1))},
    "one wild edge": lambda rng, tasks, edges: {"of_edge": np.array([6.0] + [1.0] * (edges - 1))},
}


@pytest.mark.parametrize("spread", SPREADS)
@pytest.mark.parametrize("tasks", [4, 8])
def test_nothing_is_claimed_more_often_than_allowed_however_variances_differ(spread: str, tasks: int):
    rng, rates, any_after_correction = np.random.default_rng(7), [], []
    for _ in range(300):
        found, kin = estimates(tasks, 3, rng, **SPREADS[spread](rng, tasks, tasks * (tasks - 1)))
        steadied = moderated(found, kin)
        error = np.sqrt([e.seeds for e in steadied])
        p = 2 * stdtr([2 + e.borrowed for e in steadied], -np.abs([e.gain for e in steadied]) / error)
        rates.append((p < 0.05).mean())
        any_after_correction.append(np.any(np.sort(p) < 0.05 * np.arange(1, len(p) + 1) / len(p)))
    assert np.mean(rates) < 0.05 + 3 * np.std(rates) / math.sqrt(len(rates))
    assert np.mean(any_after_correction) < 0.05 + 3 * math.sqrt(0.05 * 0.95 / len(rates))


def test_edges_that_share_most_of_their_variance_tell_less_of_one_another():
    """Single runs that vary much make the variances of all edges of a target too small together."""
    rng, targets = np.random.default_rng(9), np.repeat(np.arange(8), 7)
    rates = {}
    for told in (True, False):
        any_claim = []
        for _ in range(250):
            single, joint = 3 * rng.normal(size=(8, 3)), rng.normal(size=(56, 3))
            found = combined(Runs(joint), Runs(single[targets]), 1.0)
            if not told:
                found = found._replace(single=0.0)
            edges = [
                Estimate(*values)
                for values in zip(*(np.broadcast_to(f, 56).tolist() for f in found), strict=True)
            ]
            p = np.sort([e.p for e in moderated(edges, targets.tolist())])
            any_claim.append(np.any(p < 0.05 * np.arange(1, 57) / 56))
        rates[told] = np.mean(any_claim)
    assert rates[True] < 0.05 + 3 * math.sqrt(0.05 * 0.95 / 250)
    assert rates[False] > rates[True]
