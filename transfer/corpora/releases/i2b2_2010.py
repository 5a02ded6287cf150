"""i2b2 2010, relations between clinical concepts: text, ``.con`` and ``.rel`` files, 426 records.

An item is two concepts of one line (a line is a sentence) of which one is a problem; its label is
their relation, or ``false``. Problem and problem, treatment and problem, test and problem are all
the pairs that can have a relation. The release has no dev part.

A place is ``line:token``, lines from 1, tokens from 0. Tokens are what white space separates, however
much of it there is; where a line begins with white space an empty token, number 0, stands before it.
The BLUE benchmark numbers them in this way too. Every place is held against the text quoted beside
it, which is in small letters with single spaces.

What differs from the BLUE benchmark: it also makes items of pairs that can have no relation
(treatment and treatment), and of a pair with two relations one item each. Its dev part of 11
relations is an accident: it looks the ids of the records up among the lines of a list file with
their line ends still on, so that only the last line, which has none, is ever found, and a single
record becomes dev. The list is not published in its repository, so this division is not offered.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import Access
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    dev_by_hash,
    lines_of,
    part_of,
    text_of,
    wrong,
)
from transfer.corpora.releases.relations import masked
from transfer.corpora.releases.text import Span

# each relation, and what it joins to a problem
RELATIONS: Mapping[str, str] = {
    "PIP": "problem",
    "TeCP": "test",
    "TeRP": "test",
    "TrAP": "treatment",
    "TrCP": "treatment",
    "TrIP": "treatment",
    "TrNAP": "treatment",
    "TrWP": "treatment",
}
NEGATIVE = "false"
TYPES = ("problem", "test", "treatment")

_TOKEN = re.compile(r"\S+")
# The quoted text may hold quotation marks itself: it ends before the last one that a place follows.
_QUOTED = r'c="(.*)" ([0-9]{1,9}):([0-9]{1,9}) ([0-9]{1,9}):([0-9]{1,9})'
_CONCEPT = re.compile(_QUOTED + r'\|\|t="([^"]*)"')
_RELATION = re.compile(_QUOTED + r'\|\|r="([^"]*)"\|\|' + _QUOTED)


@dataclass(frozen=True, order=True)
class Concept:
    """A concept: its line (from 1), its first and last token (from 0), its characters in the line."""

    line: int
    first: int
    last: int
    span: Span
    type: str

    def __str__(self) -> str:
        return f"{self.type}:{self.first}-{self.last}"


_Pair = tuple[Concept, Concept]


@dataclass
class Record:
    """A text with its concepts and relations.

    ``relations`` are those of pairs that have an item; ``count`` has "relations" (all of them, each
    once), "without item", "several", "repeated" and "repeated concepts".
    """

    id: str
    lines: Sequence[str]
    concepts: Sequence[Concept]
    relations: defaultdict[_Pair, list[str]] = field(default_factory=lambda: defaultdict(list))
    count: Counter[str] = field(default_factory=Counter)


def read(release: Path, watch: Watch) -> Reading:
    """Every pair of concepts that can have a relation. Raises InputError, see Release.

    A pair with several relations is one item; its label is the one that is rarest in the whole
    training part, so that a rare relation is not hidden behind a common one.
    """
    home = part_of(release, "concept_assertion_relation_training_data")
    reference = part_of(release, "reference_standard_for_test_data")
    train = [
        record
        for hospital in ("beth", "partners")
        for record in _records(
            home / hospital / "txt", home / hospital, watch, f"i2b2 2010 train, {hospital}"
        )
    ]
    for id_, times in Counter(record.id for record in train).items():
        if times > 1:
            raise wrong(home, None, f"the record {id_} is in beth and in partners")
    test = _records(part_of(release, "test_data"), reference, watch, "i2b2 2010 test")
    common = Counter(name for record in train for names in record.relations.values() for name in names)
    kept, dev, told = dev_by_hash([row for record in train for row in _rows(record, common)])
    in_dev = {row["doc"] for row in dev}
    parts: dict[Split, list[Record]] = {
        "train": [record for record in train if record.id not in in_dev],
        "dev": [record for record in train if record.id in in_dev],
        "test": test,
    }
    gold: dict[Split, int] = {}
    notes: list[str] = []
    for split, records in parts.items():
        count = sum((record.count for record in records), Counter[str]())
        gold[split] = count["relations"]
        notes += _told(split, count)
    rows: dict[Split, list[Row]] = {
        "train": kept,
        "dev": dev,
        "test": [row for record in test for row in _rows(record, common)],
    }
    return Reading(rows, gold, f"official train and test; {told}", notes)


def _told(split: Split, count: Counter[str]) -> list[str]:
    meanings = {
        "without item": "positive relations are between two lines, or between concepts whose types cannot "
        "have them, and have no item",
        "several": "pairs have several relations; an item has the rarest one",
        "repeated": "relations are listed a second time; one is kept",
        "repeated concepts": "concepts are listed a second time; one is kept",
    }
    return [f"{split}: {count[what]} {meaning}" for what, meaning in meanings.items() if count[what]]


def _rows(record: Record, common: Mapping[str, int]) -> Iterable[Row]:
    by_line: defaultdict[int, list[Concept]] = defaultdict(list)
    for concept in record.concepts:
        by_line[concept.line].append(concept)
    for line, concepts in by_line.items():
        for i, first in enumerate(concepts):
            for second in concepts[i + 1 :]:
                if "problem" not in (first.type, second.type):
                    continue
                names = record.relations.get((first, second), ())
                yield {
                    "id": f"{record.id}.{line}.{first}.{second}",
                    "doc": record.id,
                    "text": masked(
                        record.lines[line - 1],
                        (first.span, first.type.upper()),
                        (second.span, second.type.upper()),
                        # in the order of the alphabet, so that the problem always comes first
                        both="-".join(sorted((first.type.upper(), second.type.upper()))),
                    ),
                    "label": min(names, key=lambda name: (common[name], name), default=NEGATIVE),
                }


def _records(texts: Path, gold: Path, watch: Watch, what: str) -> list[Record]:
    """The records whose texts are in one folder, their annotations below another.

    A record has all three files, and the one of its relations may be empty: without it nobody could
    tell a record without relations from one that was lost.
    """
    paths = _files(texts, ".txt")
    if not paths:
        raise wrong(texts, None, "no such folder, or no .txt file in it; is the release unpacked whole?")
    # the training part says "concept", the test part "concepts"
    spelled = "concepts" if (gold / "concepts").is_dir() else "concept"
    concepts = {**_files(gold / "concept", ".con"), **_files(gold / "concepts", ".con")}
    relations = _files(gold / "rel", ".rel")
    for name, found in ((spelled, concepts), ("rel", relations)):
        if not found:
            raise wrong(gold / name, None, f"no such folder, or no .{name[:3]} file in it")
        for id_ in sorted(found.keys() - paths.keys()):
            raise wrong(found[id_], None, f"there is no text {id_}.txt in {texts}")
        for id_ in sorted(paths.keys() - found.keys()):
            raise wrong(paths[id_], None, f"there is no file {id_}.{name[:3]} below {gold}")
    ids = list(watch(sorted(paths), what))
    return [_record(id_, paths[id_], concepts[id_], relations[id_]) for id_ in ids]


def _files(folder: Path, ending: str) -> dict[str, Path]:
    """The files with an ending, by what their names have before it; archives bring hidden ones along."""
    found = sorted(folder.glob(f"*{ending}"))
    return {path.name.removesuffix(ending): path for path in found if not path.name.startswith(".")}


def _record(id_: str, text: Path, concepts: Path, relations: Path) -> Record:
    lines = text_of(text).split("\n")
    found: Counter[Concept] = Counter()
    for number, line in lines_of(concepts):
        match = _CONCEPT.fullmatch(line.strip())
        if not match:
            raise wrong(concepts, number, 'should be like c="chest pain" 12:3 12:4||t="problem"')
        if match[6] not in TYPES:
            raise wrong(concepts, number, f"the type {match[6]!r} is not one of {', '.join(TYPES)}")
        found[_concept(concepts, number, lines, match.groups()[:5], match[6])] += 1
    record = Record(id_, lines, sorted(found))
    record.count["repeated concepts"] = found.total() - len(found)
    _relate(record, relations)
    return record


def _concept(path: Path, number: int, lines: Sequence[str], place: Sequence[str], type_: str) -> Concept:
    """The concept at (quoted text, line, token, line, token)."""
    said, (at, first, until, last) = place[0], map(int, place[1:])
    where = f"{at}:{first} {until}:{last}"
    if at != until:
        raise wrong(path, number, f"{where} runs from one line into another; a concept is in one line")
    if not 1 <= at <= len(lines):
        raise wrong(path, number, f"{where} is in line {at}; the text has lines 1 to {len(lines)}")
    line = lines[at - 1]
    tokens = [match.span() for match in _TOKEN.finditer(line)]
    if tokens and tokens[0][0] > 0:
        tokens.insert(0, (0, 0))
    if not first <= last < len(tokens):
        raise wrong(path, number, f"{where} does not fit line {at}, whose tokens are 0 to {len(tokens) - 1}")
    start, end = tokens[first][0], tokens[last][1]
    if not _plain(said) or _plain(line[start:end]) != _plain(said):
        raise wrong(path, number, f"{where} is {line[start:end]!r}, but the concept is {said!r}")
    return Concept(at, first, last, (start, end), type_)


def _plain(text: str) -> str:
    return " ".join(text.lower().split())


def _relate(record: Record, path: Path) -> None:
    """Adds the relations of a file to their record."""
    at: defaultdict[tuple[int, int, int], list[Concept]] = defaultdict(list)
    for concept in record.concepts:
        at[concept.line, concept.first, concept.last].append(concept)
    seen = set()
    for number, line in lines_of(path):
        match = _RELATION.fullmatch(line.strip())
        if not match:
            raise wrong(path, number, 'should be like c="…" 5:1 5:2||r="TrAP"||c="…" 5:7 5:8')
        name = match[6]
        if name not in RELATIONS:
            raise wrong(path, number, f"the relation {name!r} is not one of {', '.join(RELATIONS)}")
        ends = []
        for place in (match.groups()[:5], match.groups()[6:]):
            concept = _concept(path, number, record.lines, place, "")
            ends.append((concept.line, concept.first, concept.last))
            if ends[-1] not in at:
                raise wrong(
                    path, number, f"there is no concept {place[0]!r} at {concept.line}:{concept.first}"
                )
        if (name, frozenset(ends)) in seen:
            record.count["repeated"] += 1
            continue
        seen.add((name, frozenset(ends)))
        record.count["relations"] += 1
        # one place may have two types; the relation's name says which it means
        fits = [
            (a, b)
            for a in at[ends[0]]
            for b in at[ends[1]]
            if a != b
            and a.line == b.line
            and sorted((a.type, b.type)) == sorted(("problem", RELATIONS[name]))
        ]
        if not fits:
            record.count["without item"] += 1
            continue
        first, second = sorted(fits[0])
        record.relations[first, second].append(name)
        record.count["several"] += len(record.relations[first, second]) == 2


RELEASES = (
    Release(
        card=Card(
            name="i2b2-2010-re",
            kind="classification",
            metric="micro_f1",
            labels=(*RELATIONS, NEGATIVE),
            negative=NEGATIVE,
            domain="clinical",
            text="discharge summaries and progress notes",
            licence="data use agreement",
            source="i2b2 2010, Uzuner et al. 2011",
        ),
        unit="positive relations",
        seen="fixtures of its format, invented text",
        readers={"official": read},
        access=Access(
            page="https://portal.dbmi.hms.harvard.edu/projects/n2c2-nlp/",
            how="register at the DBMI Data Portal of Harvard Medical School, sign the data use agreement of "
            "the n2c2 (i2b2) NLP data sets, and download the files of 2010, relations",
        ),
    ),
)
