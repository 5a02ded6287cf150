"""BC5CDR, the chemical-disease corpus of BioCreative V: PubTator or BioC XML, 1,500 abstracts.

Both corpora, diseases and chemicals, have the same sentences. A title is a sentence.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import Reading, Release, Row, Watch, part_of, text_of, whole, wrong
from transfer.corpora.releases.mentions import Mention, tagged_rows, told
from transfer.corpora.releases.text import sentences
from transfer.inputs import InputError

PARTS: Mapping[Split, str] = {"train": "Training", "dev": "Development", "test": "Test"}
TYPES = ("Chemical", "Disease")

_HEAD = re.compile(r"(\d+)\|([ta])\|(.*)")


@dataclass(frozen=True)
class Abstract:
    """A document: its text is the title, a space, the abstract."""

    id: str
    title: str
    text: str
    mentions: tuple[Mention, ...]


def read(release: Path, watch: Watch, *, entity: str) -> Reading:
    """The mentions of one type. Raises InputError, see Release."""
    rows: dict[Split, list[Row]] = {}
    gold: dict[Split, int] = {}
    notes: list[str] = []
    for split, part in PARTS.items():
        count: Counter[str] = Counter()
        rows[split] = []
        for document in watch(documents(release, part), f"BC5CDR {part}"):
            kept = [m for m in document.mentions if m.type == entity]
            # the borders of both corpora's sentences mind both types: they stay the same sentences
            bounds = [(0, len(document.title))]
            after = len(document.title) + 1
            bounds += [
                (a + after, b + after)
                for a, b in sentences(
                    document.text[after:],
                    mentions=[(m.span[0] - after, m.span[1] - after) for m in document.mentions],
                )
            ]
            made, counted = tagged_rows(document.id, document.text, bounds, kept)
            rows[split] += made
            count += counted
        gold[split] = count["mentions"]
        notes += told(split, count)
    return Reading(rows, gold, "official", notes)


def documents(release: Path, part: str) -> list[Abstract]:
    """The documents of one part, from whichever of the two formats is there."""
    path = part_of(release, f"CDR_{part}Set.PubTator.txt", f"CDR_{part}Set.BioC.xml")
    found = list(_pubtator(path) if path.suffix == ".txt" else _bioc(path))
    if not found:
        raise wrong(path, None, "holds no document")
    for id_, times in Counter(d.id for d in found).items():
        if times > 1:
            raise wrong(path, None, f"document {id_} is there {times} times")
    return found


def _pubtator(path: Path) -> Iterator[Abstract]:
    from bioc import pubtator

    block: list[tuple[int, str]] = []
    for number, line in enumerate([*text_of(path).split("\n"), ""], 1):
        if line.strip():
            block.append((number, line.removesuffix("\r")))
            continue
        if not block:
            continue
        (at, head), *rest = block
        title = _HEAD.fullmatch(head)
        abstract = _HEAD.fullmatch(rest[0][1]) if rest else None
        if not title or title[2] != "t":
            raise wrong(path, at, "a document should begin with a line 'number|t|title'")
        if not abstract or abstract[2] != "a" or abstract[1] != title[1]:
            raise wrong(path, at + 1, f"after the title there should be a line '{title[1]}|a|abstract'")
        text = f"{title[3]} {abstract[3]}"
        mentions = []
        for number_, line_ in rest[1:]:
            fields = line_.split("\t")
            if fields[0] != title[1]:
                raise wrong(path, number_, f"belongs to '{fields[0][:20]}', but stands below {title[1]}")
            if len(fields) == 4 and fields[1] == "CID":
                continue  # a relation between a chemical and a disease, not a mention
            if len(fields) not in (6, 7):
                raise wrong(
                    path,
                    number_,
                    f"{len(fields)} tab-separated fields; a mention has 6 or 7, a relation 4 with CID",
                )
            whole(path, number_, "start", fields[1])
            whole(path, number_, "end", fields[2])
            annotation = pubtator.loads_ann(fields[:6])
            mentions.append(
                _mention(
                    path,
                    number_,
                    text,
                    (annotation.start, annotation.end),
                    annotation.text,
                    annotation.type,
                    border=len(title[3]),
                )
            )
        yield Abstract(title[1], title[3], text, tuple(mentions))
        block = []


def _mention(
    path: Path, line: int | None, text: str, span: tuple[int, int], said: str, kind: str, *, border: int
) -> Mention:
    if kind not in TYPES:
        raise wrong(path, line, f"the type '{kind}' is neither {' nor '.join(TYPES)}")
    if text[span[0] : span[1]] != said or not said:
        there = text[span[0] : span[1]]
        raise wrong(
            path, line, f"characters {span[0]} to {span[1]} are {there!r}, but the mention is {said!r}"
        )
    if span[0] <= border < span[1]:
        raise wrong(path, line, f"the mention {said!r} runs from the title into the abstract")
    return Mention((span,), kind)


def _bioc(path: Path) -> Iterator[Abstract]:
    import defusedxml.ElementTree as safe
    from bioc import biocxml

    text_of(path)
    try:
        safe.parse(path, forbid_entities=True)  # bioc's own parser would expand entities
        with path.open("rb") as file:
            collection = biocxml.load(file)  # type: ignore[arg-type]
    except (SyntaxError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise wrong(path, None, f"not BioC XML ({error})") from None
    for document in collection.documents:
        if not (document.id or "").strip():
            raise wrong(path, None, "a document has no id")
        if len(document.passages) != 2:
            raise wrong(
                path,
                None,
                f"document {document.id} has {len(document.passages)} passages, not title and abstract",
            )
        title, abstract = (passage.text or "" for passage in document.passages)
        text = f"{title} {abstract}"
        mentions = []
        for passage in document.passages:
            # a mention's place counts from the document's start. The abstract's own offset is not
            # used: the release counts an escaped character of the title (&apos;) as six in it
            for annotation in passage.annotations:
                if annotation.infons.get("CompositeRole") == "IndividualMention":
                    continue  # a part of the composite mention before it: PubTator's seventh column
                if len(annotation.locations) != 1:
                    raise wrong(
                        path, None, f"document {document.id}: mention {annotation.id} has no one place"
                    )
                (at,) = annotation.locations
                said, kind = annotation.text or "", annotation.infons.get("type", "")
                span = (at.offset, at.end)
                try:
                    mentions.append(_mention(path, None, text, span, said, kind, border=len(title)))
                except InputError as error:
                    where = f"{path}: document {document.id}: "
                    raise InputError(str(error).replace(f"{path}: ", where)) from None
        yield Abstract(document.id, title, text, tuple(mentions))


def _release(name: str, entity: str) -> Release:
    return Release(
        card=Card(
            name=name,
            kind="tagging",
            metric="span_f1",
            entities=(entity,),
            domain="biomedical",
            text="PubMed abstracts",
            licence="public domain",
            source="BC5CDR, Li et al. 2016",
        ),
        unit="mentions",
        seen="the release (PubTator), its sample (BioC XML)",
        readers={"official": partial(read, entity=entity)},
        access=github(
            "patverga/bran",
            "32378da8ac339393d9faa2ff2d50ccb3b379e9a2",
            (
                (
                    "CDR_TrainingSet.PubTator.txt",
                    1129998,
                    "7afcec134e3d4871e74b0398d92850d3c9ac94c0bdc780003f2d60184c012bd8",
                ),
                (
                    "CDR_DevelopmentSet.PubTator.txt",
                    1127990,
                    "9e18d8e700168887a7919e62f67ac2ce2357e3f409a48ee992906abdd80fe3e5",
                ),
                (
                    "CDR_TestSet.PubTator.txt",
                    1168687,
                    "a3c48d5f35bdfce20c2371778abedc9fd24d1da092207072e5181ad53c8d0e2f",
                ),
            ),
            page="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-v/track-3-cdr",
            below="data/cdr/",
            pack="gzip",
        ),
        sizes=(4480, 4492, 4699),
    )


RELEASES = (_release("bc5cdr-disease", "Disease"), _release("bc5cdr-chemical", "Chemical"))
