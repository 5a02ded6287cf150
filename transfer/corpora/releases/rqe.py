"""RQE, whether the answer to one medical question answers another: 8,890 pairs of the NLM (AMIA 2016).

An XML file for each part: ``pair`` elements with ``chq`` (the question that was asked, text a) and ``faq``
(the one that may be entailed, text b). Train pairs are clinicians' questions with a short form of them or
of another one; test pairs join consumers' questions with FAQs. Pairs with the same first question depend on
each other: ``doc`` is its hash. The release has no dev part.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    counted,
    once,
    one_of,
    part_of,
    single_spaced,
    tenth,
    text_hash,
    wrong,
)
from transfer.corpora.releases.xml_documents import attribute, root_of

LABELS = {"true": "entailment", "false": "not_entailment"}
TRAIN, TEST = "RQE_Train_8588_AMIA2016.xml", "RQE_Test_302_pairs_AMIA2016.xml"


def read(release: Path, watch: Watch) -> Reading:
    """Every pair of two questions, in the order of the release.

    Dev is a tenth of the first questions of train, with all their pairs. Raises InputError, see Release.
    """
    rows: dict[Split, list[Row]] = {"train": [], "dev": [], "test": []}
    empty: list[str] = []
    parts: dict[Split, str] = {"train": TRAIN, "test": TEST}
    for part, name in parts.items():
        for row in watch(list(_pairs(part_of(release, name), part)), f"RQE {part}"):
            if not (row["text_a"] and row["text_b"]):
                empty.append(row["id"])
                continue
            dev = part == "train" and tenth(row["text_a"].lower()) == 0
            rows["dev" if dev else part].append(row)
    told = (
        "official train and test; dev is a tenth of train's first questions, by their SHA-256, with all pairs"
    )
    notes = [f"{', '.join(empty)}: a question is empty, no item is made"] if empty else []
    return counted(rows, told, notes)


def _pairs(path: Path, part: str) -> Iterator[Row]:
    seen: dict[str, str] = {}
    for pair in root_of(path, "RQE-med-train", "RQE-med-test").iter("pair"):
        id_ = once(seen, path, None, f"rqe-{part}-{attribute(path, pair, 'pid')}")
        asked, known = (_question(path, pair, name, id_) for name in ("chq", "faq"))
        value = one_of(path, None, f"{id_}: value", attribute(path, pair, "value"), LABELS)
        yield {
            "id": id_,
            "doc": text_hash(asked.lower()),
            "text_a": asked,
            "text_b": known,
            "label": LABELS[value],
        }


def _question(path: Path, pair: Any, name: str, id_: str) -> str:
    found = pair.findall(name)
    if len(found) != 1:
        raise wrong(path, None, f"{id_}: has {len(found)} <{name}>; it should have one")
    return single_spaced("".join(found[0].itertext()))


RELEASES = (
    Release(
        card=Card(
            name="rqe",
            kind="classification",
            metric="accuracy",
            pair=True,
            labels=tuple(LABELS.values()),
            domain="clinical",
            text="clinical and consumer questions",
            licence="CC BY 4.0",
            source="RQE, Ben Abacha and Demner-Fushman 2016",
        ),
        unit="pairs",
        seen="the release",
        readers={"official": read},
        access=github(
            "abachaa/RQE_Data_AMIA2016",
            "9302fb9a55a437944ba6ce21a30023463a94a136",
            (
                (TRAIN, 2444717, "4729784635c1e9a07d06c91a5efb50bad298758c51705dbf6c7dabcd87adc854"),
                (TEST, 109071, "0d7d97c8858971edfafad578d39e739129dad33a94cb690277f79f1b1d1b4e80"),
                ("Readme.txt", 2489, "de0de2a22714593b4163f81d3e63cc1f31b1e8cc1d27a56dadfa2e5228529bdb"),
            ),
        ),
        sizes=(7741, 846, 302),
    ),
)
