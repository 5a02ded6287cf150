"""The best division into so many models: held against all divisions, on simulated and real gains."""

import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from transfer.analysis.advice import expected_of
from transfer.analysis.estimate import over_seeds
from transfer.analysis.grouping import group
from transfer.analysis.old_reports import options_of
from transfer.analysis.options import Option
from transfer.analysis.partition import EXACT_UP_TO, GroupGains, divide, exact, searched
from transfer.analysis.verdicts import Verdict
from transfer.inputs import InputError

STUDIES = Path(__file__).parents[2] / "studies"
REAL = sorted(path.parent.name for path in STUDIES.glob("public_*/results.csv"))


def divisions(tasks: list[str]) -> Iterator[list[list[str]]]:
    """All set partitions."""
    if not tasks:
        yield []
        return
    first, *rest = tasks
    for others in divisions(rest):
        yield [[first], *others]
        for i in range(len(others)):
            yield [*others[:i], [first, *others[i]], *others[i + 1 :]]


def worth(gains: dict, groups) -> float:
    """The sum of gains by the definition: measured, or the mean of those in pairs."""
    total = 0.0
    for names in groups:
        names = tuple(sorted(names))
        for task in names if len(names) > 1 else ():
            pairs = [gains.get((tuple(sorted((task, other))), task)) for other in names if other != task]
            if (names, task) in gains:
                total += gains[names, task]
            elif None in pairs:
                return -math.inf
            else:
                total += sum(pairs) / len(pairs)
    return total


def simulated(count: int, seed: int, *, larger: int = 0, missing: int = 0) -> tuple[list[str], dict]:
    rng = np.random.default_rng(seed)
    tasks = [f"t{i}" for i in rng.permutation(count)]
    gains = {
        (tuple(sorted((a, b))), a): float(rng.normal(0, 0.03)) for a, b in itertools.permutations(tasks, 2)
    }
    for _ in range(larger):
        names = tuple(sorted(rng.choice(tasks, int(rng.integers(3, count + 1)), replace=False).tolist()))
        gains |= {(names, task): float(rng.normal(0, 0.05)) for task in names}
    for _ in range(missing):
        pair = tuple(sorted(rng.choice(tasks, 2, replace=False).tolist()))
        gains = {key: value for key, value in gains.items() if key[0] != pair}
    return tasks, gains


CASES = [(n, seed) for n in range(1, 8) for seed in range(4)]


@pytest.mark.parametrize(("count", "seed"), CASES)
@pytest.mark.parametrize("missing", [0, 2])
def test_the_best_division_is_that_of_brute_force(count: int, seed: int, missing: int):
    larger = 3 if count > 2 else 0
    tasks, gains = simulated(count, seed, larger=larger, missing=missing if count > 2 else 0)
    every = list(divisions(tasks))
    for models in range(1, count + 1):
        best = max(worth(gains, d) for d in every if len(d) <= models)
        found = divide(GroupGains(gains), tasks, models)
        if math.isinf(best):
            assert found is None
            continue
        assert found is not None
        assert sorted(itertools.chain(*found)) == sorted(tasks)
        assert len(found) <= models
        assert worth(gains, found) == pytest.approx(best)


def test_of_equally_good_divisions_the_one_with_fewest_models_is_taken():
    gains = {(pair, task): 0.0 for pair in itertools.combinations("abcd", 2) for task in pair}
    assert divide(GroupGains(gains), "abcd", 4) == (("a", "b", "c", "d"),)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_is_never_better_than_the_exact_answer_and_mostly_finds_it(seed: int):
    tasks, gains = simulated(9, seed, larger=4)
    names, of = tuple(sorted(tasks)), GroupGains(gains)
    for models in (2, 4, 9):
        best, found = exact(of, names, models), searched(of, names, models)
        assert best
        assert found
        assert sorted(itertools.chain(*found)) == sorted(tasks)
        assert len(found) <= models
        assert worth(gains, found) <= worth(gains, best) + 1e-12
        assert worth(gains, found) >= 0.98 * worth(gains, best)


def test_beyond_the_exact_a_planted_division_is_found_and_called_a_search():
    tasks = [f"t{i:02}" for i in range(EXACT_UP_TO + 6)]
    family = {task: i % 3 for i, task in enumerate(tasks)}
    rng = np.random.default_rng(0)
    options = [
        option(tuple(sorted((a, b))), a, (0.03 if family[a] == family[b] else -0.03) + rng.normal(0, 0.01, 3))
        for a, b in itertools.permutations(tasks, 2)
    ]
    found = group(options, tasks, 3, stage="refine", data_source="prepared")
    assert not found.best.exact
    assert {frozenset(names) for names in found.best.groups} == {
        frozenset(t for t in tasks if family[t] == kind) for kind in range(3)
    }
    assert "the best that a search" in found.sentences()[0]


def option(names: tuple[str, ...], target: str, values, verdict: str = "inconclusive") -> Option:
    partners = "+".join(name for name in names if name != target)
    by_seed = dict(enumerate(map(float, values)))
    estimate = over_seeds(np.array(values, dtype=float))
    return Option(
        "refine", target, names, partners, "accuracy", 0.5, estimate, Verdict(verdict), by_seed, len(by_seed)
    )


def test_what_the_limit_gives_up_and_what_is_estimated_is_said():
    values = {("a", "b"): (0.04, 0.06), ("c", "d"): (0.02, 0.02)}
    options = [
        option(pair, task, np.array([value - 0.001, value + 0.001]), "improves")
        for pair in itertools.combinations("abcd", 2)
        for task, value in zip(pair, values.get(pair, (-0.01, -0.01)), strict=True)
    ]
    found = group(options, "abcd", 2, stage="refine", data_source="prepared")
    assert found.best.groups == (("a", "b"), ("c", "d"))
    assert found.best.mean_gain == pytest.approx(0.035)
    assert found.gives_up == pytest.approx(0)
    assert found.held_out == pytest.approx(0.035)
    one = group(options, "abcd", 1, stage="refine", data_source="prepared")
    assert one.gives_up == pytest.approx(found.best.expected_gain - one.best.expected_gain)
    assert one.gives_up == pytest.approx(0.035 - one.best.mean_gain, rel=0.1), "shrunk, but little"
    assert {member.origin for member in one.best.models[0]} == {"mean of pairs"}
    text = " ".join(one.sentences())
    assert "The limit of 1 costs" in text
    assert "4 of the 4 gains are estimates" in text


def test_a_measured_group_replaces_its_estimate():
    gains = {(pair, task): 0.01 for pair in itertools.combinations("abc", 2) for task in pair}
    of = GroupGains(gains | {(tuple("abc"), task): -0.05 for task in "abc"})
    assert of(tuple("abc"), "a") == (-0.05, "measured")
    assert divide(of, "abc", 3) != (("a", "b", "c"),)
    assert divide(GroupGains(gains), "abc", 3) == (("a", "b", "c"),)


def test_a_division_that_cannot_be_valued_names_the_pairs():
    options = [option(("a", "b"), task, [0.1, 0.2]) for task in "ab"]
    with pytest.raises(InputError, match="not measured are the pairs a and c, b and c; let the grid"):
        group(options, "abc", 1, stage="refine", data_source="prepared")
    assert group(options, "abc", 2, stage="refine", data_source="prepared").best.groups == (
        ("a", "b"),
        ("c",),
    )
    with pytest.raises(InputError, match="should be 1 or more"):
        group(options, "abc", 0, stage="refine", data_source="prepared")


@pytest.mark.parametrize("name", [*REAL, "clinical_pairs"])
def test_on_the_committed_reports_it_is_brute_force_over_edges_csv(name: str):
    frame, edges, groups = (
        pd.read_csv(STUDIES / name / f, keep_default_na=False, na_values=[""])
        for f in ("results.csv", "edges.csv", "table_groups.csv")
    )
    tasks = sorted(set(edges["target"]))
    options = [each for each in options_of(frame, edges, groups) if each.stage == "refine"]
    assert len(options) == sum(len(table[table["stage"] == "refine"]) for table in (edges, groups))
    gains = {(o.group, o.target): e for o, e in zip(options, expected_of(options).tolist(), strict=True)}
    for models in range(1, len(tasks) + 1):
        found = group(options, tasks, models, stage="refine", data_source="prepared")
        best = max(worth(gains, d) for d in divisions(tasks) if len(d) <= models)
        assert found.best.expected_gain * len(tasks) == pytest.approx(best)
        assert found.gives_up >= -1e-12
        assert found.best.exact
