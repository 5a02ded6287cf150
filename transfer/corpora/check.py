"""Check of prepared corpora: all errors and warnings, not only the first.

An error is what ``prepared.read`` or a grid refuses. A warning is what may be as it should be, but moves a
score: text that stands in two splits, labels that contradict each other, a small dev split.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from transfer.corpora import prepared
from transfer.corpora.base import SMALLEST_DEV, SPLITS, Card, Example, Split
from transfer.corpora.overlap import passages, plain
from transfer.corpora.undefined import HELD_OUT, undefined_scores, unseen_labels
from transfer.kinds import kind_of
from transfer.metrics import Golds

EXAMPLES = 3  # of each warning
LEAKS: tuple[tuple[Split, Split], ...] = (("test", "train"), ("test", "dev"), ("dev", "train"))


@dataclass(frozen=True)
class Finding:
    """Error or warning about a corpus.

    The text of an error begins with its file and line; the examples of a warning name theirs.
    ``count`` says of how much (lines, texts, labels, documents) a warning is.
    """

    level: Literal["error", "warning"]
    corpus: str
    text: str
    count: int = 1
    examples: tuple[str, ...] = ()


@dataclass(slots=True)
class _Text:
    where: str  # its first line in the split
    begin: str
    lines: int = 1


# the texts of a split by their digest: 200,000 lines stay in memory, but not their text
_Texts = dict[bytes, _Text]


@dataclass
class _Seen:
    """Observations from the lines of one corpus, by split."""

    texts: dict[Split, _Texts] = field(default_factory=lambda: {split: {} for split in SPLITS})
    # what is compared across corpora: of train each passage, of test each line's
    trained: dict[bytes, _Text] = field(default_factory=dict)
    tested: list[tuple[str, list[bytes]]] = field(default_factory=list)
    lines: Counter[Split] = field(default_factory=Counter)
    labels: dict[Split, Counter[str]] = field(default_factory=lambda: {split: Counter() for split in SPLITS})
    golds: dict[Split, Golds] = field(default_factory=dict)
    # of each document its first line, and of each text its first line and gold
    documents: dict[str, tuple[Split, str]] = field(default_factory=dict)
    gold: dict[bytes, tuple[str, int]] = field(default_factory=dict)
    repeated: dict[Split, list[str]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    contradicted: dict[bytes, str] = field(default_factory=dict)
    wordless: list[str] = field(default_factory=list)
    divided: dict[str, str] = field(default_factory=dict)


def check(folder: Path, names: Sequence[str] = ()) -> Iterator[Finding]:
    """Check the named corpora below ``folder``, or all of them if none is named.

    Errors and warnings of each corpus, then warnings about text that two corpora share. Raises
    InputError where the folder or a named corpus is missing.
    """
    names = list(names) or prepared.names_in(folder)
    homes = {name: prepared.home_of(folder, name) for name in names}
    seen: dict[str, _Seen] = {}
    for name, home in homes.items():
        card, refused = prepared.card_or_errors(home)
        if card is None:
            for split in SPLITS:  # without a card its lines can only be wrong as JSON
                for _ in prepared.objects_in(home / f"{split}.jsonl", refused):
                    pass
        else:
            seen[name] = _Seen(golds={split: Golds(card.metric, card.negative) for split in SPLITS})
            for split in SPLITS:
                for where, example in prepared.lines_of(home, card, split, refused):
                    _note(seen[name], card, split, where, example)
                    _note_passages(seen[name], card, split, where, example)
        yield from (Finding("error", name, str(error)) for error in refused)
        if card is not None:
            if not refused:
                yield from _unseen(card, seen[name])
            yield from _warnings(card, seen[name], whole=not refused)
    yield from _across(seen)


def _note(seen: _Seen, card: Card, split: Split, where: str, example: Example) -> None:
    text = plain(example.text)
    key = _digest(text)
    seen.lines[split] += 1
    before = seen.texts[split].get(key)
    if before is None:
        seen.texts[split][key] = _Text(where, _begin(text))
    else:
        before.lines += 1
        seen.repeated[split].append(_twice(where, before))
    first, gold = seen.gold.setdefault(key, (where, hash(example.gold)))
    if gold != hash(example.gold) and key not in seen.contradicted:
        seen.contradicted[key] = f"{where} and {first}: {_begin(text)!r}"
    seen.labels[split].update(card.names_in(example.gold))
    seen.golds[split].add(example.gold)
    if not any(character.isalnum() for character in text):
        seen.wordless.append(f"{where}: {_begin(text)!r}")
    if example.doc:
        other, there = seen.documents.setdefault(example.doc, (split, where))
        if other != split and example.doc not in seen.divided:
            seen.divided[example.doc] = f"{where} and {there}: {example.doc!r}"


def _note_passages(seen: _Seen, card: Card, split: Split, where: str, example: Example) -> None:
    keys = [_digest(passage) for passage in sorted(passages(example, card.kind))]
    if split == "test":
        seen.tested.append((where, keys))
    elif split == "train":
        for key in keys:
            seen.trained.setdefault(key, _Text(where, _begin(plain(example.text))))


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _begin(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _twice(where: str, before: _Text) -> str:
    return f"{where} is {before.where}: {before.begin!r}"


def _warnings(card: Card, seen: _Seen, *, whole: bool) -> Iterator[Finding]:
    """Warnings about one corpus. Some are only possible for a ``whole`` one, without refused lines."""

    def warning(what: str, examples: Sequence[str], *, of: str = "", count: int | None = None) -> Finding:
        many = len(examples) if count is None else count
        return Finding("warning", card.name, f"{what}: {many}{of}", many, tuple(examples[:EXAMPLES]))

    for split in SPLITS:
        if seen.repeated[split]:
            yield warning(f"lines of {split} that repeat the text of another", seen.repeated[split])
    if seen.contradicted:
        what = f"texts with more than one {kind_of(card.kind).gold_noun}"
        yield warning(what, list(seen.contradicted.values()))
    for late, early in LEAKS:
        if shared := _shared(seen.texts[late], seen.texts[early]):
            yield warning(
                f"lines of {late} that are also in {early}",
                _places(seen.texts[late], seen.texts[early], shared),
                of=f" of {seen.lines[late]}",
                count=sum(seen.texts[late][key].lines for key in shared),
            )
    if seen.divided:
        yield warning("documents in more than one split", list(seen.divided.values()))
    if seen.wordless:
        yield warning("lines without a letter or a digit", seen.wordless)
    if whole:
        anywhere = set[str]().union(*seen.labels.values())
        if unused := [label for label in card.entities or card.labels if label not in anywhere]:
            yield warning("labels of the card that no line has", unused)
        for text in undefined_scores(card, seen.golds):
            yield Finding("warning", card.name, text)
        if seen.lines["dev"] < SMALLEST_DEV:
            least = f"; a grid tops up dev splits under {SMALLEST_DEV} from train"
            yield warning("lines in dev", (), of=least, count=seen.lines["dev"])


def _unseen(card: Card, seen: _Seen) -> Iterator[Finding]:
    """The labels of dev and test that train lacks: nothing can be learned about them."""
    unseen: dict[Split, dict[str, int]] = {}
    for split in HELD_OUT:
        if new := {k: n for k, n in seen.labels[split].items() if k not in seen.labels["train"]}:
            unseen[split] = new
    if unseen:
        yield Finding("error", card.name, f"{card.name}: {unseen_labels(unseen)}")


def _across(seen: dict[str, _Seen]) -> Iterator[Finding]:
    """Warnings about test text of one corpus in the train split of another, compared by passages."""
    for target in seen:
        for source in seen:
            train = seen[source].trained if source != target else {}
            shared = [
                _twice(where, train[next(key for key in keys if key in train)])
                for where, keys in seen[target].tested
                if any(key in train for key in keys)
            ]
            if shared:
                of = len(seen[target].tested)
                text = f"lines of test with text that is in train of {source}: {len(shared)} of {of}"
                yield Finding("warning", target, text, len(shared), tuple(shared[:EXAMPLES]))


def _shared(late: _Texts, early: _Texts) -> list[bytes]:
    """Digests of texts in both splits, in the order of the first."""
    both = late.keys() & early.keys()
    return [key for key in late if key in both] if both else []


def _places(late: _Texts, early: _Texts, shared: Sequence[bytes]) -> list[str]:
    return [_twice(late[key].where, early[key]) for key in shared[:EXAMPLES]]
