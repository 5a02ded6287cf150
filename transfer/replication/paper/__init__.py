"""Published figures of Peng, Chen and Lu (BioNLP 2020): Tables 2 to 6, and what the text says of Figure 2.

The CSV files beside this module hold the figures; here is what each row of them means, and what is known
to be odd. Table 1 is in ``transfer.replication.table1``.
"""

import csv
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from transfer.replication.table1 import PUBLISHED

SOURCE = "Peng, Chen and Lu, BioNLP 2020"

# the encoders of the tables, by alias
ENCODERS: Mapping[str, str] = {
    "clinicalbert": "ClinicalBERT",
    "biobert": "BioBERT",
    "bluebert-biomedical": "BlueBERT biomedical",
    "bluebert-clinical": "BlueBERT clinical",
}
NAMES: Mapping[str, str] = {name: row.corpus for name, row in PUBLISHED.items()}  # ours -> the paper's
CORPORA: Mapping[str, str] = {label: name for name, label in NAMES.items()} | {"i2b2 2010 re": "i2b2-2010-re"}
CLINICAL = ("clinicalsts", "i2b2-2010-re", "mednli", "shareclefe")
BIOMEDICAL = ("chemprot", "ddi2013", "bc5cdr-disease", "bc5cdr-chemical")
HALVES: Mapping[str, tuple[str, ...]] = {"a": CLINICAL, "b": BIOMEDICAL}  # of Figure 2
DOMAINS: Mapping[str, str] = {"clinical": "a", "biomedical": "b"}

Arm = Literal["single", "refinement", "fine-tuning", "longer single"]


@dataclass(frozen=True)
class Row:
    """A model of a table: its encoder's alias, how it was trained, its published scores (0 to 1).

    ``longer single`` is the control that the paper has not: alone, then alone for stage 3's epochs too.
    ``average`` is over the corpora, None where nothing was published.
    """

    model: str
    encoder: str
    arm: Arm
    scores: Mapping[str, float]
    average: float | None


@dataclass(frozen=True)
class Table:
    """One of Tables 2 to 6. ``corpora`` are trained together in its joint rows."""

    number: int
    title: str
    corpora: tuple[str, ...]
    rows: tuple[Row, ...]
    footnotes: tuple[str, ...]
    models_across: bool = False


class Statement(NamedTuple):
    """Statement of the text about an edge of Figure 2; source or target may be ``any``, corpora are ours."""

    half: str
    source: str
    target: str
    effect: str
    text: str


_ON_TEST = (
    "The published results appear to be chosen on test scores: the authors' code trains on train and dev, "
    "scores test after every epoch, and its evaluation script reports the best test epoch. Here the epoch is "
    "chosen on dev and test is scored once."
)
_DDI = (
    "The published DDI baselines (0.739 and 0.760) are not on the same footing as the benchmark's own page "
    "(78.1 and 79.4): macro and micro F1 seem to be mixed, so the published gain of 8.1 points on DDI rests "
    "on an unreconciled baseline."
)
_SLIP = (
    "Table 5's row MT-BlueBERT-Fine-Tune clinical is digit for digit Table 3's row MT-BlueBERT-Refinement "
    "biomedical: one of the two is a copying slip."
)
_MEDNLI = "The text claims 2.4 points for MedNLI; the table shows 0.840 to 0.846."
TABLE_1_FOOTNOTES = (
    "Counts are mentions (NER), positive relations (RE) or sentence pairs, and not training instances.",
)
FIGURE_2_FOOTNOTES = (
    "The published figure states no baseline, threshold, number of seeds or test; only what the text says "
    "of it is known.",
)
_TABLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("table2_clinical_stages", "The stages on the clinical corpora", (_MEDNLI, _ON_TEST)),
    ("table3_biomedical_stages", "The stages on the biomedical corpora", (_SLIP, _DDI, _ON_TEST)),
    ("table4_clinical_encoders", "Encoders on the clinical corpora", (_ON_TEST,)),
    ("table5_biomedical_encoders", "Encoders on the biomedical corpora", (_SLIP, _DDI, _ON_TEST)),
    ("table6_all_eight", "All eight corpora together", (_DDI, _ON_TEST)),
)


@functools.cache
def tables() -> tuple[Table, ...]:
    """Tables 2 to 6 as published, each with a control where it has single-task rows."""
    return tuple(_table(*told) for told in _TABLES)


@functools.cache
def statements() -> tuple[Statement, ...]:
    """Statements of the text about Figure 2."""
    return tuple(
        Statement(
            DOMAINS[row["domain"]],
            CORPORA.get(row["source"], row["source"]),
            CORPORA.get(row["target"], row["target"]),
            row["effect"],
            row["statement"],
        )
        for row in _rows("figure2_edges_in_text")
    )


def _table(file: str, title: str, footnotes: tuple[str, ...]) -> Table:
    lines = _rows(file)
    across = "corpus" in lines[0]  # Table 6 has the models across
    if across:
        models = [name for name in lines[0] if name != "corpus"]
        scores = {model: {line["corpus"]: line[model] for line in lines} for model in models}
    else:
        scores = {line["model"]: {k: v for k, v in line.items() if k != "model"} for line in lines}
    corpora = tuple(CORPORA[name] for name in next(iter(scores.values())) if name != "Avg")
    rows = []
    for model, given in scores.items():
        encoder, arm = _meaning(model)
        values = {CORPORA[name]: float(value) for name, value in given.items() if name != "Avg"}
        rows.append(Row(model, encoder, arm, values, float(given["Avg"])))
        if arm == "single":
            rows.append(Row(f"{model}, trained longer", encoder, "longer single", {}, None))
    number = int(file.removeprefix("table")[0])
    return Table(number, title, corpora, tuple(rows), footnotes, across)


_MODEL = re.compile(
    r"(?:MT-(?P<name>\w+)-(?P<stage>Refinement|Fine-Tune)|(?P<alone>\w+))(?: (?P<domain>\w+))?"
)


def _meaning(model: str) -> tuple[str, Arm]:
    """The encoder and the arm that a published row's name stands for."""
    found = _MODEL.fullmatch(model)
    assert found, model
    label = (found["name"] or found["alone"]) + (f" {found['domain']}" if found["domain"] else "")
    alias = next(alias for alias, named in ENCODERS.items() if named == label)
    arms: Mapping[str | None, Arm] = {None: "single", "Refinement": "refinement", "Fine-Tune": "fine-tuning"}
    return alias, arms[found["stage"]]


def _rows(name: str) -> list[dict[str, str]]:
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
