"""Counts of prepared corpora, split by split."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer.corpora import prepared
from transfer.corpora.base import SPLITS, Card, Split, count_of
from transfer.kinds import kind_of


@dataclass(frozen=True)
class SplitStats:
    """One split: ``count`` is in the corpus's unit, ``lines`` are the instances of training.

    ``counted`` says whose the count is: the card's, which is the release's own, or counted here
    from the lines.
    """

    split: Split
    count: int
    counted: str
    lines: int


@dataclass(frozen=True)
class CorpusStats:
    """One corpus: its card, the counts of its splits, and notes on them."""

    card: Card
    unit: str
    splits: tuple[SplitStats, ...]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.card.name


def stats(folder: Path, names: Sequence[str] = ()) -> Iterator[CorpusStats]:
    """Count the named prepared corpora below ``folder``, or all of them if none is named.

    Raises InputError where one of them is missing or wrong.
    """
    for name in names or prepared.names_in(folder):
        home = prepared.home_of(folder, name)
        card = prepared.card_of(home)
        rows = []
        for split in SPLITS:
            examples = [example for _, example in prepared.lines_of(home, card, split)]
            told = card.gold.get(split)
            rows.append(
                SplitStats(
                    split=split,
                    count=count_of(card, examples) if told is None else told,
                    counted="lines" if told is None else "card",
                    lines=len(examples),
                )
            )
        yield CorpusStats(card, unit_of(card), tuple(rows), tuple(notes_of(card)))


def unit_of(card: Card) -> str:
    """The unit of a corpus's counts: its card's, or one by its kind."""
    if card.unit:
        return card.unit
    kind = kind_of(card.kind)
    if unit := kind.unit(card):
        return unit
    if card.negative is not None:
        return f"lines that are not {card.negative}"
    return "pairs" if len(kind.text_keys(card)) == 2 else "lines"


def notes_of(card: Card) -> Iterator[str]:
    """Notes on a corpus's splits and counts, from its card."""
    if card.splits:
        yield f"splits: {card.splits}"
    yield from card.notes
