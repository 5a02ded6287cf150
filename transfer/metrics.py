"""Scores: plain values in, plain numbers out. A metric sees no tensor and no model.

Every score here is a function of sums over items (``Measure``): so items can be left out or weighed
anew without going through the predictions again, which is what intervals are made of.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

Span = tuple[str, int, int]


@dataclass(frozen=True)
class Measure:
    """A score as ``value(parts(gold, predicted).sum(axis=0))``.

    ``parts`` gives [items, k] numbers that are added up over items; ``value`` takes such sums,
    [..., k], and gives the score of each, [...]. Sums of different calls of ``parts`` must not be
    added where the gold values differ (Pearson's are centred on them). ``itemwise``: an item's parts
    follow from its own two values, whatever the other items are.
    """

    parts: Callable[[Sequence[Any], Sequence[Any]], np.ndarray]
    value: Callable[[np.ndarray], np.ndarray]
    itemwise: bool = True

    def __call__(self, gold: Sequence[Any], predicted: Sequence[Any]) -> float:
        """The score. Raises ValueError where the two differ in length or are empty."""
        _same_length(gold, predicted)
        return float(self.value(self.parts(gold, predicted).sum(axis=0)))


def accuracy(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The share of items whose prediction is the gold value (0 to 1)."""
    return Measure(_right, _ratio)(gold, predicted)


def micro_f1(gold: Sequence[str], predicted: Sequence[str], *, ignore: str | None = None) -> float:
    """Micro-averaged F1 over all labels but ``ignore`` (0 to 1).

    The measure of relation extraction: a pair that is rightly left negative counts for nothing.
    0 where neither side names a label that counts.

    >>> micro_f1(["a", "false", "b"], ["a", "a", "false"], ignore="false")
    0.5
    """
    return Measure(partial(_labels, ignore=ignore), _ratio)(gold, predicted)


def span_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Strict entity-level micro F1 over BIO tag sequences (0 to 1).

    A mention counts when type, start and end agree (the CoNLL-2003 measure).
    Raises ValueError where a sentence's two sequences differ in length.

    >>> span_f1([["B-X", "I-X"]], [["B-X", "O"]])
    0.0
    """
    return Measure(_mentions, _ratio)(gold, predicted)


def token_accuracy(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """The share of tokens whose tag is the gold one, over all sentences (0 to 1).

    The measure of part-of-speech tagging. Raises ValueError where a sentence's two sequences differ
    in length.

    >>> token_accuracy([["DT", "NN"], ["VB"]], [["DT", "VB"], ["VB"]])
    0.6666666666666666
    """
    return Measure(_tokens, _ratio)(gold, predicted)


def spans(tags: Sequence[str]) -> set[Span]:
    """The mentions of a BIO sequence as (type, start, end), end exclusive.

    A predicted ``I-X`` that continues no X starts a mention, as in the CoNLL-2003 script.

    >>> spans(["O", "I-X", "B-X", "I-Y"]) == {("X", 1, 2), ("X", 2, 3), ("Y", 3, 4)}
    True
    """
    found: set[Span] = set()
    kind, start = "", 0
    for i, tag in enumerate([*tags, "O"]):
        if kind and tag != f"I-{kind}":
            found.add((kind, start, i))
            kind = ""
        if tag != "O" and not kind:
            kind, start = tag[2:], i
    return found


def pearson(gold: Sequence[float], predicted: Sequence[float]) -> float:
    """Pearson's correlation (-1 to 1); 0 where either side is constant, since it orders nothing.

    Raises ValueError where a value is not finite.
    """
    return Measure(_moments, _correlation, itemwise=False)(gold, predicted)


def example_f1(gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]]) -> float:
    """The mean over items of the F1 of two label sets (0 to 1); two empty sets agree (1).

    Example-based F1 as in the BLUE benchmark's Hallmarks of Cancer.
    """
    return Measure(_sets, _ratio)(gold, predicted)


def measure_of(metric: str, *, negative: str | None = None) -> Measure:
    """The measure of a card's metric. ``f1`` is the F1 of the one label that is not negative."""
    if metric in ("micro_f1", "f1"):
        return Measure(partial(_labels, ignore=negative), _ratio)
    return {
        "accuracy": Measure(_right, _ratio),
        "span_f1": Measure(_mentions, _ratio),
        "token_accuracy": Measure(_tokens, _ratio),
        "pearson": Measure(_moments, _correlation, itemwise=False),
        "example_f1": Measure(_sets, _ratio),
    }[metric]


# The parts of the F1 scores are twice what is right, and what was found plus what is there.


def _right(gold: Sequence[Any], predicted: Sequence[Any]) -> np.ndarray:
    return np.array([(g == p, 1) for g, p in zip(gold, predicted, strict=True)], dtype=float)


def _labels(gold: Sequence[str], predicted: Sequence[str], *, ignore: str | None) -> np.ndarray:
    return np.array(
        [
            (2 * (g == p != ignore), (p != ignore) + (g != ignore))
            for g, p in zip(gold, predicted, strict=True)
        ],
        dtype=float,
    )


def _mentions(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> np.ndarray:
    rows = []
    for g, p in zip(gold, predicted, strict=True):
        _same_length(g, p)
        there, found = spans(g), spans(p)
        rows.append((2 * len(there & found), len(found) + len(there)))
    return np.array(rows, dtype=float)


def _tokens(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> np.ndarray:
    rows = []
    for g, p in zip(gold, predicted, strict=True):
        _same_length(g, p)
        rows.append((sum(a == b for a, b in zip(g, p, strict=True)), len(g)))
    return np.array(rows, dtype=float)


def _sets(gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]]) -> np.ndarray:
    rows = []
    for g, p in zip(gold, predicted, strict=True):
        there, found = set(g), set(p)
        rows.append((2 * len(there & found) / (len(there) + len(found)) if there or found else 1.0, 1.0))
    return np.array(rows, dtype=float)


def _moments(gold: Sequence[float], predicted: Sequence[float]) -> np.ndarray:
    g, p = np.asarray(gold, dtype=float), np.asarray(predicted, dtype=float)
    if not (np.isfinite(g).all() and np.isfinite(p).all()):
        raise ValueError("a score is not a finite number")
    # a correlation does not change with the origin, but sums of squares far from it lose digits
    g, p = g - g.mean(), p - p.mean()
    return np.stack([np.ones_like(g), g, p, g * g, p * p, g * p], axis=-1)


def _ratio(sums: np.ndarray) -> np.ndarray:
    above, below = sums[..., 0], sums[..., 1]
    return np.divide(above, below, out=np.zeros_like(above), where=below > 0)


def _correlation(sums: np.ndarray) -> np.ndarray:
    n, g, p, gg, pp, gp = np.moveaxis(sums, -1, 0)
    n = np.maximum(n, 1)
    scale = np.sqrt(np.maximum(gg - g * g / n, 0) * np.maximum(pp - p * p / n, 0))
    return np.divide(gp - g * p / n, scale, out=np.zeros_like(scale), where=scale > 1e-12)


def _same_length(gold: Sequence[Any], predicted: Sequence[Any]) -> None:
    if len(gold) != len(predicted) or not len(gold):
        raise ValueError(
            f"{len(gold)} gold values and {len(predicted)} predicted; equal and not 0 are needed"
        )
