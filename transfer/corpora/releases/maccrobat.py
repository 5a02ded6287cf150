"""MACCROBAT 2020, clinical events in case reports: 200 documents of brat stand-off.

Six of its 41 types are read, those of clinical findings, treatments and anatomy. A sentence is found within
a line of the text; most lines have one. The release is not divided.
"""

from collections import Counter
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github_zip
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    part_of,
    tenth,
    text_of,
    whole,
    wrong,
)
from transfer.corpora.releases.mentions import tagged_rows, told
from transfer.corpora.releases.standoff import standoff
from transfer.corpora.releases.text import sentences

TYPES = (
    "Biological_structure",
    "Diagnostic_procedure",
    "Disease_disorder",
    "Medication",
    "Sign_symptom",
    "Therapeutic_procedure",
)
SPLIT_OF: dict[int, Split] = {0: "test", 1: "test", 2: "dev"}  # of the tenths; all others are train


def read(release: Path, watch: Watch) -> Reading:
    """The sentences of every report, by its number. Raises InputError, see Release."""
    texts = _documents(release)
    rows: dict[Split, list[Row]] = {"train": [], "dev": [], "test": []}
    counts: dict[Split, Counter[str]] = {split: Counter() for split in rows}
    for path in watch(texts, "MACCROBAT"):
        whole(path, None, "the name", path.stem)
        split = SPLIT_OF.get(tenth(path.stem), "train")
        text, marks = text_of(path), path.with_suffix(".ann")
        found = standoff(marks, text_of(marks), text, counts[split], types=TYPES)
        made, count = tagged_rows(path.stem, text, sentences(text, mentions=[m.span for m in found]), found)
        rows[split] += made
        counts[split] += count
    return Reading(
        rows,
        {split: count["mentions"] for split, count in counts.items()},
        "70, 10 and 20 % of the reports, by SHA-256 of their number: the release is not divided",
        [note for split, count in counts.items() for note in told(split, count)],
    )


def _documents(release: Path) -> list[Path]:
    """The text files; each has its annotations beside it."""
    home = release if any(release.glob("*.ann")) else part_of(release, "MACCROBAT2020")
    marks = {path.stem for path in home.glob("*.ann")}
    texts = {path.stem for path in home.glob("*.txt")}
    for name in sorted(marks ^ texts):
        lacks = "ann" if name in texts else "txt"
        raise wrong(home / f"{name}.{lacks}", None, "no such file; a report is a .txt and an .ann")
    return [home / f"{name}.txt" for name in sorted(texts)]


RELEASES = (
    Release(
        card=Card(
            name="maccrobat",
            kind="tagging",
            metric="span_f1",
            entities=TYPES,
            domain="clinical",
            text="clinical case reports",
            licence="CC BY 4.0",
            source="MACCROBAT 2020, Caufield et al. 2019",
        ),
        unit="mentions",
        seen="the release",
        readers={"official": read},
        access=github_zip(
            "Saieiei/NLP",
            "f2b522984cc621d5c7e00fbce02ddeee2a5b8077",
            2620541,
            "e273ef1d58a550a57a1dd8b69cdc8dce5273df864e6b1441c379ffdd1d0113ad",
            page="https://doi.org/10.6084/m9.figshare.9764942",
            keep=("MACCROBAT2020/[0-9]*",),
        ),
        sizes=(3170, 556, 816),
    ),
)
