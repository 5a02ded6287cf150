"""Shared by all readers of official releases: the release, the rows read from it, and its errors."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from transfer.corpora.base import SMALLEST_DEV, Card, Split
from transfer.corpora.releases.access import Access
from transfer.inputs import InputError
from transfer.kinds.base import Row

T = TypeVar("T")


class Watch(Protocol):
    """Goes through a sequence and shows how far it is; ``unwatched`` shows nothing."""

    def __call__(self, items: Sequence[T], what: str) -> Iterable[T]: ...


def unwatched(items: Sequence[T], what: str) -> Iterable[T]:
    return items


@dataclass
class Reading:
    """Rows, counts and notes read from a release.

    ``rows`` are the lines of the prepared files; ``gold`` counts the release's own unit (mentions,
    positive relations, pairs), which need not be the number of lines; ``notes`` say in sentences
    what became of whatever did not fit; ``splits`` says where the division came from.
    """

    rows: dict[Split, list[Row]]
    gold: dict[Split, int]
    splits: str
    notes: list[str] = field(default_factory=list)


def counted(rows: dict[Split, list[Row]], splits: str = "official", notes: Sequence[str] = ()) -> Reading:
    """A reading whose unit is the line: gold counts are row counts."""
    return Reading(rows, {split: len(part) for split, part in rows.items()}, splits, list(notes))


@dataclass(frozen=True)
class Release:
    """Conversion of an official release to a corpus.

    ``unit`` is what the literature counts. ``seen`` says whether the reader was tried on the
    release itself or only on fixtures of its format. ``readers`` has one for each division that is
    known: "official", and for some corpora "blue", the benchmark's. ``sizes`` are the lines of train,
    dev and test in the official division, where they are known.
    """

    card: Card
    unit: str
    seen: str
    readers: Mapping[str, Callable[[Path, Watch], Reading]]
    access: Access
    sizes: tuple[int, int, int] | None = None

    @property
    def name(self) -> str:
        return self.card.name

    def read(self, folder: Path, watch: Watch, *, division: str = "official") -> Reading:
        """Reads the folder of the release.

        Raises InputError, naming file and line, for whatever is missing or wrong.
        """
        if division not in self.readers:
            known = ", ".join(self.readers)
            raise InputError(f"the division '{division}' of {self.name} is not known; there is {known}")
        reading = self.readers[division](folder, watch)
        for split, rows in reading.rows.items():
            if not rows:
                raise wrong(folder, None, f"gives no example for {split}; is the release unpacked whole?")
        return reading


def wrong(path: Path, line: int | None, what: str) -> InputError:
    """The error that names file and line."""
    return InputError(f"{path}{f' line {line}' if line else ''}: {what}")


def text_of(path: Path) -> str:
    """A file of UTF-8, without its byte order mark; line ends stay as they are.

    Raises InputError where it is missing, a folder, not UTF-8, or holds a null character.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise wrong(path, None, "no such file; is the release unpacked whole?") from None
    except OSError as error:
        raise wrong(path, None, f"cannot be read ({error.strerror or error})") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise wrong(path, line, f"not UTF-8 (byte {data[error.start]:#04x}); the release is") from None
    if "\0" in text:
        raise wrong(path, text[: text.index("\0")].count("\n") + 1, "holds a null character")
    return text


def lines_of(path: Path) -> Iterator[tuple[int, str]]:
    """The numbered lines of a file that are not blank, without their ends. See text_of for errors."""
    for number, line in enumerate(text_of(path).split("\n"), 1):
        line = line.removesuffix("\r")
        if line.strip():
            yield number, line


def fields_of(path: Path, names: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """The tab-separated fields of each line; quotation marks are ordinary characters.

    Raises InputError where a line has not one field for each of ``names``.
    """
    for number, line in lines_of(path):
        fields = line.split("\t")
        if len(fields) != len(names):
            raise wrong(
                path, number, f"{len(fields)} tab-separated fields; there should be {', '.join(names)}"
            )
        yield number, fields


def whole(path: Path, line: int | None, name: str, value: str) -> int:
    """A field that should be a whole number from 0."""
    # int() refuses thousands of digits with a ValueError
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise wrong(path, line, f"{name} is {value[:40]!r}; it should be a whole number")
    return int(value)


# float() also takes "nan", "1_0" and the digits of other scripts
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def score(path: Path, line: int, value: str, low: float, high: float) -> float:
    """A field that should be a number from ``low`` to ``high``; white space around it is nothing."""
    number = float(value) if _NUMBER.fullmatch(value.strip()) else None
    if number is None or not low <= number <= high:
        raise wrong(
            path, line, f"the score is {value[:40]!r}; it should be a number from {low:g} to {high:g}"
        )
    return number


def one_of(path: Path, line: int | None, name: str, value: str, known: Iterable[str]) -> str:
    """Return a field that is one of ``known``. Raises InputError for any other."""
    if value not in (known := tuple(known)):
        raise wrong(path, line, f"{name} is {value[:40]!r}; it should be one of {', '.join(known)}")
    return value


def once(seen: dict[str, str], path: Path, line: int | None, id_: str) -> str:
    """Return an id that is new, and note its place in ``seen``. Raises InputError if it was there before."""
    if id_ in seen:
        raise wrong(path, line, f"the id {id_!r} was at {seen[id_]} already")
    seen[id_] = f"{path.name} line {line}" if line else path.name
    return id_


def part_of(release: Path, *names: str) -> Path:
    """The file or folder of a release that has one of ``names``, directly below it or one folder down.

    Archives unpack with and without a folder of their own. Raises InputError where it is missing
    or found twice.
    """
    if not release.is_dir():
        raise wrong(release, None, "there is no such folder; --raw takes the folder of the unpacked release")
    found = [path for name in names for path in (release / name, *release.glob(f"*/{name}")) if path.exists()]
    if not found:
        there = ", ".join(sorted(p.name for p in release.iterdir())[:8]) or "nothing"
        raise wrong(release, None, f"holds no {' or '.join(names)}; the folder has: {there}")
    if len(found) > 1:
        raise wrong(release, None, f"holds more than one: {', '.join(str(p) for p in found)}")
    return found[0]


def dev_by_hash(rows: Sequence[Row], *, share: int = 10) -> tuple[list[Row], list[Row], str]:
    """Train and dev, for a release without a dev part: whole documents, chosen by SHA-256 of their id.

    One document in ``share`` at first, then more of them, in order of their hash, until dev has 200
    lines or a third of all.
    """
    want = min(max(len(rows) // share, SMALLEST_DEV), len(rows) // 3)
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[_document(row)] = sizes.get(_document(row), 0) + 1
    chosen: set[str] = set()
    have = 0
    for doc in by_hash(sizes):
        if have < want and have + sizes[doc] < len(rows):  # something is left to train on
            chosen.add(doc)
            have += sizes[doc]
    train = [row for row in rows if _document(row) not in chosen]
    dev = [row for row in rows if _document(row) in chosen]
    told = f"dev is {len(chosen)} documents of train, those whose id has the smallest SHA-256"
    return train, dev, told


def tenth(key: str) -> int:
    """A number from 0 to 9 from the SHA-256 of ``key``, for splits by tenths.

    >>> tenth("10030778")
    9
    """
    return int(hashlib.sha256(key.encode()).hexdigest()[:12], 16) % 10


def text_hash(text: str) -> str:
    """16 hexadecimal digits, the same for texts that differ only in white space.

    They are the ``doc`` of items that share a text for which the release has no id.
    """
    return hashlib.sha256(single_spaced(text).encode()).hexdigest()[:16]


def single_spaced(text: str) -> str:
    """The text with single spaces for all its white space, and none at its ends."""
    return " ".join(text.split())


def by_hash(ids: Iterable[str]) -> list[str]:
    """Ids in the order of their SHA-256, which depends on no seed and no machine."""
    return sorted(ids, key=lambda id_: hashlib.sha256(id_.encode()).hexdigest())


def _document(row: Row) -> str:
    return row.get("doc") or row["id"]
