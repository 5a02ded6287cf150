"""Kept predictions: measured once and by index, and yet what the plain definitions give."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transfer.analysis import arm_scores
from transfer.analysis.arm_scores import ArmScores
from transfer.analysis.estimate import shares
from transfer.metrics import measure_of
from transfer.store import Store

F1 = measure_of("micro_f1", negative="no")
ITEMS = [("1", "d", "yes", "yes"), ("2", "", "no", "yes"), ("3", "d", "yes", "no"), ("4", "", "no", "no")]
LABELS = st.sampled_from(["yes", "no", 'ma"ybe', "ein Ä, [1]"])
TAGS = st.sampled_from(["O", "B-X", "I-X", "B-Y", "I-Y"])
VALUES = {
    "accuracy": LABELS,
    "micro_f1": LABELS,
    "f1": LABELS,
    "span_f1": st.lists(TAGS, min_size=3, max_size=3),
    "example_f1": st.lists(LABELS, max_size=3, unique=True),
    "pearson": st.floats(-5, 5) | st.integers(0, 5),
}


def table(items=ITEMS, corpus: str = "a") -> pa.Table:
    """The predictions of one corpus as the store reads them."""
    rows = [(corpus, id_, doc, json.dumps(gold), json.dumps(said)) for id_, doc, gold, said in items]
    plain = pa.Table.from_pandas(pd.DataFrame(rows, columns=["corpus", "id", "doc", "gold", "predicted"]))
    for place, name in ((0, "corpus"), (4, "predicted")):
        plain = plain.set_column(place, name, plain[name].dictionary_encode())
    return plain


def both(*tables: pa.Table) -> pa.Table:
    return pa.concat_tables(tables).unify_dictionaries()


def plain(items, measure) -> tuple[tuple[str, ...], float, np.ndarray]:
    """An arm by the definitions: item by item, document by document."""
    parts = measure.parts([gold for _, _, gold, _ in items], [said for *_, said in items])
    names = sorted({doc or id_ for id_, doc, *_ in items})
    sums = np.zeros((len(names), parts.shape[1]))
    for (id_, doc, *_), part in zip(items, parts, strict=True):
        sums[names.index(doc or id_)] += part
    return tuple(names), float(measure.value(sums.sum(axis=0))), shares(sums, measure)


@st.composite
def jobs(draw):
    """A metric, and what two or three jobs predicted of the same test items."""
    metric = draw(st.sampled_from(sorted(VALUES)))
    docs = draw(st.lists(st.sampled_from(["", "", "d1", "d2"]), min_size=1, max_size=9))
    gold = [draw(VALUES[metric]) for _ in docs]
    said = [[draw(VALUES[metric] | st.just(g)) for g in gold] for _ in range(draw(st.integers(2, 3)))]
    return metric, [[(str(i), *row) for i, row in enumerate(zip(docs, gold, s, strict=True))] for s in said]


@settings(deadline=None)
@given(jobs(), st.sampled_from([1, 4, 50_000]))
def test_an_arm_is_what_the_plain_definitions_give(some, most_known: int):
    metric, of_jobs = some
    measure = measure_of(metric, negative="no")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arm_scores, "MOST_KNOWN", most_known)
        reader = ArmScores("a", measure)
        for items in of_jobs:
            documents, score, by_document = plain(items, measure)
            whole = measure([gold for _, _, gold, _ in items], [said for *_, said in items])
            arm = reader.arm(both(table(ITEMS, "b"), table(items)), score=whole)
            assert arm.documents == documents
            assert arm.score == pytest.approx(score, abs=1e-12, nan_ok=True)
            np.testing.assert_allclose(arm.shares, by_document, atol=1e-9)


def test_items_of_one_document_are_added_up():
    arm = ArmScores("a", F1).arm(both(table(), table(corpus="b")), score=0.5)
    assert arm.documents == ("2", "4", "d")
    assert arm.score == 0.5
    np.testing.assert_array_equal(arm.shares, shares(np.array([[0.0, 1, 0], [0, 0, 0], [2, 3, 2]]), F1))


def test_rows_of_a_corpus_that_do_not_stand_together_are_found():
    mixed = both(table(ITEMS[:2]), table(corpus="b"), table(ITEMS[2:]))
    assert ArmScores("a", F1).arm(mixed, score=0.5).documents == ("2", "4", "d")


def test_other_gold_values_are_not_taken_for_those_seen_before():
    reader = ArmScores("a", F1)
    reader.arm(table(), score=0.5)
    other = [(id_, doc, "yes", said) for id_, doc, _, said in ITEMS]
    assert reader.arm(table(other), score=2 / 3).score == pytest.approx(2 / 3)
    assert reader.arm(table(), score=0.5).score == 0.5


def test_a_score_that_its_predictions_do_not_give_is_refused():
    with pytest.raises(ValueError, match=r"predictions give 0\.5.*kept score is 0\.6"):
        ArmScores("a", F1).arm(table(), score=0.6)


@pytest.mark.parametrize("said", ['"a", "b"', "", "{", "nothing"])
def test_what_is_no_json_value_is_refused(said: str):
    broken = table()
    broken = broken.set_column(4, "predicted", pa.array([said] * 4).dictionary_encode())
    with pytest.raises(ValueError):  # noqa: PT011 - which of them does not matter, none is a score
        ArmScores("a", F1).arm(broken, score=0.5)


def test_predictions_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="no predictions of it"):
        ArmScores("a", F1).arm(table(corpus="b"), score=0.5)
    gone = table().set_column(3, "gold", pa.array([None] * 4, pa.string()))
    with pytest.raises(ValueError, match="without id, gold value or prediction"):
        ArmScores("a", F1).arm(gone, score=0.5)


def test_the_store_reads_the_same_either_way(tiny_run):
    store = Store(tiny_run.store)
    for home in (tiny_run.store / "jobs").iterdir():
        pd.testing.assert_frame_equal(
            store.prediction_table(home.name).to_pandas().astype("str"), store.predictions(home.name)
        )


@pytest.mark.parametrize(
    ("measure", "gold", "said", "constant"),
    [
        (F1, ["yes", "no", "no"], ["no", "no", "no"], "it finds no positive in any test item"),
        (F1, ["yes", "no", "no"], ["yes", "yes", "yes"], "it predicts yes for every test item"),
        (F1, ["yes", "no", "no"], ["no", "yes", "no"], ""),
        (measure_of("accuracy"), ["a", "b", "a"], ["a", "a", "a"], "it predicts a for every test item"),
        (
            measure_of("span_f1"),
            [["B-X"], ["O", "O"]],
            [["O"], ["O", "O"]],
            "it finds no mention in any test item",
        ),
        (measure_of("span_f1"), [["B-X"], ["O", "O"]], [["O"], ["B-X", "O"]], ""),
        (measure_of("example_f1"), [["x"], []], [["x"], ["x"]], "it predicts x for every test item"),
        (measure_of("example_f1"), [["x"], []], [[], []], "it predicts no label for every test item"),
    ],
)
def test_a_model_that_answers_every_item_alike_is_seen(measure, gold, said, constant):
    items = [(str(i), "", g, p) for i, (g, p) in enumerate(zip(gold, said, strict=True))]
    arm = ArmScores("a", measure).arm(both(table(items), table(corpus="b")), score=measure(gold, said))
    assert arm.constant == constant


def test_an_undefined_score_is_not_the_number_that_was_kept():
    items = [("1", "", "no", "no"), ("2", "", "no", "yes")]
    with pytest.raises(ValueError, match="kept score is 0"):
        ArmScores("a", F1).arm(table(items), score=0.0)
    assert np.isnan(ArmScores("a", F1).arm(table(items), score=float("nan")).score)
