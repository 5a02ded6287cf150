"""PubMedQA, whether an abstract answers its title's question with yes, no or maybe: the 1,000 labelled ones.

``ori_pqal.json`` has an entry for each PMID, ``test_ground_truth.json`` the PMIDs and answers of the 500 test
questions. Text a is the question, text b the abstract without its conclusion. Dev is a tenth of the rest.
"""

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
    one_of,
    part_of,
    single_spaced,
    tenth,
    wrong,
)
from transfer.corpora.releases.json_objects import json_mapping, text_in

LABELS = ("maybe", "no", "yes")


def read(release: Path, watch: Watch) -> Reading:
    """Every question, in the order of the release. Raises InputError, see Release."""
    path, held_out = part_of(release, "ori_pqal.json"), part_of(release, "test_ground_truth.json")
    entries, answers = json_mapping(path), json_mapping(held_out)
    rows: dict[Split, list[Row]] = {"train": [], "dev": [], "test": []}
    for pmid, entry in watch(list(entries.items()), "PubMedQA"):
        row = _row(path, pmid, entry)
        if answers.get(pmid, row["label"]) != row["label"]:
            raise wrong(held_out, None, f"{pmid}: is {answers[pmid]!r}; {path.name} has {row['label']!r}")
        rows["test" if pmid in answers else "dev" if tenth(pmid) == 0 else "train"].append(row)
    if missing := sorted(answers.keys() - entries.keys()):
        raise wrong(held_out, None, f"{missing[0]}: {path.name} has no question of this PMID")
    told = "official test; dev is a tenth of the other questions, by SHA-256 of their PMID"
    return counted(rows, told)


def _row(path: Path, pmid: str, entry: Any) -> Row:
    if not isinstance(entry, dict):
        raise wrong(path, None, f"{pmid}: should be a JSON object with the keys of a question")
    contexts = entry.get("CONTEXTS")
    if not isinstance(contexts, list) or not all(isinstance(text, str) for text in contexts):
        raise wrong(path, None, f"{pmid}: 'CONTEXTS' should be a list of texts")
    context = single_spaced(" ".join(contexts))
    if not context:
        raise wrong(path, None, f"{pmid}: 'CONTEXTS' is empty")
    answer = text_in(path, None, entry, "final_decision", of=pmid)
    return {
        "id": f"pubmedqa-{pmid}",
        "text_a": single_spaced(text_in(path, None, entry, "QUESTION", of=pmid)),
        "text_b": context,
        "label": one_of(path, None, f"{pmid}: final_decision", answer, LABELS),
    }


RELEASES = (
    Release(
        card=Card(
            name="pubmedqa",
            kind="classification",
            metric="accuracy",
            pair=True,
            labels=LABELS,
            domain="biomedical",
            text="PubMed abstracts",
            licence="MIT",
            source="PubMedQA, Jin et al. 2019",
        ),
        unit="questions",
        seen="the release",
        readers={"official": read},
        access=github(
            "pubmedqa/pubmedqa",
            "1cbae8e92f72f20c8d3747cbb3bf5bc53554d997",
            (
                (
                    "ori_pqal.json",
                    2584787,
                    "8b3276be8942ebbd77f3ddcda12c1749bf0e490045a736fd8438ee40cf37a41d",
                ),
                (
                    "test_ground_truth.json",
                    11414,
                    "939fe566f09017d13b1ca64d2ddfee0bc2374b366048152997669cccedc44d51",
                ),
            ),
            below="data/",
        ),
        sizes=(447, 53, 500),
    ),
)
