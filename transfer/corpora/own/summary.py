"""Summary of what was read from a user's files, for the command line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer.corpora.base import SPLITS, Card, Split
from transfer.corpora.own import OwnReading
from transfer.corpora.own.labels import labels_of
from transfer.corpora.releases.base import Row
from transfer.kinds import Kind, kind_of


@dataclass(frozen=True)
class FileRead:
    """File or folder that was read: its rows, those that gave no item (by reason), and its format."""

    path: Path
    rows: int
    skipped: Mapping[str, int]
    format: str

    @property
    def items(self) -> int:
        return self.rows - sum(self.skipped.values())


@dataclass(frozen=True)
class Summary:
    """Summary of what was read.

    ``columns`` are those that were read, by the key of a row; ``ignored`` are the others. ``counts`` are the
    items (tagging: mentions or tokens) of each label in each split, ``scores`` the lowest, mean and highest
    score. ``examples`` are rows from the middle of the largest split.
    """

    files: Sequence[FileRead]
    columns: Mapping[str, str]
    ignored: Sequence[str]
    counts: Mapping[str, Mapping[Split, int]]
    scores: Mapping[Split, tuple[float, float, float]]
    examples: Sequence[Row]


def summary_of(card: Card, reading: OwnReading, *, examples: int = 3) -> Summary:
    """Summarize what was read; ``examples`` is the number of rows to show."""
    files = [
        FileRead(
            table.path,
            len(table.records) + sum(table.skipped.values()),
            table.skipped,
            table.format,
        )
        for table in reading.tables
    ]
    used = set(reading.columns.values())
    # in the order of the file, as far as one record tells it
    named = [table for table in reading.tables if table.named]
    order = dict.fromkeys(name for table in named for name in table.records[0].values)
    order |= dict.fromkeys(sorted(set().union(*(table.columns for table in named)) if named else ()))
    largest = max(SPLITS, key=lambda split: len(reading.rows[split]))
    rows = reading.rows[largest]
    start = max(0, (len(rows) - examples) // 2)
    kind = kind_of(card.kind)
    return Summary(
        files=files,
        columns=reading.columns,
        ignored=[name for name in order if name not in used],
        counts={} if kind.numeric else _label_counts(card, reading.rows),
        scores=_scores(kind, reading.rows) if kind.numeric else {},
        examples=rows[start : start + examples],
    )


def _label_counts(card: Card, rows: Mapping[Split, Sequence[Row]]) -> dict[str, dict[Split, int]]:
    by_split = {split: Counter[str]() for split in SPLITS}
    for split in SPLITS:
        for row in rows[split]:
            by_split[split].update(_labels_counted(card, row))
    total = sum(by_split.values(), Counter[str]())
    return {
        label: {split: by_split[split][label] for split in SPLITS}
        for label, _ in sorted(total.items(), key=lambda pair: (-pair[1], pair[0]))
    }


def _labels_counted(card: Card, row: Row) -> Sequence[str]:
    """Labels of a row; in tagging, the type of each mention or the label of each token."""
    if "mentions" in row:
        return [kind for kind, *_ in row["mentions"]]
    if "tags" in row and not card.spans:
        return row["tags"]
    if "tags" in row:
        return [tag[2:] for tag in row["tags"] if tag.startswith("B-")]
    return sorted(labels_of(row))


def _scores(kind: Kind, rows: Mapping[Split, Sequence[Row]]) -> dict[Split, tuple[float, float, float]]:
    found: dict[Split, tuple[float, float, float]] = {}
    for split in SPLITS:
        scores = [row[kind.gold] for row in rows[split]]
        found[split] = (min(scores), sum(scores) / len(scores), max(scores))
    return found
