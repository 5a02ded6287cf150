"""The planted truth of the synthetic corpora: invented terms, who teaches which, and what must follow.

Each domain has one lexicon. A term's **latent** class (named condition or not; chemical or not) is
drawn at random, so spelling says nothing about it: it can only be learned from labels. The terms fall
into three parts, one for each task of the domain's *family*; a family task's train holds its own part
only and its test holds all three. The fourth task, the *confounded* one, can do without the
class: in its train and dev the class goes with the label, in its test it goes against it, on terms that
its own train never shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

VERSION = 1  # raise it whenever a row changes: results on other rows are not comparable

# Each head is one word piece of BERT's uncased vocabulary, and so is each ending after it: a term is
# two pieces long and known by its first. Chosen once and frozen; nothing here reads a vocabulary.
HEADS = tuple(
    ["bam", "bel", "bid", "bin", "bis", "blur", "bog", "bop", "bram", "bran", "brat", "brig", "bros", "bug", "bun", "chan", "char", "chin", "chip", "chun", "cid", "cis", "clan", "clap", "clip", "cox", "crab", "crop", "cup", "das", "dax", "del", "den", "der", "des", "det", "dex", "dig", "dil", "dip", "dod", "dot", "drag", "drip", "drum", "dub", "dug", "fan", "fen", "fig", "fin", "fir", "fis", "fit", "flag", "flap", "flat", "flex", "flip", "flop", "flux", "fog", "fox", "fur", "gan", "gap", "gel", "gem", "glad", "glen", "grab", "graf", "gram", "gran", "graz", "grid", "grim", "grin", "grip", "grit", "gum", "ham", "hem", "hen", "het", "hog", "hub", "hut", "jar", "jem", "jet", "jug", "kam", "ked", "kin", "kun", "lad", "lal", "lap", "las", "lax", "les", "lid", "lil", "lot", "lux", "luz", "mab", "map", "mas", "meg", "mel", "mig", "mir", "mis", "mix", "mob", "mud", "mug", "nak", "nas", "nes", "net", "nix", "nun", "nur", "nut", "pad", "pak", "pan", "par", "pat", "paz", "peg", "pen", "pep", "plot", "plug", "plum", "plus", "pod", "por", "pot", "prem", "prix", "prof", "prop", "pub", "pup", "quad", "quan", "quiz", "ram", "ras", "ref", "rev", "rex", "rig", "rim", "rot", "rug", "sap", "sar", "sas", "slab", "slam", "slap", "slim", "slip", "slot", "slug", "snap", "sob", "sox", "span", "spat", "spot", "spun", "spur", "stem", "step", "stil", "stir", "stud", "sud", "sul", "suv", "tab", "tad", "tag", "tan", "tar", "tel", "ter", "tex", "thor", "thud", "tin", "tip", "tis", "tod", "top", "tram", "tran", "trap", "trek", "tres", "trim", "tub", "tug", "tun", "var", "vis", "viz", "vol"]
)
ENDINGS = ("ine", "ol", "um", "ex")

# part of the lexicon -> number of terms
PARTS = {"common": 16, "first": 32, "second": 32}
DOMAINS = ("clinical", "biomedical")


@dataclass(frozen=True)
class Term:
    """An invented word, its hidden class (1: condition or chemical, 0: neither) and its part of the lexicon."""

    word: str
    latent: int
    part: str


def lexicon(domain: str) -> tuple[Term, ...]:
    """The domain's terms, half of each part in either class; the two domains share no head.

    >>> len(lexicon("clinical")), lexicon("clinical") == lexicon("clinical")
    (80, True)
    """
    order = np.random.default_rng([VERSION, 7]).permutation(len(HEADS))
    parts = [part for part, size in PARTS.items() for _ in range(size)]
    start = DOMAINS.index(domain) * len(parts)
    # each part takes every ending equally often in either class, so an ending cannot give a class away
    return tuple(
        Term(HEADS[order[start + i]] + ENDINGS[i // 2 % len(ENDINGS)], i % 2, part)
        for i, part in enumerate(parts)
    )


@dataclass(frozen=True)
class Planted:
    """What joint training with `source` must do to `target`, and why."""

    source: str
    target: str
    effect: Literal["improves", "harms", "no effect"]
    why: str


PLAN: tuple[Planted, ...] = ()
