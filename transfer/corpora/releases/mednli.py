"""MedNLI, inference between two clinical sentences: a line of JSON for each of 14,049 pairs.

Text a is the premise (``sentence1``), text b the hypothesis (``sentence2``). Several hypotheses were
written for a premise, so that pairs with the same premise depend on each other: ``doc`` is a hash of
the premise. The ids of the pairs say nothing of it.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.base import Reading, Release, Row, Watch, lines_of, part_of, wrong

LABELS = ("contradiction", "neutral", "entailment")
PARTS: Mapping[Split, str] = {split: f"mli_{split}_v1.jsonl" for split in ("train", "dev", "test")}


def read(release: Path, watch: Watch) -> Reading:
    """Every pair, in the order of the release. Raises InputError, see Release."""
    rows: dict[Split, list[Row]] = {}
    seen: dict[str, str] = {}
    for split, name in PARTS.items():
        path = part_of(release, name)
        rows[split] = []
        for line, text in watch(list(lines_of(path)), f"MedNLI {split}"):
            row = _row(path, line, text)
            if row["id"] in seen:
                raise wrong(path, line, f"the pairID {row['id']!r} was at {seen[row['id']]} already")
            seen[row["id"]] = f"{path.name} line {line}"
            rows[split].append(row)
        if not rows[split]:
            raise wrong(path, None, "holds no pair")
    return Reading(rows, {split: len(part) for split, part in rows.items()}, "official")


def _row(path: Path, line: int, text: str) -> Row:
    try:
        pair = json.loads(text)
        json.dumps(pair, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise wrong(path, line, f"holds half a character ({error.object[error.start]!a})") from None
    except (ValueError, RecursionError) as error:
        raise wrong(path, line, f"not valid JSON ({error}); is the file cut?") from None
    if not isinstance(pair, dict):
        raise wrong(path, line, 'should be a JSON object, as in {"sentence1": "…", …}')
    premise, hypothesis, label, id_ = (
        _string(path, line, pair, key) for key in ("sentence1", "sentence2", "gold_label", "pairID")
    )
    if label not in LABELS:
        raise wrong(path, line, f"gold_label is {label!r}; it should be one of {', '.join(LABELS)}")
    return {"id": id_, "doc": _hash(premise), "text_a": premise, "text_b": hypothesis, "label": label}


def _string(path: Path, line: int, pair: Mapping[str, Any], key: str) -> str:
    if key not in pair:
        raise wrong(path, line, f"the key '{key}' is missing")
    value = pair[key]
    if not isinstance(value, str) or not value.strip():
        raise wrong(path, line, f"'{key}' should be a text that is not empty, not {json.dumps(value)[:60]}")
    return value


def _hash(premise: str) -> str:
    """16 hexadecimal digits, the same for premises that differ in white space only."""
    return hashlib.sha256(" ".join(premise.split()).encode()).hexdigest()[:16]


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
    ),
)
