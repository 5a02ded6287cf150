"""Tag schemes (BIO, IOB1, IO, BIOES and their spellings): detection, and conversion to BIO."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from transfer.inputs import InputError, did_you_mean

Scheme = Literal["bio", "iob1", "io", "bioes"]

# a tag sequence, and the place of each tag as a message names it
Placed = Sequence[tuple[str, str]]
# a tag as its letter (B, I, E, S or O) and its type
Parts = tuple[str, str]

_LETTERS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S", "W": "S"}
_SEPARATORS = "-_:/|"
# how some corpora write a token outside all mentions; O is what the others write
_OUTSIDE = ("_", "-", "0")


@dataclass(frozen=True)
class Read:
    """Tags of a corpus in BIO, their original scheme, and the assumptions made."""

    sequences: list[list[str]]
    scheme: str
    doubts: tuple[str, ...] = ()


def as_bio(
    sequences: Sequence[Placed], *, name: str = "", entity: str | None = None, scheme: Scheme | None = None
) -> Read:
    """Convert the tags of a corpus from any scheme to BIO.

    Mentions are those that conlleval and seqeval find: a tag begins one where its letter is B or S,
    the mention before has ended, or its type is another. Detected over all sequences; a ``scheme``
    that is given is checked instead. Tags without a type get ``entity``, else the corpus's ``name``.
    Raises InputError, with the place of a tag, for one that cannot be read or that departs from the
    given scheme.

    >>> as_bio([[("I-X", "line 1"), ("B-X", "line 2")]]).sequences
    [['B-X', 'B-X']]
    """
    places: dict[str, str] = {}
    for sequence in sequences:
        for tag, where in sequence:
            places.setdefault(tag, where)
    meaning, doubts = _meaning(places, scheme)
    doubts += _types(places, meaning, name, entity)
    parts = [[meaning[tag] for tag, _ in sequence] for sequence in sequences]
    found = scheme or _detected(parts)
    departures = Counter[str]()
    first: dict[str, tuple[str, str]] = {}
    for sequence, split in zip(sequences, parts, strict=True):
        for what, i in _departures(split, found):
            departures[what] += 1
            first.setdefault(what, sequence[i])
    for what, count in departures.items():
        tag, where = first[what]
        if scheme:
            raise InputError(f"{where}: '{tag}' {_ONE[what]}, which --scheme {scheme} does not allow")
        doubts.append(_MANY[what].format(count=count, tag=tag, where=where, read=_READ))
    if found == "io" and not scheme:
        doubts.append(
            "no tag says where a mention begins: neighbouring tokens of one type are read as one mention "
            "(--scheme io says that this is right)"
        )
    return Read([_bio(split) for split in parts], _SHOWN[found], tuple(doubts))


_SHOWN = {"bio": "BIO", "iob1": "IOB1", "io": "IO", "bioes": "BIOES", "bie": "BIE", "ioe": "IOE"}
_READ = "read as conlleval and seqeval do; --strict refuses them"
_ONE = {
    "orphan": "follows no mention that it could continue",
    "unclosed": "leaves its mention without an end (E or S)",
    "opening": "begins a mention that does not follow one of its type",
    "letter": "has a letter of another scheme",
}
_ALLOWED = {"bio": "OBI", "iob1": "OBI", "io": "OI", "bioes": "OBIES", "bie": "OBIE", "ioe": "OIE"}
_MANY = {
    "orphan": "{count} mentions begin with a tag that should continue one (the first: '{tag}' at {where}); "
    "{read}",
    "unclosed": "{count} mentions have no end, E or S (the first: '{tag}' at {where}); {read}",
}


def is_outside(tag: str) -> bool:
    return tag in ("O", "o", *_OUTSIDE)


def names_mentions(tags: Set[str]) -> bool:
    """Whether the tags of a column mark mentions: each is outside, or the letter of a scheme with a type."""
    inside = {tag for tag in tags if tag.strip() and not is_outside(tag)}
    return bool(inside) and any(all(read(tag) for tag in inside) for read in _SPELLINGS)


def _first(separator: str) -> Callable[[str], Parts | None]:
    def read(tag: str) -> Parts | None:
        letter, _, kind = tag.partition(separator)
        return (_LETTERS[letter.upper()], kind.strip()) if letter.upper() in _LETTERS else None

    return read


def _last(separator: str) -> Callable[[str], Parts | None]:
    def read(tag: str) -> Parts | None:
        kind, mark, letter = tag.rpartition(separator)
        return (_LETTERS[letter.upper()], kind.strip()) if mark and letter.upper() in _LETTERS else None

    return read


# B-X, B_X, … and X-B, X_B, …; the likelier first
_SPELLINGS = [*map(_first, _SEPARATORS), *map(_last, _SEPARATORS)]


def _meaning(places: dict[str, str], scheme: Scheme | None) -> tuple[dict[str, Parts], list[str]]:
    """Letter and type of each distinct tag, in the spelling of most of them."""
    meaning: dict[str, Parts] = {tag: ("O", "") for tag in places if tag in ("O", "o")}
    doubts = []
    if not meaning:
        for tag in [tag for tag in _OUTSIDE if tag in places][:1]:
            meaning[tag] = ("O", "")
            doubts.append(f"the tag '{tag}' (the first at {places[tag]}) is read as O, outside all mentions")
    inside = [tag for tag in places if tag not in meaning]
    readings = [{tag: parts for tag in inside if (parts := read(tag))} for read in _SPELLINGS]
    # where two spellings fit all tags, one in which mentions begin with B is the likelier
    best = max(
        readings, key=lambda reading: (len(reading), "B" in {letter for letter, _ in reading.values()})
    )
    if inside and not best and scheme == "io" and all(tag.strip() for tag in inside):
        best = {tag: ("I", tag) for tag in inside}
    for tag in inside:
        if tag not in best:
            raise InputError(f"{places[tag]}: {_unreadable(tag, prefixed=bool(best))}")
    others = [reading for reading in readings if len(reading) == len(inside) and reading != best]
    if inside and others:
        tag = next(tag for tag in inside if others[0][tag] != best[tag])
        doubts.append(
            f"the tag '{tag}' (the first at {places[tag]}) could be read as the type '{others[0][tag][1]}'; "
            f"it is read as '{best[tag][1]}'; write types as words of two letters or more"
        )
    return meaning | best, doubts


def _unreadable(tag: str, *, prefixed: bool) -> str:
    if not tag.strip():
        return "the token has no tag; a token outside all mentions has the tag O"
    told = f"the tag is '{tag[:60]}'; it should be O, B-<type> or I-<type> (or E-, S-)"
    if prefixed:
        return told
    return (
        f"{told}. Tags without spans, as of parts of speech, are read with --metric token_accuracy; entity "
        "types without B- and I- with --scheme io"
    )


def _types(places: dict[str, str], meaning: dict[str, Parts], name: str, entity: str | None) -> list[str]:
    """Give tags without a type one, in place. Returns doubts about the types."""
    doubts = []
    nameless = [tag for tag, (letter, kind) in meaning.items() if letter != "O" and not kind]
    typed = [tag for tag, (_, kind) in meaning.items() if kind]
    if nameless and typed:
        raise InputError(
            f"{places[nameless[0]]}: the tag '{nameless[0]}' has no type, but '{typed[0]}' at "
            f"{places[typed[0]]} has one; write the type into both"
        )
    if entity and typed:
        raise InputError(
            f"--entity {entity} is for tags without a type, but '{typed[0]}' at {places[typed[0]]} has one; "
            "leave --entity out"
        )
    for tag in nameless:
        meaning[tag] = meaning[tag][0], entity or name
    if nameless and not entity:
        doubts.append(
            f"the tags (as '{nameless[0]}' at {places[nameless[0]]}) name no type; the mentions are called "
            f"'{name}', as the corpus is (--entity NAME calls them otherwise)"
        )
    return doubts


def _detected(parts: Sequence[Sequence[Parts]]) -> str:
    letters = {letter for split in parts for letter, _ in split} - {"O"}
    if "S" in letters:
        return "bioes"
    if "E" in letters:
        return "bie" if "B" in letters else "ioe"
    if "B" not in letters:
        return "io" if letters else "bio"
    if not any(True for split in parts for _ in _departures(split, "bio")):
        return "bio"
    # a B that follows no mention of its type is not IOB1
    fresh = any(what == "opening" for split in parts for what, _ in _departures(split, "iob1"))
    return "bio" if fresh else "iob1"


def _departures(parts: Sequence[Parts], scheme: str) -> Iterator[tuple[str, int]]:
    """Violations of a scheme in a sequence, each with the index of its tag."""
    if scheme == "ioe":
        return
    ended = scheme in ("bioes", "bie")
    for i, (before, now) in enumerate(pairwise([("O", ""), *parts, ("O", "")])):
        begins = _begins(before, now)
        if now[0] not in _ALLOWED[scheme]:
            yield "letter", i
        elif scheme == "iob1" and now[0] == "B" and (before[0] == "O" or before[1] != now[1]):
            yield "opening", i
        elif begins and now[0] in "IE" and scheme not in ("io", "iob1"):
            yield "orphan", i
        if ended and before[0] in "BI" and (begins or now[0] == "O"):
            # without an S in the scheme a mention of one token is a B alone
            alone = before[0] == "B" and scheme == "bie"
            if not alone:
                yield "unclosed", i - 1


def _begins(before: Parts, now: Parts) -> bool:
    """Whether a mention begins at a tag, given the tag before it."""
    if now[0] == "O":
        return False
    return now[0] in "BS" or before[0] in "OES" or before[1] != now[1]


def _bio(parts: Sequence[Parts]) -> list[str]:
    return [
        "O" if now[0] == "O" else f"{'B' if _begins(before, now) else 'I'}-{now[1]}"
        for before, now in pairwise([("O", ""), *parts])
    ]


def scheme_named(name: str) -> Scheme:
    """Scheme that an option names; IOB2 is BIO, and BILOU is BIOES. Raises InputError."""
    schemes: dict[str, Scheme] = {
        **{"bio": "bio", "iob2": "bio", "iob1": "iob1", "io": "io"},
        **dict.fromkeys(("bioes", "iobes", "bilou", "bmes"), "bioes"),
    }
    if name.lower() not in schemes:
        raise InputError(f"--scheme: '{name}' is unknown{did_you_mean(name.lower(), schemes)}")
    return schemes[name.lower()]
