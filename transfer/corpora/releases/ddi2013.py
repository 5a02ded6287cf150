"""DDI 2013, drug-drug interactions of SemEval 2013: an XML file for each of 905 documents.

An item is a ``pair`` element: two drugs of a sentence; its label is the type of their interaction,
or ``DDI-false``. The release has no dev part.
"""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card
from transfer.corpora.releases.access import github_zip
from transfer.corpora.releases.base import Reading, Release, Row, Watch, dev_by_hash, part_of, wrong
from transfer.corpora.releases.relations import masked
from transfer.corpora.releases.text import Span
from transfer.corpora.releases.xml_documents import attribute, root_of

TYPES = ("advise", "effect", "int", "mechanism")
NEGATIVE = "DDI-false"

# The other folder of Test, "Test for DrugNER task", has pairs too, all of them marked false because
# nobody annotated them.
TRAIN, TEST = Path("Train"), Path("Test") / "Test for DDI Extraction task"

_OFFSETS = re.compile(r"\d+-\d+(;\d+-\d+)*")


def read(release: Path, watch: Watch) -> Reading:
    """Every pair of the training folders and of the test for DDI extraction. Raises InputError."""
    count: Counter[str] = Counter()
    train = _folder(part_of(release, "Train").parent / TRAIN, watch, "DDI train", count)
    test = _folder(part_of(release, "Test").parent / TEST, watch, "DDI test", count)
    kept, dev, told = dev_by_hash(train)
    rows = {"train": kept, "dev": dev, "test": test}
    notes = [
        f"{count[what]} {meaning}"
        for what, meaning in (
            ("untyped", "interactions without a type are DDI-int"),
            ("mistold", "mentions whose text is not what their offsets cover; the offsets count"),
            ("several", "mentions in several pieces are replaced from first to last character"),
        )
        if count[what]
    ]
    gold = {split: sum(row["label"] != NEGATIVE for row in part) for split, part in rows.items()}
    return Reading(rows, gold, f"official train and test; {told}", notes)  # type: ignore[arg-type]


def _folder(folder: Path, watch: Watch, what: str, count: Counter[str]) -> list[Row]:
    files = sorted(path for source in ("DrugBank", "MedLine") for path in (folder / source).glob("*.xml"))
    for source in ("DrugBank", "MedLine"):
        if not any(path.parent.name == source for path in files):
            raise wrong(folder / source, None, "no such folder, or no XML file in it")
    rows = [row for path in watch(files, what) for row in _document(path, count)]
    for id_, times in Counter(row["id"] for row in rows).items():
        if times > 1:
            raise wrong(folder, None, f"the pair {id_} is there {times} times")
    return rows


def _document(path: Path, count: Counter[str]) -> list[Row]:
    root = root_of(path, "document")
    doc = attribute(path, root, "id")
    rows = []
    for sentence in root.iter("sentence"):
        text = attribute(path, sentence, "text", empty=True)
        spans: dict[str, Span] = {}
        for entity in sentence.iter("entity"):
            id_ = attribute(path, entity, "id")
            if id_ in spans:
                raise wrong(path, None, f"the entity {id_} is there twice")
            spans[id_] = _span(path, entity, text, count)
        for pair in sentence.iter("pair"):
            rows.append(
                {
                    "id": attribute(path, pair, "id"),
                    "doc": doc,
                    "text": _masked(path, pair, text, spans),
                    "label": _label(path, pair, count),
                }
            )
    return rows


def _span(path: Path, entity: Any, text: str, count: Counter[str]) -> Span:
    """From the first to the last character; the release's offsets include the last one."""
    id_, offsets = attribute(path, entity, "id"), attribute(path, entity, "charOffset")
    if not _OFFSETS.fullmatch(offsets):
        raise wrong(path, None, f"{id_}: charOffset is '{offsets}'; it should be like 4-19 or 59-65;75-78")
    pieces = [tuple(map(int, piece.split("-"))) for piece in offsets.split(";")]
    start, end = min(a for a, _ in pieces), max(b for _, b in pieces) + 1
    if any(a > b for a, b in pieces) or end > len(text):
        raise wrong(path, None, f"{id_}: charOffset {offsets} does not fit a text of {len(text)} characters")
    said = " ".join(text[a : b + 1].strip() for a, b in pieces)
    count["several"] += len(pieces) > 1
    count["mistold"] += _plain(said) != _plain(attribute(path, entity, "text"))
    return start, end


def _plain(text: str) -> str:
    return re.sub(r"\s", "", text)


def _masked(path: Path, pair: Any, text: str, spans: Mapping[str, Span]) -> str:
    arguments = []
    for end in ("e1", "e2"):
        id_ = attribute(path, pair, end)
        if id_ not in spans:
            raise wrong(path, None, f"{pair.get('id')}: {end} is '{id_}', no entity of its sentence")
        arguments.append((spans[id_], "DRUG"))
    if pair.get("e1") == pair.get("e2"):
        raise wrong(path, None, f"{pair.get('id')}: pairs {pair.get('e1')} with itself")
    return masked(text, *arguments, both="DRUG-DRUG")


def _label(path: Path, pair: Any, count: Counter[str]) -> str:
    interacts, kind = attribute(path, pair, "ddi"), pair.get("type")
    if interacts == "false" and kind is None:
        return NEGATIVE
    if interacts == "true" and kind is None:
        count["untyped"] += 1
        return "DDI-int"
    if interacts == "true" and kind in TYPES:
        return f"DDI-{kind}"
    raise wrong(
        path, None, f"{pair.get('id')}: ddi='{interacts}' with type='{kind}'; types are {', '.join(TYPES)}"
    )


RELEASES = (
    Release(
        card=Card(
            name="ddi2013",
            kind="classification",
            metric="micro_f1",
            labels=(*(f"DDI-{kind}" for kind in TYPES), NEGATIVE),
            negative=NEGATIVE,
            domain="biomedical",
            text="DrugBank and Medline",
            licence="CC BY-NC 4.0",
            source="DDI 2013, Herrero-Zazo et al. 2013",
        ),
        unit="positive pairs",
        seen="the release",
        readers={"official": read},
        access=github_zip(
            "isegura/DDICorpus",
            "819b0fa538ed83ab2a8b4f5417bba3c03249b7f3",
            8378342,
            "97b45d3ed7fa8771fb6c286c8a4e2d10469c45fbea2077c8e06d7524b5f01fd4",
            path="DDICorpus-2013.zip",
        ),
        sizes=(24999, 2793, 5716),
    ),
)
