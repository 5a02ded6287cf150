"""NLI4CT, whether a statement follows from reports of breast cancer trials: 2,400 statements, SemEval 2023.

A statement is about a section of one trial (Single) or of two (Comparison). Text b is the statement, text a
the lines of the section that annotators marked as its evidence, in the order of the report. The test part is
``Gold_test.json``, which has the labels. Statements about the same first trial depend on each other: its
number is their ``doc``.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github_zip
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
    wrong,
)
from transfer.corpora.releases.json_objects import json_mapping, text_in

LABELS = ("contradiction", "entailment")
PARTS: Mapping[Split, str] = {"train": "train.json", "dev": "dev.json", "test": "Gold_test.json"}
TRIALS = {"Single": ("Primary",), "Comparison": ("Primary", "Secondary")}
SECTIONS = ("Intervention", "Eligibility", "Adverse Events", "Results")


def read(release: Path, watch: Watch) -> Reading:
    """Every statement, in the order of the release. Raises InputError, see Release."""
    reports = part_of(release, "CT json")
    report = cache(lambda trial: json_mapping(reports / f"{trial}.json"))
    rows: dict[Split, list[Row]] = {}
    seen: dict[str, str] = {}
    for split, name in PARTS.items():
        path = part_of(release, name)
        rows[split] = []
        for id_, entry in watch(list(json_mapping(path).items()), f"NLI4CT {split}"):
            if not isinstance(entry, dict):
                raise wrong(path, None, f"{id_}: should be a JSON object with the keys of a statement")
            kind, section, trial, statement, label = (
                text_in(path, None, entry, key, of=id_)
                for key in ("Type", "Section_id", "Primary_id", "Statement", "Label")
            )
            one_of(path, None, f"{id_}: Type", kind, TRIALS)
            one_of(path, None, f"{id_}: Section_id", section, SECTIONS)
            said = []
            for which in TRIALS[kind]:
                number = text_in(path, None, entry, f"{which}_id", of=id_)
                home = reports / f"{number}.json"
                lines = _lines(home, report(number), section)
                places = _places(path, id_, entry.get(f"{which}_evidence_index"), len(lines))
                said.append(f"{which} trial: {' '.join(lines[at] for at in places)}")
            rows[split].append(
                {
                    "id": once(seen, path, None, id_),
                    "doc": trial,
                    "text_a": single_spaced(" ".join(said)),
                    "text_b": single_spaced(statement),
                    "label": one_of(path, None, f"{id_}: Label", label.lower(), LABELS),
                }
            )
    return counted(rows)


def _lines(path: Path, report: Mapping[str, Any], section: str) -> Sequence[str]:
    lines = report.get(section)
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise wrong(path, None, f"'{section}' should be a list of the section's lines")
    return lines


def _places(path: Path, id_: str, places: Any, count: int) -> list[int]:
    """The numbers of the lines of evidence, in order.

    A number may be there twice: a line that a report repeats was always marked where it stands first.
    """
    if not isinstance(places, list) or not all(type(at) is int and 0 <= at < count for at in places):
        raise wrong(path, None, f"{id_}: the evidence should be a list of numbers from 0 to {count - 1}")
    return sorted(places)


RELEASES = (
    Release(
        card=Card(
            name="nli4ct",
            kind="classification",
            metric="accuracy",
            pair=True,
            labels=LABELS,
            domain="clinical",
            text="clinical trials",
            licence="no licence text",
            source="NLI4CT, Jullien et al. 2023",
        ),
        unit="pairs",
        seen="the release",
        readers={"official": read},
        access=github_zip(
            "ai-systems/nli4ct",
            "8e8e5fc506b916984011873403b9ea5ed6dd96c2",
            7281895,
            "aadce2a9aef8f112252ac093df159bfe466b5925d3ead56d82c9302051475e4d",
            path="Complete_dataset.zip",
        ),
        sizes=(1700, 200, 500),
    ),
)
