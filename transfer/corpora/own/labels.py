"""Checks of users' labels: spellings of one number, names that look alike, names missing from train."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from transfer.corpora.base import Split
from transfer.corpora.releases.base import Row
from transfer.inputs import InputError

# as programs write numbers; one that begins with a zero is a code
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*)(\.\d*)?([eE][+-]?\d{1,3})?", re.ASCII)
_MISSING = {"nan", "<na>", "n/a", "na", "null", "#n/a", "nat"}
# letters of other scripts that look like Latin ones
_LATIN = str.maketrans(
    "аеорсухіјѕԁһӏАВЕКМНОРСТУХІЈЅοαινρυκΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhlABEKMHOPCTYXIJSoaivpukABEZHIKMNOPTYX",
)


def labels_of(row: Row) -> set[str]:
    """Labels of a row of any kind: label, labels, types of mentions, or plain tags."""
    if "label" in row:
        return {row["label"]}
    if "labels" in row:
        return set(row["labels"])
    tags = {tag[2:] if tag.startswith(("B-", "I-")) else tag for tag in row.get("tags", ()) if tag != "O"}
    return tags | {kind for kind, *_ in row.get("mentions", ())}


def one_spelling(labels: Iterable[str]) -> dict[str, str]:
    """Shortest spelling of each label that equals another one as a number.

    >>> one_spelling(["1.0", "1", "01", "yes"])
    {'1.0': '1'}
    """
    by_value: dict[Decimal, set[str]] = {}
    for label in labels:
        if _NUMBER.fullmatch(label):
            by_value.setdefault(Decimal(label), set()).add(label)
    spelling = {}
    for same in by_value.values():
        best = min(same, key=lambda label: (len(label), label))
        spelling |= {label: best for label in sorted(same) if label != best}
    return spelling


def respelled(row: Row, spelling: Mapping[str, str]) -> Row:
    """Return the row with its label or labels in the given spelling."""
    if "label" in row:
        return {**row, "label": spelling.get(row["label"], row["label"])}
    if "labels" in row:
        return {**row, "labels": list(dict.fromkeys(spelling.get(label, label) for label in row["labels"]))}
    return row


def told_of_spelling(spelling: Mapping[str, str]) -> list[str]:
    """Doubts about labels that were merged."""
    by_label: dict[str, list[str]] = {}
    for label, best in spelling.items():
        by_label.setdefault(best, []).append(label)
    return [
        f"the labels {' and '.join(map(repr, sorted((*others, best))))} are equal as numbers and were taken "
        f"for one label, '{best}'; write names in place of numbers to keep them apart"
        for best, others in sorted(by_label.items())
    ]


def check_look_alikes(places: Mapping[str, str]) -> list[str]:
    """Doubts about labels that differ little; ``places`` has the first place of each label.

    Raises InputError where two labels look the same: they differ in invisible characters, in white space
    or in the Unicode form of the same letters.
    """
    same: dict[str, str] = {}
    near: dict[str, str] = {}
    doubts = []
    for label, where in places.items():
        bare = _visible(label)
        if bare in same:
            other = same[bare]
            raise InputError(
                f"{where}: the label {_spelled(label, other)} looks like {_spelled(other, label)} at "
                f"{places[other]} but is another one; write both with the same characters"
            )
        same[bare] = label
        if bare != label:
            doubts.append(
                f"{where}: the label {_spelled(label, bare)} holds characters that cannot be seen or are not "
                "in their usual form; delete them"
            )
        loose = unicodedata.normalize("NFKC", bare).translate(_LATIN).casefold()
        if loose in near:
            other = near[loose]
            both = f"{_spelled(label, other)} and {_spelled(other, label)} ({places[other]})"
            doubts.append(f"{where}: the labels {both} were taken for two; write them alike if they are one")
        near.setdefault(loose, label)
        if label.casefold() in _MISSING:
            doubts.append(
                f"{where}: the label '{label}' was taken for a label; leave those rows out if it stands for "
                "a missing one"
            )
    return doubts


def _visible(label: str) -> str:
    """Normalize a label to what is visible: composed characters, single spaces, nothing invisible."""
    seen = "".join(c for c in unicodedata.normalize("NFC", label) if not _is_invisible(c))
    return " ".join(seen.split())


def _is_invisible(c: str) -> bool:
    if "\ufe00" <= c <= "\ufe0f" or c == "\u034f":  # variation selectors, the grapheme joiner
        return True
    return unicodedata.category(c) in ("Cf", "Cc") and not c.isspace()


def _spelled(label: str, other: str) -> str:
    """Label with those of its code points that the other one lacks."""
    odd = Counter(label) - Counter(other)
    told = ", ".join(f"U+{ord(c):04X}" for c in dict.fromkeys(label) if c in odd)
    return f"'{label}'" + (f" (with {told})" if told else "")


def check_drift(given: Mapping[Split, Sequence[tuple[Row, str]]]) -> None:
    """Raise InputError, with the place, if test or dev has a label that train lacks."""
    if "train" not in given:
        return
    known = {label for row, _ in given["train"] for label in labels_of(row)}
    for split in ("test", "dev"):
        counts: Counter[str] = Counter()
        first: dict[str, str] = {}
        for row, where in given.get(split, ()):
            for label in labels_of(row) - known:
                counts[label] += 1
                first.setdefault(label, where)
        if counts:
            some = ", ".join(
                f"'{label}' ({n} of {len(given[split])} items)" for label, n in counts.most_common(5)
            )
            more = f" and {len(counts) - 5} more" if len(counts) > 5 else ""
            raise InputError(
                f"{first[next(iter(first))]}: {split} has labels that train lacks: {some}{more}; train has "
                f"{_some(known)}. Write them as in train, leave those items out, or let the splits be made "
                "anew (one file with all items in --from)"
            )


def _some(labels: Iterable[str]) -> str:
    names = [f"'{label}'" for label in sorted(labels)]
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "") if names else "none"
