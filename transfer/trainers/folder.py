"""The folder that an external trainer reads: ``job.json`` and the corpora, test without gold values.

job.json                  JobFile (docs/trainers.schema.json)
corpora/<name>/train.jsonl, dev.jsonl     rows of a prepared corpus
corpora/<name>/test.jsonl                 the same rows without gold values
"""

import json
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from transfer.corpora.base import Card, Corpus, Example
from transfer.corpora.overlap import apart
from transfer.kinds import kind_of

FORMAT = 1


class CorpusFile(BaseModel):
    """One corpus of a job. Paths are absolute."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: str
    kind: str
    """similarity, classification, tagging, multilabel or values: it decides the fields of a row."""
    metric: str
    """The metric by which `transfer` will score the predictions."""
    labels: list[str]
    """Labels (classification, multilabel) or tags (tagging) that a prediction may use."""
    negative: str | None
    """The label that counts for nothing in F1."""
    pair: bool
    """Whether a row has text_a and text_b in place of text."""
    range: list[float] | None
    """The lowest and highest gold score (similarity)."""
    seed: int
    """Seed of everything that belongs to this corpus alone: the same number in every job with this seed,
    whatever the partners are. Arms are matched if batches, their order and dropout follow from it."""
    extra_examples: int
    """Same-steps control: train for as many further examples per epoch as a partner would bring."""
    train: str
    dev: str
    test: str


class JobFile(BaseModel):
    """The contents of ``job.json``."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    format: Literal[1] = FORMAT
    id: str
    """The job's id: 16 hexadecimal digits."""
    seed: int
    """Seed of everything that the corpora share."""
    corpora: list[CorpusFile]
    """The corpora to train together, sorted by name; a single one for a single-task job."""
    settings: dict[str, Any]
    """The trainer's settings, as the grid has them."""
    checkpoint: str
    """A folder that outlives an interrupted job: the trainer may resume from what it wrote there."""
    threads: int = Field(ge=1)
    """CPU threads that the job may use."""
    gpus: float = Field(ge=0)
    """Share of a GPU that the job may use; CUDA_VISIBLE_DEVICES names the device."""


def row_of(example: Example, card: Card, *, gold: bool) -> dict[str, Any]:
    """The row of a prepared corpus, with or without its gold value."""
    kind = kind_of(card.kind)
    keys = kind.text_keys(card)
    row: dict[str, Any] = {"id": example.id}
    if kind.tokenized:
        row["tokens"] = list(example.text)
    else:
        row |= dict(zip(keys, example.text, strict=True))
    if gold:
        value = example.gold
        if kind.tokenized and isinstance(value, tuple):  # without the mentions that no tag can name
            value = value[: len(example.text)]
        row[kind.gold] = list(value) if isinstance(value, tuple) else value
    return row


def seed_of(name: str, seed: int) -> int:
    """A corpus's own seed in the jobs of a seed, 0 to 2**31 - 1."""
    return zlib.crc32(f"{name} {seed}".encode()) >> 1


def write_rows(path: Path, examples: Iterable[Example], card: Card, *, gold: bool) -> str:
    """Write rows as JSON lines and return the path as a text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for example in examples:
            file.write(json.dumps(row_of(example, card, gold=gold), ensure_ascii=False) + "\n")
    return str(path)


def kept_of(corpus: Corpus, left_out: Corpus | None) -> Sequence[Example]:
    """The training examples of a corpus, without those whose text is in the test split of ``left_out``."""
    if left_out is None:
        return corpus.train
    return [corpus.train[i] for i in apart(corpus, left_out)]
