"""Multi-label classification: any number of the labels, also none."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from transfer.inputs import InputError
from transfer.kinds.base import Kind, Row, check_names, known, quoted, strings
from transfer.kinds.cells import check_multi_hot, labels_in
from transfer.kinds.classification import doubt_about, labels_found, most_frequent, on_order, texts_in_words

if TYPE_CHECKING:
    from transfer.corpora.base import Card
    from transfer.corpora.own.rows import Columns


class MultilabelKind(Kind):
    """A set of the card's labels."""

    name = "multilabel"
    metrics = ("example_f1",)
    gold = "labels"
    gold_noun = "set of labels"
    options = frozenset({"--text-b", "--label", "--labels", "--separator"})
    usage = '''

def predict({texts}):
    """The labels whose probability is above one half."""
    return [model.config.id2label[i] for i, x in enumerate(logits({texts}).tolist()) if x > 0]
'''

    def gold_of(self, card: "Card", where: str, row: Row) -> tuple[str, ...]:
        return _each_once(where, row, "labels", card)

    def answer_of(self, card: "Card", where: str, value: Any, text: Sequence[str]) -> tuple[str, ...]:
        return _each_once(where, {"predicted": value}, "predicted", card)

    def check_card(self, card: "Card") -> None:
        check_names(card, "labels")

    def names_in(self, card: "Card", gold: tuple[str, ...]) -> set[str]:
        return set(gold)

    def stratum(self, gold: tuple[str, ...]) -> str:
        return " ".join(sorted(gold))

    def baseline(self, card: "Card", train: Sequence[Any], test: Sequence[Any]) -> tuple[str, list[Any]]:
        labels = most_frequent(tuple(sorted(labels)) for labels in train)
        return f"always {' and '.join(labels)}" if labels else "never a label", [labels] * len(test)

    def blank(self, card: "Card", length: int) -> tuple[str, ...]:
        return ()

    def description(self, card: "Card") -> str:
        return f"Any number of labels for {texts_in_words(card)}: {quoted(card.labels)}.{on_order(card)}"

    def gold_column(self, said: "Columns", there: Collection[str]) -> tuple[str, list[str]]:
        usual = "label" if "label" in there and "labels" not in there else "labels"
        return said.label or usual, doubt_about("labels", "label", said, there)

    def hot_columns(self, said: "Columns", there: Collection[str], names: Sequence[str]) -> Sequence[str]:
        alone = said.label is None and not {"label", "labels"} & {*there}
        return names if names and alone and {*there}.issuperset(names) else ()

    def gold_in(self, value: Any, where: str, *, separator: str, names: Sequence[str]) -> list[str]:
        return labels_in(value, where, separator, names)

    def check_cells(self, values: Sequence[Any], where: str) -> None:
        check_multi_hot(values, where)

    def card_keys(self, rows: Sequence[Row], metric: str | None) -> dict[str, Any]:
        return {"labels": labels_found((label for row in rows for label in row["labels"]), fewest=1)}


def _each_once(where: str, row: Row, key: str, card: "Card") -> tuple[str, ...]:
    labels = tuple(known(where, label, card.labels) for label in strings(where, row, key))
    if len(set(labels)) < len(labels):
        raise InputError(f"{where}: '{key}' names a label twice")
    return labels
