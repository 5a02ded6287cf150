"""Mentions of a document as rows for tagging: gold stays character offsets, tags are made from them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from transfer.corpora.releases.base import Row
from transfer.corpora.releases.text import Span, tokens


@dataclass(frozen=True, order=True)
class Mention:
    """A mention: the spans of its parts in the document (one, unless it is discontinuous), its type."""

    parts: tuple[Span, ...]
    type: str

    @property
    def span(self) -> Span:
        """From its first character to its last."""
        return min(a for a, _ in self.parts), max(b for _, b in self.parts)


def visible(text: str, start: int, end: int) -> Span | None:
    """A piece of a mention without the white space at its ends; None where there is nothing else."""
    inner = text[start:end].strip()
    if not inner:
        return None
    first = start + text[start:end].index(inner)
    return first, first + len(inner)


def joined(text: str, parts: Sequence[Span]) -> tuple[Span, ...]:
    """The parts of a mention, as one where there is nothing but white space between two of them.

    Annotation tools break a mention at the end of a line, and nothing is left out there.

    >>> joined("liver\\nfailure", [(0, 5), (6, 13)])
    ((0, 13),)
    """
    whole: list[Span] = []
    for a, b in sorted(parts):
        if whole and whole[-1][1] <= a and not text[whole[-1][1] : a].strip():
            whole[-1] = whole[-1][0], b
        else:
            whole.append((a, b))
    return tuple(whole)


def tagged_rows(
    doc: str, text: str, sentences: Sequence[Span], mentions: Iterable[Mention]
) -> tuple[list[Row], Counter[str]]:
    """A row for each sentence of a document, and how many mentions went which way.

    A row has the sentence's ``tokens`` with their ``starts`` (characters into the document), BIO
    ``tags``, and all its gold ``mentions`` as [type, start, end], a discontinuous one as [type,
    start, end, start, end, …]. Tags cannot name every mention. Of two that overlap the longer one
    is tagged, of equally long ones the first; a discontinuous mention, or one with a border inside
    a token, is not tagged. All of them stay in the gold; an untagged one is a miss, even if it is predicted.
    ``sentences`` must not cut a mention. Counts: mentions, repeated, discontinuous, inside a token,
    overlapping.
    """
    found = list(mentions)
    distinct = sorted(set(found))
    count = Counter(mentions=len(distinct), repeated=len(found) - len(distinct))
    rows = []
    for number, (start, end) in enumerate(sentences):
        here = [m for m in distinct if start <= m.span[0] and m.span[1] <= end]
        spans = tokens(text, start, end)
        if not spans:
            continue
        rows.append(
            {
                "id": f"{doc}-{number:03d}",
                "doc": doc,
                "tokens": [text[a:b] for a, b in spans],
                "tags": _tags(spans, here, count),
                "starts": [a for a, _ in spans],
                "mentions": [[m.type, *(at for part in m.parts for at in part)] for m in here],
            }
        )
    kept = sum(len(row["mentions"]) for row in rows)
    assert kept == len(distinct), f"{doc}: the sentences cut a mention"
    return rows, count


def _tags(spans: Sequence[Span], mentions: Sequence[Mention], count: Counter[str]) -> list[str]:
    first = {a: i for i, (a, _) in enumerate(spans)}
    last = {b: i for i, (_, b) in enumerate(spans)}
    tags = ["O"] * len(spans)
    for mention in sorted(mentions, key=lambda m: (m.span[0] - m.span[1], m)):
        a, b = mention.span
        if len(mention.parts) > 1:
            count["discontinuous"] += 1
        elif a not in first or b not in last:
            count["inside a token"] += 1
        elif any(tag != "O" for tag in tags[first[a] : last[b] + 1]):
            count["overlapping"] += 1
        else:
            size = last[b] - first[a]
            tags[first[a] : last[b] + 1] = [f"B-{mention.type}", *[f"I-{mention.type}"] * size]
    return tags


def told(split: str, count: Counter[str]) -> list[str]:
    """The counts of ``tagged_rows``, and of ``trimmed`` and ``joined`` mentions, as sentences; none if 0."""
    why = {
        "discontinuous": "in several pieces",
        "inside a token": "with a border inside a token",
        "overlapping": "overlapped by a longer one",
    }
    untagged = {text: count[key] for key, text in why.items() if count[key]}
    notes = []
    if untagged:
        reasons = ", ".join(f"{n} {text}" for text, n in untagged.items())
        notes.append(
            f"{split}: {sum(untagged.values())} of {count['mentions']} mentions have no tags and count as "
            f"missed ({reasons})"
        )
    if count["trimmed"]:
        notes.append(f"{split}: white space at the ends of {count['trimmed']} mentions is left out of them")
    if count["joined"]:
        notes.append(
            f"{split}: {count['joined']} mentions have pieces with only white space between them, as at the "
            "end of a line, and are read as one piece there"
        )
    if count["blank tokens"]:
        also = {"mentions of nothing else": count["blank mentions"], "sentences": count["blank sentences"]}
        listed = "".join(f", and {n} {what}" for what, n in also.items() if n)
        notes.append(f"{split}: {count['blank tokens']} blank tokens are left out{listed}")
    if count["repeated"]:
        notes.append(f"{split}: {count['repeated']} mentions repeat another's type and place; one is kept")
    return notes
