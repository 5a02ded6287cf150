"""SICK, how related two captions are and whether one follows from the other: 9,927 pairs, SemEval 2014.

Both corpora, ``sick-relatedness`` and ``sick-entailment``, have the same pairs in the same splits. The trial
part of the shared task is dev. A caption is part of about eight pairs, in all three parts alike, so
no ``doc`` is given: chains of shared captions join a fifth of the corpus into one.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    counted,
    fields_of,
    once,
    one_of,
    part_of,
    score,
    single_spaced,
    wrong,
)
from transfer.kinds import kind_of

LABELS = ("contradiction", "entailment", "neutral")
LOW, HIGH = 1.0, 5.0
COLUMNS = ("pair_ID", "sentence_A", "sentence_B", "relatedness_score", "entailment_judgment")
PARTS: Mapping[Split, str] = {
    "train": "SICK_train.txt",
    "dev": "SICK_trial.txt",
    "test": "SICK_test_annotated.txt",
}


def read(release: Path, watch: Watch, *, related: bool) -> Reading:
    """Every pair with its score or its label, in the order of the release. Raises InputError, see Release."""
    rows: dict[Split, list[Row]] = {}
    seen: dict[str, str] = {}
    for split, name in PARTS.items():
        path = part_of(release, name)
        (first, head), *lines = list(fields_of(path, COLUMNS)) or [(1, [])]
        if tuple(head) != COLUMNS:
            raise wrong(path, first, f"the first line should name the columns: {', '.join(COLUMNS)}")
        rows[split] = []
        for line, (number, a, b, relatedness, judgment) in watch(lines, f"SICK {split}"):
            texts = [single_spaced(text) for text in (a, b)]
            if not all(texts):
                raise wrong(path, line, "a sentence is empty")
            row = {
                "id": once(seen, path, line, f"sick-{number}"),
                "text_a": texts[0],
                "text_b": texts[1],
            }
            scored = score(path, line, relatedness, LOW, HIGH)
            label = one_of(path, line, COLUMNS[-1], judgment.lower(), LABELS)
            rows[split].append(row | ({"score": scored} if related else {"label": label}))
    return counted(rows)


def _card(name: str, **more) -> Card:
    return Card(
        name=name,
        pair=True,
        domain="general",
        text="image and video captions",
        licence="CC BY-NC-SA 3.0",
        source="SICK, Marelli et al. 2014",
        **more,
    )


RELEASES = tuple(
    Release(
        card=card,
        unit="pairs",
        seen="the release",
        readers={"official": partial(read, related=kind_of(card.kind).numeric)},
        access=github(
            "brmson/dataset-sts",
            "e1d3375f5b3bc24f21aa4e46f96eb379e9fc1081",
            (
                (
                    "SICK_train.txt",
                    506243,
                    "266cf8047149bd1d68138dd30439f3122bff30069740ac6705bb6197d9f1b48e",
                ),
                ("SICK_trial.txt", 57225, "5a88cfb62f8c6bd2a3cce0f2421ba2cb8c2be5ab4a800f6f01e2c64aafb7db56"),
                (
                    "SICK_test_annotated.txt",
                    559979,
                    "2b8aa806658d6fc23c6824c83776c2d4fee7556000817b5ec0f982861413b7d0",
                ),
                ("readme.txt", 1337, "4ff14a2b07603f2214c2803a6e012048c795be5ba4e5d1d33b87d7210f633bf7"),
            ),
            page="https://zenodo.org/record/2787612",
            below="data/sts/sick2014/",
        ),
        sizes=(4500, 500, 4927),
    )
    for card in (
        _card("sick-relatedness", kind="similarity", metric="pearson", range=(LOW, HIGH)),
        _card("sick-entailment", kind="classification", metric="accuracy", labels=LABELS),
    )
)
