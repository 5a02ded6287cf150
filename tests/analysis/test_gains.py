"""Gains: known scores give known edges, and nothing is claimed that the seeds do not carry."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from transfer.analysis import gains
from transfer.analysis.evidence import Cell
from transfer.analysis.missing import missing
from transfer.analysis.verdicts import corrected

HALF_A_POINT = 0.005


def row(corpora, target, seed, value, **other):
    """One test row of the store's frame."""
    known = {
        "job": f"{corpora}-{seed}", "stage": "refine", "corpora": corpora, "target": target,
        "split": "test", "metric": "f1", "seed": seed, "value": value, "status": "done",
        "error": "", "encoder": "tiny", "recipe": "quick", "source": "synthetic",
    }  # fmt: skip
    return known | other


def grid(scores):
    """A frame from {(corpora, target): scores by seed}."""
    return pd.DataFrame(
        [
            row(corpora, target, seed, value)
            for (corpora, target), values in scores.items()
            for seed, value in enumerate(values)
        ]
    )


def two(single, joint):
    """Corpora a and b: a's scores alone and with b; b's never change much."""
    return grid({("a", "a"): single, ("b", "b"): single, ("a+b", "a"): joint, ("a+b", "b"): single[::-1]})


def edge(frame, source="b", target="a", **options):
    table = gains.edges(gains.seed_gains(frame), smallest_effect=HALF_A_POINT, **options)
    return table.set_index(["source", "target"]).loc[(source, target)]


def test_known_scores_give_the_interval_computed_by_hand():
    found = edge(two([0.70, 0.70, 0.70], [0.71, 0.72, 0.73]))
    # differences .01 .02 .03: mean .02, sd .01, error .01 / sqrt 3, t(2, .975) = 4.302653
    assert found["gain"] == pytest.approx(0.02)
    assert found["ci_low"] == pytest.approx(0.02 - 4.302653 * 0.01 / math.sqrt(3), abs=1e-8)
    assert found["ci_high"] == pytest.approx(0.02 + 4.302653 * 0.01 / math.sqrt(3), abs=1e-8)
    assert found["p"] == pytest.approx(stats.ttest_1samp([0.01, 0.02, 0.03], 0).pvalue)
    assert found["seeds"] == 3
    assert (found["single"], found["joint"]) == (pytest.approx(0.70), pytest.approx(0.72))


@pytest.mark.parametrize(
    ("differences", "verdict"),
    [
        ([0.020, 0.021, 0.022], "improves"),
        ([-0.020, -0.021, -0.022], "harms"),
        ([0.0001, -0.0001, 0.0002], "no effect"),
        ([0.0020, 0.0021, 0.0022], "no effect"),  # significant, but smaller than what matters
        ([0.05, -0.04, 0.01], "inconclusive"),  # no evidence is not evidence of nothing
        ([0.0, 0.004, -0.004], "inconclusive"),  # a zero mean alone shows no equivalence
    ],
)
def test_verdicts(differences, verdict):
    found = edge(two([0.7] * 3, [0.7 + d for d in differences]))
    assert found["verdict"] == verdict


@pytest.mark.parametrize("joint", [[0.9], [0.72, 0.72, 0.72]])
def test_one_seed_or_no_variance_claims_nothing(joint):
    found = edge(two([0.7] * len(joint), joint))
    assert found["verdict"] == "inconclusive"
    assert found[["ci_low", "ci_high", "p", "p_adjusted"]].isna().all()
    assert found["gain"] == pytest.approx(joint[0] - 0.7)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6))
def test_swapping_single_and_joint_flips_the_edge(scores):
    single, joint = [list(values) for values in zip(*scores, strict=True)]
    lone = [two(*arms).query("target == 'a'") for arms in ((single, joint), (joint, single))]
    there, back = [edge(frame) for frame in lone]
    opposite = {"improves": "harms", "harms": "improves"}
    assert back["gain"] == pytest.approx(-there["gain"], abs=1e-12)
    assert back["ci_low"] == pytest.approx(-there["ci_high"], abs=1e-9, nan_ok=True)
    assert back["p"] == pytest.approx(there["p"], nan_ok=True)
    assert back["verdict"] == opposite.get(there["verdict"], there["verdict"])


def four(seeds=3):
    rng = np.random.default_rng(7)
    names = ["a", "b", "c", "d"]
    groups = [[n] for n in names] + [list(p) for p in combinations(names, 2)] + [names]
    return grid({("+".join(g), t): 0.7 + 0.02 * rng.normal(size=seeds) for g in groups for t in g})


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_no_bit(random):
    frame = four()
    order = list(range(len(frame)))
    random.shuffle(order)
    mixed = frame.iloc[order]
    expected = gains.edges(gains.seed_gains(frame), smallest_effect=HALF_A_POINT)
    found = gains.edges(gains.seed_gains(mixed), smallest_effect=HALF_A_POINT)
    pd.testing.assert_frame_equal(found, expected, check_exact=True)
    pd.testing.assert_frame_equal(gains.group_gains(mixed), gains.group_gains(frame), check_exact=True)


@pytest.mark.parametrize(("correction", "method"), [("bh", "fdr_bh"), ("holm", "holm")])
def test_correction_is_over_all_defined_edges(correction, method):
    frame = four()
    lonely = (frame["corpora"] == "a+b") & (frame["target"] == "a") & (frame["seed"] > 0)
    table = gains.edges(gains.seed_gains(frame[~lonely]), smallest_effect=HALF_A_POINT, correction=correction)
    assert len(table) == 12
    assert table["p"].isna().sum() == 1  # b -> a has one seed left
    defined = table.dropna(subset="p")
    # a gain below the smallest effect takes part, but supports no claim
    p = defined["p"].where(defined["gain"].abs() >= HALF_A_POINT, 1.0)
    assert (p < defined["p"].max()).any()
    assert defined["p_adjusted"].to_list() == pytest.approx(multipletests(p, method=method)[1])


def test_benjamini_hochberg_by_hand():
    adjusted = corrected(np.array([0.01, 0.04, math.nan, 0.03]), "bh")
    assert adjusted[[0, 1, 3]] == pytest.approx([0.03, 0.04, 0.04])
    assert math.isnan(adjusted[2])


def test_failed_scores_are_named_and_never_averaged():
    frame = two([0.70, 0.71, 0.72], [0.73, 0.74, 0.99])
    broken = (frame["corpora"] == "a+b") & (frame["seed"] == 2)
    frame.loc[broken, ["status", "value", "error"]] = ["failed", math.nan, "loss is NaN"]
    assert edge(frame)["seeds"] == 2
    assert edge(frame)["joint"] == pytest.approx(0.735)
    lost = missing(frame)
    assert list(lost.itertuples(index=False, name=None)) == [
        ("refine", "a+b", "a", 2, "failed", "loss is NaN"),
        ("refine", "a+b", "b", 2, "failed", "loss is NaN"),
    ]


def test_absent_and_unscored_cells_are_named():
    frame = two([0.7, 0.7], [0.7, math.nan])
    lost = missing(frame, [Cell("refine", "a", "a", 9)])
    assert lost[["corpora", "target", "seed", "state"]].to_numpy().tolist() == [
        ["a", "a", 9, "absent"],
        ["a+b", "a", 1, "undefined"],
    ]


def test_dev_scores_make_no_gain():
    frame = two([0.7, 0.71], [0.8, 0.82])
    assert gains.seed_gains(frame.assign(split="dev")).empty


def test_groups_are_compared_apart_from_pairs_and_stages_apart():
    frame = four()
    assert set(gains.seed_gains(frame)["source"]) == set("abcd")
    assert set(gains.group_gains(frame)["source"]) == {"all others"}
    extra = [row("a+b+c", t, s, 0.7) for t in "abc" for s in range(3)]
    found = gains.group_gains(pd.concat([frame, pd.DataFrame(extra)]))
    assert set(found["source"]) == {"all others", "all others but d"}
    tuned = frame.query("corpora != target").assign(stage="fine-tune")
    both = gains.seed_gains(pd.concat([frame, tuned]))
    assert set(both["stage"]) == {"refine"}  # fine-tuned pairs have no fine-tuned single here


def test_incomparable_scores_are_refused():
    frame = two([0.7, 0.7], [0.7, 0.7])
    with pytest.raises(ValueError, match="two scores for Cell"):
        gains.seed_gains(pd.concat([frame, frame]))
    with pytest.raises(ValueError, match="mixes the encoders big, tiny"):
        gains.seed_gains(pd.concat([frame.query("seed == 0"),
                                    frame.query("seed == 1").assign(encoder="big")]))  # fmt: skip


def test_bad_options_are_refused():
    table = gains.seed_gains(two([0.7], [0.7]))
    with pytest.raises(ValueError, match="unknown correction 'bonferoni'; known: bh, holm"):
        gains.edges(table, smallest_effect=0.005, correction="bonferoni")
    with pytest.raises(ValueError, match="positive"):
        gains.edges(table, smallest_effect=0.0)


def test_a_claim_has_an_interval_adjusted_for_selection_and_no_other_edge_has():
    table = gains.edges(
        gains.seed_gains(two([0.7, 0.71, 0.69], [0.76, 0.771, 0.751])), smallest_effect=HALF_A_POINT
    )
    claim, other = table.set_index("target").loc[["a", "b"]].to_dict("records")
    assert (claim["verdict"], other["verdict"]) == ("improves", "inconclusive")
    assert claim["ci_low_selected"] < claim["ci_low"] < claim["gain"]  # one claim among two edges: 97.5 %
    assert claim["gain"] < claim["ci_high"] < claim["ci_high_selected"]
    assert math.isnan(other["ci_low_selected"])


def test_further_single_task_seeds_shorten_the_intervals_of_their_target():
    frame = two([0.70, 0.72, 0.71], [0.74, 0.75, 0.77])
    more = pd.DataFrame([row("a", "a", seed, 0.70 + 0.004 * (seed - 3)) for seed in range(3, 6)])
    both = pd.concat([frame, more], ignore_index=True)
    seed_gains = gains.seed_gains(both)
    assert len(seed_gains) == 6  # the further seeds have no joint run
    plain = gains.edges(seed_gains, smallest_effect=HALF_A_POINT).set_index("target")
    table = gains.edges(seed_gains, smallest_effect=HALF_A_POINT, singles=gains.singles(both)).set_index(
        "target"
    )
    assert table["single_seeds"].to_dict() == {"a": 6, "b": 3}
    assert table["seeds"].to_dict() == {"a": 3, "b": 3}
    assert table.loc["a", "gain"] != plain.loc["a", "gain"]
    assert table.loc["b", "gain"] == plain.loc["b", "gain"]
    assert table.loc["a", "joint"] - table.loc["a", "single"] == pytest.approx(table.loc["a", "gain"])
    assert min(more["value"]) < table.loc["a", "single"] < 0.72
    shuffled = gains.edges(
        seed_gains, smallest_effect=HALF_A_POINT, singles=gains.singles(both.iloc[::-1])
    ).set_index("target")
    pd.testing.assert_frame_equal(shuffled, table)


def test_what_matching_explains_is_read_off_many_edges_and_a_guess_where_there_are_few():
    rng = np.random.default_rng(0)

    def scores(explained):
        names = list("abcdef")
        alone = {n: 0.7 + 0.02 * rng.normal(size=8) for n in names}
        found = {(n, n): alone[n] for n in names}
        for pair in combinations(names, 2):
            for target in pair:
                other = 0.02 * math.sqrt(1 - explained**2) * rng.normal(size=8)
                found["+".join(pair), target] = 0.72 + explained * (alone[target] - 0.7) + other
        return grid(found)

    assert gains.singles(scores(0.0)).matching < 0.2
    assert 0.7 < gains.singles(scores(0.9)).matching <= 1
    assert gains.singles(two([0.7], [0.7])).matching == pytest.approx(0.1)


def test_nothing_gives_empty_tables_with_all_columns():
    empty = two([0.7], [0.7]).iloc[:0]
    table = gains.edges(gains.seed_gains(empty), smallest_effect=0.005)
    assert (list(table.columns), len(table)) == (gains.EDGES, 0)
    assert list(gains.group_gains(empty).columns) == gains.GROUP_GAINS
    assert missing(empty).empty
