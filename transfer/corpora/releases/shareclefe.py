"""ShARe/CLEF eHealth 2013, task 1, disorders: 299 clinical notes, gold as Knowtator XML or pipe lines.

Either format may be the gold of either part, ``<text>.knowtator.xml`` or a file named as the text,
directly in the folder of its part or further below. Places are characters of the text file as it is
(its line ends too). The release has no dev part; the BLUE benchmark's is a list of documents that its
repository does not have.

Notes are wrapped by hand. A line runs on into the next one if it has at least 50 characters, does not
end in a colon, and the next line neither is blank nor looks like a list item (``-``, ``*``, ``#``,
``1.``, ``1)``) or a header (``Discharge Diagnosis:``). Sentences are then found in the text with these
line ends as spaces; all others end a sentence: headers and lists stay sentences of their own. A
mention over a border joins the sentences. A de-identification mark, ``[**Hospital1 18**]``, is one
token and holds no border; the benchmark writes PATTERN over it instead.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Split
from transfer.corpora.releases.access import Access
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    dev_by_hash,
    lines_of,
    part_of,
    text_of,
    whole,
    wrong,
)
from transfer.corpora.releases.mentions import Mention, tagged_rows, told, visible
from transfer.corpora.releases.text import MARK, Span, sentences
from transfer.corpora.releases.xml_documents import root_of

ENTITY = "Disease_Disorder"

# the folder of the texts and that of the gold
TRAIN = ("Task1TrainSetCorpus199", "Task1TrainSetGOLD199knowtatorehost")
TEST = ("Task1TestSetCorpus100", "Task1Gold_SN2012")

_LONG = 50
_OPENS = re.compile(r"[ \t]*(?:[-*#•]|\d{1,2}[.)][ \t]|[A-Z][A-Za-z /&()-]{0,40}:|[ \t]*$)")
_LINE = re.compile(r"([^\r\n]*)(\r\n|\n|\r)")


def read(release: Path, watch: Watch) -> Reading:
    """The disorders. Raises InputError, see Release."""
    train, counts = _part(release, *TRAIN, watch, "ShARe/CLEF train")
    test, test_counts = _part(release, *TEST, watch, "ShARe/CLEF test")
    kept, dev, said = dev_by_hash(train)
    in_dev = {row["doc"] for row in dev}
    parts: Mapping[Split, list[Counter[str]]] = {
        "train": [count for doc, count in counts.items() if doc not in in_dev],
        "dev": [count for doc, count in counts.items() if doc in in_dev],
        "test": list(test_counts.values()),
    }
    gold: dict[Split, int] = {}
    notes: list[str] = []
    for split, of_documents in parts.items():
        count = sum(of_documents, Counter[str]())
        gold[split] = count["mentions"]
        notes += told(split, count)
    return Reading({"train": kept, "dev": dev, "test": test}, gold, f"official train and test; {said}", notes)


def _part(
    release: Path, texts: str, gold: str, watch: Watch, what: str
) -> tuple[list[Row], dict[str, Counter[str]]]:
    """The rows of a part, and for each document what tagged_rows counts, and "trimmed"."""
    home, gold_home = part_of(release, texts), part_of(release, gold)
    notes = _files(home, ".txt")
    annotated = _files(gold_home, ".knowtator.xml", ".txt")
    for doc in sorted(annotated.keys() - notes.keys()):
        raise wrong(annotated[doc], None, f"there is no text {doc}.txt in {home}")
    for doc in sorted(notes.keys() - annotated.keys()):
        raise wrong(
            notes[doc],
            None,
            f"there is no gold in {gold_home}; one without disorders has an empty .txt there",
        )
    rows: list[Row] = []
    counts: dict[str, Counter[str]] = {}
    for doc in watch(sorted(notes), what):
        text = text_of(notes[doc])
        if not text.strip():
            raise wrong(notes[doc], None, "holds no text; is the file cut?")
        path = annotated[doc]
        find = partial(_knowtator, path) if path.suffix == ".xml" else partial(_pipes, path, doc)
        trimmed: Counter[str] = Counter()
        mentions = list(find(text, trimmed))
        made, counts[doc] = tagged_rows(doc, text, _sentences(path, text, mentions), mentions)
        counts[doc] += trimmed
        rows += made
    return rows, counts


def _files(home: Path, *endings: str) -> dict[str, Path]:
    """The files below a folder by document; hidden ones, which archives bring along, are none of it.

    Raises InputError where there is none, or two of a document.
    """
    found: dict[str, Path] = {}
    for path in sorted(home.rglob("*")):
        below = path.relative_to(home).parts
        ending = next((ending for ending in endings if path.name.endswith(ending)), None)
        if not ending or any(part.startswith((".", "__")) for part in below) or not path.is_file():
            continue
        doc = path.name.removesuffix(ending).removesuffix(".txt")
        if doc in found:
            raise wrong(home, None, f"{doc} is there twice: {found[doc]} and {path}; one should go")
        found[doc] = path
    if not found:
        raise wrong(home, None, f"holds no file that ends in {' or '.join(endings)}")
    return found


def _sentences(path: Path, text: str, mentions: list[Mention]) -> list[Span]:
    """See the top of this module. The spans are places in the text itself."""
    found = sentences(_unwrapped(text), mentions=[mention.span for mention in mentions])
    for a, b in (mention.span for mention in mentions):
        if not any(start <= a and b <= end for start, end in found):
            raise wrong(path, None, f"no sentence of the text holds {text[a:b]!r}, characters {a} to {b}")
    return found


def _unwrapped(text: str) -> str:
    """A copy of the same length to find sentences in: marks are words, lines that run on are one."""
    # a mark holds full stops, colons and line ends of its own
    text = MARK.sub(lambda mark: "X" + "x" * (len(mark.group()) - 1), text)
    pieces, at = [], 0
    for match in _LINE.finditer(text):
        line, end = match.groups()
        after = text[match.end() : match.end() + 80].splitlines() or [""]
        runs_on = len(line.strip()) >= _LONG and not line.rstrip().endswith(":")
        pieces += [line, " " * len(end) if runs_on and not _OPENS.match(after[0]) else end]
        at = match.end()
    return "".join([*pieces, text[at:]])


def _pipes(path: Path, doc: str, text: str, trimmed: Counter[str]) -> Iterator[Mention]:
    """``note.txt||Disease_Disorder||C0020538||start||end``, and start and end of further pieces."""
    for number, line in lines_of(path):
        fields = line.strip().split("||")
        if len(fields) < 5 or len(fields) % 2 == 0:
            raise wrong(
                path, number, f"should be like {doc}.txt||{ENTITY}||C0020538||10||24, with an end each"
            )
        name, kind, _, *places = fields
        if name.removesuffix(".txt") != doc:
            raise wrong(path, number, f"is about {name!r}, but stands in the file of {doc}")
        numbers = [whole(path, number, "a place", place) for place in places]
        spans = list(zip(numbers[::2], numbers[1::2], strict=True))
        yield _mention(path, number, "", text, spans, kind, trimmed)


def _knowtator(path: Path, text: str, trimmed: Counter[str]) -> Iterator[Mention]:
    """An ``annotation`` has spans and the id of a mention, whose ``classMention`` has its class."""
    root = root_of(path, "annotations", declared=False)
    classes: dict[str, str] = {}
    for element in root.iter("classMention"):
        id_ = _attribute(path, element, "id", "a classMention")
        if id_ in classes:
            raise wrong(path, None, f"the classMention {id_} is there twice")
        classes[id_] = _attribute(path, element.find("mentionClass"), "id", f"the mentionClass of {id_}")
    for element in root.iter("annotation"):
        id_ = _attribute(path, element.find("mention"), "id", "the mention of an annotation")
        if id_ not in classes:
            raise wrong(path, None, f"{id_}: there is no classMention of this id")
        spans = []
        for span in element.iter("span"):
            start, end = (_attribute(path, span, key, f"a span of {id_}") for key in ("start", "end"))
            spans.append((whole(path, None, f"{id_}: start", start), whole(path, None, f"{id_}: end", end)))
        if not spans:
            raise wrong(path, None, f"{id_}: its annotation has no span")
        mention = _mention(path, None, f"{id_}: ", text, spans, classes[id_], trimmed)
        said = element.findtext("spannedText")
        there = " … ".join(text[a:b] for a, b in mention.parts)
        # letters and digits only: pieces are joined by dots, line ends come as spaces or not at all
        if said is not None and _plain(said) != _plain(there):
            raise wrong(path, None, f"{id_}: its places are {there!r}, but the spannedText is {said!r}")
        yield mention


def _attribute(path: Path, element: Any, name: str, what: str) -> str:
    value = None if element is None else element.get(name)
    if not value:
        raise wrong(path, None, f"{what} has no attribute '{name}'")
    return value


def _mention(
    path: Path,
    line: int | None,
    what: str,
    text: str,
    spans: list[Span],
    kind: str,
    trimmed: Counter[str],
) -> Mention:
    """A mention without white space at the ends of its pieces; ``what`` begins its errors."""
    if kind != ENTITY:
        raise wrong(path, line, f"{what}the class {kind!r} is not {ENTITY}")
    parts = []
    for start, end in sorted(set(spans)):
        if not start < end <= len(text):
            raise wrong(path, line, f"{what}{start} to {end} is no place in a text of {len(text)} characters")
        if parts and start < parts[-1][1]:
            raise wrong(path, line, f"{what}two pieces of the mention overlap at character {start}")
        part = visible(text, start, end)
        if part is None:
            raise wrong(path, line, f"{what}characters {start} to {end} are white space")
        parts.append(part)
    trimmed["trimmed"] += parts != sorted(set(spans))
    return Mention(tuple(parts), kind)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


RELEASES = (
    Release(
        card=Card(
            name="shareclefe",
            kind="tagging",
            metric="span_f1",
            entities=(ENTITY,),
            domain="clinical",
            text="discharge summaries and reports of MIMIC-II",
            licence="data use agreement",
            source="ShARe/CLEF eHealth 2013, Suominen et al. 2013",
        ),
        unit="mentions",
        seen="fixtures of its format, invented text",
        readers={"official": read},
        access=Access(
            page="https://physionet.org/content/shareclefehealth2013/",
            how="become a credentialed user of PhysioNet, sign the data use agreement of this data set, and "
            "download the files of task 1 there",
        ),
    ),
)
