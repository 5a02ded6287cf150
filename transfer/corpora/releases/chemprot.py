"""ChemProt, chemical-protein relations of BioCreative VI: tab-separated files, 2,432 abstracts.

An item is a chemical and a gene in one sentence; its label is the group of their relation that the
task evaluates, or ``false``. A title is a sentence of its own.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import Reading, Release, Row, Watch, fields_of, part_of, whole, wrong
from transfer.corpora.releases.relations import masked
from transfer.corpora.releases.text import Span, sentences

GROUPS = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
NEGATIVE = "false"
NAMES = {"CHEMICAL": "CHEMICAL", "GENE-Y": "GENE", "GENE-N": "GENE"}

# the folder of each part, what its files' names begin with, and how those of the test part end
PARTS: Mapping[Split, tuple[str, str, str]] = {
    "train": ("chemprot_training", "chemprot_training", ""),
    "dev": ("chemprot_development", "chemprot_development", ""),
    "test": ("chemprot_test_gs", "chemprot_test", "_gs"),
}

# what of each part is downloaded: ending of the file's name, its size, its SHA-256
FILES = (
    (
        ("abstracts", 1651352, "2eef8782dc6c1474115ce5b780d6b4bc8f68d98e34fbf1619b9502fafc97685b"),
        ("entities", 1034121, "ec01f954803d6854965b36b4c222001246b93b683a8fde4f4944132779161a7e"),
        ("gold_standard", 134129, "dc1333bf582ecf67ca1a1fe05c27bfaa03969a5ef3d70543d0c7a90e2dd9896e"),
    ),
    (
        ("abstracts", 996720, "186a45a6b604d602c3fcf2a04fe6cc9b5f5d6dbe5542babfc685d56db1fd617d"),
        ("entities", 625293, "7b75bd8e5397a72a29a387bb12f847487938b7469c84d04b289ccaa8009ec12a"),
        ("gold_standard", 77885, "7fc258e29160c18807b12cb34e30fce6a4c26df835247febaafa21dc49e6ec60"),
    ),
    (
        ("abstracts_gs", 1310940, "9b7de664f0b4231d6e58992f091aa36bc577ca3f12f0565bc2d898af3982645b"),
        ("entities_gs", 843329, "37a9addd54822a1fd8636cddca01dd9ddadc0776b76140271869bf9e02203d99"),
        ("gold_standard", 111512, "3dc760bf88a0a9b3ef4b2374b97d67c89bb8f4309905729546bab10beccb236b"),
    ),
)


@dataclass(frozen=True)
class Entity:
    """A chemical or a gene: its span counts from the start of title, one character, abstract."""

    name: str
    span: Span


# the abstracts (title, text), the entities of each, the evaluated groups of each pair
_Part = tuple[
    dict[str, tuple[str, str]],
    Mapping[str, dict[str, Entity]],
    dict[tuple[str, str, str], tuple[str, ...]],
]


def read(release: Path, watch: Watch) -> Reading:
    """Every chemical-gene pair. Raises InputError, see Release.

    A pair with several evaluated relations is one item; its label is the group that is rarest in
    the whole training part, so that a rare relation is not hidden behind a common one.
    """
    parts: dict[Split, _Part] = {split: _part(release, *names) for split, names in PARTS.items()}
    common = Counter(group for groups in parts["train"][2].values() for group in groups)
    rows: dict[Split, list[Row]] = {}
    gold: dict[Split, int] = {}
    notes: list[str] = []
    for split, (abstracts, entities, relations) in parts.items():
        gold[split] = sum(len(groups) for groups in relations.values())
        rows[split] = []
        met: set[tuple[str, str, str]] = set()
        for pmid, (title, abstract) in watch(list(abstracts.items()), f"ChemProt {split}"):
            text = f"{title} {abstract}"
            for start, end, here in _by_sentence(title, abstract, entities[pmid]):
                for a, chemical in here.items():
                    for b, gene in here.items():
                        if (chemical.name, gene.name) != ("CHEMICAL", "GENE"):
                            continue
                        met.add((pmid, a, b))
                        groups = relations.get((pmid, a, b), ())
                        shift = [(x - start, y - start) for x, y in (chemical.span, gene.span)]
                        rows[split].append(
                            {
                                "id": f"{pmid}.{a}.{b}",
                                "doc": pmid,
                                "text": masked(
                                    text[start:end],
                                    (shift[0], "CHEMICAL"),
                                    (shift[1], "GENE"),
                                    both="CHEM-GENE",
                                ),
                                "label": min(groups, key=lambda g: (common[g], g), default=NEGATIVE),
                            }
                        )
        apart = sum(len(groups) for pair, groups in relations.items() if pair not in met)
        several = sum(len(groups) > 1 for pair, groups in relations.items() if pair in met)
        if apart:
            notes.append(f"{split}: {apart} positive relations are between two sentences and have no item")
        if several:
            notes.append(f"{split}: {several} pairs have two groups; an item has the rarer one")
    return Reading(rows, gold, "official", notes)


def _by_sentence(title: str, abstract: str, entities: Mapping[str, Entity]):
    """Start, end and entities of each sentence, as characters of title, one character, abstract."""
    after = len(title) + 1
    inside = [(e.span[0] - after, e.span[1] - after) for e in entities.values() if e.span[0] >= after]
    found = sentences(abstract, mentions=inside)
    for start, end in [(0, len(title)), *((a + after, b + after) for a, b in found)]:
        yield start, end, {i: e for i, e in entities.items() if start <= e.span[0] and e.span[1] <= end}


def _part(release: Path, folder: str, begin: str, end: str) -> _Part:
    home = part_of(release, folder)
    abstracts: dict[str, tuple[str, str]] = {}
    path = home / f"{begin}_abstracts{end}.tsv"
    for line, (pmid, title, abstract) in fields_of(path, ("PMID", "title", "abstract")):
        if pmid in abstracts:
            raise wrong(path, line, f"the abstract {pmid} is there twice")
        abstracts[pmid] = title, abstract
    if not abstracts:
        raise wrong(path, None, "holds no abstract")
    entities = _entities(home / f"{begin}_entities{end}.tsv", abstracts)
    return abstracts, entities, _relations(home / f"{begin}_gold_standard.tsv", entities)


def _entities(path: Path, abstracts: Mapping[str, tuple[str, str]]) -> Mapping[str, dict[str, Entity]]:
    found: dict[str, dict[str, Entity]] = {pmid: {} for pmid in abstracts}
    names = ("PMID", "entity", "type", "start", "end", "text")
    for line, (pmid, id_, kind, start, end, said) in fields_of(path, names):
        if pmid not in found:
            raise wrong(path, line, f"there is no abstract {pmid!r}")
        if kind not in NAMES:
            raise wrong(path, line, f"the type {kind!r} is not one of {', '.join(NAMES)}")
        if id_ in found[pmid]:
            raise wrong(path, line, f"the entity {id_} of {pmid} is there twice")
        title, abstract = abstracts[pmid]
        a, b = whole(path, line, "start", start), whole(path, line, "end", end)
        there = f"{title}\t{abstract}"[a:b]  # one character between them, which no mention covers
        if there != said or not said:
            raise wrong(path, line, f"characters {a} to {b} of {pmid} are {there!r}, the entity is {said!r}")
        found[pmid][id_] = Entity(NAMES[kind], (a, b))
    return found


def _relations(
    path: Path, entities: Mapping[str, Mapping[str, Entity]]
) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """The evaluated groups of each pair (PMID, chemical, gene)."""
    found: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for line, (pmid, group, *arguments) in fields_of(path, ("PMID", "group", "Arg1:T…", "Arg2:T…")):
        if group not in GROUPS:
            raise wrong(path, line, f"the group {group!r} is not one of {', '.join(GROUPS)}")
        ids = []
        for argument, role, name in zip(arguments, ("Arg1", "Arg2"), ("CHEMICAL", "GENE"), strict=True):
            entity = entities.get(pmid, {}).get(argument.removeprefix(f"{role}:"))
            if not argument.startswith(f"{role}:") or entity is None:
                raise wrong(path, line, f"{argument!r} is not '{role}:' and an entity of {pmid}")
            if entity.name != name:
                raise wrong(path, line, f"{argument!r} is a {entity.name}; {role} should be a {name}")
            ids.append(argument.removeprefix(f"{role}:"))
        pair = (pmid, ids[0], ids[1])
        if group in found[pair]:
            raise wrong(path, line, f"says a second time that {pmid} {ids[0]} {ids[1]} is {group}")
        found[pair].append(group)
    return {pair: tuple(groups) for pair, groups in found.items()}


RELEASES = (
    Release(
        card=Card(
            name="chemprot",
            kind="classification",
            metric="micro_f1",
            labels=(*GROUPS, NEGATIVE),
            negative=NEGATIVE,
            domain="biomedical",
            text="PubMed abstracts",
            licence="no licence text; shared-task release",
            source="ChemProt, Krallinger et al. 2017",
        ),
        unit="positive relations",
        seen="the release",
        readers={"official": read},
        access=github(
            "ChrisC1224/ChemProt",
            "fb5bad792138ff6bafa486a2fb90a5b7c31269ac",
            tuple(
                (f"{folder}/{begin}_{what}.tsv", size, sha256)
                for (folder, begin, _), files in zip(PARTS.values(), FILES, strict=True)
                for what, size, sha256 in files
            ),
            page="https://biocreative.bioinformatics.udel.edu/tasks/biocreative-vi/track-5",
        ),
        sizes=(18773, 11685, 16197),
    ),
)
