"""Whom to train a task with: held against brute force, simulated studies and the committed reports."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from transfer.analysis.advice import chance_settled, expected_of, held_out, recommend
from transfer.analysis.crossfit import Crossfit, SeedGains
from transfer.analysis.estimate import over_seeds
from transfer.analysis.old_reports import options_of
from transfer.analysis.options import Option
from transfer.analysis.verdicts import Verdict
from transfer.arms import Group
from transfer.inputs import InputError

STUDIES = Path(__file__).parents[2] / "studies"
REAL = sorted(path.parent.name for path in STUDIES.glob("public_*/results.csv"))
SMALLEST = 0.005
# half a unit of the sixth decimal: of the interval's ends, and of its standard error times t with 2 degrees
ROUNDING = 0.5e-6 * (1 + 2**0.5 * 4.31)


def option(values, partners: str, *, verdict: str = "", target: str = "t") -> Option:
    group = Group((target, *Group.parse(partners).names)).names
    by_seed = dict(enumerate(map(float, values)))
    found, judged = over_seeds(np.array(values)), Verdict(verdict) if verdict else None
    return Option(
        "refine", target, group, partners, "accuracy", 0.5, found, judged, by_seed, len(by_seed)
    )  # fmt: skip


def advised(options, target: str = "t"):
    return recommend(options, target, stage="refine", data_source="prepared", smallest_effect=SMALLEST)


def study(rng: np.random.Generator, truth: np.ndarray, *, seeds: int, noise: float = 0.01) -> list[Option]:
    """One target and a pair with each partner, judged as a grid does."""
    drawn = truth[:, None] + rng.normal(0, noise, (len(truth), seeds))
    adjusted = stats.false_discovery_control(stats.ttest_1samp(drawn, 0, axis=1).pvalue)
    return [
        option(
            own, f"p{i}", verdict=("improves" if own.mean() > 0 else "harms") if p < 0.05 else "inconclusive"
        )
        for i, (own, p) in enumerate(zip(drawn, adjusted, strict=True))
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_advice_is_that_of_brute_force(seed: int):
    rng = np.random.default_rng(seed)
    options = study(rng, rng.normal(0.0, 0.02, rng.integers(1, 7)), seeds=int(rng.integers(2, 8)))
    found = advised(options)
    bounds = {}
    for each in options:
        values = np.array([*each.by_seed.values()])
        low, high = stats.t.interval(
            1 - 0.05 / len(options), len(values) - 1, loc=values.mean(), scale=stats.sem(values)
        )
        bounds[each.partners] = (low, high, each.verdict)
    for judged in found.options:
        low, high, verdict = bounds[judged.option.partners]
        assert (judged.low, judged.high) == pytest.approx((low, high))
        assert judged.verdict == verdict
    improving = {name: low for name, (low, _, verdict) in bounds.items() if verdict == "improves"}
    wanted = max(improving, key=improving.__getitem__) if improving else None
    assert (found.best.option.partners if found.best else None) == wanted


def test_the_interval_of_the_best_of_many_holds_what_it_promises():
    rng = np.random.default_rng(5)
    covered, plain, claimed = [], [], []
    for _ in range(300):
        truth = np.zeros(8)
        found = advised(study(rng, truth, seeds=5))
        claimed.append(found.best is not None)
        top = max(found.options, key=lambda judged: judged.option.estimate.gain)
        covered.append(top.low <= 0.0 <= top.high)
        reach = float(top.option.estimate.reach(0.05))
        plain.append(abs(top.option.estimate.gain) <= reach)
    assert np.mean(covered) >= 0.93
    assert np.mean(claimed) <= 0.08, "with nothing to find, nobody is recommended"
    assert np.mean(plain) < 0.88, "an interval that does not know of the choice is too short: else why ours"


def crossfit(*gains_by_seed) -> Crossfit:
    options = {(f"p{i}",): SeedGains(dict(own)) for i, own in enumerate(gains_by_seed)}
    return Crossfit(options)


def test_the_held_out_value_by_hand():
    a, b = {0: 0.03, 1: 0.01, 2: -0.018}, {0: 0.0, 1: 0.02, 2: 0.01}
    # without 0: a -.004, b .015 -> b: 0; without 1: a .006, b .005 -> a: .01; without 2: a .02 -> a: -.018
    assert held_out(crossfit(a, b)) == pytest.approx((0.0 + 0.01 - 0.018) / 3)
    assert held_out(crossfit({0: -0.1, 1: -0.2})) == 0.0, "where all lose, training alone is chosen"
    assert math.isnan(held_out(crossfit({0: 0.1})))
    assert math.isnan(held_out(Crossfit({})))


def test_the_expected_gain_of_a_recommendation_is_the_truth_on_average():
    rng = np.random.default_rng(8)
    promised, measured, true = [], [], []
    for _ in range(60):
        options, truth = [], {}
        for t in range(6):
            own = np.where(rng.random(7) < 0.5, 0.0, rng.normal(0, 0.02, 7))
            drawn = own[:, None] + rng.normal(0, 0.007, (7, 3)) - rng.normal(0, 0.007, 3)
            for i, (gain, values) in enumerate(zip(own, drawn, strict=True)):
                truth[f"t{t}", f"p{i}"] = gain
                estimate = over_seeds(values)._replace(seeds=2 * 0.007**2 / 3, borrowed=10.0)
                verdict = "improves" if values.mean() > 3 * 0.007 * (2 / 3) ** 0.5 else "inconclusive"
                options.append(
                    option(values, f"p{i}", verdict=verdict, target=f"t{t}")._replace(estimate=estimate)
                )
        for each, gain in zip(options, expected_of(options), strict=True):
            if each.verdict == "improves":
                promised.append(gain)
                measured.append(each.estimate.gain)
                true.append(truth[each.target, each.partners])
    error = np.std(np.subtract(promised, true)) / len(true) ** 0.5
    assert np.mean(measured) - np.mean(true) > 5 * error, "the measured gain is too high: else why shrink it"
    assert np.mean(promised) - np.mean(true) == pytest.approx(0, abs=0.003)


def test_a_larger_group_is_judged_by_its_simultaneous_interval():
    sure, small, loose = [0.05, 0.051, 0.049], [0.001, 0.0011, 0.0009], [0.05, 0.20, -0.05]
    found = advised(
        [option(sure, "a+b"), option(small, "b+c"), option(loose, "c+d"), option(-np.array(sure), "e+f")]
    )
    verdicts = {judged.option.partners: judged.verdict for judged in found.options}
    assert verdicts == {"a+b": "improves", "b+c": "no effect", "c+d": "inconclusive", "e+f": "harms"}
    assert found.best
    assert found.best.option.partners == "a+b"


def test_a_sure_gain_is_preferred_to_a_larger_one_that_is_not():
    sure = option([0.040, 0.041, 0.042], "sure", verdict="improves")
    lucky = option([0.02, 0.05, 0.08], "lucky", verdict="improves")
    open_ = option([0.10, 0.30, 0.50], "open", verdict="inconclusive")
    found = advised([lucky, open_, sure])
    assert found.best
    assert found.best.option.partners == "sure"
    text = " ".join(found.sentences())
    assert text.startswith("Train t with sure. Expect about +4.1 points over training alone (accuracy 50.0).")
    assert "lucky may be as good" in text


def test_where_nothing_improves_the_task_is_trained_alone():
    found = advised([option([-0.01, 0.03, 0.02], "a", verdict="inconclusive")])
    assert found.best is None
    assert found.sentences()[0] == (
        "Train t alone (accuracy 50.0): the one measured option is not shown to improve it."
    )
    assert "not shown either" in found.sentences()[1]


@pytest.mark.parametrize("seed", range(5))
def test_the_chance_that_a_seed_settles_is_that_of_drawing_it(seed: int):
    rng = np.random.default_rng(seed)
    own = option(rng.normal(0.02, 0.008, rng.integers(2, 6)), "a")
    level = 0.05 / 3
    values = np.array([*own.by_seed.values()])
    count = len(values)
    drawn = values.mean() + values.std(ddof=1) * math.sqrt(1 + 1 / count) * rng.standard_t(count - 1, 4000)
    later = over_seeds(np.column_stack([np.tile(values, (4000, 1)), drawn]))
    size = np.abs(later.gain)
    settled = (size > np.maximum(later.reach(level), SMALLEST)) | (size + later.reach(2 * level) < SMALLEST)
    assert chance_settled(own, level=level, smallest=SMALLEST) == pytest.approx(settled.mean(), abs=0.03)


def test_seeds_that_settle_grow_fewer_as_gains_agree():
    near, far = (advised([option(v, "a", verdict="inconclusive")]).options[0].outlook
                 for v in ([0.02, 0.03, 0.045], [0.0, 0.03, 0.07]))  # fmt: skip
    assert near
    assert far
    assert near.seeds
    assert far.seeds
    assert near.seeds < far.seeds
    assert near.chance > far.chance


def test_a_single_seed_claims_and_foretells_nothing():
    found = advised([option([0.3], "a", verdict="inconclusive")])
    assert found.best is None
    assert math.isnan(found.options[0].low)
    assert found.table["chance_one_more_seed"].isna().all()
    assert len(found.sentences()) == 2


def test_an_unmeasured_target_is_named():
    with pytest.raises(InputError, match="no gain of 'u' was measured; known: t"):
        advised([option([0.1, 0.2], "a")], target="u")


def tables(name: str) -> list[pd.DataFrame]:
    files = ("results.csv", "edges.csv", "table_groups.csv")
    return [pd.read_csv(STUDIES / name / f, keep_default_na=False, na_values=[""]) for f in files]


@pytest.mark.parametrize("name", [*REAL, "clinical_pairs"])
def test_the_committed_reports_are_read_back_as_they_are(name: str):
    frame, edges, groups = tables(name)
    options = [each for each in options_of(frame, edges, groups) if each.stage == "refine"]
    edges, groups = (table[table["stage"] == "refine"] for table in (edges, groups))
    assert len(options) == len(edges) + len(groups)
    rows = {(row["source"], row["target"]): row for t in (edges, groups) for row in t.to_dict("records")}
    for each in options:
        row = rows[each.partners, each.target]
        assert each.target in each.group
        assert each.estimate.gain == row["gain"]
        assert np.mean([*each.by_seed.values()]) == pytest.approx(row["gain"], abs=2e-6)
        assert (each.estimate.seeds, each.estimate.items) == (row["se_seeds"] ** 2, row["se_items"] ** 2)
        if "df_seeds" in row:
            assert each.estimate.over_seeds_degrees == pytest.approx(row["df_seeds"], abs=ROUNDING)
        if "ci_low_selected" in row:  # else the report is of a version with other intervals
            wanted = (row["ci_high"] - row["ci_low"]) / 2
            assert float(each.estimate.reach(0.05)) == pytest.approx(wanted, abs=ROUNDING, nan_ok=True)


@pytest.mark.parametrize("name", REAL)
def test_on_the_real_reports_the_advice_is_that_of_their_verdicts(name: str):
    """By brute force from edges.csv: somebody is recommended just where a pair or group improves."""
    frame, edges, groups = tables(name)
    options = [each for each in options_of(frame, edges, groups) if each.stage == "refine"]
    for target in sorted(set(edges["target"])):
        found = advised(options, target)
        pairs = edges[(edges["target"] == target) & (edges["verdict"] == "improves")]
        larger = [
            judged
            for judged in found.options
            if len(judged.option.group) > 2
            and judged.option.estimate.gain >= max(SMALLEST, float(judged.option.estimate.reach(0.05 / 4)))
        ]
        assert (found.best is None) == (pairs.empty and not larger)
        measured = {"edges": edges, "groups": groups}
        assert len(found.options) == sum((t["target"] == target).sum() for t in measured.values())
