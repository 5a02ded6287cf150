"""HoC, the Hallmarks of Cancer: 1,852 abstracts and which of ten hallmarks each sentence speaks of.

``text/<PMID>.txt`` has a sentence a line. ``labels/<PMID>.txt`` is one line: a ``<`` and then the
labels for each sentence, nothing or ``NULL`` for none. A label is a path, ``hallmark--part--part``;
between two labels of a sentence is `` AND``, mostly without a space after it. This was seen in the
release (github.com/sb895/Hallmarks-of-Cancer), all of whose files were read; in each of them there
are as many ``<`` as sentences.

An item is an abstract: its sentences joined by spaces, and all hallmarks of its sentences.
"""

import re
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github_zip
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    by_hash,
    lines_of,
    part_of,
    text_of,
    wrong,
)

HALLMARKS = (
    "Activating invasion and metastasis",
    "Avoiding immune destruction",
    "Cellular energetics",
    "Enabling replicative immortality",
    "Evading growth suppressors",
    "Genomic instability and mutation",
    "Inducing angiogenesis",
    "Resisting cell death",
    "Sustaining proliferative signaling",
    "Tumor promoting inflammation",
)
NONE = "NULL"
BETWEEN = re.compile(r"\sAND\s*")


def read(release: Path, watch: Watch) -> Reading:
    """Every abstract, by PMID. Raises InputError, see Release.

    The release is not divided. In the order of the PMIDs' hashes a fifth is test, a tenth dev.
    """
    home, labels = part_of(release, "text"), part_of(release, "labels")
    texts, beside = _files(home), _files(labels)
    for pmid in sorted(texts.keys() ^ beside.keys()):
        missing = (labels if pmid in texts else home) / f"{pmid}.txt"
        raise wrong(missing, None, f"no such file, but there is {(texts | beside)[pmid]}")
    if len(texts) < 3:
        raise wrong(home, None, f"train, dev and test need an abstract each, it holds {len(texts)}")
    rows = {pmid: _row(pmid, texts[pmid], beside[pmid]) for pmid in watch(sorted(texts), "HoC")}
    order = by_hash(rows)
    test, dev = max(len(order) // 5, 1), max(len(order) // 10, 1)
    parts: dict[Split, list[str]] = {
        "train": order[test + dev :],
        "dev": order[test : test + dev],
        "test": order[:test],
    }
    return Reading(
        {split: [rows[pmid] for pmid in sorted(part)] for split, part in parts.items()},
        {split: len(part) for split, part in parts.items()},
        "70, 10 and 20 % of the abstracts, by SHA-256 of their PMID: the release is not divided",
    )


def _files(folder: Path) -> dict[str, Path]:
    """The files of a folder by PMID; those of the operating system (``._1.txt``) are none."""
    if not folder.is_dir():
        raise wrong(folder, None, "should be a folder with a file <PMID>.txt for each abstract")
    found = {path.stem: path for path in folder.glob("*.txt") if not path.name.startswith(".")}
    for pmid, path in sorted(found.items()):
        if not (pmid.isascii() and pmid.isdigit()):
            raise wrong(path, None, "the name should be a PMID, as in 12345678.txt")
    return found


def _row(pmid: str, path: Path, beside: Path) -> Row:
    sentences = [sentence.strip() for _, sentence in lines_of(path)]
    if not sentences:
        raise wrong(path, None, "holds no sentence")
    before, *groups = text_of(beside).split("<")
    if before.strip():
        raise wrong(beside, 1, f"begins with {before[:40]!r}; a '<' should be before each sentence's labels")
    if len(groups) != len(sentences):
        there = f"text/{path.name} has {len(sentences)} sentences"
        raise wrong(beside, 1, f"labels of {len(groups)} sentences, each after a '<'; {there}")
    found = {hallmark for group in groups for hallmark in _hallmarks(beside, group.strip())}
    return {"id": pmid, "text": " ".join(sentences), "labels": sorted(found)}


def _hallmarks(path: Path, group: str) -> list[str]:
    """Hallmarks at the beginning of a sentence's labels."""
    if group in ("", NONE):
        return []
    found = [label.split("--")[0].strip() for label in BETWEEN.split(group)]
    for hallmark in found:
        if hallmark not in HALLMARKS:
            raise wrong(path, 1, f"the label {hallmark[:60]!r} is not one of {', '.join(HALLMARKS)}")
    return found


RELEASES = (
    Release(
        card=Card(
            name="hoc",
            kind="multilabel",
            metric="example_f1",
            labels=HALLMARKS,
            domain="biomedical",
            text="PubMed abstracts on cancer",
            licence="GPL 3.0",
            source="HoC, Baker et al. 2016",
        ),
        unit="documents",
        seen="the release",
        readers={"official": read},
        access=github_zip(
            "sb895/Hallmarks-of-Cancer",
            "3bc6e6deb90cf5bc4f9988c493fe2c32e9b3cf2a",
            3190828,
            "dc2b70e31e33c9a63b36e1e12e12eee2c0204c56ab253e22597c4b6300940249",
            keep=("text/*", "labels/*", "LICENSE"),
        ),
        sizes=(1297, 185, 370),
    ),
)
