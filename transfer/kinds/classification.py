"""Classification of a text or a pair: relation extraction and inference are both this."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from transfer.inputs import InputError
from transfer.kinds.base import Kind, Row, check_names, known, quoted, string
from transfer.kinds.cells import label_in

if TYPE_CHECKING:
    from transfer.corpora.base import Card
    from transfer.corpora.own.rows import Columns


class ClassificationKind(Kind):
    """One of the card's labels."""

    name = "classification"
    metrics = ("accuracy", "micro_f1", "f1")
    gold = "label"
    options = frozenset({"--text-b", "--label", "--negative"})
    usage = '''

def predict({texts}):
    """The label."""
    return model.config.id2label[int(logits({texts}).argmax())]
'''

    def gold_of(self, card: "Card", where: str, row: Row) -> str:
        return known(where, string(where, row, "label"), card.labels)

    def answer_of(self, card: "Card", where: str, value: Any, text: Sequence[str]) -> str:
        return known(where, string(where, {"predicted": value}, "predicted"), card.labels)

    def check_card(self, card: "Card") -> None:
        check_names(card, "labels")

    def names_in(self, card: "Card", gold: str) -> set[str]:
        return {gold}

    def stratum(self, gold: str) -> str:
        return gold

    def baseline(self, card: "Card", train: Sequence[Any], test: Sequence[Any]) -> tuple[str, list[Any]]:
        label = most_frequent(train)
        return f"always '{label}'", [label] * len(test)

    def blank(self, card: "Card", length: int) -> str:
        return card.labels[0]

    def description(self, card: "Card") -> str:
        return f"One label for {texts_in_words(card)}: {quoted(card.labels)}.{on_order(card)}"

    def gold_column(self, said: "Columns", there: Collection[str]) -> tuple[str, list[str]]:
        return said.label or "label", doubt_about("label", "labels", said, there)

    def gold_in(self, value: Any, where: str, *, separator: str, names: Sequence[str]) -> str:
        return label_in(value, where)

    def card_keys(self, rows: Sequence[Row], metric: str | None) -> dict[str, Any]:
        return {"labels": labels_found((row["label"] for row in rows), fewest=2)}


def most_frequent(values: Iterable[Any]) -> Any:
    """The most frequent value; of equally frequent ones the first by name."""
    return min(Counter(values).items(), key=lambda item: (-item[1], item[0]))[0]


def texts_in_words(card: "Card") -> str:
    """The texts of an item in words."""
    return "two texts" if card.pair else "a text"


def on_order(card: "Card") -> str:
    """A line of the model card on the order of two texts; nothing for one text."""
    told = "\nThe first is the corpus's `text_a`, the second its `text_b`; their order matters."
    return told if card.pair else ""


def doubt_about(usual: str, other: str, said: "Columns", there: Collection[str]) -> list[str]:
    """The doubt about which of two columns of labels is meant, if the table has both."""
    if said.label is not None or not {usual, other} <= {*there}:
        return []
    return [f"the column '{usual}' was read and '{other}' was not; --label {other} chooses that one"]


def labels_found(labels: Iterable[str], *, fewest: int) -> list[str]:
    """The different labels of all rows, sorted. Raises InputError where there are too few to learn from."""
    found = sorted(set(labels))
    if len(found) < fewest:
        there = f"only the label '{found[0]}'" if found else "no label"
        raise InputError(f"there is {there} in all of the files; there is nothing to learn from them")
    return found
