"""Sentence similarity: a score for a pair of texts."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transfer.inputs import InputError
from transfer.kinds.base import Kind, Row, number
from transfer.kinds.cells import number_in

if TYPE_CHECKING:
    from transfer.corpora.base import Card


class SimilarityKind(Kind):
    """A score on the corpus's own scale, always for two texts."""

    name = "similarity"
    metrics = ("pearson",)
    gold = "score"
    gold_noun = "score"
    numeric = True
    paired = True
    options = frozenset({"--text-b", "--score"})
    usage = '''

def predict(text_a, text_b):
    """The score, on the corpus's own scale."""
    return float(logits(text_a, text_b))
'''

    def gold_of(self, card: "Card", where: str, row: Row) -> float:
        score = number(where, row["score"], "score")
        if card.range is not None and not card.range[0] <= score <= card.range[1]:
            low, high = card.range
            raise InputError(f"{where}: the score {score:g} is outside the card's range {low:g} to {high:g}")
        return score

    def answer_of(self, card: "Card", where: str, value: Any, text: Sequence[str]) -> float:
        return number(where, value, "predicted")

    def stratum(self, gold: Any) -> str:
        return str(round(float(gold)))

    def baseline(self, card: "Card", train: Sequence[Any], test: Sequence[Any]) -> tuple[str, list[Any]]:
        mean = sum(train) / len(train)
        return f"always the mean score {mean:.2f}", [mean] * len(test)

    def blank(self, card: "Card", length: int) -> float:
        return card.range[0] if card.range else 0.0

    def description(self, card: "Card") -> str:
        scale = f" from {card.range[0]:g} to {card.range[1]:g}" if card.range else ""
        return f"A score{scale} for two texts, in the order in which the corpus has them."

    def gold_in(self, value: Any, where: str, *, separator: str, names: Sequence[str]) -> float:
        return number_in(value, where)

    def card_keys(self, rows: Sequence[Row], metric: str | None) -> dict[str, Any]:
        scores = [row["score"] for row in rows]
        low, high = math.floor(min(scores)), math.ceil(max(scores))
        if low == high:
            raise InputError(f"all scores are {low}; a correlation needs scores that differ")
        return {"range": (low, high)}
