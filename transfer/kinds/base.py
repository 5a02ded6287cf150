"""Interface of a task kind outside training."""

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from transfer.inputs import InputError, did_you_mean

if TYPE_CHECKING:
    from transfer.corpora.base import Card
    from transfer.corpora.own.rows import Columns

Row = dict[str, Any]


class Kind(ABC):
    """Task kind outside training, for the corpora of all cards that name it.

    A gold value is what ``Example.gold`` holds: a number, a label, or a tuple of labels or tags.
    """

    name: ClassVar[str]
    metrics: ClassVar[tuple[str, ...]]
    """Metrics that fit, the default first."""
    gold: ClassVar[str]
    """Key of a row that holds the gold value, and of a prediction."""
    gold_noun: ClassVar[str] = "label"
    """The gold value of an item in words."""
    optional: ClassVar[frozenset[str]] = frozenset()
    """Keys that a row may have beside those it needs."""
    numeric: ClassVar[bool] = False
    """Whether the gold value is a number."""
    paired: ClassVar[bool] = False
    """Whether an item always has two texts, whatever its card says."""
    tokenized: ClassVar[bool] = False
    """Whether an item is a list of tokens with a tag each. A long one is divided, a long text is cut."""
    external: ClassVar[bool] = False
    """Whether only an external trainer can learn it."""
    options: ClassVar[frozenset[str]] = frozenset()
    """Options of ``prepare own`` that fit, among those that do not fit every kind."""
    usage: ClassVar[str] = ""
    """Python for the model card that defines ``predict``; {texts}, {max_length}, {longest} are filled in."""

    # rows

    def text_keys(self, card: "Card") -> tuple[str, ...]:
        """Keys of a row that hold its one or two texts, or its tokens."""
        return ("text_a", "text_b") if self.paired or card.pair else ("text",)

    def texts_of(self, card: "Card", where: str, row: Row) -> tuple[str, ...]:
        """The texts or tokens of a row. Raises InputError, which begins with ``where``."""
        return tuple(string(where, row, key) for key in self.text_keys(card))

    @abstractmethod
    def gold_of(self, card: "Card", where: str, row: Row) -> Any:
        """The gold value of a row. Raises InputError, which begins with ``where``."""

    @abstractmethod
    def answer_of(self, card: "Card", where: str, value: Any, text: Sequence[str]) -> Any:
        """A trainer's prediction for an item of this text, as the metric takes it.

        Raises InputError, which begins with ``where``.
        """

    def check_card(self, card: "Card") -> None:  # noqa: B027 (most kinds need nothing)
        """Raise ValueError where a card lacks a key that this kind needs."""

    # what gold values tell

    def names_in(self, card: "Card", gold: Any) -> set[str]:
        """The labels or entity types of a gold value."""
        return set()

    def stratum(self, gold: Any) -> str:
        """The stratum of an item in stratified samples."""
        return ""

    def unit(self, card: "Card") -> str:
        """The unit that the literature counts, where it is neither items nor pairs."""
        return ""

    def count(self, card: "Card", gold: Any) -> int:
        """The number of units in an item; none in an item with the negative label."""
        return card.negative is None or gold != card.negative

    def baseline(
        self, card: "Card", train: Sequence[Any], test: Sequence[Any]
    ) -> tuple[str, list[Any]] | None:
        """A trivial predictor that is fit on gold values: its name, and a prediction for each test item.

        None for a kind without one.
        """
        return None

    @abstractmethod
    def blank(self, card: "Card", length: int) -> Any:
        """A gold value that the card allows, for an item of ``length`` tokens or texts without one."""

    # texts

    def running_texts(self, text: tuple[str, ...]) -> tuple[str, ...]:
        """The texts of an item, tokens joined by spaces."""
        return text

    def description(self, card: "Card") -> str:
        """The prediction in a sentence or two, for the model card of an exported model."""
        return f"A task of the kind {card.kind}: {quoted(card.labels or card.entities)}."

    # prepare own

    def gold_column(self, said: "Columns", there: Collection[str]) -> tuple[str, list[str]]:
        """The column of the gold value, as the user named it or of those ``there``, and doubts about it."""
        return (said.score if self.numeric else said.label) or self.gold, []

    def hot_columns(self, said: "Columns", there: Collection[str], names: Sequence[str]) -> Sequence[str]:
        """The columns that hold 0 or 1 for one of ``names`` each, instead of a column of gold values."""
        return ()

    @abstractmethod
    def gold_in(self, value: Any, where: str, *, separator: str, names: Sequence[str]) -> Any:
        """The gold value of a row from a cell of a user's table. Raises InputError."""

    def check_cells(self, values: Sequence[Any], where: str) -> None:  # noqa: B027
        """Raise InputError where all cells of the gold column together show that they need names."""

    def card_keys(self, rows: Sequence[Row], metric: str | None) -> dict[str, Any]:
        """The keys of a card that follow from all rows. Raises InputError where there is nothing to learn."""
        return {}


def number(where: str, value: Any, key: str) -> float:
    """A value as a number. Raises InputError if it is none, or not finite."""
    try:
        found = math.nan if isinstance(value, (bool, str)) else float(value)
    except (TypeError, OverflowError):  # JSON has numbers that are too large
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{where}: '{key}' should be a number, not {json.dumps(value)[:60]}")
    return found


def string(where: str, row: Row, key: str) -> str:
    """The text of a key. Raises InputError where it is no text, or blank."""
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: '{key}' should be a text that is not empty, not {json.dumps(value)[:60]}")
    return value


def strings(where: str, row: Row, key: str) -> tuple[str, ...]:
    """The texts of a key. Raises InputError where it is no list of texts."""
    value = row[key]
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise InputError(f"{where}: '{key}' should be a list of texts, not {json.dumps(value)[:60]}")
    return tuple(value)


def known(where: str, label: str, labels: tuple[str, ...]) -> str:
    """The label, if it is among those of the card. Raises InputError."""
    if label not in labels:
        raise InputError(
            f"{where}: the label '{label}' is not in the card's set{did_you_mean(label, labels)}"
        )
    return label


def check_names(card: "Card", key: str, measured: str = "") -> None:
    """Raise ValueError where a card does not list its labels or entity types under ``key``."""
    if not getattr(card, key):
        raise ValueError(f"a {card.kind} corpus{measured} needs the key '{key}', a list of names")


def quoted(names: Sequence[str]) -> str:
    """Names as code in Markdown, with commas between them."""
    return ", ".join(f"`{name}`" for name in names)
