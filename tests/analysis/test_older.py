"""Results of earlier versions: the 0 of an undefined score is recognized, and a real 0 stays."""

import json
from pathlib import Path

import pandas as pd
import pytest

from transfer.analysis.older import known_undefined
from transfer.corpora.base import Card
from transfer.jobs import Encoder, Job, Trained
from transfer.recipes import Recipe
from transfer.records import JobResult, Score
from transfer.store import Store

CARD = Card(name="a", kind="classification", metric="micro_f1", labels=("yes", "no"), negative="no")
JOB = Job(
    stage="refine",
    corpora=(Trained(name="a", fingerprint="1"),),
    seed=0,
    recipe=Recipe(lr=1e-3, epochs=1, batch_size=8),
    encoder=Encoder(name="tiny"),
    encoder_fingerprint="2",
)


@pytest.mark.parametrize(
    ("gold", "predicted", "value", "undefined"),
    [
        (["no", "no"], ["no", "yes"], 0.0, "none of the 2 gold items is positive (other than 'no')"),
        (["no", "yes"], ["no", "no"], 0.0, ""),
        (["yes"], ["yes"], 1.0, "a single item"),
        (["no", "no"], ["no", "yes"], 0.25, ""),  # no version wrote that; it is not looked into
    ],
)
def test_what_predictions_say_of_a_score_that_was_kept_as_zero(
    tmp_path: Path, gold, predicted, value, undefined
):
    score = Score(corpus="a", split="test", metric="micro_f1", value=value, items=len(gold))
    dev = Score(corpus="a", split="dev", metric="micro_f1", value=0.0, items=9)
    rows = [
        {"corpus": "a", "id": str(i), "doc": "", "gold": json.dumps(g), "predicted": json.dumps(p)}
        for i, (g, p) in enumerate(zip(gold, predicted, strict=True))
    ]
    store = Store(tmp_path)
    kept = JobResult(id=JOB.id, job=JOB, status="done", scores=(dev, score), source="prepared")
    store.put(kept, predictions=pd.DataFrame(rows))
    found = known_undefined(store.get(JOB.id), store, {"a": CARD})
    assert found.scores[0] == dev
    assert found.scores[1].undefined == undefined
    assert found.scores[1].value == (None if undefined else value)


def test_lost_predictions_leave_the_result_as_it_is(tmp_path: Path):
    score = Score(corpus="a", split="test", metric="micro_f1", value=0.0, items=2)
    result = JobResult(id=JOB.id, job=JOB, status="done", scores=(score,), source="prepared")
    assert known_undefined(result, Store(tmp_path), {"a": CARD}) == result
