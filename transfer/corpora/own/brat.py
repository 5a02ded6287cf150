"""Reader for brat stand-off: NAME.txt, and NAME.ann with the offsets of its mentions."""

from collections import Counter
from pathlib import Path

from transfer.corpora.own.tables import Record, Table, bytes_of, text_of
from transfer.corpora.releases.mentions import Mention, tagged_rows
from transfer.corpora.releases.standoff import standoff
from transfer.corpora.releases.text import sentences
from transfer.inputs import InputError


def brat(folder: Path, encoding: str | None = None) -> Table:
    """Read a folder of NAME.txt and NAME.ann, the latter with lines ``T1<tab>Type 0 4;9 12<tab>text``.

    Lines of relations, events, attributes and comments are left out. A document's sentences become
    rows; see releases/mentions.py for what happens to mentions that no tags can name. Raises
    InputError where a file lacks its other half, or offsets and text do not agree.
    """
    texts = {path.stem: path for path in sorted(folder.glob("*.txt"))}
    marks = {path.stem: path for path in sorted(folder.glob("*.ann"))}
    for name in sorted(texts.keys() ^ marks.keys()):
        lacks, has = ("ann", texts[name]) if name in texts else ("txt", marks[name])
        raise InputError(f"{has}: has no {name}.{lacks} beside it; stand-off is a .txt and an .ann each")
    records, counts = [], Counter[str]()
    for name, path in texts.items():
        text, mentions = _document(path, marks[name], counts, encoding)
        rows, count = tagged_rows(name, text, sentences(text, mentions=[m.span for m in mentions]), mentions)
        counts += count
        for row in rows:
            extra = {key: row[key] for key in ("starts", "mentions")}
            values = {key: row[key] for key in ("id", "doc", "tokens", "tags")}
            records.append(Record(f"{path} sentence {row['id']}", values, extra=extra))
    columns = frozenset({"id", "doc", "tokens", "tags"})
    told = f"brat stand-off, {len(texts)} documents"
    return Table(folder, records, columns, named=False, counts=counts, format=told)


def _document(
    path: Path, marks: Path, counts: Counter[str], encoding: str | None
) -> tuple[str, list[Mention]]:
    text = text_of(path, encoding)
    if not bytes_of(path).startswith(b"\xef\xbb\xbf"):
        return text, _mentions(marks, text, counts, encoding)
    # some tools count the byte order mark as a character
    attempt = Counter[str]()
    try:
        mentions = _mentions(marks, text, attempt, encoding)
    except InputError:
        attempt.clear()
        shifted = _mentions(marks, f"\ufeff{text}", attempt, encoding)
        mentions = [Mention(tuple((max(a - 1, 0), b - 1) for a, b in m.parts), m.type) for m in shifted]
    counts += attempt
    return text, mentions


def _mentions(path: Path, text: str, counts: Counter[str], encoding: str | None) -> list[Mention]:
    return standoff(path, text_of(path, encoding), text, counts)
