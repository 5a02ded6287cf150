"""Each score against a peer that others trust, on random values, and its errors."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nervaluate import Evaluator
from scipy import stats
from sklearn import metrics as peers
from sklearn.preprocessing import MultiLabelBinarizer

from transfer.metrics import (
    Golds,
    accuracy,
    example_f1,
    measure_of,
    micro_f1,
    pearson,
    span_f1,
    spans,
    why_undefined,
)

LABELS = ("a", "b", "c", "false")
TAGS = ("O", "B-X", "I-X", "B-Y", "I-Y")

pairs = st.lists(st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)), min_size=1, max_size=40)
sentence = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=12)
sets = st.frozensets(st.sampled_from(LABELS))


def conll_spans(tags):
    """The chunks of the CoNLL-2000 script, by its own conditions for where one starts and ends."""
    found, start = set(), None
    before = "O"
    for i, tag in enumerate([*tags, "O"]):
        prefix, kind = tag[0], tag[2:]
        if before != "O" and (prefix in "BO" or kind != before[2:]):
            found.add((before[2:], start, i))
        if tag != "O" and (prefix == "B" or before == "O" or kind != before[2:]):
            start = i
        before = tag
    return found


def legal(tags):
    """The sequence with each I that continues nothing made a B."""
    fixed = []
    for tag in tags:
        before = fixed[-1] if fixed else "O"
        fixed.append(f"B-{tag[2:]}" if tag[0] == "I" and before[2:] != tag[2:] else tag)
    return fixed


@given(pairs)
def test_micro_f1_is_sklearns_over_the_positive_labels(items):
    gold, predicted = zip(*items, strict=True)
    theirs = peers.f1_score(gold, predicted, labels=LABELS[:3], average="micro", zero_division=0)
    expected = theirs if set(gold) != {"false"} else math.nan
    assert micro_f1(gold, predicted, ignore="false") == pytest.approx(expected, nan_ok=True)


@given(pairs, st.permutations(LABELS[:3]))
def test_what_the_labels_are_called_does_not_move_micro_f1(items, order):
    named = dict(zip(LABELS, [*order, "false"], strict=True))
    gold, predicted = zip(*items, strict=True)
    renamed = micro_f1([named[g] for g in gold], [named[p] for p in predicted], ignore="false")
    assert renamed == pytest.approx(micro_f1(gold, predicted, ignore="false"), nan_ok=True)


@given(pairs)
def test_without_a_negative_label_micro_f1_is_accuracy(items):
    gold, predicted = zip(*items, strict=True)
    assert micro_f1(gold, predicted) == pytest.approx(accuracy(gold, predicted))
    assert accuracy(gold, predicted) == pytest.approx(peers.accuracy_score(gold, predicted))


def test_an_absent_class_shifts_nothing():
    # the original code's rows moved by one where a class was absent
    assert micro_f1(["c", "c", "false"], ["c", "false", "false"], ignore="false") == pytest.approx(2 / 3)


@pytest.mark.parametrize("found", ["false", "a"])
def test_f1_where_there_is_nothing_to_find_is_undefined_whatever_is_found(found):
    assert math.isnan(micro_f1(["false"], [found], ignore="false"))
    assert math.isnan(span_f1([["O"]], [["O" if found == "false" else "B-a"]]))
    assert math.isnan(example_f1([()], [() if found == "false" else ("a",)]))


@pytest.mark.parametrize("metric", ["micro_f1", "f1"])
def test_f1_of_what_is_there_and_not_found_is_zero(metric):
    assert measure_of(metric, negative="false")(["a", "false"], ["false", "false"]) == 0.0
    assert span_f1([["B-X"]], [["O"]]) == 0.0
    assert example_f1([("a",)], [()]) == 0.0


@given(st.lists(st.sampled_from(TAGS), max_size=15))
def test_spans_are_the_conll_scripts(tags):
    assert spans(tags) == conll_spans(tags)


@given(st.lists(st.sampled_from(TAGS), max_size=15))
def test_spans_written_as_tags_are_read_again(tags):
    written = ["O"] * len(tags)
    for kind, start, end in spans(tags):
        written[start:end] = [f"B-{kind}", *[f"I-{kind}"] * (end - start - 1)]
    assert spans(written) == spans(tags)
    assert written == legal(tags)


def test_a_mention_at_the_end_of_a_sentence_counts():
    assert spans(["O", "B-X", "I-X"]) == {("X", 1, 3)}
    assert span_f1([["O", "B-X"]], [["O", "B-X"]]) == 1.0


@given(st.lists(sentence, min_size=1, max_size=6))
def test_span_f1_counts_what_the_conll_script_counts(sentences):
    gold = [[g for g, _ in s] for s in sentences]
    predicted = [[p for _, p in s] for s in sentences]
    g = {(i, *s) for i, tags in enumerate(gold) for s in conll_spans(tags)}
    p = {(i, *s) for i, tags in enumerate(predicted) for s in conll_spans(tags)}
    expected = 2 * len(g & p) / (len(g) + len(p)) if g else math.nan
    assert span_f1(gold, predicted) == pytest.approx(expected, nan_ok=True)


@given(st.lists(sentence, min_size=1, max_size=6))
def test_span_f1_is_nervaluates_strict_f1(sentences):
    gold = [legal([g for g, _ in s]) for s in sentences]
    predicted = [legal([p for _, p in s]) for s in sentences]
    assume(any(tag != "O" for tags in gold for tag in tags))
    theirs = Evaluator(gold, predicted, tags=["X", "Y"], loader="list").evaluate()
    assert span_f1(gold, predicted) == pytest.approx(theirs["overall"]["strict"].f1, abs=1e-9)


@given(st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=3, max_size=30))
def test_pearson_is_scipys(items):
    gold, predicted = (np.array(side) for side in zip(*items, strict=True))
    assume(gold.std() > 1e-3)
    assume(predicted.std() > 1e-3)
    assert pearson(gold, predicted) == pytest.approx(stats.pearsonr(gold, predicted)[0], abs=1e-9)


@pytest.mark.parametrize("constant", [0.0, 0.1, 2.7])
def test_a_constant_prediction_orders_nothing(constant):
    assert math.isnan(pearson([1.0, 2.0, 4.0], [constant] * 3))
    assert math.isnan(pearson([constant] * 3, [1.0, 2.0, 4.0]))


def test_one_answer_computed_in_batches_of_different_shapes_is_constant():
    answers = [float(np.float32(2.7) + k * np.spacing(np.float32(2.7))) for k in (0, 1, -1, 0)]
    assert len(set(answers)) > 1
    assert math.isnan(pearson([1.0, 2.0, 4.0, 3.0], answers))
    assert why_undefined("pearson", [1.0, 2.0, 4.0, 3.0], answers) == "all 4 predictions are 2.7"


def test_a_single_pair_has_no_correlation():
    assert math.isnan(pearson([1.0], [2.0]))


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_prediction_that_is_no_number_has_no_score(wrong):
    with pytest.raises(ValueError, match=r"finite|number"):
        pearson([1.0, 2.0, 4.0], [1.0, wrong, 2.0])


@given(st.lists(st.tuples(sets, sets), min_size=1, max_size=20))
def test_example_f1_is_sklearns_over_samples(items):
    gold, predicted = zip(*items, strict=True)
    binary = MultiLabelBinarizer(classes=LABELS)
    theirs = peers.f1_score(
        binary.fit_transform(gold), binary.fit_transform(predicted), average="samples", zero_division=1.0
    )
    expected = theirs if any(gold) else math.nan
    assert example_f1(gold, predicted) == pytest.approx(expected, nan_ok=True)


def test_two_empty_sets_agree_and_one_does_not():
    assert example_f1([(), ("a",)], [(), ()]) == 0.5


@pytest.mark.parametrize("metric", ["accuracy", "micro_f1", "f1", "span_f1", "pearson", "example_f1"])
@pytest.mark.parametrize(("gold", "predicted"), [([["B-X"]], []), ([], [])])
def test_unequal_or_no_items_are_an_error_and_not_a_score(metric, gold, predicted):
    with pytest.raises(ValueError, match="needed"):
        measure_of(metric)(gold, predicted)


def test_a_sentence_with_too_few_tags_is_an_error():
    with pytest.raises(ValueError, match="2 gold values and 1 predicted"):
        span_f1([["B-X", "O"]], [["B-X"]])


def test_f1_is_that_of_the_one_positive_label():
    gold, predicted = ["yes", "no", "yes", "no"], ["yes", "yes", "no", "no"]
    theirs = peers.f1_score(gold, predicted, pos_label="yes")
    assert measure_of("f1", negative="no")(gold, predicted) == pytest.approx(theirs)


MADE = {
    "accuracy": st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)),
    "micro_f1": st.tuples(st.sampled_from(LABELS), st.sampled_from(LABELS)),
    "span_f1": st.integers(1, 6).flatmap(
        lambda n: st.tuples(*[st.lists(st.sampled_from(TAGS), min_size=n, max_size=n)] * 2)
    ),
    "pearson": st.tuples(st.integers(0, 20), st.integers(0, 20)),
    "example_f1": st.tuples(sets, sets),
}


@pytest.mark.parametrize("metric", MADE)
@given(data=st.data())
def test_leaving_an_item_out_of_the_sums_is_leaving_it_out(metric: str, data):
    items = data.draw(st.lists(MADE[metric], min_size=3, max_size=12))
    measure = measure_of(metric, negative="false")
    gold, predicted = zip(*items, strict=True)
    parts = measure.parts(gold, predicted)
    assert parts.shape[0] == len(items)
    assert float(measure.value(parts.sum(axis=0))) == pytest.approx(
        measure(gold, predicted), abs=0, rel=0, nan_ok=True
    )
    out = data.draw(st.integers(0, len(items) - 1))
    rest = [item for i, item in enumerate(items) if i != out]
    without = float(measure.value(parts.sum(axis=0) - parts[out]))
    assert without == pytest.approx(measure(*zip(*rest, strict=True)), abs=1e-6, nan_ok=True)


@pytest.mark.parametrize("metric", MADE)
@given(data=st.data())
def test_a_score_is_undefined_just_where_there_is_a_reason(metric: str, data):
    items = data.draw(st.lists(MADE[metric], min_size=2, max_size=6))
    gold, predicted = zip(*items, strict=True)
    reason = why_undefined(metric, gold, predicted, negative="false")
    assert bool(reason) == math.isnan(measure_of(metric, negative="false")(gold, predicted))


@pytest.mark.parametrize(
    ("metric", "gold", "reason"),
    [
        ("pearson", [2.0, 2.0, 2.0], "all 3 gold scores are 2"),
        ("micro_f1", ["no", "no"], "none of the 2 gold items is positive (other than 'no')"),
        ("f1", ["no", "no"], "none of the 2 gold items is positive (other than 'no')"),
        ("span_f1", [["O"], ["O", "O"]], "none of the 2 gold items has a mention"),
        ("example_f1", [(), ()], "none of the 2 gold items has a label"),
        ("accuracy", ["a"], "a single item"),
        ("accuracy", [], "no item"),
        ("accuracy", ["a", "a"], ""),
        ("micro_f1", ["no", "yes"], ""),
        ("span_f1", [["O"], ["B-X"]], ""),
    ],
)
def test_gold_alone_says_why_a_score_is_undefined(metric, gold, reason):
    assert Golds.of(metric, gold, negative="no").undefined == reason
