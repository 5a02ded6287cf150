"""One's own data as a corpus: files of many formats in, a card and three splits of rows out.

``tables``, ``conll`` and ``brat`` read formats, ``tagged`` makes sentences in BIO of them, ``rows``
says what a cell may hold, ``division`` makes the splits, and this module puts them together.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from transfer.corpora.base import METRICS, SPLITS, Card, Kind, Metric, Split
from transfer.corpora.own.brat import brat
from transfer.corpora.own.conll import conll, is_columns
from transfer.corpora.own.division import (
    by_column,
    completed,
    made_by_hash,
    split_named,
    splits_of_paths,
)
from transfer.corpora.own.rows import Columns, Made, rows_of
from transfer.corpora.own.tables import Table, jsonl, parquet, saved_dataset, separated
from transfer.corpora.own.tagged import Tagging, tagged
from transfer.corpora.releases.base import Reading, Row
from transfer.corpora.releases.mentions import told
from transfer.inputs import InputError, did_you_mean, validated

SUFFIXES = {
    ".jsonl": jsonl,
    ".csv": lambda path: separated(path, ","),
    ".tsv": lambda path: separated(path, "\t"),
    ".parquet": parquet,
}
CONLL = (".conll", ".conllu", ".iob", ".bio", ".txt")


@dataclass(frozen=True)
class Request:
    """What a user asks for. ``sources`` are files or folders; a split is theirs or None."""

    kind: Kind
    name: str
    sources: tuple[tuple[Path, Split | None], ...]
    columns: Columns = field(default_factory=Columns)
    separator: str = ";"
    negative: str | None = None
    metric: Metric | None = None
    tagging: Tagging = field(default_factory=Tagging)

    @property
    def plain(self) -> bool:
        """Whether tags are labels of their own and name no mentions."""
        return self.metric == "token_accuracy"


def read(request: Request) -> tuple[Card, Reading]:
    """The card and the rows that a request comes to.

    Raises InputError, with file and line (or row and column), for whatever is wrong in the files.
    """
    sources, notes = _leaves(request.sources)
    tables = [table_of(request, path) for path, _ in sources]
    for table in tables:
        if not table.records:
            raise InputError(f"{table.path}: holds no example")
    columns = request.columns
    if request.kind == "tagging":
        tables = tagged(tables, columns, request.tagging, name=request.name, plain=request.plain)
        columns = replace(columns, text=None, label=None, sentence=None)
    given: Sequence[Split | None] = [split for _, split in sources]
    how = "as they were given"
    if not any(given) and (named := splits_of_paths([path for path, _ in sources])):
        given, how = named, "as the names of the files tell"
    stems = _stems([path for path, _ in sources])
    made, pair = rows_of(request.kind, dict(zip(stems, tables, strict=True)), columns, request.separator)
    rows, how = _divided(made, given, how)
    card = _card(request, rows, pair)
    notes += _notes_on_mentions(tables, given)
    unit, gold = _counted(request, rows, pair)
    reading = Reading(rows, gold, how, [*(doubt for table in tables for doubt in table.doubts), *notes])
    return card.model_copy(update={"unit": unit, "gold": gold, "splits": how, "notes": tuple(notes)}), reading


def _leaves(
    sources: Sequence[tuple[Path, Split | None]],
) -> tuple[list[tuple[Path, Split | None]], list[str]]:
    """The files and folders to read: a folder with a folder for each split is taken apart."""
    leaves, notes = [], []
    for path, split in sources:
        if not path.exists():
            raise InputError(f"{path}: no such file")
        if not path.is_dir() or any(path.glob("*.ann")) or any(path.glob("*.arrow")):
            leaves.append((path, split))
            continue
        below = sorted(folder for folder in path.iterdir() if folder.is_dir())
        parts = [(folder, named) for folder in below if (named := split_named(folder.name))]
        if not parts or split:
            raise InputError(
                f"{path}: holds neither stand-off (.txt and .ann) nor a saved dataset (.arrow)"
                + ("" if split else ", nor a folder for each split")
            )
        leaves += parts
        left = [folder.name for folder in below if not split_named(folder.name)]
        notes += [f"the folder {name} names no split and is left out" for name in left]
    if len({split is None for _, split in leaves}) > 1:
        raise InputError("some sources are folders for each split and others are not; give them one by one")
    return leaves, notes


def table_of(request: Request, path: Path) -> Table:
    kind = request.kind
    if path.is_dir():
        reader = brat if any(path.glob("*.ann")) else saved_dataset
        fits = kind == "tagging" or reader is saved_dataset
    else:
        suffix = path.suffix.lower()
        if kind == "tagging" and suffix in (*CONLL, ".csv", ".tsv") and is_columns(path, request.columns):
            delimiter = "," if suffix == ".csv" else None
            return conll(path, request.columns, plain=request.plain, delimiter=delimiter)
        known = (*SUFFIXES, *(CONLL if kind == "tagging" else ()))
        if suffix not in SUFFIXES and suffix not in CONLL:
            raise InputError(f"{path}: unknown kind of file '{suffix}'{did_you_mean(suffix, known)}")
        reader, fits = SUFFIXES.get(suffix, conll), suffix in known
    if not fits:
        raise InputError(f"{path}: holds tokens with tags; --kind tagging reads it, {kind} has none")
    return reader(path)


def _stems(paths: Sequence[Path]) -> list[str]:
    """What the ids of each file's rows begin with: its name, numbered where two have the same."""
    seen: Counter[str] = Counter()
    stems = []
    for path in paths:
        seen[path.stem] += 1
        stems.append(path.stem if seen[path.stem] == 1 else f"{path.stem}({seen[path.stem]})")
    return stems


def _divided(
    made: Sequence[Sequence[Made]], given: Sequence[Split | None], how: str
) -> tuple[dict[Split, list[Row]], str]:
    parts: dict[Split, list[Made]] = {}
    for split, some in zip(given, made, strict=True):
        if split:
            parts.setdefault(split, []).extend(some)
    if parts:
        return completed(parts, how)
    every = [one for some in made for one in some]
    if columned := by_column(every):
        return completed(columned, "as the column 'split' tells")
    return made_by_hash(every)


def _card(request: Request, rows: Mapping[Split, Sequence[Row]], pair: bool) -> Card:
    every = [row for split in SPLITS for row in rows[split]]
    card: dict[str, Any] = {"name": request.name, "kind": request.kind, "pair": pair}
    if request.kind == "similarity":
        scores = [row["score"] for row in every]
        card["range"] = low, high = math.floor(min(scores)), math.ceil(max(scores))
        if low == high:
            raise InputError(f"all scores are {low}; a correlation needs scores that differ")
    elif request.kind == "tagging" and request.plain:
        card["labels"] = sorted({tag for row in every for tag in row["tags"]})
    elif request.kind == "tagging":
        tags = {tag[2:] for row in every for tag in row["tags"] if tag != "O"}
        # a mention in several pieces has no tag, and is gold all the same
        card["entities"] = sorted(tags | {kind for row in every for kind, *_ in row.get("mentions", ())})
        if not card["entities"]:
            raise InputError("there is no mention in any of the files; all tags are O")
    else:
        several = request.kind == "multilabel"
        labels = {label for row in every for label in (row["labels"] if several else [row["label"]])}
        card["labels"] = sorted(labels)
        needed = 2 if request.kind == "classification" else 1
        if len(labels) < needed:
            there = f"only the label '{card['labels'][0]}'" if labels else "no label"
            raise InputError(f"there is {there} in all of the files; there is nothing to learn from them")
    if request.negative is not None:
        if request.negative not in card["labels"]:
            hint = did_you_mean(request.negative, card["labels"])
            raise InputError(f"--negative: no item has the label '{request.negative}'{hint}")
        card["negative"] = request.negative
    usual = "micro_f1" if request.negative is not None else METRICS[request.kind][0]
    card["metric"] = request.metric or usual
    return validated(Card, card, path=Path(request.name))


def _counted(
    request: Request, rows: Mapping[Split, Sequence[Row]], pair: bool
) -> tuple[str, dict[Split, int]]:
    """The unit that is counted of such a corpus, and how many of it each split has."""
    if request.kind == "tagging":
        unit, count = ("tokens", lambda row: len(row["tags"])) if request.plain else ("mentions", _mentions)
        return unit, {split: sum(map(count, rows[split])) for split in SPLITS}
    unit = "pairs" if pair else "items"
    if request.negative is None:
        return unit, {split: len(rows[split]) for split in SPLITS}
    positive: dict[Split, int] = {
        split: sum(row["label"] != request.negative for row in rows[split]) for split in SPLITS
    }
    return f"positive {unit}", positive


def _mentions(row: Row) -> int:
    return len(row["mentions"]) if "mentions" in row else sum(tag.startswith("B-") for tag in row["tags"])


def _notes_on_mentions(tables: Sequence[Table], given: Sequence[Split | None]) -> list[str]:
    counts: dict[str, Counter[str]] = {}
    for table, split in zip(tables, given, strict=True):
        counts.setdefault(split or "all splits", Counter()).update(table.counts)
    return [note for what, count in counts.items() for note in told(what, count)]
