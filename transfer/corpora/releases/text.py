"""Sentences and tokens of running text, as character offsets into it."""

import functools
import re
from collections.abc import Iterable

Span = tuple[int, int]

# What MIMIC's notes have where a name, a place or a date was: [**Hospital1 18**], also over a line's
# end. One that is not closed within its paragraph is ordinary text.
MARK = re.compile(r"\[\*\*(?:(?!\*\*\]|\[\*\*|\n[ \t\r]*\n)[\s\S]){0,200}\*\*\]")
# marks, runs of letters, runs of digits, and every other visible character by itself
_TOKEN = re.compile(rf"{MARK.pattern}|[^\W\d_]+|\d+|\S")
# a full stop, perhaps behind closing brackets or quotation marks
_ENDED = re.compile(r"[.!?:][\])}\"'”’]*$")


def tokens(text: str, start: int = 0, end: int | None = None) -> list[Span]:
    """De-identification marks, runs of letters, runs of digits, other visible characters one by one.

    A function of the text alone: a mention whose border lies inside a token cannot be tagged, and
    is counted as missed.

    >>> [("p53-like"[a:b]) for a, b in tokens("p53-like")]
    ['p', '53', '-', 'like']
    >>> text = "to [**Hospital1 18**]."
    >>> [text[a:b] for a, b in tokens(text)]
    ['to', '[**Hospital1 18**]', '.']
    """
    return [m.span() for m in _TOKEN.finditer(text, start, len(text) if end is None else end)]


def sentences(text: str, *, mentions: Iterable[Span] = ()) -> list[Span]:
    """The sentences of a text, in order; none of them cuts a mention.

    Split by syntok, line by line (its rules are regular expressions: no model, no chance). Two of
    its sentences become one where a mention lies across their border, or where the first, within a
    line, does not end as a sentence does: biomedical text is full of bracketed names that look like
    a new start.
    """
    across = sorted(mentions)
    found: list[Span] = []
    for line in re.finditer(r"[^\r\n]*\S[^\r\n]*", text):
        first = True
        for start, end in _split(line.group(), line.start()):
            runs_on = not first and not _ENDED.search(text, found[-1][0], found[-1][1])
            if found and (runs_on or any(a < start and b > found[-1][1] for a, b in across)):
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
            first = False
    return found


def _split(line: str, offset: int) -> list[Span]:
    """From where each sentence starts to where the next one does, without the white space between."""
    starts = [
        token.offset
        for paragraph in _segmenter().analyze(line)
        for sentence in paragraph
        for token in [next((t for t in sentence if t.value), None)]
        if token is not None
    ]
    starts[:1] = [len(line) - len(line.lstrip())]  # syntok counts a first hyphen as white space
    ends = [*starts[1:], len(line)]
    return [(offset + a, offset + a + len(line[a:b].rstrip())) for a, b in zip(starts, ends, strict=True)]


@functools.cache
def _segmenter():
    import syntok.segmenter as segmenter

    return segmenter
