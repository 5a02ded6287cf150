"""Stages: each contrast holds the right arms against each other, and what is missing is named."""

import math

import numpy as np
import pandas as pd
import pytest

from transfer.analysis import stages
from transfer.analysis.evidence import ArmScore, Cell, Evidence
from transfer.analysis.stages import FINE_TUNING, LONGER, REFINEMENT, SINGLE, contrasts, means

HALF_A_POINT = 0.005
GROUP = "a+b+c"
FOUR = (("refine", "a"), ("fine-tune", "a"), ("refine", GROUP), ("fine-tune", GROUP))


def frame_of(scores):
    """The store's frame of test scores from {(stage, corpora, target): scores by seed}; NaN: it failed."""
    rows = [
        {
            "job": f"{stage}-{corpora}-{seed}", "stage": stage, "corpora": corpora, "target": target,
            "split": "test", "metric": "f1", "seed": seed, "value": value,
            "status": "failed" if math.isnan(value) else "done",
            "error": "diverged" if math.isnan(value) else "", "encoder": "tiny", "recipe": "quick",
            "source": "synthetic",
        }
        for (stage, corpora, target), values in scores.items()
        for seed, value in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def planted(*effects, seeds=5, noise=0.002, base=0.6):
    """Target a's four arms; ``effects`` on single, trained longer, refinement, fine-tuning."""
    rng = np.random.default_rng(7)
    shared = rng.normal(size=seeds) * 0.02  # what a seed does to all arms alike
    return {
        (*arm, "a"): list(base + effect + shared + noise * rng.normal(size=seeds))
        for arm, effect in zip(FOUR, effects, strict=True)
    }


def judged(scores, **other):
    table = contrasts(frame_of(scores), smallest_effect=HALF_A_POINT, **other)
    return table.set_index(["arm", "against"])


def test_planted_effects_are_found_in_the_contrast_that_has_them():
    # longer training gives a point, refinement two, and fine-tuning no more than longer training does
    found = judged(planted(0.0, 0.01, 0.02, 0.03))
    truth = {
        (LONGER, SINGLE): 0.01, (FINE_TUNING, LONGER): 0.02, (REFINEMENT, SINGLE): 0.02,
        (FINE_TUNING, REFINEMENT): 0.01, (FINE_TUNING, SINGLE): 0.03, (REFINEMENT, LONGER): 0.01,
    }  # fmt: skip
    assert set(found.index) == set(truth)
    for pair, effect in truth.items():
        row = found.loc[pair]
        assert row["ci_low"] < effect < row["ci_high"]
        assert row["gain"] == pytest.approx(row["score"] - row["score_against"])
        assert (row["verdict"], row["seeds"]) == ("improves", 5)
    assert (found["p_adjusted"] >= found["p"]).all()
    assert found.loc[(LONGER, SINGLE), "source"] == ""
    assert found.loc[(FINE_TUNING, LONGER), "source"] == "all others"


def test_a_gain_of_longer_training_alone_is_none_at_equal_epochs():
    found = judged(planted(0.0, 0.03, 0.0, 0.03, noise=0.0005))
    assert found.loc[(FINE_TUNING, SINGLE), ["verdict", "epochs"]].to_list() == ["improves", "more"]
    assert found.loc[(FINE_TUNING, LONGER), ["verdict", "epochs"]].to_list() == ["no effect", "as many"]
    assert found.loc[(REFINEMENT, LONGER), ["verdict", "epochs"]].to_list() == ["harms", "fewer"]
    noisy = judged(planted(0.0, 0.03, 0.0, 0.03, noise=0.03))
    assert noisy.loc[(FINE_TUNING, LONGER), "verdict"] == "inconclusive"


def test_one_seed_claims_nothing():
    found = judged(planted(0.0, 0.1, 0.2, 0.3, seeds=1))
    assert set(found["verdict"]) == {"inconclusive"}
    assert found[["ci_low", "ci_high", "p", "p_adjusted"]].isna().all(axis=None)
    assert found.loc[(FINE_TUNING, LONGER), "gain"] == pytest.approx(0.2, abs=0.02)


def test_a_failed_seed_is_left_out_of_its_contrasts_and_named():
    scores = planted(0.0, 0.01, 0.02, 0.03)
    scores["fine-tune", "a", "a"][3] = math.nan
    found = judged(scores)
    assert found.loc[(FINE_TUNING, LONGER), ["seeds", "missing"]].to_list() == [
        4,
        "longer single: seed 3 failed",
    ]
    assert found.loc[(REFINEMENT, SINGLE), ["seeds", "missing"]].to_list() == [5, ""]
    beside = means(frame_of(scores)).iloc[0]
    assert beside["seeds"] == 4
    kept = [value for seed, value in enumerate(scores["refine", "a", "a"]) if seed != 3]
    assert beside["single"] == pytest.approx(np.mean(kept))


def test_an_arm_without_a_score_has_no_number_and_no_verdict():
    scores = planted(0.0, 0.01, 0.02, 0.03)
    scores["fine-tune", GROUP, "a"] = [math.nan] * 5
    found = judged(scores)
    row = found.loc[(FINE_TUNING, LONGER)]
    assert (row["verdict"], row["seeds"]) == ("", 0)
    assert row[["score", "score_against", "gain", "ci_low", "p", "p_adjusted"]].isna().all()
    assert row["missing"] == "fine-tuning: " + ", ".join(f"seed {seed} failed" for seed in range(5))
    assert found.loc[(REFINEMENT, SINGLE), "verdict"] == "improves"
    assert means(frame_of(scores)).loc[0, ["highest", "seeds"]].to_list() == [REFINEMENT, 5]
    assert math.isnan(means(frame_of(scores)).loc[0, "fine_tuning"])


def test_what_the_grid_promised_and_nobody_ran_is_absent_and_what_it_did_not_promise_is_called_so():
    scores = planted(0.0, 0.01, 0.02, 0.03)
    del scores["fine-tune", "a", "a"]
    promised = [Cell(*arm, seed) for arm in scores for seed in range(5)]
    found = judged(scores, expected=promised)
    assert found.loc[(FINE_TUNING, LONGER), "missing"] == "longer single: not in this grid"
    also = [*promised, *(Cell("fine-tune", "a", "a", seed) for seed in range(5))]
    lacks = judged(scores, expected=also).loc[(FINE_TUNING, LONGER), "missing"]
    assert lacks.startswith("longer single: seed 0 absent, seed 1 absent")


def test_a_grid_without_fine_tuning_has_no_contrast():
    scores = {arm: values for arm, values in planted(0, 0, 0, 0).items() if arm[0] == "refine"}
    for table, columns in ((contrasts(frame_of(scores), smallest_effect=HALF_A_POINT), stages.CONTRASTS),
                           (means(frame_of(scores)), stages.MEANS)):  # fmt: skip
        assert (len(table), list(table.columns)) == (0, columns)
    none = frame_of(scores).iloc[:0]
    assert contrasts(none, smallest_effect=HALF_A_POINT).empty


def test_only_the_seeds_that_count_count():
    scores = planted(0.0, 0.01, 0.02, 0.03)
    promised = [Cell(*arm, seed) for arm in scores for seed in range(7)]
    found = judged(scores, seeds=range(3), expected=promised)
    assert set(found["seeds"]) == {3}
    assert not found["missing"].any()
    assert means(frame_of(scores), seeds=range(3)).loc[0, "seeds"] == 3


def test_pairs_stand_back_behind_larger_groups_and_stand_where_there_are_only_pairs():
    def pair(target):
        return {(stage, "a+b", target): [0.6, 0.61, 0.62] for stage in ("refine", "fine-tune")}

    own = planted(0.0, 0.01, 0.02, 0.03, seeds=3)
    other = {(stage, "b", "b"): [0.5, 0.52, 0.51] for stage in ("refine", "fine-tune")}
    table = contrasts(frame_of(own | other | pair("a") | pair("b")), smallest_effect=HALF_A_POINT)
    groups = table.groupby("target")["source"].unique().map(set).to_dict()
    assert groups == {"a": {"", "all others"}, "b": {"", "a"}}


def test_the_highest_arm_is_named_and_equal_ones_are_all():
    scores = planted(0.0, 0.01, 0.05, 0.02)
    assert means(frame_of(scores)).loc[0, "highest"] == REFINEMENT
    scores["refine", "a", "a"] = scores["refine", GROUP, "a"]
    assert means(frame_of(scores)).loc[0, "highest"] == f"{SINGLE} = {REFINEMENT}"


def test_test_items_are_random_too_where_predictions_are_kept():
    scores = planted(0.0, 0.01, 0.02, 0.03)
    items = np.random.default_rng(1).normal(size=(4, 50)) * 0.5
    items -= items.mean(axis=1, keepdims=True)

    def read(cell):
        place = FOUR.index((cell.stage, cell.corpora))
        score = scores[cell.stage, cell.corpora, cell.target][cell.seed]
        return {cell: ArmScore(tuple(map(str, range(50))), score, score + items[place])}

    plain, both = judged(scores), judged(scores, evidence=Evidence(read))
    assert both["gain"].to_numpy() == pytest.approx(plain["gain"].to_numpy())
    assert (both["ci_high"] - both["ci_low"] > 3 * (plain["ci_high"] - plain["ci_low"])).all()


@pytest.mark.slow
@pytest.mark.parametrize("targets", ["abcd", "abcdefghij"])
def test_some_contrast_is_claimed_in_one_of_twenty_grids_without_any_effect(targets: str):
    rng = np.random.default_rng(3)
    grids, claimed, everyone = 300, 0, "+".join(targets)
    for _ in range(grids):
        scores = {}
        for target in targets:
            noise = 0.02 * rng.normal(size=(4, 5))
            noise[[1, 3]] += 0.7 * noise[[0, 2]]  # a child goes on from its parent
            for (stage, group), values in zip(FOUR, noise, strict=True):
                corpora = target if group == "a" else everyone
                scores[stage, corpora, target] = list(0.6 + values)
        found = contrasts(frame_of(scores), smallest_effect=HALF_A_POINT)
        assert len(found) == 6 * len(targets)
        claimed += found["verdict"].isin(["improves", "harms"]).any()
    # 15 are allowed; were each contrast judged by itself some would be claimed in most grids
    assert claimed <= 25
