"""Tagged text that people have: CoNLL columns and brat stand-off; and their tag schemes made BIO."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from transfer.corpora.own.tables import Record, Table, text_of
from transfer.corpora.releases.base import wrong
from transfer.corpora.releases.mentions import Mention, tagged_rows, visible
from transfer.corpora.releases.text import sentences
from transfer.inputs import InputError

# a tag sequence, and the place of each tag as a message names it
Placed = Sequence[tuple[str, str]]

_PREFIXES = {"B": "B", "I": "I", "E": "E", "S": "S", "L": "E", "U": "S"}


def conll(path: Path, encoding: str | None = None) -> Table:
    """CoNLL columns: the first is the token, the last the tag; a blank line ends a sentence.

    Columns are separated by tabs, or by spaces in a line without a tab. ``-DOCSTART-`` lines
    separate documents. Raises InputError where a line has other columns than the first.
    """
    records: list[Record] = []
    width = doc = 0
    sentence: list[tuple[int, str, str]] = []

    def end() -> None:
        if sentence:
            lines, tokens, tags = zip(*sentence, strict=True)
            values: dict[str, Any] = {"tokens": list(tokens), "tags": list(tags)}
            if doc:
                values["doc"] = f"{path.stem}-doc{doc}"
            places = tuple(f"{path} line {line}" for line in lines)
            records.append(Record(places[0], values, places))
            sentence.clear()

    for number, line in enumerate(text_of(path, encoding).split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip():
            end()
            continue
        fields = line.split("\t") if "\t" in line else line.strip(" ").split(" ")
        fields = fields if "\t" in line else [field for field in fields if field]
        if fields[0] == "-DOCSTART-":
            end()
            doc += 1
            continue
        width = width or len(fields)
        if len(fields) < 2:
            raise wrong(path, number, "one column; the first should be the token and the last its tag")
        if len(fields) != width:
            raise wrong(path, number, f"{len(fields)} columns, but the lines before have {width}")
        sentence.append((number, fields[0], fields[-1].strip()))
    end()
    return Table(path, records, frozenset({"tokens", "tags", "doc"}), named=False)


def brat(folder: Path, encoding: str | None = None) -> Table:
    """A folder of stand-off pairs: NAME.txt, and NAME.ann with lines ``T1<tab>Type 0 4;9 12<tab>text``.

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
        text = text_of(path, encoding)
        mentions = _mentions(marks[name], text, counts, encoding)
        rows, count = tagged_rows(name, text, sentences(text, mentions=[m.span for m in mentions]), mentions)
        counts += count
        for row in rows:
            extra = {key: row[key] for key in ("starts", "mentions")}
            values = {key: row[key] for key in ("id", "doc", "tokens", "tags")}
            records.append(Record(f"{path} sentence {row['id']}", values, extra=extra))
    columns = frozenset({"id", "doc", "tokens", "tags"})
    return Table(folder, records, columns, named=False, counts=counts)


_TEXT_BOUND = re.compile(r"T\S*\t(\S+) (\d{1,9} \d{1,9}(?:;\d{1,9} \d{1,9})*)\t(.*)", re.ASCII)


def _mentions(path: Path, text: str, counts: Counter[str], encoding: str | None) -> list[Mention]:
    found = []
    for number, line in enumerate(text_of(path, encoding).split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip() or line[0] in "REAMN#*":
            continue
        match = _TEXT_BOUND.fullmatch(line)
        if not match:
            raise wrong(path, number, f"{line[:60]!r}; a mention is written T1<tab>Type 0 4<tab>its text")
        parts = tuple((int(a), int(b)) for a, b in (pair.split(" ") for pair in match[2].split(";")))
        for a, b in parts:
            if not a < b <= len(text):
                raise wrong(
                    path, number, f"the offsets {a} {b} are not in the text, which has {len(text)} characters"
                )
        said = " ".join(text[a:b] for a, b in parts)
        # brat writes a line break within a mention as a space
        if said.split() != match[3].split():
            raise wrong(
                path, number, f"at {match[2]} the text has {said[:60]!r}, the mention says {match[3][:60]!r}"
            )
        seen = tuple(part for a, b in parts if (part := visible(text, a, b)))
        if not seen:
            raise wrong(path, number, f"the mention at {match[2]} is nothing but white space")
        counts["trimmed"] += seen != parts
        found.append(Mention(seen, match[1]))
    return found


def as_bio(sequences: Sequence[Placed]) -> list[list[str]]:
    """The tags of a corpus in BIO, whichever of IOB1, IOB2 (BIO) and BIOES (BILOU) they are in.

    One scheme is taken for all of them: BIOES where any tag begins with E or S; IOB2 where every
    mention begins with B; IOB1 where B stands only behind another mention of its type. Raises
    InputError, with the place of the first tag, where they follow none of these.

    >>> as_bio([[("I-X", "line 1"), ("B-X", "line 2")]])
    [['B-X', 'B-X']]
    """
    split = [[_parts(tag, where) for tag, where in sequence] for sequence in sequences]
    used = {prefix for sequence in split for prefix, _ in sequence}
    if used & {"E", "S"}:
        for sequence, parts in zip(sequences, split, strict=True):
            _check_bioes(sequence, parts)
        plain = {"E": "I", "S": "B"}
        return [[_tag(plain.get(prefix, prefix), kind) for prefix, kind in parts] for parts in split]
    # an I that opens a mention is not IOB2; a B that has no mention of its type before it is not IOB1
    opening = _first(sequences, split, "I")
    fresh = _first(sequences, split, "B")
    if opening and fresh:
        raise InputError(
            f"{opening[1]}: '{opening[0]}' begins a mention, as in IOB1, but '{fresh[0]}' at {fresh[1]} does "
            "so too, as in IOB2 (BIO); one of the two is wrong, the tags follow one scheme"
        )
    if not opening:
        return [[_tag(prefix, kind) for prefix, kind in parts] for parts in split]
    return [_from_iob1(parts) for parts in split]


def _parts(tag: str, where: str) -> tuple[str, str]:
    if tag == "O":
        return "O", ""
    prefix, dash, kind = tag.partition("-")
    if prefix not in _PREFIXES or not dash or not kind.strip():
        raise InputError(
            f"{where}: the tag is '{tag[:60]}'; it should be O, B-<type> or I-<type> (or E-, S-)"
        )
    return _PREFIXES[prefix], kind


def _tag(prefix: str, kind: str) -> str:
    return f"{prefix}-{kind}" if kind else prefix


def _first(
    sequences: Sequence[Placed], split: Iterable[list[tuple[str, str]]], wanted: str
) -> tuple[str, str] | None:
    """The first tag with this prefix that does not stand behind one of its type, and its place."""
    for sequence, parts in zip(sequences, split, strict=True):
        before = ""
        for placed, (prefix, kind) in zip(sequence, parts, strict=True):
            if prefix == wanted and kind != before:
                return placed
            before = kind
    return None


def _from_iob1(parts: Sequence[tuple[str, str]]) -> list[str]:
    tags, before = [], ""
    for prefix, kind in parts:
        tags.append(_tag("B" if prefix == "I" and kind != before else prefix, kind))
        before = kind
    return tags


def _check_bioes(sequence: Placed, parts: Sequence[tuple[str, str]]) -> None:
    running = ""  # the type of the mention that is not ended yet
    for (tag, where), (prefix, kind) in zip(sequence, parts, strict=True):
        if prefix in "IE" and running != kind:
            raise InputError(f"{where}: '{tag}' goes on with a mention that no B-{kind} began (BIOES)")
        if prefix not in "IE" and running:
            raise InputError(f"{where}: '{tag}' while the mention before has no E-{running} yet (BIOES)")
        running = kind if prefix in "BI" else ""
    if running:
        tag, where = sequence[-1]
        raise InputError(f"{where}: the sentence ends with '{tag}'; its mention has no E-{running} (BIOES)")
