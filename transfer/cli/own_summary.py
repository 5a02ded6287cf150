"""The lines that ``transfer corpora prepare own`` ends with: what was read, as what, and what came of it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from transfer.cli.terminal import aligned
from transfer.inputs import InputError

if TYPE_CHECKING:
    from transfer.corpora.base import Card
    from transfer.corpora.own import OwnReading
    from transfer.corpora.own.summary import FileRead, Summary
    from transfer.corpora.releases.base import Row
    from transfer.kinds import Kind

MOST_FILES, MOST_LABELS, MOST_COLUMNS, WIDTH = 8, 20, 12, 72
DEFAULT_ENCODER = "minilm-l6"


def lines_of(card: "Card", reading: "OwnReading", encoder: str | None) -> Iterator[str]:
    """The summary, a line each; see corpora/own/summary.py for what it says."""
    from transfer.corpora.own.summary import summary_of
    from transfer.kinds import kind_of

    summary, kind = summary_of(card, reading), kind_of(card.kind)
    for file in summary.files[:MOST_FILES]:
        yield _file(file, tokenized=kind.tokenized)
    if more := summary.files[MOST_FILES:]:
        yield f"read {len(more)} more files: {sum(file.items for file in more)} items"
    if summary.columns:
        yield f"columns read: {', '.join(_column(key, name) for key, name in summary.columns.items())}"
        yield f"columns not read: {_some(summary.ignored, MOST_COLUMNS)}"
    yield from _gold(card, reading, summary)
    yield "examples from the middle:"
    yield from (f"  {_example(kind, row)}" for row in summary.examples)
    yield _too_long(card, reading, encoder)


def doubts_of(assumed: Sequence[str], foreseen: Sequence[str], *, strict: bool) -> list[str]:
    """Assumptions about the files and warnings about the corpus, a line each.

    Raises InputError for the first where ``strict``.
    """
    if strict and (doubts := [*assumed, *foreseen]):
        more = f" (and {len(doubts) - 1} more)" if len(doubts) > 1 else ""
        raise InputError(f"--strict: {doubts[0]}{more}")
    return [*(f"assumed: {doubt}" for doubt in assumed), *(f"warning: {doubt}" for doubt in foreseen)]


def _file(file: "FileRead", *, tokenized: bool) -> str:
    skipped = ", ".join(f"{count} {what}" for what, count in file.skipped.items())
    why = f" ({skipped} left out)" if skipped else ""
    how = f"; {file.format}" if file.format else ""
    # the format tells of the lines or rows that a sentence was made of
    read = f"{file.items} sentences" if tokenized else f"{file.rows} rows, {file.items} items"
    return f"read {file.path}: {read}{why}{how}"


def _column(key: str, name: str) -> str:
    return key if key == name else f"{key} = {name}"


def _some(names: "Sequence[str]", most: int) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + more


def _gold(card: "Card", reading: "OwnReading", summary: "Summary") -> Iterator[str]:
    """A table with a row for each label, or the scores, and what is counted of each split."""
    rows = [
        {
            "": "items",
            **{split: f"{len(some)}" for split, some in reading.rows.items()},
        },
        {"": card.unit, **{split: f"{reading.gold[split]}" for split in reading.rows}},
    ]
    rows = rows[: 1 if card.unit in ("items", "pairs") else 2]
    for label, count in list(summary.counts.items())[:MOST_LABELS]:
        rows.append({"": f"  {label[:40]}", **{split: f"{n}" for split, n in count.items()}})
    for i, what in enumerate(("lowest score", "mean score", "highest score") if summary.scores else ()):
        shown = {split: f"{three[i]:.4g}" for split, three in summary.scores.items()}
        rows.append({"": f"  {what}", **shown})
    if card.unit == "pairs":
        rows[0][""] = "pairs"
    yield from aligned(rows, numbers=("train", "dev", "test"))
    if (more := len(summary.counts) - MOST_LABELS) > 0:
        yield f"  and {more} more labels"


def _example(kind: "Kind", row: "Row") -> str:
    gold = row[kind.gold]
    if kind.tokenized:
        shown = " ".join(
            token if tag == "O" else f"{token}/{tag}" for token, tag in zip(row["tokens"], gold, strict=True)
        )
        return f"{row['id']}: {_cut(shown)}"
    gold = ", ".join(gold) or "no label" if isinstance(gold, list) else gold
    texts = _texts(row)
    return f"{row['id']}: {gold} | {' | '.join(_cut(text, len(texts)) for text in texts)}"


def _texts(row: "Row") -> tuple[str, ...]:
    return (row["text_a"], row["text_b"]) if "text_b" in row else (row["text"],)


def _cut(text: str, of: int = 1) -> str:
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[:WIDTH])
    return shown if len(shown) <= WIDTH // of and len(text) <= WIDTH else shown[: WIDTH // of - 1] + "…"


def _too_long(card: "Card", reading: "OwnReading", encoder: str | None) -> str:
    from transfer.encoders import folder_of, local_folder
    from transfer.kinds import kind_of
    from transfer.lengths import SubwordCounter
    from transfer.recipes import Recipe

    name = encoder or DEFAULT_ENCODER
    limit: int = Recipe.model_fields["max_length"].default
    if kind_of(card.kind).tokenized:
        return f"sentences over {limit} subword tokens are divided, not truncated"
    folder = local_folder(name) if encoder is None else folder_of(name)
    if folder is None:
        return (
            f"texts over {limit} subword tokens: not counted, since the encoder {name} is not installed; "
            "--encoder DIR names another"
        )
    counter = SubwordCounter(folder)
    counts = {
        split: counter.truncated([_texts(row) for row in rows], limit) for split, rows in reading.rows.items()
    }
    total = sum(map(len, reading.rows.values()))
    by_split = ", ".join(f"{split} {n}" for split, n in counts.items())
    cut = f"{sum(counts.values())} of {total}"
    if any(counts.values()):
        cut += f" ({by_split}), which are truncated"
    assumed = " (assumed; --encoder NAME counts with another)" if encoder is None else ""
    return f"texts over {limit} subword tokens of {name}{assumed}: {cut}"
