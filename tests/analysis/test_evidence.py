"""Evidence: an edge from its arms, each job read once, other test items refused."""

import numpy as np
import pytest

from transfer.analysis.estimate import Runs, combined, shares, two_way
from transfer.analysis.evidence import ArmScore, Cell, Evidence
from transfer.metrics import measure_of

F1 = measure_of("micro_f1", negative="no")


def made(cell: Cell) -> np.ndarray:
    """Three documents' parts of a cell's score."""
    rng = np.random.default_rng([len(cell.corpora), cell.seed])
    return np.stack([rng.random(3), np.full(3, 2.0), np.full(3, 1.0)], axis=-1)


def evidence(read: list[Cell], **documents: str) -> Evidence:
    def arms(cell: Cell) -> dict[Cell, ArmScore]:
        read.append(cell)
        found = {}
        for target in cell.corpora.split("+"):
            parts, name = made(cell), f"{cell.corpora.replace('+', '_')}_{cell.seed}"
            score = float(F1.value(parts.sum(axis=0)))
            arm = ArmScore(tuple(documents.get(name, "xyz")), score, shares(parts, F1))
            found[cell._replace(target=target)] = arm
        return found

    return Evidence(arms)


def test_an_edge_is_estimated_from_its_arms():
    found = evidence([]).estimate("refine", "a+b", "a", [0, 1, 2])
    single, joint = (
        np.stack([made(Cell("refine", corpora, "a", seed)) for seed in range(3)]) for corpora in ("a", "a+b")
    )
    assert found.known
    assert found._replace(single=0.0) == pytest.approx(two_way(single, joint, F1))
    assert (found.seed_degrees, found.item_degrees) == (2, 2)


def test_a_job_is_read_once_for_both_of_its_edges():
    read: list[Cell] = []
    both = evidence(read)
    for target in ("a", "b", "a"):
        both.estimate("refine", "a+b", target, [0, 1])
    assert len(read) == len(set(read)) == 6


def test_further_single_runs_are_combined_with_the_pairs():
    found = evidence([]).estimate("refine", "a+b", "a", [0, 1, 2], further=[3, 4], matching=0.1)
    single, joint = (
        np.stack([made(Cell("refine", corpora, "a", seed)) for seed in range(count)])
        for corpora, count in (("a", 5), ("a+b", 3))
    )
    arms = [Runs(F1.value(parts.sum(-2)), shares(parts, F1)) for parts in (joint, single)]
    assert found == pytest.approx(combined(*arms, 0.1))
    assert found.unmatched_degrees == 4
    with pytest.raises(ValueError, match="a: the arms of a, seed 4, were tested on other items"):
        evidence([], a_4="xyw").estimate("refine", "a+b", "a", [0, 1, 2], further=[3, 4], matching=0.1)


def test_arms_that_were_tested_on_other_items_are_refused():
    with pytest.raises(ValueError, match=r"a: the arms of a\+b, seed 1, were tested on other items"):
        evidence([], a_b_1="xyw").estimate("refine", "a+b", "a", [0, 1, 2])


def test_without_the_only_positive_there_is_a_gain_but_no_interval():
    """Two of three documents have no positive: without the third the score of an arm is undefined."""

    def arms(cell: Cell) -> dict[Cell, ArmScore]:
        right = 1.0 + (cell.corpora == "a+b") * 0.1 * cell.seed
        parts = np.array([[right, 2, 1], [0, 1, 0], [0, 0, 0]])
        return {cell: ArmScore(("x", "y", "z"), float(F1.value(parts.sum(axis=0))), shares(parts, F1))}

    found = Evidence(arms).estimate("refine", "a+b", "a", [0, 1, 2])
    assert found.gain == pytest.approx(0.1 / 3)
    assert not found.known
    assert np.isnan([found.reach(0.05), found.p, found.p_equivalence(1.0), found.detectable(0.05)]).all()
