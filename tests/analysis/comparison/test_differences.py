"""Differences of gains: what was planted is found, nothing else is, and only like is held against like."""

import dataclasses
import math
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from transfer.analysis.comparison import COLUMNS, Comparison
from transfer.analysis.comparison.differences import flip
from transfer.analysis.estimate import over_seeds
from transfer.analysis.gains import VERDICTS


def row(table: pd.DataFrame, source: str, target: str) -> pd.Series:
    found = table[(table["source"] == source) & (table["target"] == target)]
    assert len(found) == 1
    return found.iloc[0]


def test_a_planted_difference_is_found_and_nothing_else(world):
    study = world(1)
    base = study.method("hard", gain={("a", "b"): 0.05})
    other = study.method("soft", gain={("a", "b"): 0.0, ("c", "d"): 0.05})
    table = Comparison((base, other)).table
    assert list(table.columns) == COLUMNS
    assert len(table) == 12
    lost, gained = row(table, "a", "b"), row(table, "c", "d")
    assert (lost["flip"], lost["difference_verdict"]) == ("claim lost", "smaller")
    assert (gained["flip"], gained["difference_verdict"]) == ("claim gained", "larger")
    for found, truth in ((lost, -0.05), (gained, 0.05)):
        assert found["difference_ci_low"] < truth < found["difference_ci_high"]
        assert found["p_adjusted"] < 0.05
    rest = table.drop(index=[int(lost.name), int(gained.name)])
    assert not rest["difference_verdict"].isin(["larger", "smaller"]).any()


def test_the_difference_is_that_of_the_gains_of_the_seeds_that_both_have(world):
    study = world(2)
    base, other = study.method("hard", seeds=range(5)), study.method("soft", seeds=range(2, 8))
    table = Comparison((base, other)).table
    for _, found in table.iterrows():
        group = "+".join(sorted((found["source"], found["target"])))
        expected = []
        for method in (base, other):
            scores = method.results.set_index(["corpora", "target", "seed"])["value"]
            joint, single = (
                np.array([scores[corpora, found["target"], seed] for seed in (2, 3, 4)])
                for corpora in (group, found["target"])
            )
            expected.append((joint - single).mean())
        assert found["difference"] == pytest.approx(expected[1] - expected[0])
    assert set(table["common_seeds"]) == {3}
    assert (set(table["base_seeds"]), set(table["seeds"])) == ({5}, {6})
    # the sides are those of the reports, from all their seeds
    for column in ("gain", "ci_low", "ci_high", "verdict"):
        assert table[f"base_{column}"].tolist() == base.edges[column].tolist()
        assert table[column].tolist() == other.edges[column].tolist()


class Nothing(NamedTuple):
    """Results where two methods do not differ: a value for each edge, or (claims) for each study."""

    p: np.ndarray
    covered: np.ndarray
    claims: np.ndarray
    p_over_seeds: np.ndarray  # of a t test that takes the test items as given


def nothing(world, studies, *, seeds, by_document, shared):
    """Studies of 12 edges with a gain of 2 points under both methods."""
    p, covered, claims, p_over_seeds = [], [], [], []
    for study in (world(100 + number) for number in range(studies)):
        settings = {"gain": 0.02, "by_document": by_document, "seeds": range(seeds)}
        base = study.method("hard", **settings)
        other = study.method("soft", **settings, shares_single=base if shared else None)
        table = Comparison((base, other)).table
        p += table["p"].tolist()
        covered += ((table["difference_ci_low"] < 0) & (table["difference_ci_high"] > 0)).tolist()
        claims.append(table["difference_verdict"].isin(["larger", "smaller"]).any())
        for key, rows in base.seed_gains.items():
            apart = other.seed_gains[key]["gain"].to_numpy() - rows["gain"].to_numpy()
            p_over_seeds.append(over_seeds(apart).p)
    return Nothing(*(np.array(values) for values in (p, covered, claims, p_over_seeds)))


def test_without_a_difference_p_values_are_not_too_small_where_documents_profit_unlike(world):
    """480 differences; documents differ in how they profit, which seeds alone cannot know."""
    found = nothing(world, 40, seeds=4, by_document=0.06, shared=False)
    assert 0.01 < np.mean(found.p < 0.05) < 0.07
    assert np.mean(found.p < 0.01) < 0.025
    assert np.mean(found.covered) > 0.93
    assert np.mean(found.p_over_seeds < 0.05) > 0.08, "the simulation does not need the documents"


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize("by_document", [0.0, 0.06])
@pytest.mark.parametrize("seeds", [3, 5])
def test_where_methods_do_not_differ_hardly_anything_is_found(world, seeds, by_document, shared):
    """150 studies, 1,800 differences a setting; what came of it is in docs/log.md."""
    found = nothing(world, 150, seeds=seeds, by_document=by_document, shared=shared)
    assert 0.015 < np.mean(found.p < 0.05) < 0.06
    assert np.mean(found.p < 0.01) < 0.015
    assert 0.93 < np.mean(found.covered) < 0.985
    assert np.mean(found.claims) < 0.09  # 5 % and what chance may add to it


def test_a_single_arm_that_both_share_cancels(world):
    study = world(3)
    base = study.method("proportional", by_seed=0.03)
    other = study.method("uniform", by_seed=0.03, shares_single=base)
    table = Comparison((base, other)).table
    assert set(table["same_single_runs"]) == {"yes"}
    assert table["single_difference"].tolist() == [0.0] * 12
    assert table["single_ci_low"].isna().all()
    np.testing.assert_allclose(table["difference"], table["joint_difference"], atol=1e-12)
    own = Comparison((base, study.method("uniform"))).table
    assert set(own["same_single_runs"]) == {"no"}


def test_a_method_that_lowers_all_scores_shows_in_the_scores_and_not_in_the_gains(world):
    study = world(4)
    table = Comparison((study.method("hard"), study.method("heads", level=-0.3))).table
    assert (table["single_ci_high"] < -0.2).all()
    assert (table["joint_ci_high"] < -0.2).all()
    assert not table["difference_verdict"].isin(["larger", "smaller"]).any()


def test_no_difference_is_shown_where_methods_agree_closely(world):
    study = world(5, documents=4000)
    one, two = (study.method(name, by_seed=0.0, seeds=range(10)) for name in ("hard", "soft"))
    assert set(Comparison((one, two)).table["difference_verdict"]) == {"no difference"}


@pytest.mark.parametrize(("seeds", "common"), [([4, 5, 6], 1), ([5, 6, 7], 0)])
def test_fewer_than_two_common_seeds_give_a_difference_without_an_interval(world, seeds, common):
    study = world(6)
    base = study.method("hard", gain=0.1, seeds=range(5))
    table = Comparison((base, study.method("soft", gain=-0.1, seeds=seeds))).table
    assert set(table["common_seeds"]) == {common}
    assert table[["difference_ci_low", "difference_ci_high", "p", "p_adjusted"]].isna().all(axis=None)
    assert set(table["difference_verdict"]) == {"inconclusive"}
    assert (table["difference"] < -0.1).all()


def test_without_predictions_the_seeds_alone_are_random_and_it_says_so(world):
    study = world(7, tasks="ab")
    kept, bare = study.method("hard"), study.method("soft", kept=False)
    table = Comparison((kept, bare)).table
    assert set(table["test_items"]) == {"given"}
    for key in kept.seed_gains:
        apart = bare.seed_gains[key]["gain"].to_numpy() - kept.seed_gains[key]["gain"].to_numpy()
        expected, found = over_seeds(apart), row(table, key.source, key.target)
        assert found["p"] == pytest.approx(expected.p)  # of two edges none lends the other variance
        assert found["difference_ci_high"] - found["difference"] == pytest.approx(expected.reach(0.05))


def test_each_further_method_is_held_against_the_first_under_one_correction(world):
    study = world(8)
    base, *others = (study.method(name, gain=gain) for name, gain in (("a1", 0.0), ("b1", 0.05), ("c1", 0.0)))
    table = Comparison((base, *others)).table
    assert table.groupby("method", sort=False).size().to_dict() == {"b1": 12, "c1": 12}
    alone = Comparison((base, others[1])).table
    both = table[table["method"] == "c1"].reset_index(drop=True)
    pd.testing.assert_series_equal(both["p"], alone["p"])
    # the true differences of b1 leave more room for c1's p values; none is corrected by itself
    assert (both["p_adjusted"] != alone["p_adjusted"]).any()


def test_a_target_of_one_grid_alone_is_left_out(world):
    narrow, wide = world(9, tasks="abc"), world(9, tasks="abcd")
    table = Comparison((wide.method("wide"), narrow.method("narrow"))).table
    assert set(table["source"]) == set(table["target"]) == {"a", "b", "c"}
    assert len(table) == 6


def test_the_order_of_results_changes_nothing(world):
    study = world(10)
    methods = [study.method(name) for name in ("hard", "soft")]
    shuffled = [
        dataclasses.replace(method, results=method.results.sample(frac=1, random_state=1))
        for method in methods
    ]
    expected = Comparison(tuple(methods))
    found = Comparison(tuple(shuffled))
    pd.testing.assert_frame_equal(found.table, expected.table)
    pd.testing.assert_frame_equal(found.cost, expected.cost)


@pytest.mark.parametrize("before", VERDICTS)
@pytest.mark.parametrize("after", VERDICTS)
def test_every_change_of_a_verdict_has_its_name(before, after):
    name = flip(before, after)
    assert (name == "") == (before == after)
    claims = {"improves", "harms"}
    expected = {
        (True, True): "sign reversed", (True, False): "claim lost", (False, True): "claim gained",
    }  # fmt: skip
    if before != after:
        known = expected.get((before in claims, after in claims))
        assert name == (known or ("no effect shown" if after == "no effect" else "no effect not shown"))


@pytest.mark.parametrize(
    ("other", "what"),
    [
        ({"source": "synthetic"}, "the data differs: prepared in hard, synthetic in soft"),
        (
            {"smallest": 0.01},
            "the smallest effect that matters differs: 0.5 points in hard, 1 points in soft",
        ),
        ({"correction": "holm"}, "the correction differs: bh in hard, holm in soft"),
        ({"metric": "accuracy"}, "the metric of a differs: f1 in hard, accuracy in soft"),
        ({"renamed": "x"}, "hard and soft cannot be compared: b: .*were tested on other items"),
    ],
)
def test_what_cannot_be_compared_is_refused(world, other, what):
    study = world(11)
    with pytest.raises(ValueError, match=what):
        _ = Comparison((study.method("hard"), study.method("soft", **other))).table


def test_other_counts_of_test_items_other_tasks_and_equal_grids_are_refused(world):
    study = world(12)
    base = study.method("hard")
    with pytest.raises(ValueError, match="the number of test items of a differs: 40 in hard, 30 in soft"):
        Comparison((base, world(12, documents=30).method("soft")))
    with pytest.raises(
        ValueError, match="have no edge in common: the one is about a, b, c, d, the other about x, y"
    ):
        Comparison((base, world(12, tasks="xy").method("soft")))
    with pytest.raises(ValueError, match="two of the grids are named 'hard'"):
        Comparison((base, study.method("hard")))
    with pytest.raises(ValueError, match="hard and copy are the same jobs; there is nothing to compare"):
        Comparison((base, dataclasses.replace(base, name="copy")))
    with pytest.raises(ValueError, match="1 grids; 2 to 8 are compared"):
        Comparison((base,))


def test_costs_count_each_job_once_and_memory_where_it_was_recorded(world):
    study = world(13)
    base, other = study.method("hard"), study.method("soft")
    joint = other.results["corpora"].str.contains("+", regex=False)
    results = other.results.assign(
        seconds=np.where(joint, 7.0, 3.0), peak_memory=np.where(joint, 2.0**21, 1.0)
    )
    cost = Comparison((base, dataclasses.replace(other, results=results))).cost.set_index("method")
    # 5 seeds of 4 single runs and 6 pairs, each pair with two targets
    assert cost.loc["soft", "jobs"] == 50
    assert cost.loc["soft", "seconds"] == 20 * 3 + 30 * 7
    assert cost.loc["soft", ["seconds_single", "seconds_joint"]].tolist() == [3.0, 7.0]
    assert cost.loc["soft", "peak_memory"] == 2.0**21
    assert math.isnan(cost.loc["hard", "peak_memory"])


def test_a_method_without_seconds_has_empty_costs(world):
    study = world(14)
    bare = study.method("soft")
    bare = dataclasses.replace(bare, results=bare.results.drop(columns="seconds"))
    found = Comparison((study.method("hard"), bare))
    assert found.cost.set_index("method").loc["soft", ["seconds", "seconds_joint"]].isna().all()
