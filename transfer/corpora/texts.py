"""Unlabelled text for pretraining: plain files, and the train splits of prepared corpora.

What stands in the dev or test split of a corpus that is named is left out wherever else it stands, too.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer.corpora import prepared
from transfer.corpora.base import Corpus, Example
from transfer.inputs import InputError, NotThere, nearby, read_bytes
from transfer.kinds import kind_of

# of the words, held out to measure on; more than the maximum would only take time
HELD_OUT, MOST_HELD_OUT = 0.05, 50_000
FEWEST_DOCUMENTS = 10


@dataclass(frozen=True)
class Source:
    """File or prepared corpus, with the number of its texts before duplicates are removed."""

    path: str
    kind: str  # 'text', or 'train split of a corpus'
    texts: int
    sha256: str


@dataclass(frozen=True)
class Texts:
    """Training texts and held-out texts; no document is in both, and no text occurs twice.

    ``left_out``: texts that a named corpus has in its dev or test split. ``fingerprint`` (16 hexadecimal
    digits) is that of the texts, wherever they were read and in whatever order.
    """

    train: tuple[str, ...]
    dev: tuple[str, ...]
    documents: tuple[int, int]
    repeated: int
    left_out: int
    sources: tuple[Source, ...]
    fingerprint: str


def read(paths: Sequence[Path]) -> Texts:
    """Read the texts of plain files, prepared corpora, and folders of prepared corpora.

    In a plain file (UTF-8) a line is a text, and blank lines stand between documents; in a file without
    blank lines each line is a document. Raises InputError where there is no text, or too little.
    """
    documents: list[tuple[str, ...]] = []
    sources: list[Source] = []
    kept_away: set[str] = set()
    for path in paths:
        for home in _corpora(path) if path.is_dir() else ():
            corpus = prepared.read(home.parent, home.name)
            own = list(_by_document(corpus))
            kept_away |= {_key(text) for e in (*corpus.dev, *corpus.test) for text in _texts(corpus, e)}
            documents += own
            sources.append(_source(home, "train split of a corpus", own))
        if not path.is_dir():
            own = _plain(path)
            documents += own
            sources.append(_source(path, "text", own))
    return _divided(documents, kept_away, tuple(sources))


def _corpora(folder: Path) -> list[Path]:
    if (folder / "corpus.yaml").is_file():
        return [folder.absolute()]
    found = [folder.absolute() / name for name in prepared.names_in(folder)]
    if not found:
        raise InputError(
            f"{folder}: no prepared corpus is in this folder; files of plain text are named one by one"
        )
    return found


def _texts(corpus: Corpus, example: Example) -> tuple[str, ...]:
    return kind_of(corpus.card.kind).running_texts(example.text)


def _by_document(corpus: Corpus) -> Iterator[tuple[str, ...]]:
    """Texts of train, by document; an example without one is a document of its own."""
    found: dict[str, list[str]] = {}
    for i, example in enumerate(corpus.train):
        found.setdefault(example.doc or f"\n{i}", []).extend(_texts(corpus, example))
    return map(tuple, found.values())


def _plain(path: Path) -> list[tuple[str, ...]]:
    if path.suffix in (".json", ".jsonl"):
        raise InputError(
            f"{path}: no plain text; of a prepared corpus name the folder, and its train split is read"
        )
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except NotThere:
        raise NotThere(f"{path}: there is no such text{nearby(path)}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte {error.start + 1}); save the file as UTF-8") from None
    lines = [line.strip() for line in text.strip().split("\n")]
    if "\0" in text or not any(lines):
        raise InputError(f"{path}: holds no text" + ("" if not any(lines) else " (it has bytes of 0)"))
    if all(lines):
        return [(line,) for line in lines]
    documents: list[list[str]] = [[]]
    for line in lines:
        if line:
            documents[-1].append(line)
        elif documents[-1]:
            documents.append([])
    return [tuple(document) for document in documents]


def _source(path: Path, kind: str, documents: Sequence[Sequence[str]]) -> Source:
    return Source(str(path), kind, sum(map(len, documents)), _sha256(sorted(t for d in documents for t in d)))


def _divided(documents: list[tuple[str, ...]], kept_away: set[str], sources: tuple[Source, ...]) -> Texts:
    # by their hashes: neither the order of files nor that of documents decides who is held out
    ordered = sorted(documents, key=_sha256)
    seen: set[str] = set()
    whole: list[list[str]] = []
    repeated = left_out = 0
    for document in ordered:
        own: list[str] = []
        for text in document:
            key = _key(text)
            if key in kept_away:
                left_out += 1
            elif key in seen:
                repeated += 1
            elif key:
                seen.add(key)
                own.append(text)
        if own:
            whole.append(own)
    where = sources[0].path if len(sources) == 1 else "the text"
    if len(whole) < FEWEST_DOCUMENTS:
        raise InputError(
            f"{where}: {len(whole)} different documents are too few to hold some out for dev, "
            f"{FEWEST_DOCUMENTS} are needed; blank lines stand between documents, in a file without any "
            "each line is one"
        )
    words = [sum(len(text.split()) for text in document) for document in whole]
    wanted, held = min(HELD_OUT * sum(words), MOST_HELD_OUT), 0
    count = 0
    while held < wanted:
        held += words[count]
        count += 1
    if count == len(whole):
        raise InputError(f"{where}: one document is nearly all of the text, so none can be held out for dev")
    parts = [tuple(text for document in part for text in document) for part in (whole[count:], whole[:count])]
    return Texts(
        train=parts[0],
        dev=parts[1],
        documents=(len(whole) - count, count),
        repeated=repeated,
        left_out=left_out,
        sources=sources,
        fingerprint=_sha256([_sha256(part) for part in parts])[:16],
    )


def _key(text: str) -> str:
    """Normalize a text, so that duplicates are equal."""
    return " ".join(text.split()).casefold()


def _sha256(texts: Sequence[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()
