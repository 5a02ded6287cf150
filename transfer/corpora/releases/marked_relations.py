"""Relations between two marked mentions of a sentence: the preparations of SciBERT's authors.

``scierc-re`` has the relations of SciERC (abstracts on artificial intelligence), ``chemprot13`` those of
ChemProt with their fine-grained names and without a negative class. A line is a JSON object with ``text``
and ``label``; in the text one mention stands between ``[[`` and ``]]``, the other between ``<<`` and ``>>``.
Items of one sentence depend on each other: ``doc`` is the hash of the sentence without these marks.
"""

import re
from functools import partial
from pathlib import Path

from transfer.corpora.base import SPLITS, Card, Split
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
    text_hash,
    wrong,
)
from transfer.corpora.releases.json_objects import json_lines, text_in

# chemicals have brackets of their own, but none with a space inside
MARKS = ("[[ ", " ]]", "<< ", " >>")
_MARK = re.compile("|".join(map(re.escape, MARKS)))

SCIERC = ("COMPARE", "CONJUNCTION", "EVALUATE-FOR", "FEATURE-OF", "HYPONYM-OF", "PART-OF", "USED-FOR")
CHEMPROT = (
    "ACTIVATOR",
    "AGONIST",
    "AGONIST-ACTIVATOR",
    "AGONIST-INHIBITOR",
    "ANTAGONIST",
    "DOWNREGULATOR",
    "INDIRECT-DOWNREGULATOR",
    "INDIRECT-UPREGULATOR",
    "INHIBITOR",
    "PRODUCT-OF",
    "SUBSTRATE",
    "SUBSTRATE_PRODUCT-OF",
    "UPREGULATOR",
)


def read(release: Path, watch: Watch, *, name: str, labels: tuple[str, ...]) -> Reading:
    """Every pair of mentions, in the order of the release. Raises InputError, see Release."""
    rows: dict[Split, list[Row]] = {}
    for split in SPLITS:
        path = part_of(release, f"{split}.txt")
        rows[split] = []
        for line, entry in watch(list(json_lines(path)), f"{name} {split}"):
            text, label = (text_in(path, line, entry, key) for key in ("text", "label"))
            if lacking := [mark.strip() for mark in MARKS if mark not in text]:
                raise wrong(path, line, f"the text has no {lacking[0]}; two mentions should be marked")
            rows[split].append(
                {
                    "id": f"{name}-{split}-{len(rows[split]):05d}",
                    "doc": text_hash(_MARK.sub("", text)),
                    "text": single_spaced(text),
                    "label": one_of(path, line, "the label", label, labels),
                }
            )
    return counted(rows)


def _release(
    name: str,
    short: str,
    labels: tuple[str, ...],
    folder: str,
    files: tuple[tuple[str, int, str], ...],
    sizes: tuple[int, int, int],
    page: str,
    **card: str,
) -> Release:
    return Release(
        card=Card(name=name, kind="classification", metric="micro_f1", labels=labels, **card),  # type: ignore[arg-type]
        unit="relations",
        seen="the release",
        readers={"official": partial(read, name=short, labels=labels)},
        access=github(
            "allenai/scibert",
            "06793f77d7278898159ed50da30d173cdc8fdea9",
            files,
            page=page,
            below=f"data/text_classification/{folder}/",
        ),
        sizes=sizes,
    )


RELEASES = (
    _release(
        "scierc-re",
        "scierc",
        SCIERC,
        "sciie-relation-extraction",
        (
            ("train.txt", 823836, "83d395d97de2c02dcb4898af3c6e34b5f5aa19771298fbc9f69ae435fa1258fb"),
            ("dev.txt", 118354, "9500a8e561f1ce50d972b8473525fe24ebae732bde653c381a4c65945965567a"),
            ("test.txt", 249465, "be4c06d2b8903783818a5e4cba08c71b954a86f00021907706f66ac3e26c58bd"),
        ),
        (3219, 455, 974),
        "http://nlp.cs.washington.edu/sciIE",
        domain="scientific",
        text="computer-science abstracts",
        licence="no licence text",
        source="SciERC, Luan et al. 2018",
    ),
    _release(
        "chemprot13",
        "chemprot13",
        CHEMPROT,
        "chemprot",
        (
            ("train.txt", 1121208, "ab17b85c4fb869b2338d7c9617414e63f3c7225e5005920b18d9cd996f1049d8"),
            ("dev.txt", 678657, "bfe8f39e5146ad4bb16b23707dade850546a305047bc666f6f6824c6a7e3df2f"),
            ("test.txt", 960369, "372249c85ffea6d9a18dc5168cf45841b3d79b03412d6c620381cfc0dd3d6d49"),
        ),
        (4169, 2427, 3469),
        "https://biocreative.bioinformatics.udel.edu/tasks/biocreative-vi/track-5",
        domain="biomedical",
        text="PubMed abstracts",
        licence="no licence text; shared-task release",
        source="ChemProt, Krallinger et al. 2017",
    ),
)
