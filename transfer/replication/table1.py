"""Published Table 1 of Peng, Chen and Lu, BioNLP 2020: eight corpora, and why a release may differ from it.

The paper is "An Empirical Study of Multi-Task Learning on BERT for Biomedical Text Mining".
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from transfer.corpora.base import SPLITS, Split

SOURCE = "Table 1 of Peng, Chen and Lu, BioNLP 2020"


@dataclass(frozen=True)
class Published:
    """One corpus in the paper's table: ``counts`` are in ``unit``, and not numbers of training lines.

    ``why`` explains, split by split, a difference that is known; ``remark`` is about the figures
    themselves.
    """

    corpus: str
    task: str
    metric: str
    domain: str
    unit: str
    counts: Mapping[Split, int]
    why: Mapping[tuple[Split, ...], str]
    remark: str = ""


def _row(
    corpus: str,
    task: str,
    domain: str,
    unit: str,
    counts: tuple[int, int, int],
    *,
    metric: str = "F1",
    why: Mapping[tuple[Split, ...], str] | None = None,
    remark: str = "",
) -> Published:
    train, dev, test = counts
    counted: dict[Split, int] = {"train": train, "dev": dev, "test": test}
    return Published(corpus, task, metric, domain, unit, counted, why or {}, remark)


_RE, _RELATIONS = "Relation extraction", "positive relations"

PUBLISHED: Mapping[str, Published] = {
    "clinicalsts": _row(
        "ClinicalSTS",
        "Sentence similarity",
        "Clinical",
        "sentence pairs",
        (675, 75, 318),
        metric="Pearson",
    ),
    "shareclefe": _row("ShARe/CLEFE", "NER", "Clinical", "mentions", (4628, 1075, 5195)),
    "i2b2-2010-re": _row(
        "i2b2 2010",
        _RE,
        "Clinical",
        _RELATIONS,
        (3110, 11, 6293),
        remark="the 11 relations of the published dev split are those of a single document",
    ),
    "mednli": _row(
        "MedNLI", "Inference", "Clinical", "sentence pairs", (11232, 1395, 1422), metric="Accuracy"
    ),
    "bc5cdr-disease": _row(
        "BC5CDR disease",
        "NER",
        "Biomedical",
        "mentions",
        (4182, 4244, 4424),
        why={
            ("dev",): "the release has 4244; a widely used IOB conversion has 4246, since it ends a "
            "sentence within two mentions and so makes four of them"
        },
    ),
    "bc5cdr-chemical": _row("BC5CDR chemical", "NER", "Biomedical", "mentions", (5203, 5347, 5385)),
    "ddi2013": _row(
        "DDI",
        _RE,
        "Biomedical",
        _RELATIONS,
        (2937, 1004, 979),
        why={
            ("train", "dev"): "the release has no dev part and the paper's division of its documents is "
            "not published (another one in common use gives 3552 and 469). Train and dev together have "
            "4021 positive pairs in the release and 3941 in the paper: 80 are unaccounted for"
        },
    ),
    "chemprot": _row(
        "ChemProt",
        _RE,
        "Biomedical",
        _RELATIONS,
        (4154, 2416, 3458),
        why={
            ("train",): "the release has 4157 positive relations. Exactly 3 of them join two sentences, and "
            "pairs made sentence by sentence miss those: 4154"
        },
    ),
}


def published(corpus: str, split: Split) -> int | None:
    """The paper's count of a split; None for a corpus that it does not have."""
    return PUBLISHED[corpus].counts[split] if corpus in PUBLISHED else None


def notes_of(corpus: str, counts: Mapping[Split, int]) -> Iterator[str]:
    """Notes on a corpus's published counts: remarks, and why these ``counts`` differ from them."""
    if row := PUBLISHED.get(corpus):
        if row.remark:
            yield row.remark
        differ = {split for split in SPLITS if counts[split] != row.counts[split]}
        for splits, why in row.why.items():
            if differ & set(splits):
                yield f"{' and '.join(splits)}: {why}"
                differ -= set(splits)
        if differ:
            yield f"{' and '.join(s for s in SPLITS if s in differ)}: the difference is not explained"
