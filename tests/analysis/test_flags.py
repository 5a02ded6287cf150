"""Flags: runs that did not learn are seen, and no effect is never claimed of an edge with such a run."""

import math

import numpy as np
import pandas as pd
import pytest

from transfer.analysis import gains
from transfer.analysis.evidence import ArmScore, Cell, Evidence
from transfer.analysis.flags import ArmKey, flags_of, split_of, with_flags, with_unscored
from transfer.analysis.verdicts import Verdicts
from transfer.corpora.baseline import Baseline

SINGLE, PAIR = ArmKey("refine", "a", "a"), ArmKey("refine", "a+b", "a")
MAJORITY = Baseline(predictor="always 'no'", value=0.6)


def frame(scores: dict[tuple[str, str], list[float]], *, why: str = "") -> pd.DataFrame:
    """The store's frame of one stage from scores by seed; NaN is undefined."""
    rows = [
        {"job": f"{corpora}-{seed}", "stage": "refine", "corpora": corpora, "target": target, "split": "test",
         "metric": "accuracy", "seed": seed, "value": value, "status": "done", "items": 100,
         "error": f"undefined: {why}" if math.isnan(value) else ""}
        for (corpora, target), values in scores.items()
        for seed, value in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def two(single: list[float], joint: list[float], **other) -> pd.DataFrame:
    steady = [0.80, 0.81, 0.79]
    return frame({("a", "a"): single, ("a+b", "a"): joint, ("b", "b"): steady, ("a+b", "b"): steady}, **other)


def evidence(scores: pd.DataFrame, *, constant: tuple[Cell, ...] = (), items: int = 100) -> Evidence:
    """Arms in which each item is right or wrong, as many as the score says."""
    values = {Cell(*row[:4]): row[4] for row in scores[[*gains.CELL, "value"]].itertuples(index=False)}

    def read(cell: Cell) -> dict[Cell, ArmScore]:
        right = np.arange(items) < round(items * values[cell])
        said = "it predicts no for every test item" if cell in constant else ""
        return {cell: ArmScore(tuple(map(str, range(items))), values[cell], right.astype(float), said)}

    return Evidence(read)


def test_runs_that_learned_are_not_flagged():
    scores = two([0.80, 0.82, 0.81], [0.83, 0.81, 0.84])
    assert flags_of(scores, evidence=evidence(scores), baselines={"a": MAJORITY, "b": MAJORITY}) == {}


def test_a_run_near_the_baseline_is_flagged():
    scores = two([0.80, 0.65, 0.81], [0.83, 0.81, 0.84])
    found = flags_of(scores, evidence=evidence(scores), baselines={"a": MAJORITY})
    assert list(found) == [SINGLE]
    assert (
        "seed 1: did not learn, its score of 65.0 points does not exceed the baseline by 2 standard errors"
        in found[SINGLE]
    )
    assert "(always 'no': 60.0)" in found[SINGLE]
    # with 10,000 items five points are far from the baseline
    many = evidence(scores, items=10_000)
    assert flags_of(scores, evidence=many, baselines={"a": MAJORITY}) == {}


def test_a_baseline_without_a_score_counts_as_chance():
    scores = two([0.80, 0.03, 0.81], [0.83, 0.81, 0.84])
    mean = Baseline(predictor="always the mean score 2.40", value=None, undefined="constant")
    found = flags_of(scores, evidence=evidence(scores), baselines={"a": mean})
    assert "seed 1: did not learn" in found[SINGLE]
    assert "undefined, 0 by chance" in found[SINGLE]


def test_one_answer_for_every_item_is_flagged_without_a_baseline():
    scores = two([0.80, 0.82, 0.81], [0.83, 0.81, 0.84])
    found = flags_of(scores, evidence=evidence(scores, constant=(Cell("refine", "a+b", "a", 2),)))
    assert found == {PAIR: "seed 2: did not learn, it predicts no for every test item"}


def test_an_undefined_run_is_flagged_with_its_reason():
    scores = two([0.80, math.nan, 0.81], [0.83, 0.81, 0.84], why="all 100 predictions are 2.7")
    assert flags_of(scores) == {SINGLE: "seed 1: undefined: all 100 predictions are 2.7"}


def test_every_run_at_the_majority_class_is_not_learned_and_never_no_effect():
    """Runs that all predict one class, once reported as '+0.0, its gains do not vary'."""
    scores = two([0.6, 0.6, 0.6], [0.6, 0.6, 0.6])
    cells = tuple(Cell("refine", corpora, "a", seed) for corpora in ("a", "a+b") for seed in range(3))
    flags = flags_of(scores, evidence=evidence(scores, constant=cells), baselines={"a": MAJORITY})
    assert {SINGLE, PAIR} <= set(flags)
    edges = with_flags(gains.edges(gains.seed_gains(scores), smallest_effect=0.005, flags=flags), flags)
    edge = edges.set_index(["source", "target"]).loc[("b", "a")]
    assert edge["verdict"] == "inconclusive"
    assert edge["flag"].startswith(
        "a alone: seeds 0, 1, 2: did not learn, it predicts no for every test item"
    )


def test_no_effect_is_not_claimed_of_an_edge_with_a_flagged_arm():
    rng = np.random.default_rng(0)
    scores = two(*(list(0.8 + 1e-5 * rng.standard_normal(3)) for _ in range(2)))
    seed_gains = gains.seed_gains(scores)

    def verdicts(**flags) -> dict:
        table = gains.edges(seed_gains, smallest_effect=0.005, **flags)
        return dict(zip(zip(table["source"], table["target"], strict=True), table["verdict"], strict=True))

    assert verdicts()["b", "a"] == "no effect"
    assert verdicts(flags={PAIR: "did not learn"})["b", "a"] == "inconclusive"
    assert verdicts(flags={SINGLE: "did not learn"})["b", "a"] == "inconclusive"
    assert verdicts(flags={ArmKey("refine", "a+b", "b"): "did not learn"})["b", "a"] == "no effect"


def test_a_claim_of_an_unlearned_edge_stands():
    from transfer.analysis.estimate import over_seeds

    found = {}
    for unlearned in ((), ("e",)):
        verdicts = Verdicts(["e"], at=(3,), smallest_effect=0.005, unlearned=unlearned)
        verdicts.look(lambda *_: over_seeds(np.array([0.05, 0.051, 0.052])))
        found[unlearned] = verdicts.states["e"].verdict
    assert set(found.values()) == {"improves"}


def test_an_edge_without_a_score_is_listed_without_a_number():
    nan = math.nan
    scores = two([nan] * 3, [nan] * 3, why="none of the 12 gold items has a mention")
    flags = flags_of(scores)
    measured = gains.edges(gains.seed_gains(scores), smallest_effect=0.005)
    assert list(measured["target"]) == ["b"]
    edges = with_flags(with_unscored(measured, scores, smallest_effect=0.005), flags)
    edge = edges.set_index("target").loc["a"]
    assert (edge["verdict"], edge["seeds"]) == ("inconclusive", 0)
    assert edge[["single", "joint", "gain", "ci_low", "p", "p_adjusted", "detectable"]].isna().all()
    assert "none of the 12 gold items has a mention" in edge["flag"]
    pd.testing.assert_frame_equal(
        edges[edges["target"] == "b"][measured.columns].reset_index(drop=True), measured
    )


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_two_clusters_are_seen_and_one_rarely_taken_for_two(seeds: int):
    rng = np.random.default_rng(seeds)
    false = missed = 0
    for _ in range(300):
        arms = np.sort(rng.normal(size=(5, seeds)) * rng.lognormal(0, 0.4, size=(5, 1)), axis=1)
        false += split_of(arms[0], list(arms[1:])) > 0
        failed = np.sort(np.append(arms[0][1:], -40.0))
        missed += split_of(failed, list(arms[1:])) != 1
    assert false <= 3, "one arm in a hundred at the most, though arms differ in their deviation"
    assert missed <= 15


def test_clusters_name_both_ranges():
    scores = two([0.34, 0.805, 0.81], [0.83, 0.81, 0.84])
    more = frame({(f"a+{c}", "a"): [0.80, 0.805, 0.81] for c in "cdefg"})
    found = flags_of(pd.concat([scores, more]))
    assert found == {SINGLE: "its runs fall into two clusters, 34.0 and 80.5 to 81.0 points"}


def test_what_differs_by_single_test_items_is_no_cluster():
    scores = np.array([0.80, 0.80, 0.81])
    assert split_of(scores, [np.full(3, 0.8)] * 6, grain=0.01) == 0
