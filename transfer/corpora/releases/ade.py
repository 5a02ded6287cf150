"""ADE corpus V2, whether a sentence of a case report names an adverse effect of a drug: 20,896 sentences.

``DRUG-AE.rel`` has a line for each pair of a drug and its effect, fields separated by ``|``: a sentence with
several pairs is there several times. ``ADE-NEG.txt`` has the sentences without one, ``PMID NEG sentence``.
An item is a distinct sentence. The release is not divided.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    lines_of,
    part_of,
    single_spaced,
    tenth,
    whole,
    wrong,
)

POSITIVE, NEGATIVE = "ade", "not_ade"
FIELDS = ("PMID", "sentence", "effect", "start", "end", "drug", "start", "end")
SPLIT_OF: dict[int, Split] = {0: "test", 1: "dev"}  # of the tenths; all others are train

_Lines = Iterator[tuple[int, str, str]]  # number of the line, PMID, sentence


def read(release: Path, watch: Watch) -> Reading:
    """Every distinct sentence, those with an adverse effect first, in the order of the release.

    All sentences of an abstract are in one split. Raises InputError, see Release.
    """
    rows: dict[Split, list[Row]] = {"train": [], "dev": [], "test": []}
    labels: dict[str, str] = {}
    numbers: Counter[str] = Counter()
    repeated = 0
    for name, lines, label in (("DRUG-AE.rel", _pairs, POSITIVE), ("ADE-NEG.txt", _others, NEGATIVE)):
        path = part_of(release, name)
        for line, pmid, text in watch(list(lines(path)), f"ADE {name}"):
            whole(path, line, "the PMID", pmid)
            if text in labels:
                if labels[text] != label:
                    raise wrong(path, line, f"the sentence {text[:40]!r} is in DRUG-AE.rel, too")
                repeated += label == NEGATIVE
                continue
            if not text:
                raise wrong(path, line, "the sentence is empty")
            labels[text] = label
            numbers[pmid] += 1
            rows[SPLIT_OF.get(tenth(pmid), "train")].append(
                {"id": f"ade-{pmid}-{numbers[pmid]}", "doc": pmid, "text": text, "label": label}
            )
    gold: dict[Split, int] = {
        split: sum(row["label"] == POSITIVE for row in part) for split, part in rows.items()
    }
    told = "80, 10 and 10 % of the abstracts, by SHA-256 of their PMID: the release is not divided"
    notes = (
        [f"{repeated} lines of ADE-NEG.txt repeat an earlier sentence and have no item"] if repeated else []
    )
    return Reading(rows, gold, told, notes)


def _pairs(path: Path) -> _Lines:
    for line, text in lines_of(path):
        fields = text.split("|")
        if len(fields) != len(FIELDS):
            raise wrong(path, line, f"{len(fields)} fields between |; there should be {', '.join(FIELDS)}")
        yield line, fields[0], single_spaced(fields[1])


def _others(path: Path) -> _Lines:
    for line, text in lines_of(path):
        pmid, mark, sentence = [*text.split(" ", 2), "", ""][:3]
        if mark != "NEG":
            raise wrong(path, line, f"is {text[:40]!r}; it should be PMID, NEG and the sentence, with spaces")
        yield line, pmid, single_spaced(sentence)


RELEASES = (
    Release(
        card=Card(
            name="ade",
            kind="classification",
            metric="f1",
            labels=(POSITIVE, NEGATIVE),
            negative=NEGATIVE,
            domain="clinical",
            text="case-report abstracts",
            licence="no licence text; free for research",
            source="ADE corpus v2, Gurulingappa et al. 2012",
        ),
        unit="positive sentences",
        seen="the release",
        readers={"official": read},
        access=github(
            "trunghlt/AdverseDrugReaction",
            "2851af96e26050cf551a2e1f716ff861f7b1059b",
            (
                ("DRUG-AE.rel", 1423024, "542cdc483ccc94927762eaf2c9a8ecac49a6c10037dda2895be6a6e20160f75a"),
                ("ADE-NEG.txt", 2308469, "8f506c159042ce354fbf26981dc39971dde8f09b1158d94106eab1e516e53fcf"),
                ("README.txt", 1585, "97be43269d425a88c605758b64cf058c59c4a9965af649b11670fbb66eea8f82"),
            ),
            page="https://sites.google.com/site/adecorpus",
            below="ADE-Corpus-V2/",
        ),
        sizes=(16691, 2128, 2077),
    ),
)
