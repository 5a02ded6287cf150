"""BioNLP-ST 2013 Cancer Genetics, 16 types of physical entities in abstracts on cancer: 600 abstracts.

The release is the widely used IOB conversion (github.com/cambridgeltl/MTL-Bioinformatics-2016): a token and
its tag with a tab between, a blank line after each sentence. Of overlapping mentions it has the shorter,
and it does not say where a document begins, so no ``doc`` is given.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import Reading, Release, Row, Watch, one_of, part_of, text_of, wrong

TYPES = (
    "Amino_acid",
    "Anatomical_system",
    "Cancer",
    "Cell",
    "Cellular_component",
    "Developing_anatomical_structure",
    "Gene_or_gene_product",
    "Immaterial_anatomical_entity",
    "Multi-tissue_structure",
    "Organ",
    "Organism",
    "Organism_subdivision",
    "Organism_substance",
    "Pathological_formation",
    "Simple_chemical",
    "Tissue",
)
PARTS: Mapping[Split, str] = {"train": "train.tsv", "dev": "devel.tsv", "test": "test.tsv"}


def read(release: Path, watch: Watch) -> Reading:
    """Every sentence, in the order of the release. Raises InputError, see Release."""
    rows: dict[Split, list[Row]] = {}
    for split, name in PARTS.items():
        found = watch(list(_sentences(part_of(release, name))), f"BioNLP13CG {split}")
        rows[split] = [
            {"id": f"bionlp13cg-{split}-{number:05d}", "tokens": tokens, "tags": tags}
            for number, (tokens, tags) in enumerate(found)
        ]
    gold: dict[Split, int] = {
        split: sum(tag.startswith("B-") for row in part for tag in row["tags"])
        for split, part in rows.items()
    }
    return Reading(rows, gold, "official")


def _sentences(path: Path) -> Iterator[tuple[list[str], list[str]]]:
    """The tokens and the tags of each sentence."""
    tokens: list[str] = []
    tags: list[str] = []
    for line, text in enumerate([*text_of(path).split("\n"), ""], 1):
        text = text.removesuffix("\r")
        if not text.strip():
            if tokens:
                yield tokens, tags
            tokens, tags = [], []
            continue
        token, tab, tag = text.partition("\t")
        if not (tab and token.strip()):
            raise wrong(path, line, f"is {text[:40]!r}; it should be a token, a tab and its tag")
        begin, _, kind = tag.partition("-")
        if tag != "O":
            one_of(path, line, "the tag's type", kind, TYPES)
            if begin not in ("B", "I") or (begin == "I" and (not tags or tags[-1][2:] != kind)):
                raise wrong(path, line, f"the tag is {tag!r}; a mention is B-{kind} and then I-{kind}")
        tokens.append(token.strip())
        tags.append(tag)


RELEASES = (
    Release(
        card=Card(
            name="bionlp13cg",
            kind="tagging",
            metric="span_f1",
            entities=TYPES,
            domain="biomedical",
            text="cancer abstracts",
            licence="CC BY-SA 3.0",
            source="BioNLP-ST 2013 CG, Pyysalo et al. 2013",
        ),
        unit="mentions",
        seen="the release",
        readers={"official": read},
        access=github(
            "cambridgeltl/MTL-Bioinformatics-2016",
            "df0df02fae6dbb87d88ffcf323b9096528f06f84",
            (
                ("train.tsv", 943120, "016ee311428431433c46ceeebeba5fce9c3da9bfd05fafcc484e57a736ea91e7"),
                ("devel.tsv", 316312, "6c834f3a16ed080940e7e12d831ca8f79458d08db5d6f0c1fdbfe85c3c7a072c"),
                ("test.tsv", 593469, "9ee374ba1b93af177ba3d39dfda4c7e1602bd703d8011bae46a34f3d719cd338"),
                ("LICENSE", 1628, "1d790b574972b557cdda066d2d76d8de9251f4decfa291fd5fc4b565a33c1262"),
            ),
            page="http://2013.bionlp-st.org",
            below="data/BioNLP13CG-IOB/",
        ),
        sizes=(3033, 1003, 1906),
    ),
)
