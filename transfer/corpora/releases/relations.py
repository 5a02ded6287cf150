"""Relations as sentences in which the two arguments are replaced by tags."""

from transfer.corpora.releases.text import Span


def masked(text: str, first: tuple[Span, str], second: tuple[Span, str], *, both: str) -> str:
    """A sentence with its two arguments, each (span in ``text``, name), as ``@NAME$``.

    Arguments that share a character become one tag, ``both``, over all that they cover; arguments
    that only touch stay two. White space is collapsed.

    >>> masked("aspirin blocks COX-2", ((0, 7), "CHEMICAL"), ((15, 20), "GENE"), both="CHEM-GENE")
    '@CHEMICAL$ blocks @GENE$'
    """
    (a, b), (c, d) = first[0], second[0]
    if a < d and c < b:
        pieces = [(min(a, c), max(b, d), both)]
    else:
        pieces = sorted([(a, b, first[1]), (c, d, second[1])])
    out, at = [], 0
    for start, end, name in pieces:
        out += [text[at:start], f"@{name}$"]
        at = end
    return " ".join("".join([*out, text[at:]]).split())
