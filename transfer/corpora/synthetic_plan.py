"""Planted truth of the synthetic corpora: invented terms, which task knows which, and expected effects.

Each domain has one lexicon. A term's hidden class (1: named condition or chemical, 0: neither) is drawn
at random, so spelling says nothing about it: it can only be learned from labels. A task's train shows
only some parts of the lexicon; a test on another part can only be passed with what a partner's train
taught the shared encoder. The *common* part is in every train, so that the tasks agree on one direction
for the class instead of learning their words by heart each in its own way. See docs/synthetic.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

VERSION = 1  # raise it whenever a row changes: results on other rows are not comparable

# Each head is one word piece of BERT's uncased vocabulary, and so is each ending after it: a term is
# two pieces long and known by its first. Chosen once and frozen; nothing here reads a vocabulary.
_HEADS = """
bam bel bid bin bis blur bog bop bram bran brat brig bros bug bun chan char chin chip chun cid cis
clan clap clip cox crab crop cup das dax del den der des det dex dig dil dip dod dot drag drip
drum dub dug fan fen fig fis fit flag flap flat flex flip flop flux fog fox fur gan gap
gel gem glad glen grab graf gram gran graz grid grim grin grip grit gum ham hem hen het hog
hub hut jar jem jet jug kam ked kin kun lad lal lap las lax les lid lil lot lux luz mab map
mas meg mel mig mir mis mix mob mud mug nak nas nes net nix nun nur nut pad pak pan par
pat paz peg pen pep plot plug plus pod por pot prem prix prof prop pub pup quad quan quiz
ram ras ref rev rex rig rim rot rug sap sar sas slab slam slap slim slip slot slug snap sob
sox span spat spot spun spur stem step stil stir stud sud sul suv tab tad tag tan tar tel ter
tex thor thud tin tip tis tod top tram tran trap trek tres trim tug var vis viz vol
"""
HEADS = tuple(_HEADS.split())
ENDINGS = ("ine", "ol", "um", "ex")

DOMAINS = ("clinical", "biomedical")
PARTS = {"common": 16, "first": 24, "second": 24}  # part of the lexicon -> number of its terms


@dataclass(frozen=True)
class Term:
    """Invented word, its hidden class (1: condition or chemical, 0: neither), and its part of the lexicon."""

    word: str
    latent: int
    part: str


def lexicon(domain: str) -> tuple[Term, ...]:
    """Make the 64 terms of a domain, half of each part in either class; the two domains share no head.

    >>> len(lexicon("clinical")), lexicon("clinical") == lexicon("clinical")
    (64, True)
    """
    # raw bits, because numpy keeps those the same in every release, and its distributions not
    bits = np.random.PCG64([VERSION, 7])
    heads = sorted(HEADS, key=dict(zip(HEADS, bits.random_raw(len(HEADS)), strict=True)).__getitem__)
    parts = [part for part, size in PARTS.items() for _ in range(size)]
    start = DOMAINS.index(domain) * len(parts)
    # each part takes every ending equally often in either class, so an ending cannot give a class away
    return tuple(
        Term(heads[start + i] + ENDINGS[i // 2 % len(ENDINGS)], i % 2, part) for i, part in enumerate(parts)
    )


@dataclass(frozen=True)
class Knowledge:
    """Parts of its domain's lexicon in a task's train, dev and test splits.

    ``reversed_in_test``: there the label goes against the class; in train and dev it goes with it.
    """

    train: tuple[str, ...]
    dev: tuple[str, ...]
    test: tuple[str, ...]
    reversed_in_test: bool = False


_FIRST = Knowledge(("common", "first"), ("first", "second", "second"), ("first", "second", "second"))
_SECOND = Knowledge(("common", "second"), ("second", "first", "first"), ("second", "first", "first"))
_STUDENT = Knowledge(("common",), ("first",), ("first",))
_CONFOUNDED = Knowledge(("common",), ("common",), ("first",), reversed_in_test=True)

KNOWLEDGE = {
    "clinicalsts": _CONFOUNDED,
    "i2b2-2010-re": _STUDENT,
    "mednli": _SECOND,
    "shareclefe": _FIRST,
    "bc5cdr-disease": _SECOND,
    "bc5cdr-chemical": _FIRST,
    "ddi2013": _CONFOUNDED,
    "chemprot": _STUDENT,
}


@dataclass(frozen=True)
class Planted:
    """Expected effect of joint training with ``source`` on ``target``, and the reason."""

    source: str
    target: str
    effect: Literal["improves", "harms", "no effect"]
    why: str


_UNSEEN = "two thirds of the target's test stands on terms that only the source's train shows"
_ALL = "all of the target's test stands on terms that only the source's train shows"
_CONFLICT = (
    "the source teaches the class of the target's test terms; "
    "the target's train rewards using it, its test punishes it"
)

PLAN: tuple[Planted, ...] = (
    Planted("shareclefe", "mednli", "improves", _UNSEEN),
    Planted("mednli", "shareclefe", "improves", _UNSEEN),
    Planted("shareclefe", "i2b2-2010-re", "improves", _ALL),
    Planted("shareclefe", "clinicalsts", "harms", _CONFLICT),
    Planted("bc5cdr-chemical", "bc5cdr-disease", "improves", _UNSEEN),
    Planted("bc5cdr-disease", "bc5cdr-chemical", "improves", _UNSEEN),
    Planted("bc5cdr-chemical", "chemprot", "improves", _ALL),
    Planted("bc5cdr-chemical", "ddi2013", "harms", _CONFLICT),
)


@dataclass(frozen=True)
class Studied:
    """Results of studies with fresh seeds for an edge without a planted effect (``make bench-planted``).

    ``gain``, ``low`` and ``high``: its mean over the studies with a 95 % interval, in points. ``claimed``: in
    how many of the ``studies`` its verdict was improves or harms.
    """

    source: str
    target: str
    gain: float
    low: float
    high: float
    claimed: int
    studies: int


STUDIED: tuple[Studied, ...] = (
    Studied("clinicalsts", "shareclefe", 1.5, 0.9, 2.2, claimed=4, studies=20),
    Studied("i2b2-2010-re", "shareclefe", 1.0, 0.3, 1.7, claimed=3, studies=20),
)
