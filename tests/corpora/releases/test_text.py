"""Sentences and tokens: a function of the text, no mention cut, nothing visible lost."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from transfer.corpora.releases.text import sentences, tokens

TEXT = st.text(alphabet=st.sampled_from("ab1.,;:!?()[] \n\t-'\"é%"), max_size=80)


@given(TEXT)
def test_tokens_are_the_visible_characters_in_order(text: str):
    spans = tokens(text)
    assert "".join(text[a:b] for a, b in spans) == "".join(text.split())
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(spans))


@given(TEXT)
def test_sentences_hold_every_visible_character_once_and_in_order(text: str):
    spans = sentences(text)
    assert "".join("".join(text[a:b].split()) for a, b in spans) == "".join(text.split())
    assert all(b <= c for (_, b), (c, _) in itertools.pairwise(spans))


@given(TEXT, st.tuples(st.integers(0, 80), st.integers(1, 30)))
def test_no_sentence_cuts_a_mention(text: str, at: tuple[int, int]):
    start, end = at[0], min(at[0] + at[1], len(text))
    if start >= end or text[start].isspace() or text[end - 1].isspace():
        return
    spans = sentences(text, mentions=[(start, end)])
    assert sum(a <= start and end <= b for a, b in spans) == 1


def test_an_ordinary_text_is_split_where_a_reader_would():
    text = "Aspirin (5 mg) was given. It helped, e.g. with pain. Did p53 rise? No."
    shown = [text[a:b] for a, b in sentences(text)]
    assert shown == ["Aspirin (5 mg) was given.", "It helped, e.g. with pain.", "Did p53 rise?", "No."]


def test_a_line_break_ends_a_sentence_but_a_bracket_does_not_begin_one():
    text = "Chief complaint\nThe mixture (Now sold as Xyzal) of two isomers was used"
    shown = [text[a:b] for a, b in sentences(text)]
    assert shown == ["Chief complaint", "The mixture (Now sold as Xyzal) of two isomers was used"]
