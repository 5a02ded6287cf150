"""Tags are made from offsets; what tags cannot name stays in the gold and counts as missed."""

import math

import pytest
from hypothesis import example as example_case
from hypothesis import given
from hypothesis import strategies as st

from transfer.corpora.base import Card
from transfer.corpora.prepared import examples
from transfer.corpora.releases.mentions import Mention, tagged_rows, told
from transfer.metrics import span_f1, spans
from transfer.tasks import task_of

TEXT = "Severe chest pain, renal and hepatic failure of NSAIDs."


def at(*parts: str, kind: str = "X") -> Mention:
    return Mention(tuple((TEXT.index(p), TEXT.index(p) + len(p)) for p in parts), kind)


def row_of(*mentions: Mention):
    (row,), count = tagged_rows("7", TEXT, [(0, len(TEXT))], mentions)
    return row, count


def named(row) -> list[str]:
    return ["".join(row["tokens"][a:b]) for _, a, b in sorted(spans(row["tags"]))]


def test_a_row_has_tokens_tags_and_offsets_into_the_document():
    row, count = row_of(at("chest pain"))
    assert row["id"] == "7-000"
    assert row["doc"] == "7"
    assert [TEXT[a : a + len(t)] for a, t in zip(row["starts"], row["tokens"], strict=True)] == row["tokens"]
    assert named(row) == ["chestpain"]
    assert row["mentions"] == [["X", 7, 17]]
    assert count["mentions"] == 1
    assert told("train", count) == []


def test_of_two_that_overlap_the_longer_is_tagged_and_both_are_gold():
    row, count = row_of(at("chest pain"), at("Severe chest"), at("pain"))
    assert named(row) == ["Severechest", "pain"]
    assert len(row["mentions"]) == 3
    assert count["overlapping"] == 1


def test_a_mention_in_pieces_is_gold_without_tags():
    row, count = row_of(at("renal", "failure"), at("hepatic failure"))
    assert named(row) == ["hepaticfailure"]
    assert ["X", 19, 24, 37, 44] in row["mentions"]
    assert count["discontinuous"] == 1


def test_a_border_inside_a_token_is_gold_without_tags():
    row, count = row_of(Mention(((48, 53),), "X"))  # NSAID in NSAIDs
    assert named(row) == []
    assert count["inside a token"] == 1
    assert told("dev", count) == [
        "dev: 1 of 1 mentions have no tags and count as missed (1 with a border inside a token)"
    ]


def test_a_repeated_mention_is_one():
    row, count = row_of(at("chest pain"), at("chest pain"))
    assert len(row["mentions"]) == 1
    assert count == {"mentions": 1, "repeated": 1}


def test_a_sentence_that_cuts_a_mention_is_a_fault_of_the_reader():
    with pytest.raises(AssertionError, match="cut a mention"):
        tagged_rows("7", TEXT, [(0, 10), (10, len(TEXT))], [at("chest pain")])


@st.composite
def some_mentions(draw):
    found = []
    for _ in range(draw(st.integers(0, 5))):
        cuts = sorted(draw(st.lists(st.integers(0, len(TEXT)), min_size=2, max_size=4, unique=True)))
        pairs = tuple(zip(cuts[::2], cuts[1::2], strict=False))
        found.append(Mention(pairs, draw(st.sampled_from("XY"))))
    return found


@given(some_mentions(), some_mentions())
@example_case([Mention(((0, 17),), "X"), Mention(((0, 18),), "X")], [Mention(((0, 17),), "X")])
def test_the_score_is_that_of_the_offsets_whatever_the_tokens(gold, predicted):
    """Span F1 over tags equals F1 over sets of character spans, mentions without tags included.

    A mention without tags is a miss even if the prediction names it: the shorter of two that overlap.
    Without a gold mention the score is undefined, whatever is predicted.
    """
    card = Card(name="c", kind="tagging", metric="span_f1", entities=("X", "Y"))
    row, _ = row_of(*gold)
    guess, _ = row_of(*predicted)
    (example,) = examples(card, [("here", row)])
    answer = task_of(card).join(guess["tags"], example)

    starts = row["starts"]
    ends = [a + len(t) for a, t in zip(starts, row["tokens"], strict=True)]
    said, tagged = (
        {(kind, starts[a], ends[b - 1]) for kind, a, b in spans(each["tags"])} for each in (guess, row)
    )
    true = {tuple(m) for m in row["mentions"]}
    wanted = 2 * len(tagged & said) / (len(true) + len(said)) if true else math.nan
    assert span_f1([example.gold], [answer]) == pytest.approx(wanted, nan_ok=True)
