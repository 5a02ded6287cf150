"""Kept predictions: the score comes out again, documents are added up, other items are refused."""

import json

import numpy as np
import pandas as pd
import pytest

from transfer.analysis.evidence import Arm, Cell, Evidence, arm_of
from transfer.metrics import measure_of

F1 = measure_of("micro_f1", negative="no")
ITEMS = [("1", "d", "yes", "yes"), ("2", "", "no", "yes"), ("3", "d", "yes", "no"), ("4", "", "no", "no")]


def kept(items=ITEMS, corpus: str = "a") -> pd.DataFrame:
    rows = [(corpus, id_, doc, json.dumps(gold), json.dumps(said)) for id_, doc, gold, said in items]
    return pd.DataFrame(rows, columns=["corpus", "id", "doc", "gold", "predicted"])


def test_items_of_one_document_are_added_up():
    both = pd.concat([kept(), kept(corpus="b")])
    arm = arm_of(both, "a", F1, score=0.5)
    assert arm.documents == ("2", "4", "d")
    assert arm.parts.tolist() == [[0, 1], [0, 0], [2, 3]]
    assert F1.value(arm.parts.sum(axis=0)) == 0.5


def test_a_score_that_its_predictions_do_not_give_is_refused():
    with pytest.raises(ValueError, match=r"predictions give 0\.5.*kept score is 0\.6"):
        arm_of(kept(), "a", F1, score=0.6)


def evidence(**changed: Arm) -> Evidence:
    rng = np.random.default_rng(0)

    def read(cell: Cell) -> Arm:
        name = f"{cell.corpora}-{cell.seed}".replace("+", "_").replace("-", "_")
        made = Arm(tuple("xyz"), np.stack([rng.random(3), np.full(3, 2.0)], axis=-1))
        return changed.get(name, made)

    return Evidence({"a": F1}, read)


def test_an_edge_is_estimated_from_its_arms():
    found = evidence().estimate("refine", "a+b", "a", [0, 1, 2])
    assert found.known
    assert (found.seed_degrees, found.item_degrees) == (2, 2)


def test_arms_that_were_tested_on_other_items_are_refused():
    other = Arm(tuple("xyw"), np.ones((3, 2)))
    with pytest.raises(ValueError, match=r"a: the arms of a\+b, seed 1, were tested on other items"):
        evidence(a_b_1=other).estimate("refine", "a+b", "a", [0, 1, 2])
