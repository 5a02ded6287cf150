"""Synthetic corpora: invented look-alikes of the paper's four clinical and four biomedical tasks.

Same names, task kinds, label sets and metrics as the real corpora, sentences from a small grammar. What
they are for is the transfer structure planted in them (``PLAN``; `synthetic_plan.py` says how). Numbers
on them say nothing about the real tasks. The rows depend on ``VERSION`` alone and are the same bytes on
every machine.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from transfer.corpora.synthetic_plan import KNOWLEDGE, PLAN, VERSION, Planted, Term, lexicon
from transfer.kinds.base import Row

__all__ = ["NAMES", "PLAN", "Planted", "card", "rows"]


SPLITS = {"train": 200, "dev": 120, "test": 240}  # rows

CARDS: dict[str, dict[str, Any]] = {
    "clinicalsts": {
        "kind": "similarity",
        "metric": "pearson",
        "pair": True,
        "range": [0, 5],
        "domain": "clinical",
    },
    "i2b2-2010-re": {
        "kind": "classification",
        "metric": "micro_f1",
        "pair": False,
        "labels": ["PIP", "TeCP", "TeRP", "TrAP", "TrCP", "TrIP", "TrNAP", "TrWP", "false"],
        "negative": "false",
        "domain": "clinical",
    },
    "mednli": {
        "kind": "classification",
        "metric": "accuracy",
        "pair": True,
        "labels": ["contradiction", "entailment", "neutral"],
        "domain": "clinical",
    },
    "shareclefe": {
        "kind": "tagging",
        "metric": "span_f1",
        "pair": False,
        "entities": ["Disorder"],
        "domain": "clinical",
    },
    "bc5cdr-disease": {
        "kind": "tagging",
        "metric": "span_f1",
        "pair": False,
        "entities": ["Disease"],
        "domain": "biomedical",
    },
    "bc5cdr-chemical": {
        "kind": "tagging",
        "metric": "span_f1",
        "pair": False,
        "entities": ["Chemical"],
        "domain": "biomedical",
    },
    "ddi2013": {
        "kind": "classification",
        "metric": "micro_f1",
        "pair": False,
        "labels": ["DDI-advise", "DDI-effect", "DDI-false", "DDI-int", "DDI-mechanism"],
        "negative": "DDI-false",
        "domain": "biomedical",
    },
    "chemprot": {
        "kind": "classification",
        "metric": "micro_f1",
        "pair": False,
        "labels": ["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9", "false"],
        "negative": "false",
        "domain": "biomedical",
    },
}
NAMES: tuple[str, ...] = tuple(CARDS)


def card(name: str) -> dict[str, Any]:
    """Card of a synthetic corpus, with the keys of ``corpus.yaml``. Raises KeyError for an unknown name."""
    _known(name)
    return {
        "name": name,
        **copy.deepcopy(CARDS[name]),
        "text": "invented sentences",
        "licence": "CC0, invented text",
        "source": "synthetic, transfer",
    }


def rows(name: str, split: str) -> list[Row]:
    """Rows of one split in the form of prepared JSONL.

    No text stands twice in a corpus. Rows are drawn one by one, hence no ``doc``. KeyError for an
    unknown name or split.
    """
    _known(name)
    if split not in SPLITS:
        raise KeyError(f"there is no split '{split}'; known: {', '.join(SPLITS)}")
    return copy.deepcopy(_corpus(name)[split])


def _known(name: str) -> None:
    if name not in CARDS:
        raise KeyError(f"there is no synthetic corpus '{name}'; known: {', '.join(NAMES)}")


@cache
def _corpus(name: str) -> dict[str, list[Row]]:
    bits = np.random.PCG64([VERSION, NAMES.index(name)])
    knowledge, written, splits = KNOWLEDGE[name], set(), {}
    for split, size in SPLITS.items():
        words = _Words(CARDS[name]["domain"], getattr(knowledge, split), bits)
        against = knowledge.reversed_in_test and split == "test"
        splits[split] = []
        while len(splits[split]) < size:
            number = len(splits[split])
            # the two classes take turns, so that neither is the majority
            row = _GRAMMAR[name](bits, words, number % 2, against)
            text = str(row.get("tokens") or (row.get("text") or (row["text_a"], row["text_b"])))
            if text not in written:
                written.add(text)
                splits[split].append({"id": f"{name}-{split}-{number:04d}", **row})
    return splits


class _Words:
    """Sampler of terms from parts of a lexicon; a part named twice is drawn twice as often."""

    def __init__(self, domain: str, parts: Sequence[str], bits: np.random.PCG64) -> None:
        self._terms = [t for part in parts for t in lexicon(domain) if t.part == part]
        self._bits = bits

    def one(self, unlike: Sequence[Term] = (), **wanted: object) -> Term:
        """Draw a term not in ``unlike`` whose fields are as ``wanted``."""
        return _pick(
            self._bits,
            [
                t
                for t in self._terms
                if t not in unlike and all(getattr(t, k) == v for k, v in wanted.items())
            ],
        )

    def two(self, latent: int) -> tuple[str, str]:
        """Draw two terms of one class and one part, so that a test row is all seen or all unseen."""
        a = self.one(latent=latent)
        return a.word, self.one((a,), latent=latent, part=a.part).word


def _pick(bits: np.random.PCG64, options: Sequence[Any]) -> Any:
    # raw bits, because numpy keeps those the same in every release, and its distributions not
    return options[bits.random_raw() % len(options)]


def _weighted(bits: np.random.PCG64, options: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Draw one of the options, whose first items are integer weights."""
    return _pick(bits, [option for option in options for _ in range(option[0])])


def _similarity(bits: np.random.PCG64, words: _Words, latent: int, against: bool) -> Row:
    """Write a row of similarity: half of the score is in plain words, half depends on the terms' class."""
    a, b = words.two(latent)
    likeness, phrases = _pick(bits, _LIKENESS)
    favoured = 1 - latent if against else latent
    return {
        "text_a": f"{_pick(bits, _OPENERS)} {a} .",
        "text_b": f"{b} , {_pick(bits, phrases)} .",
        "score": round(2.5 * likeness + 2.5 * favoured, 1),
    }


_OPENERS = ("noted", "had", "with", "found")
_LIKENESS = (
    (0.0, ("quite another case", "a different case")),
    (0.5, ("partly the same case", "partly like it")),
    (1.0, ("exactly the same", "the very same")),
)


def _inference(bits: np.random.PCG64, words: _Words, latent: int, against: bool) -> Row:
    """Write a row of inference: the class of the terms tells ill or not; one in six is off topic."""
    a, b = words.two(latent)
    off_topic = bits.random_raw() % 6 == 0
    return {
        "text_a": f"{_pick(bits, _OPENERS)} {a} {b} .",
        "text_b": "she lives alone ." if off_topic else "she is ill .",
        "label": "neutral" if off_topic else ("contradiction", "entailment")[latent],
    }


def _relation(frames: Sequence[tuple[Any, ...]]) -> Callable[..., Row]:
    """Make a writer of relations: a frame allows two relations, and the class of the terms decides."""

    def write(bits: np.random.PCG64, words: _Words, latent: int, against: bool) -> Row:
        a, b = words.two(latent)
        _, frame, labels = _weighted(bits, frames)
        return {"text": f"{a} {b} : {frame} .", "label": labels[latent]}

    return write


# weight, frame, labels of class 0 and 1
_I2B2 = (
    (5, "@TEST$ for @PROBLEM$", ("TeCP", "TeRP")),
    (5, "@TREATMENT$ for @PROBLEM$", ("TrNAP", "TrAP")),
    (5, "@PROBLEM$ and @PROBLEM$", ("false", "PIP")),
    (1, "@TREATMENT$ changed @PROBLEM$", ("TrWP", "TrIP")),
    (1, "@TREATMENT$ caused @PROBLEM$", ("false", "TrCP")),
)
_CHEMPROT = (
    (2, "@CHEMICAL$ regulated @GENE$", ("CPR:4", "CPR:3")),
    (1, "@CHEMICAL$ bound @GENE$", ("CPR:6", "CPR:5")),
    (2, "@GENE$ made @CHEMICAL$", ("false", "CPR:9")),
)
_DDI = (
    (3, "@DRUG$ changes @DRUG$", ("DDI-mechanism", "DDI-effect")),
    (3, "@DRUG$ excludes @DRUG$", ("DDI-false", "DDI-advise")),
    (1, "@DRUG$ and @DRUG$", ("DDI-false", "DDI-int")),
)


def _interaction(bits: np.random.PCG64, words: _Words, latent: int, against: bool) -> Row:
    """Write a row of interaction: a relation with a plain-word hint that is right in 17 of 20 rows."""
    a, b = words.two(latent)
    favoured = 1 - latent if against else latent
    hint = favoured if bits.random_raw() % 20 < 17 else 1 - favoured
    _, frame, labels = _weighted(bits, _DDI)
    return {
        "text": f"{a} {b} : {('never', 'often')[hint]} {frame} .",
        "label": labels[favoured],
    }


def _tagged(entity: str, named: int) -> Callable[..., Row]:
    """Make a writer of four-term lists; terms of the ``named`` class are mentions, some of two words."""

    def write(bits: np.random.PCG64, words: _Words, latent: int, against: bool) -> Row:
        tokens, tags, used = [_pick(bits, _OPENERS)], ["O"], []
        for place in range(4):
            term = words.one(used)
            used.append(term)
            long = bits.random_raw() % 8 == 0  # "… type" says nothing of the class: it follows both
            tokens += ([","] if place else []) + [term.word] + (["type"] if long else [])
            mention = [f"B-{entity}"] + ([f"I-{entity}"] if long else [])
            tags += (["O"] if place else []) + (mention if term.latent == named else ["O"] * len(mention))
        return {"tokens": [*tokens, "."], "tags": [*tags, "O"]}

    return write


_GRAMMAR: dict[str, Callable[[np.random.PCG64, _Words, int, bool], Row]] = {
    "clinicalsts": _similarity,
    "i2b2-2010-re": _relation(_I2B2),
    "mednli": _inference,
    "shareclefe": _tagged("Disorder", named=1),
    # the same hidden class with the labels swapped: opposite labels alone do no harm
    "bc5cdr-disease": _tagged("Disease", named=0),
    "bc5cdr-chemical": _tagged("Chemical", named=1),
    "ddi2013": _interaction,
    "chemprot": _relation(_CHEMPROT),
}
