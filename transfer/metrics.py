"""Scores: plain values in, plain numbers out. A metric sees no tensor and no model."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

Span = tuple[str, int, int]


def accuracy(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The share of items whose prediction is the gold value (0 to 1)."""
    _same_length(gold, predicted)
    return sum(g == p for g, p in zip(gold, predicted, strict=True)) / len(gold)


def micro_f1(gold: Sequence[str], predicted: Sequence[str], *, ignore: str | None = None) -> float:
    """Micro-averaged F1 over all labels but ``ignore`` (0 to 1).

    The measure of relation extraction: a pair that is rightly left negative counts for nothing.
    0 where neither side names a label that counts.

    >>> micro_f1(["a", "false", "b"], ["a", "a", "false"], ignore="false")
    0.5
    """
    _same_length(gold, predicted)
    right = sum(g == p != ignore for g, p in zip(gold, predicted, strict=True))
    return _f1(right, sum(p != ignore for p in predicted), sum(g != ignore for g in gold))


def span_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Strict entity-level micro F1 over BIO tag sequences (0 to 1).

    A mention counts when type, start and end agree (the CoNLL-2003 measure).
    Raises ValueError where a sentence's two sequences differ in length.

    >>> span_f1([["B-X", "I-X"]], [["B-X", "O"]])
    0.0
    """
    _same_length(gold, predicted)
    right = found = there = 0
    for g, p in zip(gold, predicted, strict=True):
        _same_length(g, p)
        g_spans, p_spans = spans(g), spans(p)
        right += len(g_spans & p_spans)
        found += len(p_spans)
        there += len(g_spans)
    return _f1(right, found, there)


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
    _same_length(gold, predicted)
    g, p = np.asarray(gold, dtype=float), np.asarray(predicted, dtype=float)
    if not (np.isfinite(g).all() and np.isfinite(p).all()):
        raise ValueError("a score is not a finite number")
    g, p = g - g.mean(), p - p.mean()
    scale = float(np.sqrt((g @ g) * (p @ p)))
    return float(g @ p) / scale if scale > 1e-12 else 0.0


def example_f1(gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]]) -> float:
    """The mean over items of the F1 of two label sets (0 to 1); two empty sets agree (1).

    Example-based F1 as in the BLUE benchmark's Hallmarks of Cancer.
    """
    _same_length(gold, predicted)
    each = [
        _f1(len(set(g) & set(p)), len(set(p)), len(set(g))) if g or p else 1.0
        for g, p in zip(gold, predicted, strict=True)
    ]
    return sum(each) / len(each)


def scorer(metric: str, *, negative: str | None = None) -> Callable[[Sequence[Any], Sequence[Any]], float]:
    """The function of a card's metric. ``f1`` is the F1 of the one label that is not negative."""
    if metric in ("micro_f1", "f1"):
        return lambda gold, predicted: micro_f1(gold, predicted, ignore=negative)
    return {
        "accuracy": accuracy,
        "span_f1": span_f1,
        "pearson": pearson,
        "example_f1": example_f1,
    }[metric]


def _f1(right: int, found: int, there: int) -> float:
    return 2 * right / (found + there) if found + there else 0.0


def _same_length(gold: Sequence[Any], predicted: Sequence[Any]) -> None:
    if len(gold) != len(predicted) or not len(gold):
        raise ValueError(
            f"{len(gold)} gold values and {len(predicted)} predicted; equal and not 0 are needed"
        )
