"""Mentions in brat stand-off: lines ``T1<tab>Type 0 4;9 12<tab>text`` of an ``.ann`` file."""

import re
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from transfer.corpora.releases.base import wrong
from transfer.corpora.releases.mentions import Mention, joined, visible

_TEXT_BOUND = re.compile(r"T\S*\t(\S+) (\d{1,9} \d{1,9}(?:;\d{1,9} \d{1,9})*)\t(.*)", re.ASCII)


def standoff(
    path: Path, content: str, text: str, counts: Counter[str], *, types: Collection[str] | None = None
) -> list[Mention]:
    """The mentions of a document (of some ``types`` only), in the order of its file.

    ``content`` is that of the ``.ann`` file at ``path``, ``text`` the document. White space at the ends of a
    mention is left out and counted (``trimmed``), pieces with nothing else between them are joined
    (``joined``). Raises InputError where offsets and text do not agree.
    """
    found = []
    for number, line in enumerate(content.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line.strip() or line[0] in "REAMN#*":
            continue
        match = _TEXT_BOUND.fullmatch(line)
        if not match:
            raise wrong(path, number, f"{line[:60]!r}; a mention is written T1<tab>Type 0 4<tab>its text")
        parts = tuple((int(a), int(b)) for a, b in (pair.split(" ") for pair in match[2].split(";")))
        for a, b in parts:
            if not a < b <= len(text):
                raise wrong(
                    path, number, f"the offsets {a} {b} are not in the text, which has {len(text)} characters"
                )
        said = " ".join(text[a:b] for a, b in parts)
        # brat writes a line break within a mention as a space
        if said.split() != match[3].split():
            raise wrong(
                path, number, f"at {match[2]} the text has {said[:60]!r}, the mention says {match[3][:60]!r}"
            )
        seen = tuple(part for a, b in parts if (part := visible(text, a, b)))
        if not seen:
            raise wrong(path, number, f"the mention at {match[2]} is nothing but white space")
        if types is not None and match[1] not in types:
            continue
        counts["trimmed"] += seen != parts
        whole = joined(text, seen)
        counts["joined"] += whole != seen
        found.append(Mention(whole, match[1]))
    return found
