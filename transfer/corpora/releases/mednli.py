"""MedNLI, inference between two clinical sentences: a line of JSON for each of 14,049 pairs.

Text a is the premise (``sentence1``), text b the hypothesis (``sentence2``). Several hypotheses were
written for a premise, so that pairs with the same premise depend on each other: ``doc`` is a hash of
the premise. The ids of the pairs say nothing of it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import Access
from transfer.corpora.releases.base import Reading, Release, Row, Watch, part_of, text_hash, wrong
from transfer.corpora.releases.json_objects import json_lines, text_in

LABELS = ("contradiction", "neutral", "entailment")
PARTS: Mapping[Split, str] = {split: f"mli_{split}_v1.jsonl" for split in ("train", "dev", "test")}


def read(release: Path, watch: Watch) -> Reading:
    """Every pair, in the order of the release. Raises InputError, see Release."""
    rows: dict[Split, list[Row]] = {}
    seen: dict[str, str] = {}
    for split, name in PARTS.items():
        path = part_of(release, name)
        rows[split] = []
        for line, pair in watch(list(json_lines(path)), f"MedNLI {split}"):
            row = _row(path, line, pair)
            if row["id"] in seen:
                raise wrong(path, line, f"the pairID {row['id']!r} was at {seen[row['id']]} already")
            seen[row["id"]] = f"{path.name} line {line}"
            rows[split].append(row)
        if not rows[split]:
            raise wrong(path, None, "holds no pair")
    return Reading(rows, {split: len(part) for split, part in rows.items()}, "official")


def _row(path: Path, line: int, pair: Mapping[str, Any]) -> Row:
    premise, hypothesis, label, id_ = (
        text_in(path, line, pair, key) for key in ("sentence1", "sentence2", "gold_label", "pairID")
    )
    if label not in LABELS:
        raise wrong(path, line, f"gold_label is {label!r}; it should be one of {', '.join(LABELS)}")
    return {"id": id_, "doc": text_hash(premise), "text_a": premise, "text_b": hypothesis, "label": label}


RELEASES = (
    Release(
        card=Card(
            name="mednli",
            kind="classification",
            metric="accuracy",
            pair=True,
            labels=LABELS,
            domain="clinical",
            text="past medical histories of MIMIC-III, written hypotheses",
            licence="PhysioNet Credentialed Health Data License",
            source="MedNLI, Romanov and Shivade 2018",
        ),
        unit="pairs",
        seen="fixtures of its format, invented text",
        readers={"official": read},
        access=Access(
            page="https://physionet.org/content/mednli/",
            how="become a credentialed user of PhysioNet, sign its data use agreement for MedNLI, and "
            "download the files there",
        ),
        sizes=(11232, 1395, 1422),
    ),
)
