"""Arguments as tags: overlapping ones are one, touching ones two, order and white space do not matter."""

from transfer.corpora.releases.relations import masked


def shown(text: str, a: tuple[int, int], b: tuple[int, int]) -> str:
    return masked(text, (a, "A"), (b, "B"), both="A-B")


def test_arguments_are_replaced_whatever_their_order():
    assert shown("one two three", (0, 3), (8, 13)) == "@A$ two @B$"
    assert shown("one two three", (8, 13), (0, 3)) == "@B$ two @A$"


def test_arguments_that_touch_are_two():
    assert shown("abcdef", (0, 3), (3, 6)) == "@A$@B$"


def test_arguments_that_share_a_character_are_one():
    assert shown("x abcd y", (2, 5), (4, 6)) == "x @A-B$ y"
    assert shown("x abcd y", (2, 6), (3, 5)) == "x @A-B$ y"
    assert shown("x abcd y", (2, 6), (2, 6)) == "x @A-B$ y"


def test_white_space_is_collapsed_after_the_offsets_were_used():
    assert shown("one  two \r\n three ", (5, 8), (12, 17)) == "one @A$ @B$"
