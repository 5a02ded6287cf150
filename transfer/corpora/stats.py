"""The paper's Table 1 for corpora that are prepared: what there is, beside what was published."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer.corpora import prepared
from transfer.corpora.base import SPLITS, Card, Split, count_of
from transfer.corpora.published import PUBLISHED
from transfer.kinds import kind_of


@dataclass(frozen=True)
class SplitStats:
    """One split: ``count`` is in the corpus's unit, ``lines`` are the instances of training.

    ``counted`` says whose the count is: the card's, which is the release's own, or counted here
    from the lines. ``published`` is the paper's figure, None for a corpus that it has not.
    """

    split: Split
    count: int
    counted: str
    lines: int
    published: int | None

    @property
    def difference(self) -> int | None:
        return None if self.published is None else self.count - self.published


@dataclass(frozen=True)
class CorpusStats:
    """One corpus: what its card says of it, its three splits, and what a reader should know of them."""

    card: Card
    unit: str
    splits: tuple[SplitStats, ...]
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.card.name


def stats(folder: Path, names: Sequence[str] = ()) -> Iterator[CorpusStats]:
    """The named prepared corpora below ``folder`` (all of them if none is named), counted.

    Raises InputError where one of them is missing or wrong.
    """
    for name in names or prepared.names_in(folder):
        home = prepared.home_of(folder, name)
        card = prepared.card_of(home)
        published = PUBLISHED.get(name)
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
                    published=published.counts[split] if published else None,
                )
            )
        yield CorpusStats(card, unit_of(card), tuple(rows), tuple(notes_of(card, rows)))


def unit_of(card: Card) -> str:
    """What is counted: as the card says, else what the paper counts, else by its kind."""
    if card.unit:
        return card.unit
    if card.name in PUBLISHED:
        return PUBLISHED[card.name].unit
    kind = kind_of(card.kind)
    if unit := kind.unit(card):
        return unit
    if card.negative is not None:
        return f"lines that are not {card.negative}"
    return "pairs" if len(kind.text_keys(card)) == 2 else "lines"


def notes_of(card: Card, rows: Sequence[SplitStats]) -> Iterator[str]:
    """What is to be known of a corpus's counts: its card's notes, and why they are not the published ones."""
    if card.splits:
        yield f"splits: {card.splits}"
    yield from card.notes
    if published := PUBLISHED.get(card.name):
        if published.remark:
            yield published.remark
        differ = {row.split for row in rows if row.difference}
        for splits, why in published.why.items():
            if differ & set(splits):
                yield f"{' and '.join(splits)}: {why}"
                differ -= set(splits)
        if differ:
            yield f"{' and '.join(s for s in SPLITS if s in differ)}: the difference is not explained"
