"""Controls: each pairs the right arms, says nothing of others, and stands beside the edges."""

import math

import numpy as np
import pandas as pd
import pytest

from transfer.analysis import gains
from transfer.analysis.controls import DEALINGS, beside, control_tables, dealt, standing, tuned_arms
from transfer.arms import Arm

HALF_A_POINT = 0.005
TRAIN = {"a": 20, "b": 30}


def arms(scores: dict[tuple[str, str, str], list[float]]) -> pd.DataFrame:
    """The store's frame of test scores from {(stage, corpora, target): scores by seed}."""
    rows = [
        {
            "job": f"{stage}-{corpora}-{seed}", "stage": stage, "corpora": corpora, "target": target,
            "split": "test", "metric": "f1", "seed": seed, "value": value, "status": "done", "error": "",
            "encoder": "tiny", "recipe": "quick", "source": "synthetic",
        }
        for (stage, corpora, target), values in scores.items()
        for seed, value in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def pair_of(joint: list[float]) -> pd.DataFrame:
    """Corpora a and b: a's scores alone are .70, .71, .72 and with b ``joint``."""
    single = [0.70, 0.71, 0.72]
    own = {("refine", "a", "a"): single, ("refine", "b", "b"): single}
    return arms(own | {("refine", "a+b", "a"): joint, ("refine", "a+b", "b"): single[::-1]})


def control(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    (table,) = control_tables(frame, [name], train_items=TRAIN, smallest_effect=HALF_A_POINT).values()
    return table


def arm(frame: pd.DataFrame, corpora: str, target: str, stage: str, values: list[float]) -> pd.DataFrame:
    """The frame with one more arm."""
    return pd.concat([frame, arms({(stage, corpora, target): values})])


def test_the_null_control_pairs_a_corpus_with_itself_and_makes_no_edge():
    frame = pair_of([0.73, 0.74, 0.75])
    both = arm(frame, "a", "a", "null", [0.72, 0.71, 0.70])
    found = control(both, "null")
    assert found[["source", "target", "verdict", "seeds"]].to_numpy().tolist() == [
        ["a", "a", "inconclusive", 3]
    ]
    assert found.loc[0, "gain"] == pytest.approx(0)
    without, with_ = (gains.seed_gains(f) for f in (frame, both))
    pd.testing.assert_frame_equal(without, with_)
    moved = both.assign(value=both["value"].where(both["stage"] != "null", both["value"] + 0.3))
    assert control(moved, "null").loc[0, "verdict"] == "improves"


def test_the_null_controls_runs_are_dealt_in_every_way():
    own, again = [0.70, 0.74, 0.71], [0.72, 0.70, 0.75]
    frame = arms({("refine", "a", "a"): own, ("null", "a", "a"): again, ("refine", "b", "b"): own})
    # 6 runs: the first one's arm and 2 of the other 5
    assert dealt(frame, smallest_effect=HALF_A_POINT) == (0, 10)
    rng = np.random.default_rng(0)
    ten = {(s, c, c): list(0.7 + 0.01 * rng.normal(size=10)) for s in ("refine", "null") for c in "ab"}
    claims, edges = dealt(arms(ten), smallest_effect=HALF_A_POINT)
    assert edges == 2 * DEALINGS
    assert claims < 0.1 * edges
    # only the dealing that has all the good runs in one arm
    apart = arms({("refine", "a", "a"): [0.1, 0.11, 0.12], ("null", "a", "a"): [0.9, 0.905, 0.91]})
    assert dealt(apart, smallest_effect=HALF_A_POINT)[0] == 1


def test_the_same_steps_control_holds_the_pair_against_the_target_alone_for_as_long():
    frame = pair_of([0.80, 0.812, 0.821])
    longer = arm(frame, "a", "a", "same-steps 30", [0.79, 0.80, 0.813])  # as long as with b's 30 examples
    other = arm(longer, "a", "a", "same-steps 20", [0.1, 0.2, 0.3])  # as with another partner
    found = control(other, "same-steps")
    assert found[["stage", "source", "target", "seeds"]].to_numpy().tolist() == [["refine", "b", "a", 3]]
    # .80 - .79, .812 - .80, .821 - .813
    assert found.loc[0, "gain"] == pytest.approx(0.01)
    assert found.loc[0, "single"] == pytest.approx((0.79 + 0.80 + 0.813) / 3)
    pd.testing.assert_frame_equal(gains.seed_gains(frame), gains.seed_gains(other))


def test_the_left_out_control_holds_the_pair_without_the_text_against_the_target_alone():
    frame = pair_of([0.80, 0.81, 0.83])
    less = arm(frame, "a+b", "a", "left-out a", [0.71, 0.72, 0.74])
    less = arm(less, "a+b", "b", "left-out a", [0.1, 0.2, 0.3])  # the same jobs' other score
    found = control(less, "left-out")
    assert found[["stage", "source", "target"]].to_numpy().tolist() == [["refine", "b", "a"]]
    assert found.loc[0, "gain"] == pytest.approx(0.04 / 3)
    pd.testing.assert_frame_equal(gains.seed_gains(frame), gains.seed_gains(less))


def test_the_tuned_control_takes_the_rate_that_dev_likes_best():
    frame = pair_of([0.80, 0.81, 0.83])
    for rate, dev, test in (
        ("0.001", [0.9, 0.6, 0.7], [0.75, 0.76, 0.77]),
        ("0.01", [0.5, 0.6, 0.8], [0.9, 0.9, 0.9]),
    ):
        frame = arm(frame, "a", "a", f"tuned {rate}", test)
        frame = pd.concat([frame, arms({(f"tuned {rate}", "a", "a"): dev}).assign(split="dev")])
    own = pd.concat([arms({("refine", "a", "a"): [0.7, 0.7, 0.7]}), arms({("refine", "b", "b"): [0.6] * 3})])
    frame = pd.concat([frame, own.assign(split="dev")])
    assert tuned_arms(frame)["a"] == (
        Arm.tuned(0.001),
        pytest.approx(2.2 / 3),
    )  # on test the other one is better
    found = control(frame, "tuned").set_index("target")
    assert found.loc["a", "gain"] == pytest.approx((0.05 + 0.05 + 0.06) / 3)
    assert found.loc["b", "gain"] == pytest.approx(0.0)  # its only rate is the recipe's


def test_of_rates_that_dev_likes_equally_the_recipes_is_kept_and_else_the_lowest_number_taken():
    rows = [arms({(f"tuned {rate}", "a", "a"): [0.9]}) for rate in ("0.0001", "1e-05")]
    known = pd.concat([*rows, arms({("refine", "a", "a"): [0.5]})]).assign(split="dev")
    assert tuned_arms(known)["a"][0] == Arm.tuned(1e-05), "as text it comes after 0.0001"
    equal = pd.concat([*rows, arms({("refine", "a", "a"): [0.9]})]).assign(split="dev")
    assert tuned_arms(equal)["a"][0] == Arm("refine")


def test_a_seed_that_a_control_lacks_is_left_out_of_it():
    frame = pair_of([0.80, 0.81, 0.83])
    longer = arm(frame, "a", "a", "same-steps 30", [0.79, 0.80, math.nan])
    assert control(longer, "same-steps").loc[0, "seeds"] == 2


def test_controls_stand_beside_the_edges_that_have_them():
    frame = pair_of([0.80, 0.81, 0.83])
    frame = arm(frame, "a", "a", "same-steps 30", [0.79, 0.80, 0.82])
    frame = arm(frame, "a", "a", "null", [0.72, 0.71, 0.70])
    tables = control_tables(frame, ["same-steps", "null"], train_items=TRAIN, smallest_effect=HALF_A_POINT)
    assert list(tables) == ["null", "same-steps"]
    edges = gains.edges(gains.seed_gains(frame), smallest_effect=HALF_A_POINT)
    both = beside(edges, tables).set_index(["source", "target"])
    added = [
        f"{c}_{k}"
        for k in ("same_steps", "left_out", "tuned")
        for c in ("gain", "ci_low", "ci_high", "verdict")
    ]
    assert list(both.columns)[-12:] == added
    assert both["gain_left_out"].isna().all()
    assert both.loc[("b", "a"), "gain_same_steps"] == pytest.approx(0.01)
    assert math.isnan(both.loc[("a", "b"), "gain_same_steps"])
    assert both.loc[("a", "b"), "verdict_same_steps"] == ""


def test_nothing_to_compare_gives_an_empty_table():
    frame = arms({("refine", "a", "a"): [0.7, 0.8, 0.9]})
    for name in ("null", "same-steps", "left-out", "tuned"):
        table = control(frame, name)
        assert (list(table.columns), len(table)) == (gains.EDGES, 0)


def claimed(frame: pd.DataFrame) -> pd.DataFrame:
    """The edges of the frame with a claim on b -> a, whatever its seeds say."""
    edges = gains.edges(gains.seed_gains(frame), smallest_effect=HALF_A_POINT)
    return edges.assign(verdict=["improves" if s == "b" else "inconclusive" for s in edges["source"]])


@pytest.mark.parametrize(
    ("longer", "expected"),
    [
        ([0.749, 0.760, 0.771], "reduced"),  # longer training alone gains five points
        ([0.7001, 0.7102, 0.7199], "stands"),  # it gains nothing
        ([0.66, 0.72, 0.75], "undecided"),
    ],
)
def test_a_claim_stands_by_the_difference_of_the_two_gains(longer: list[float], expected: str):
    frame = arm(pair_of([0.80, 0.81, 0.82]), "a", "a", "same-steps 30", longer)
    found = standing(
        claimed(frame), frame, ["same-steps"], train_items=TRAIN, smallest_effect=HALF_A_POINT
    ).set_index(["source", "target"])
    row = found.loc[("b", "a")]
    # the joint arm cancels: what is left is longer training over the target alone
    assert row["difference_same_steps"] == pytest.approx(sum(longer) / 3 - 0.71)
    assert row["standing_same_steps"] == expected
    assert (
        row["difference_ci_low_same_steps"]
        < row["difference_same_steps"]
        < row["difference_ci_high_same_steps"]
    )
    assert found.loc[("a", "b"), "standing_same_steps"] == "", "no claim, nothing to stand"
    assert found["difference_tuned"].isna().all()


def test_a_harm_that_longer_training_does_too_is_reduced():
    frame = arm(pair_of([0.60, 0.61, 0.62]), "a", "a", "same-steps 30", [0.649, 0.660, 0.671])
    edges = claimed(frame).replace({"verdict": {"improves": "harms"}})
    found = standing(edges, frame, ["same-steps"], train_items=TRAIN, smallest_effect=HALF_A_POINT)
    assert found.loc[found["source"] == "b", "standing_same_steps"].tolist() == ["reduced"]
