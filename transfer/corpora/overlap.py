"""Overlap between test items and training items, within a corpus and across corpora."""

from collections.abc import Iterable, Sequence

from transfer.corpora.base import Corpus, Example
from transfer.kinds import kind_of

SHORTEST_PASSAGE = 20  # letters and digits


def overlaps(corpora: Sequence[Corpus]) -> dict[tuple[str, str], int]:
    """Count the target's test items whose text is in the source's train split, by (source, target).

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
    """Indices of the source's train examples that share no passage with the target's test items."""
    tested = {p for e in target.test for p in passages(e, target.card.kind)}
    return tuple(i for i, e in enumerate(source.train) if tested.isdisjoint(passages(e, source.card.kind)))


def plain(text: Iterable[str]) -> str:
    """Normalize an example's text for comparison within a corpus: lower case, single spaces."""
    return " ".join(" ".join(text).lower().split())


def passages(example: Example, kind: str) -> frozenset[str]:
    """Normalize an example's texts for comparison across corpora: lower-case letters and digits only.

    Tokens and running text, with or without a full stop, are then the same. Headings and other
    short texts, under 20 letters and digits, are left out.
    """
    texts = kind_of(kind).running_texts(example.text)
    bare = ("".join(filter(str.isalnum, text.lower())) for text in texts)
    return frozenset(text for text in bare if len(text) >= SHORTEST_PASSAGE)
