"""Metrics: plain values in, plain numbers out. A metric sees no tensor and no model.

Every score here is a function of sums over items (``Measure``): so items can be left out or weighed
anew without going through the predictions again, which is what intervals are made of.

A score that is undefined is NaN, never 0: Pearson's correlation where either side is constant, and an F1
score where no gold item is positive, since its recall is a share of nothing. ``why_undefined`` says which.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

Span = tuple[str, int, int]

SINGLE_PRECISION = 2 * float(np.finfo(np.float32).eps)  # relative
RESIDUE = 1e-12  # of a sum of squares


@dataclass(frozen=True)
class Measure:
    """Metric as ``value(parts(gold, predicted).sum(axis=0))``.

    ``parts`` gives [items, k] numbers that are added up over items; ``value`` takes such sums,
    [..., k], and gives the score of each, [...], NaN where it is undefined. Sums of different calls of
    ``parts`` must not be added where the gold values differ (Pearson's are centred on them). ``itemwise``:
    an item's parts follow from its own two values, whatever the other items are. ``finds``: what an F1
    score counts.
    """

    parts: Callable[[Sequence[Any], Sequence[Any]], np.ndarray]
    value: Callable[[np.ndarray], np.ndarray]
    itemwise: bool = True
    finds: str = ""

    @staticmethod
    def found(sums: np.ndarray) -> float:
        """Number of predicted positives or mentions, for a measure that ``finds`` something."""
        return float(sums[1] - sums[2])

    def __call__(self, gold: Sequence[Any], predicted: Sequence[Any]) -> float:
        """Score, NaN if it is undefined. Raises ValueError for unequal lengths or no item."""
        _same_length(gold, predicted)
        return float(self.value(self.parts(gold, predicted).sum(axis=0)))


def accuracy(gold: Sequence[Any], predicted: Sequence[Any]) -> float:
    """Share of items whose prediction is the gold value (0 to 1)."""
    return Measure(_right, _ratio)(gold, predicted)


def micro_f1(gold: Sequence[str], predicted: Sequence[str], *, ignore: str | None = None) -> float:
    """Micro-averaged F1 over all labels but ``ignore`` (0 to 1).

    The measure of relation extraction: a pair that is rightly left negative counts for nothing.
    NaN where no gold label counts.

    >>> micro_f1(["a", "false", "b"], ["a", "a", "false"], ignore="false")
    0.5
    """
    return Measure(partial(_labels, ignore=ignore), _f1)(gold, predicted)


def span_f1(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Strict entity-level micro F1 over BIO tag sequences (0 to 1).

    A mention counts when type, start and end agree (the CoNLL-2003 measure). NaN where gold has no mention.
    Raises ValueError where a sentence's two sequences differ in length.

    >>> span_f1([["B-X", "I-X"]], [["B-X", "O"]])
    0.0
    """
    return Measure(_mentions, _f1)(gold, predicted)


def token_accuracy(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> float:
    """Share of tokens with the gold tag, over all sentences (0 to 1).

    The measure of part-of-speech tagging. Raises ValueError where a sentence's two sequences differ
    in length.

    >>> token_accuracy([["DT", "NN"], ["VB"]], [["DT", "VB"], ["VB"]])
    0.6666666666666666
    """
    return Measure(_tokens, _ratio)(gold, predicted)


def spans(tags: Sequence[str]) -> set[Span]:
    """Mentions in a BIO sequence as (type, start, end), end exclusive.

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
    """Pearson correlation (-1 to 1); NaN if either side is constant.

    Raises ValueError where a value is not finite.
    """
    return Measure(_moments, _correlation, itemwise=False)(gold, predicted)


def example_f1(gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]]) -> float:
    """Mean over items of the F1 of two label sets (0 to 1); two empty sets agree (1).

    Example-based F1 as in the BLUE benchmark's Hallmarks of Cancer. NaN where no gold item has a label.
    """
    return Measure(_sets, _f1)(gold, predicted)


def measure_of(metric: str, *, negative: str | None = None) -> Measure:
    """Measure of a card's metric. ``f1`` is the F1 of the one label that is not negative."""
    if metric in ("micro_f1", "f1"):
        return Measure(partial(_labels, ignore=negative), _f1, finds="positive" if negative else "")
    return {
        "accuracy": Measure(_right, _ratio),
        "span_f1": Measure(_mentions, _f1, finds="mention"),
        "token_accuracy": Measure(_tokens, _ratio),
        "pearson": Measure(_moments, _correlation, itemwise=False),
        "example_f1": Measure(_sets, _f1),
        "mean": Measure(_values, _ratio),
    }[metric]


@dataclass
class Golds:
    """Summary of a split's gold values, which tells whether its score is defined."""

    metric: str
    negative: str | None = None
    items: int = 0
    positives: int = 0
    _values: set[Any] = field(default_factory=set)  # the different ones, no more than two

    @classmethod
    def of(cls, metric: str, gold: Iterable[Any], *, negative: str | None = None) -> "Golds":
        """Summarize the gold values of a whole split."""
        found = cls(metric, negative)
        for value in gold:
            found.add(value)
        return found

    def add(self, gold: Any) -> None:
        """Count one item."""
        self.items += 1
        if self.metric == "span_f1":
            self.positives += any(tag != "O" for tag in gold)
        elif self.metric == "example_f1":
            self.positives += bool(gold)
        else:
            self.positives += gold != self.negative
        if self.metric == "pearson" and len(self._values) < 2:
            self._values.add(gold)

    @property
    def undefined(self) -> str:
        """Reason why the score is undefined; empty if it is defined or depends on the predictions.

        One item has no score under any metric: it tells no model from another, and leaves nothing to
        estimate an error from.
        """
        if self.items < 2:
            return "a single item" if self.items else "no item"
        if self.metric == "pearson" and len(self._values) < 2:
            return f"all {self.items} gold scores are {next(iter(self._values)):g}"
        if self.metric in POSITIVES and not self.positives:
            return f"none of the {self.items} gold items {POSITIVES[self.metric]}".format(self.negative)
        return ""


# what an item must have to be positive, of the metrics that need one
POSITIVES = {
    "micro_f1": "is positive (other than '{}')",
    "f1": "is positive (other than '{}')",
    "span_f1": "has a mention",
    "example_f1": "has a label",
}


def why_undefined(
    metric: str, gold: Sequence[Any], predicted: Sequence[Any], *, negative: str | None = None
) -> str:
    """Reason why the score of these predictions is undefined; empty if it is defined.

    >>> why_undefined("pearson", [1.0, 2.0], [0.5, 0.5])
    'all 2 predictions are 0.5'
    """
    if reason := Golds.of(metric, gold, negative=negative).undefined:
        return reason
    if metric == "pearson" and not np.any(_centred(predicted)):
        return f"all {len(predicted)} predictions are {predicted[0]:g}"
    return ""


# The parts of the F1 scores are twice what is right, what was found plus what is there, and what is there.


def _right(gold: Sequence[Any], predicted: Sequence[Any]) -> np.ndarray:
    return np.array([(g == p, 1) for g, p in zip(gold, predicted, strict=True)], dtype=float)


def _values(gold: Sequence[float], predicted: Sequence[float]) -> np.ndarray:
    return np.array([(value, 1) for value in predicted], dtype=float)


def _labels(gold: Sequence[str], predicted: Sequence[str], *, ignore: str | None) -> np.ndarray:
    return np.array(
        [
            (2 * (g == p != ignore), (p != ignore) + (g != ignore), g != ignore)
            for g, p in zip(gold, predicted, strict=True)
        ],
        dtype=float,
    )


def _mentions(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> np.ndarray:
    rows = []
    for g, p in zip(gold, predicted, strict=True):
        _same_length(g, p)
        there, found = spans(g), spans(p)
        rows.append((2 * len(there & found), len(found) + len(there), len(there)))
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
        agreement = 2 * len(there & found) / (len(there) + len(found)) if there or found else 1.0
        rows.append((agreement, 1.0, bool(there)))
    return np.array(rows, dtype=float)


def _moments(gold: Sequence[float], predicted: Sequence[float]) -> np.ndarray:
    g, p = _centred(gold), _centred(predicted)
    return np.stack([np.ones_like(g), g, p, g * g, p * p, g * p], axis=-1)


def _centred(values: Sequence[float]) -> np.ndarray:
    """Subtract the mean from the values; all are 0 if they are constant.

    A correlation does not change with the origin, but sums of squares far from it lose digits. What
    differs by no more than a rounding in single precision is constant: a model that answers every item
    with one number computes it in batches of different shapes.
    """
    x = np.asarray(values, dtype=float)
    if not np.isfinite(x).all():
        raise ValueError("a score is not a finite number")
    if np.ptp(x) <= SINGLE_PRECISION * np.abs(x).max():
        return np.zeros_like(x)
    return x - x.mean()


def _ratio(sums: np.ndarray) -> np.ndarray:
    above, below = sums[..., 0], sums[..., 1]
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _f1(sums: np.ndarray) -> np.ndarray:
    return np.where(sums[..., 2] > 0, _ratio(sums), np.nan)


def _correlation(sums: np.ndarray) -> np.ndarray:
    n, g, p, gg, pp, gp = np.moveaxis(sums, -1, 0)
    n = np.maximum(n, 1)
    above = gp - g * p / n
    spreads = [np.maximum(square - total * total / n, 0) for total, square in ((g, gg), (p, pp))]
    # what is left of items that are all alike, after others were taken away, is a residue of rounding
    varied = np.all([s > RESIDUE * square for s, square in zip(spreads, (gg, pp), strict=True)], axis=0)
    scale = np.sqrt(spreads[0]) * np.sqrt(spreads[1])
    return np.divide(above, scale, out=np.full_like(scale, np.nan), where=varied & (scale > 0))


def _same_length(gold: Sequence[Any], predicted: Sequence[Any]) -> None:
    if len(gold) != len(predicted) or not len(gold):
        raise ValueError(
            f"{len(gold)} gold values and {len(predicted)} predicted; equal and not 0 are needed"
        )
