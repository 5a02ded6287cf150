"""Values: a number for each item, made by the trainer. The score is their mean."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from transfer.kinds.base import Kind, Row, number
from transfer.kinds.cells import number_in

if TYPE_CHECKING:
    from transfer.corpora.base import Card


class ValuesKind(Kind):
    """A number per item (exact match, a reward, 1 minus a loss), for external trainers alone.

    An item's text is whatever the trainer needs to score itself, references included. The optional key
    ``value`` is the trainer's to use.
    """

    name = "values"
    metrics = ("mean",)
    gold = "value"
    gold_noun = "value"
    numeric = True
    external = True
    optional = frozenset({"value"})

    def gold_of(self, card: "Card", where: str, row: Row) -> float:
        return number(where, row.get("value", 0), "value")

    def answer_of(self, card: "Card", where: str, value: Any, text: Sequence[str]) -> float:
        return number(where, value, "predicted")

    def blank(self, card: "Card", length: int) -> float:
        return 0.0

    def description(self, card: "Card") -> str:
        return "A number for each item."

    def gold_in(self, value: Any, where: str, *, separator: str, names: Sequence[str]) -> float:
        return number_in(value, where)
