"""Corpora: card, three splits, fingerprint, and subsets."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from transfer.corpora.sampling import sha256, stratified_subset
from transfer.kinds import KindName, Metric, kind_of

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

# a corpus's name becomes a folder, a column and part of a file name
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]


def _text_in_yaml(value: Any) -> Any:
    """Return a label. Raise ValueError for a YAML boolean, number or date, which needs quotation marks."""
    if isinstance(value, bool):
        raise ValueError(
            "without quotation marks, yes, no, on, off, true and false are booleans in YAML; quote them, "
            'as in "yes"'
        )
    if value is not None and not isinstance(value, str | list | tuple | dict):
        raise ValueError(f'without quotation marks, {value} is no text in YAML; quote it, as in "{value}"')
    return value


# a label or an entity type in a card
LabelName = Annotated[str, BeforeValidator(_text_in_yaml)]

SMALLEST_DEV = 200


class Card(BaseModel):
    """Corpus card (``corpus.yaml``): task kind, label set, metric, source.

    The keys from ``domain`` on only describe a corpus and are not part of its fingerprint.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: Name
    """Name of the corpus and of its folder."""
    kind: KindName
    """Task kind: the fields of a row and what is predicted."""
    metric: Metric
    """Metric of dev and test."""
    pair: bool = False
    """Whether an item has two texts."""
    labels: tuple[LabelName, ...] = ()
    """All labels (classification, multilabel; tagging with `token_accuracy`: all tags)."""
    entities: tuple[LabelName, ...] = ()
    """All entity types; the tags are `B-` and `I-` with a type, and `O` (tagging with `span_f1`)."""
    range: tuple[float, float] | None = None
    """Lowest and highest score (similarity)."""
    negative: LabelName | None = None
    """Negative label, which micro-F1 and F1 do not count."""
    domain: str = ""
    """For the report: clinical, biomedical, …"""
    text: str = ""
    """For the report: the type of text."""
    licence: str = ""
    """For the report: the license."""
    source: str = ""
    """For the report: the source, and the publication to cite."""
    splits: str = ""
    """Origin of the splits."""
    unit: str = ""
    """Unit that the literature counts in such a corpus."""
    gold: dict[Split, int] = {}
    """Number of these units in each split of the release."""
    notes: tuple[str, ...] = ()
    """Treatment of everything that did not fit."""

    @property
    def spans(self) -> bool:
        """Whether the gold are mentions: BIO tags, not one plain label for each token."""
        return self.metric == "span_f1"

    @property
    def tags(self) -> tuple[str, ...]:
        """All tags that a token can have (tagging): BIO tags of the entity types, or the labels."""
        if not self.spans:
            return self.labels
        return ("O", *(f"{prefix}-{entity}" for entity in self.entities for prefix in ("B", "I")))

    def names_in(self, gold: float | str | tuple[str, ...]) -> set[str]:
        """The labels or entity types of a gold value; none of a score."""
        return kind_of(self.kind).names_in(self, gold)

    @model_validator(mode="after")
    def _fits_together(self) -> "Card":
        kind = kind_of(self.kind)
        if self.metric not in kind.metrics:
            raise ValueError(
                f"metric '{self.metric}' does not measure a {self.kind} corpus; "
                f"one of {', '.join(kind.metrics)} does"
            )
        kind.check_card(self)
        for names in (self.labels, self.entities):
            if len(set(names)) < len(names):
                raise ValueError("a label is listed twice")
        if self.negative is not None and self.negative not in self.labels:
            raise ValueError(f"the negative label '{self.negative}' is not among the labels")
        if self.metric == "f1" and (self.negative is None or len(self.labels) != 2):
            raise ValueError("metric 'f1' needs two labels, one of them the negative label")
        if self.range is not None and not self.range[0] < self.range[1]:
            raise ValueError("the range should be [lowest, highest]")
        return self


class Limit(BaseModel, extra="forbid", frozen=True, use_attribute_docstrings=True):
    """Largest size of each split; a larger one is cut to a stratified subset."""

    train: int | None = Field(default=None, ge=1)
    """Maximum number of training examples."""
    dev: int | None = Field(default=None, ge=1)
    """Maximum number of dev examples."""
    test: int | None = Field(default=None, ge=1)
    """Maximum number of test examples."""
    resample: bool | None = None
    """Whether each seed draws its own `train` examples, the same in all jobs of that seed
    ([method](method.md#training-set-sampling)). Default: the same fixed subset for every seed."""

    def overridden_by(self, other: "Limit") -> "Limit":
        """Return this limit with every value that ``other`` sets."""
        return self.model_copy(update=other.model_dump(exclude_none=True))


@dataclass(frozen=True, slots=True)
class Example:
    """One item of a corpus.

    ``text`` holds the one or two texts, for tagging the tokens; ``gold`` is the score (float), the
    label (str), the tags or the labels (tuple of str). ``doc`` groups items that depend on
    each other. A gold mention that no tags of these tokens can name (in several pieces, inside a
    token, overlapped) has a ``B-`` tag of its own behind the last token's, where nothing is ever
    predicted: it counts as missed.
    """

    id: str
    text: tuple[str, ...]
    gold: float | str | tuple[str, ...]
    doc: str = ""


@dataclass(frozen=True)
class Corpus:
    """A named data set: a node of the graph. ``source`` is 'synthetic' or 'prepared'."""

    card: Card
    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    test: tuple[Example, ...]
    source: str
    fingerprint: str
    notes: tuple[str, ...] = ()
    counts: Mapping[Split, int] = field(default_factory=dict)
    """What the literature counts of each whole split, before any limit: as the card says, else counted."""
    sample: int | None = None
    """Training examples that each seed draws of ``train`` (see ``drawn``); None: jobs train on all of it."""
    unseen: Mapping[Split, Mapping[str, int]] = field(default_factory=dict)
    """Labels of dev and test that the whole train split lacks, with how many items have each."""
    lost: Mapping[str, tuple[Split, ...]] = field(default_factory=dict)
    """Labels that a limit, or the topping up of dev, took out of train, with the splits that have them."""

    @property
    def name(self) -> str:
        return self.card.name

    @property
    def train_items(self) -> int:
        """The number of examples that a job trains on."""
        return len(self.train) if self.sample is None else self.sample

    def drawn(self, seed: int) -> "Corpus":
        """Return the corpus with the training sample of one seed.

        A function of the corpus's name and content, its limit and the seed, so all jobs of a seed train on
        the same examples. Dev and test stay as they are.
        """
        if self.sample is None:
            return self
        draw = f"{self.name} seed {seed}: "
        train = stratified_subset(self.train, self.sample, kind=self.card.kind, draw=draw)
        return replace(self, train=train, sample=None)

    def split(self, name: Split) -> tuple[Example, ...]:
        return getattr(self, name)


def build(
    card: Card,
    splits: Mapping[Split, Sequence[Example]],
    *,
    source: str,
    limit: Limit | None = None,
) -> Corpus:
    """Make a corpus of checked examples: extend dev, take subsets, compute the fingerprint.

    Dev is topped up before anything is drawn, so it shares no document with any training sample.
    """
    limit = limit or Limit()
    train, dev, notes = _dev_topped_up(card, splits["train"], splits["dev"])
    parts = {"train": train, "dev": dev, "test": tuple(splits["test"])}
    sample = None
    for split in SPLITS:
        most: int | None = getattr(limit, split)
        if most is None or len(parts[split]) <= most:
            continue
        if split == "train" and limit.resample:
            sample = most
            notes.append(f"train: {most} of {len(parts[split])}, drawn anew for each seed, stratified")
        else:
            notes.append(f"{split}: a stratified subset of {most} of {len(parts[split])}")
            parts[split] = stratified_subset(parts[split], most, kind=card.kind)
    held_out: dict[Split, Sequence[Example]] = {"dev": parts["dev"], "test": parts["test"]}
    unseen, lost = _labels_without_training(card, splits["train"], parts["train"], held_out)
    return Corpus(
        card=card,
        **parts,
        source=source,
        fingerprint=_fingerprint(card, parts, sample),
        notes=tuple(notes),
        unseen=unseen,
        lost=lost,
        counts={split: card.gold.get(split, count_of(card, splits[split])) for split in SPLITS},
        sample=sample,
    )


def _labels_without_training(
    card: Card,
    whole: Sequence[Example],
    train: Sequence[Example],
    held_out: Mapping[Split, Sequence[Example]],
) -> tuple[dict[Split, dict[str, int]], dict[str, tuple[Split, ...]]]:
    """Labels for ``Corpus.unseen`` and ``Corpus.lost``; ``whole`` is train before any limit."""
    ever = set[str]().union(*(card.names_in(example.gold) for example in whole))
    left = set[str]().union(*(card.names_in(example.gold) for example in train))
    unseen: dict[Split, dict[str, int]] = {}
    lost: dict[str, tuple[Split, ...]] = {}
    for split, examples in held_out.items():
        counts = Counter(label for example in examples for label in card.names_in(example.gold))
        if new := {label: count for label, count in sorted(counts.items()) if label not in ever}:
            unseen[split] = new
        lost |= {label: (*lost.get(label, ()), split) for label in sorted(counts.keys() & ever - left)}
    return unseen, lost


def count_of(card: Card, examples: Iterable[Example]) -> int:
    """The count that the literature gives: mentions or tokens, else examples not of the negative label."""
    kind = kind_of(card.kind)
    return sum(kind.count(card, example.gold) for example in examples)


def _dev_topped_up(
    card: Card, train: Sequence[Example], dev: Sequence[Example]
) -> tuple[tuple[Example, ...], tuple[Example, ...], list[str]]:
    """Extend a dev split of fewer than 200 examples with whole documents from train.

    Dev never gets more than a third of what there is for training and choosing together: a corpus
    of 80 pairs keeps 54 to train on. A document that would break this stays in train.
    """
    third = (len(train) + len(dev)) // 3
    want = min(SMALLEST_DEV, third)
    if len(dev) >= want:
        return tuple(train), tuple(dev), []
    docs = Counter(e.doc or e.id for e in train)
    moved: set[str] = set()
    have = len(dev)
    for doc in sorted(docs, key=sha256):
        if have < want and have + docs[doc] <= third:
            moved.add(doc)
            have += docs[doc]
    if not moved:
        return tuple(train), tuple(dev), []
    note = f"dev topped up from {len(dev)} to {have} with {len(moved)} documents of train"
    added = tuple(e for e in train if (e.doc or e.id) in moved)
    kept = tuple(e for e in train if (e.doc or e.id) not in moved)
    return kept, (*dev, *added), [note]


def _fingerprint(card: Card, parts: Mapping[str, Sequence[Example]], sample: int | None) -> str:
    """Hash of a corpus's content (16 hexadecimal digits); descriptions on the card are not part of it.

    A corpus whose train is resampled has one for all seeds: with a job's seed it names the sample.
    """
    what = card.model_dump(mode="json", include={"kind", "metric", "pair", "labels", "entities", "negative"})
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode())
    for split in SPLITS:
        digest.update(split.encode())
        for e in parts[split]:
            digest.update(json.dumps([e.id, e.text, e.gold, e.doc], ensure_ascii=False).encode())
    if sample is not None:
        digest.update(f"each seed draws {sample}".encode())
    return digest.hexdigest()[:16]
