"""Text that stands in two places: in test and in what a job trains on, within a corpus or across corpora."""

from collections.abc import Iterable, Sequence

from transfer.corpora.base import Corpus, Example
from transfer.kinds import kind_of

SHORTEST_PASSAGE = 20  # letters and digits


def overlaps(corpora: Sequence[Corpus]) -> dict[tuple[str, str], int]:
    """Protocol point 6: (source, target) -> how many test items of target have text that source trains on.

    Within a corpus the whole item must be the same; of two corpora one passage is enough, since a
    sentence can stand in a pair here and alone there. Pairs without any are left out.
    """
    test = {c.name: [(plain(e.text), passages(e, c.card.kind)) for e in c.test] for c in corpora}
    whole = {c.name: {plain(e.text) for e in c.train} for c in corpora}
    single = {c.name: {p for e in c.train for p in passages(e, c.card.kind)} for c in corpora}
    found = {}
    for target in sorted(test):
        for source in sorted(test):
            count = sum(
                text in whole[source] if source == target else not some.isdisjoint(single[source])
                for text, some in test[target]
            )
            if count:
                found[source, target] = count
    return found


def apart(source: Corpus, target: Corpus) -> tuple[int, ...]:
    """The indices of source's train examples that share no passage with target's test items."""
    tested = {p for e in target.test for p in passages(e, target.card.kind)}
    return tuple(i for i, e in enumerate(source.train) if tested.isdisjoint(passages(e, source.card.kind)))


def plain(text: Iterable[str]) -> str:
    """An example's text as a corpus's own lines are compared: lower-cased, white space collapsed."""
    return " ".join(" ".join(text).lower().split())


def passages(example: Example, kind: str) -> frozenset[str]:
    """An example's texts as they are compared across corpora: letters and digits alone, lower-cased.

    Tokens and running text, with or without a full stop, are then the same. Headings and other
    short texts, under 20 letters and digits, are left out.
    """
    texts = kind_of(kind).running_texts(example.text)
    bare = ("".join(filter(str.isalnum, text.lower())) for text in texts)
    return frozenset(text for text in bare if len(text) >= SHORTEST_PASSAGE)
