"""Warnings from gold values before anything runs: undefined scores, and labels that train lacks."""

from collections.abc import Iterator, Mapping

from transfer.corpora.base import Card, Corpus, Split
from transfer.metrics import Golds

HELD_OUT: tuple[Split, ...] = ("dev", "test")


def foreseen(corpus: Corpus) -> list[str]:
    """Warnings about a corpus from its gold values alone, before it is trained on.

    Scores of dev and test that are undefined whatever is predicted, labels that no train item has, and labels
    that a limit took out of train.
    """
    card = corpus.card
    golds: dict[Split, Golds] = {
        split: Golds.of(
            card.metric, (example.gold for example in corpus.split(split)), negative=card.negative
        )
        for split in HELD_OUT
    }
    told = list(undefined_scores(card, golds))
    told += [
        f"no example of '{label}' is left in train, and {' and '.join(splits)} has some"
        for label, splits in corpus.lost.items()
    ]
    if corpus.unseen:
        told.append(f"{unseen_labels(corpus.unseen)}; a grid refuses that")
    return told


def undefined_scores(card: Card, golds: Mapping[Split, Golds]) -> Iterator[str]:
    """Sentences on each held-out split whose score is undefined for any prediction."""
    for split in HELD_OUT:
        if reason := golds[split].undefined:
            then = "the last epoch is chosen" if split == "dev" else "no gain can be measured"
            yield f"the {split} score ({card.metric}) is undefined, so {then}: {reason}"


def unseen_labels(unseen: Mapping[Split, Mapping[str, int]]) -> str:
    """Labels of dev and test that train lacks (``Corpus.unseen``), in words.

    >>> unseen_labels({"test": {"1": 30, "0": 1}})
    "test has labels that no train item has: '1' (30 items), '0' (1 item)"
    """
    return "; ".join(
        f"{split} has labels that no train item has: {_listed(labels)}" for split, labels in unseen.items()
    )


def _listed(labels: Mapping[str, int], most: int = 5) -> str:
    """Labels with their numbers of items, the most frequent first."""
    order = sorted(labels.items(), key=lambda pair: (-pair[1], pair[0]))
    shown = [f"'{label}' ({count} item{'' if count == 1 else 's'})" for label, count in order[:most]]
    return ", ".join(shown) + (f" and {len(order) - most} more" if len(order) > most else "")
