"""ClinicalSTS, how much two clinical sentences mean the same: a line of tabs for each of 1,068 pairs.

The pairs are those of MedSTS that were given out for the shared task of BioCreative and OHNLP in
2018: 750 to train on, 318 to test on. A line is two sentences and their score, 0 (nothing in
common) to 5 (the same). The test file was given out without the scores, which are one a line in
a file of their own. The names of the files are the shared task's; where a copy has other names,
they need to be changed to these.
"""

from collections.abc import Iterator
from pathlib import Path

from transfer.corpora.base import Card
from transfer.corpora.releases.access import Access
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    by_hash,
    lines_of,
    part_of,
    score,
    wrong,
)

TRAIN, TEST, SCORES = "clinicalSTS.train.txt", "clinicalSTS.test.txt", "clinicalSTS.test.gs.sim.txt"
LOW, HIGH = 0.0, 5.0


def read(release: Path, watch: Watch) -> Reading:
    """Every pair, in the order of the release. Raises InputError, see Release.

    The ids are the files' lines, as the release has none; a pair belongs to no document. Dev is a
    tenth of train, as 75 of 750 are the size in the literature.
    """
    path = part_of(release, TRAIN)
    pairs = [
        _row(path, line, "train", fields, score(path, line, fields[2], LOW, HIGH))
        for line, fields in watch(list(_fields(path, 3)), "ClinicalSTS train")
    ]
    if len(pairs) < 2:
        raise wrong(path, None, f"train and dev need a pair each, it holds {len(pairs)}")
    chosen = set(by_hash(row["id"] for row in pairs)[: max(len(pairs) // 10, 1)])
    train = [row for row in pairs if row["id"] not in chosen]
    dev = [row for row in pairs if row["id"] in chosen]
    test = _test(release, watch)
    told = f"dev is {len(dev)} pairs of train, those whose id has the smallest SHA-256"
    return Reading(
        {"train": train, "dev": dev, "test": test},
        {"train": len(train), "dev": len(dev), "test": len(test)},
        f"official train and test; {told}",
    )


def _test(release: Path, watch: Watch) -> list[Row]:
    path = part_of(release, TEST)
    pairs = list(_fields(path, 2, 3))
    if not pairs:
        raise wrong(path, None, "holds no pair")
    first, fields = pairs[0]
    for line, other in pairs:
        if len(other) != len(fields):
            raise wrong(path, line, f"{len(other)} tab-separated fields, but {len(fields)} in line {first}")
    if len(fields) == 3:
        scores = [score(path, line, fields[2], LOW, HIGH) for line, fields in pairs]
    else:
        beside = part_of(release, SCORES)
        scores = [score(beside, line, text, LOW, HIGH) for line, text in lines_of(beside)]
        if len(scores) != len(pairs):
            raise wrong(beside, None, f"holds {len(scores)} scores; {TEST} has {len(pairs)} pairs")
    both = list(zip(pairs, scores, strict=True))
    return [
        _row(path, line, "test", fields, gold) for (line, fields), gold in watch(both, "ClinicalSTS test")
    ]


def _fields(path: Path, *allowed: int) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line, without the spaces that the release has around some of them."""
    for line, text in lines_of(path):
        fields = [field.strip() for field in text.split("\t")]
        if len(fields) not in allowed:
            also = " and their score" if 3 in allowed else ""
            raise wrong(
                path, line, f"{len(fields)} tab-separated fields; there should be two sentences{also}"
            )
        yield line, fields


def _row(path: Path, line: int, part: str, fields: list[str], gold: float) -> Row:
    if not all(fields[:2]):
        raise wrong(path, line, "a sentence is empty; there should be two")
    return {"id": f"{part}-{line}", "text_a": fields[0], "text_b": fields[1], "score": gold}


RELEASES = (
    Release(
        card=Card(
            name="clinicalsts",
            kind="similarity",
            metric="pearson",
            pair=True,
            range=(LOW, HIGH),
            domain="clinical",
            text="sentences of the Mayo Clinic's records",
            licence="data use agreement",
            source="ClinicalSTS / MedSTS, Wang et al. 2018",
        ),
        unit="pairs",
        seen="fixtures of its format, invented text",
        readers={"official": read},
        access=Access(
            page="https://arxiv.org/abs/1808.09397",
            how="ask the authors of MedSTS (Mayo Clinic) for the data of the shared task of 2018, and sign "
            "their data use agreement",
        ),
        sizes=(675, 75, 318),
    ),
)
