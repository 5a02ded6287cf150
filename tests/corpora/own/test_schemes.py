"""Tags of any scheme and spelling become BIO with the mentions that conlleval finds, or are refused."""

import re
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nervaluate.utils import collect_named_entities

from transfer.corpora.own.schemes import Placed, as_bio, names_mentions, scheme_named
from transfer.inputs import InputError


def placed(tags: str | Sequence[str]) -> Placed:
    tags = tags.split() if isinstance(tags, str) else tags
    return [(tag, f"line {i}") for i, tag in enumerate(tags, 1)]


def bio(tags: str, **more) -> str:
    return " ".join(as_bio([placed(tags)], **more).sequences[0])


@pytest.mark.parametrize(
    ("tags", "wanted", "scheme"),
    [
        ("I-X I-X O I-Y B-Y I-X", "B-X I-X O B-Y B-Y B-X", "IOB1"),
        ("B-X I-X O B-Y B-Y B-X", "B-X I-X O B-Y B-Y B-X", "BIO"),
        ("B-X E-X O S-Y S-Y B-X I-X E-X", "B-X I-X O B-Y B-Y B-X I-X I-X", "BIOES"),
        ("B-X L-X O U-Y", "B-X I-X O B-Y", "BIOES"),
        ("B-X M-X E-X O W-Y", "B-X I-X I-X O B-Y", "BIOES"),
        ("B-X I-X E-X O B-Y", "B-X I-X I-X O B-Y", "BIE"),
        ("I-X E-X E-X O I-Y I-Y E-Y", "B-X I-X B-X O B-Y I-Y I-Y", "IOE"),
        ("I-X I-X O I-Y I-X", "B-X I-X O B-Y B-X", "IO"),
        ("O O", "O O", "BIO"),
        ("b-X i-X o", "B-X I-X O", "BIO"),
        ("B_X I_X O", "B-X I-X O", "BIO"),
        ("B:X I:X O", "B-X I-X O", "BIO"),
        ("X-B X-I O", "B-X I-X O", "BIO"),
        ("X_B X_I O Y_B", "B-X I-X O B-Y", "BIO"),
        ("B-X-Y I-X-Y B-X_Z", "B-X-Y I-X-Y B-X_Z", "BIO"),
        ("Loc-B Loc-I L-B L-I", "B-Loc I-Loc B-L I-L", "BIO"),
        ("L-B L-I P-B", "B-L I-L B-P", "BIO"),  # the letter is the one of which some are B
    ],
)
def test_tags_become_bio(tags: str, wanted: str, scheme: str):
    read = as_bio([placed(tags)])
    assert read.sequences == [wanted.split()]
    assert read.scheme == scheme


@pytest.mark.parametrize(
    ("tags", "wanted", "doubt"),
    [
        ("B-X O I-X", "B-X O B-X", "1 mentions begin with a tag that should continue one .*'I-X' at line 3"),
        ("B-X I-Y I-Y I-X", "B-X B-Y I-Y B-X", "2 mentions begin with .*'I-Y' at line 2"),
        ("S-X B-X O", "B-X B-X O", "1 mentions have no end.*'B-X' at line 2"),
        ("S-X I-X E-X", "B-X B-X I-X", "1 mentions begin with .*'I-X' at line 2"),
        ("S-X B-X", "B-X B-X", "1 mentions have no end"),
        ("S-X B-X E-Y", "B-X B-X B-Y", "1 mentions have no end"),
        ("I-X O I-X", "B-X O B-X", r"neighbouring tokens of one type.*--scheme io"),
        ("B-Xy _ _", "B-Xy O O", r"the tag '_' \(the first at line 2\) is read as O"),
        ("B I O", "B-mine I-mine O", r"name no type; the mentions are called 'mine'.*--entity NAME"),
        ("B- I- O", "B-mine I-mine O", "name no type"),
        ("S-B B-B E-B", "B-B B-B I-B", "'S-B' .* could be read as the type 'S'"),
    ],
)
def test_what_is_assumed_is_said(tags: str, wanted: str, doubt: str):
    read = as_bio([placed(tags)], name="mine")
    assert read.sequences == [wanted.split()]
    assert any(re.search(doubt, one) for one in read.doubts), read.doubts


def test_a_clean_corpus_is_not_doubted():
    for tags in ("B-X I-X O B-Y", "I-X B-X", "B-X E-X S-Y", "O O", "X-B X-I"):
        assert as_bio([placed(tags)]).doubts == (), tags
    assert as_bio([placed("I-X O I-X")], scheme="io").doubts == ()
    assert as_bio([placed("B I O")], name="mine", entity="Finding").doubts == ()


@pytest.mark.parametrize(
    ("tags", "more", "message"),
    [
        ("O X-Y", {}, r"line 2: the tag is 'X-Y'; it should be O, B-<type>"),
        ("O pain", {}, r"line 2: the tag is 'pain'.*--metric token_accuracy.*--scheme io"),
        ("DT NN VB", {}, r"line 1: the tag is 'DT'.*--metric token_accuracy"),
        ("B-X NN", {}, r"line 2: the tag is 'NN'; it should be O, B-<type> or I-<type> \(or E-, S-\)$"),
        ("B-X I", {}, r"line 2: the tag 'I' has no type, but 'B-X' at line 1 has one"),
        ("O - B-X", {}, r"line 2: the tag is '-'"),
        ("B-X O", {"entity": "Y"}, r"--entity Y is for tags without a type, but 'B-X' at line 1"),
        ("B-X O I-X", {"scheme": "bio"}, r"line 3: 'I-X' follows no mention .* --scheme bio does not allow"),
        ("I-X O B-X", {"scheme": "iob1"}, r"line 3: 'B-X' begins a mention .* --scheme iob1"),
        ("B-X I-X", {"scheme": "io"}, r"line 1: 'B-X' has a letter of another scheme.* --scheme io"),
        ("B-X I-X O", {"scheme": "bioes"}, r"line 2: 'I-X' leaves its mention without an end"),
        ("B-X S-X", {"scheme": "bio"}, r"line 2: 'S-X' has a letter of another scheme"),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(tags: str, more: dict, message: str):
    with pytest.raises(InputError, match=message):
        as_bio([placed(tags)], **more)


def test_an_empty_tag_is_refused():
    with pytest.raises(InputError, match="line 2: the token has no tag"):
        as_bio([placed(["B-X", ""])])


def test_types_without_letters_are_mentions_where_the_scheme_is_said():
    assert bio("person-actor person-actor O art", scheme="io") == "B-person-actor I-person-actor O B-art"


def test_schemes_have_their_other_names():
    assert [scheme_named(name) for name in ("BIO", "iob2", "IOB1", "bilou", "io")] == [
        "bio", "bio", "iob1", "bioes", "io",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"--scheme: 'biose' .* did you mean 'bioes'"):
        scheme_named("biose")


@pytest.mark.parametrize(
    ("tags", "are"),
    [("B-X O", True), ("B I", True), ("X_B O", True), ("O O", False), ("NN DT O", False), ("1 2", False)],
)
def test_a_column_of_mentions_is_known_by_its_tags(tags: str, are: bool):
    assert names_mentions(set(tags.split())) is are


# conlleval, written anew after its rules: (type, start, end) of each mention, end exclusive
def conlleval(tags: Sequence[str]) -> set[tuple[str, int, int]]:
    found, start = set(), 0
    split = [(tag[0], tag[2:]) for tag in tags]
    for i, ((letter, kind), (last, lasting)) in enumerate(
        zip([*split, ("O", "")], [("O", ""), *split], strict=True)
    ):
        ends = last != "O" and (last in "ES" or letter in "BSO" or kind != lasting)
        begins = letter != "O" and (letter in "BS" or last in "ESO" or kind != lasting)
        if ends:
            found.add((lasting, start, i))
        if begins:
            start = i
    return found


TAGS = st.lists(st.tuples(st.sampled_from("BIESO"), st.sampled_from(["X", "Yy"])), min_size=1, max_size=12)


@settings(max_examples=300, deadline=None)
@given(st.lists(TAGS, min_size=1, max_size=4))
def test_any_sequence_has_the_mentions_of_conlleval(drawn):
    corpus = [["O" if letter == "O" else f"{letter}-{kind}" for letter, kind in tags] for tags in drawn]
    read = as_bio([placed(tags) for tags in corpus])
    for tags, made in zip(corpus, read.sequences, strict=True):
        assert conlleval(made) == conlleval(tags)
        # what nervaluate finds in what was made: the reading of BIO by a library of others
        named = {(m["label"], m["start"], m["end"] + 1) for m in collect_named_entities(made)}
        assert named == conlleval(tags)
        before = "O"
        for tag in made:  # no orphan is left
            assert tag[0] != "I" or before[2:] == tag[2:]
            before = tag


@settings(max_examples=200, deadline=None)
@given(
    st.lists(TAGS, min_size=1, max_size=3),
    st.sampled_from(["{letter}_{kind}", "{letter}:{kind}", "{kind}-{letter}", "{kind}_{letter}"]),
    st.booleans(),
)
def test_the_spelling_of_tags_changes_no_mention(drawn, spelling: str, small: bool):
    def spelled(letter: str, kind: str) -> str:
        letter = letter.lower() if small else letter
        return letter if letter in "oO" else spelling.format(letter=letter, kind=kind)

    # types of one letter can be taken for the letter of the scheme
    named = [[(letter, f"{kind}type") for letter, kind in tags] for tags in drawn]
    plain = [["O" if a == "O" else f"{a}-{b}" for a, b in tags] for tags in named]
    other = [[spelled(a, b) for a, b in tags] for tags in named]
    assert as_bio([placed(t) for t in other]).sequences == as_bio([placed(t) for t in plain]).sequences
