from __future__ import annotations

import numpy as np

from transfer.corpora.synthetic_plan import (
    VERSION,
    lexicon,
)

CARDS = {
    "clinicalsts": dict(kind="similarity", metric="pearson", pair=True, range=[0, 5], domain="clinical"),
    "i2b2-2010-re": dict(kind="classification", metric="micro_f1", pair=False, labels=["PIP", "TeCP", "TeRP", "TrAP", "TrCP", "TrIP", "TrNAP", "TrWP", "false"], negative="false", domain="clinical"),
    "mednli": dict(kind="classification", metric="accuracy", pair=True, labels=["contradiction", "entailment", "neutral"], domain="clinical"),
    "shareclefe": dict(kind="tagging", metric="span_f1", pair=False, entities=["Disorder"], domain="clinical"),
    "bc5cdr-disease": dict(kind="tagging", metric="span_f1", pair=False, entities=["Disease"], domain="biomedical"),
    "bc5cdr-chemical": dict(kind="tagging", metric="span_f1", pair=False, entities=["Chemical"], domain="biomedical"),
    "ddi2013": dict(kind="classification", metric="micro_f1", pair=False, labels=["DDI-advise", "DDI-effect", "DDI-false", "DDI-int", "DDI-mechanism"], negative="DDI-false", domain="biomedical"),
    "chemprot": dict(kind="classification", metric="micro_f1", pair=False, labels=["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9", "false"], negative="false", domain="biomedical"),
}
NAMES = tuple(CARDS)
SIZES = {"train": 160, "dev": 200, "test": 240}

def _pick(rng, options):
    return options[int(rng.integers(len(options)))]

def _two(rng, terms, latent):
    of = [t for t in terms if t.latent == latent]
    i, j = rng.choice(len(of), size=2, replace=False)
    return of[i].word, of[j].word

def _tagged(rng, terms, entity, latent):
    openers = (["with"], ["had"], ["noted"], ["and"])
    tokens, tags = list(_pick(rng, openers)), []
    tags = ["O"] * len(tokens)
    for k in range(4):
        t = _pick(rng, [t for t in terms if t.word not in tokens])
        tokens += [","] * (k in (1,2)) + ["and"] * (k == 3) + [t.word]
        tags += ["O"] * (k > 0) + [f"B-{entity}" if t.latent == latent else "O"]
    return {"tokens": tokens + ["."], "tags": tags + ["O"]}

_I2B2 = (
    ("@PROBLEM$ @PROBLEM$", ("false", "PIP")),
    ("@TEST$ for @PROBLEM$", ("TeCP", "TeRP")),
    ("@TREATMENT$ changed @PROBLEM$", ("TrIP", "TrWP")),
    ("@TREATMENT$ for @PROBLEM$", ("TrNAP", "TrAP")),
    ("@TREATMENT$ caused @PROBLEM$", ("false", "TrCP")),
)
_CHEMPROT = (
    ("@CHEMICAL$ regulated @GENE$", ("CPR:3", "CPR:4")),
    ("@CHEMICAL$ bound @GENE$", ("CPR:5", "CPR:6")),
    ("@GENE$ converted @CHEMICAL$", ("false", "CPR:9")),
)
def _relation(rng, terms, frames, parts):
    latent = int(rng.integers(2))
    part = _pick(rng, parts)
    a, b = _two(rng, [t for t in dict.fromkeys(terms) if t.part == part], latent)
    frame, labels = _pick(rng, frames)
    return {"text": f"{frame} : {a} {b} .", "label": labels[latent]}

def _mednli(rng, terms, parts):
    latent = int(rng.integers(2))
    part = _pick(rng, parts)
    a, b = _two(rng, [t for t in dict.fromkeys(terms) if t.part == part], latent)
    text_a = _pick(rng, ("noted {} {} .", "had {} {} .", "with {} {} .")).format(a, b)
    if rng.random() < 0.2:
        return {"text_a": text_a, "text_b": _pick(rng, ("she lives alone .", "he was born in may .")), "label": "neutral"}
    return {"text_a": text_a, "text_b": "she is ill .", "label": ("contradiction", "entailment")[latent]}

_SLOTS = (("knee", "chest", "back", "head"), ("morning", "night", "spring", "winter"), ("mother", "brother", "teacher", "nurse"))
def _sts(rng, terms, sign):
    latent = int(rng.integers(2))
    a, b = _two(rng, terms, latent)
    left, right, same = [], [], 0
    p = _pick(rng, (0.0, 0.5, 1.0))
    for s in _SLOTS:
        i = int(rng.integers(len(s))); keep = rng.random() < p
        j = i if keep else (i + 1 + int(rng.integers(len(s) - 1))) % len(s)
        left.append(s[i]); right.append(s[j]); same += keep
    favoured = latent if sign > 0 else 1 - latent
    score = round(2.5 * same / 3 + 2.5 * favoured, 2)
    f = "{w} , {0} {1} {2} ."
    return {"text_a": f.format(*left, w=a), "text_b": f.format(*right, w=b), "score": score}

_DDI = (("should be taken with", "DDI-advise", "DDI-effect"), ("was given beside", "DDI-int", "DDI-mechanism"), ("was not tested against", "DDI-false", "DDI-false"))
def _ddi(rng, terms, sign):
    latent = int(rng.integers(2))
    a, b = _two(rng, terms, latent)
    favoured = latent if sign > 0 else 1 - latent
    frame = _pick(rng, _DDI)
    label = frame[1 + favoured]
    weak = favoured if rng.random() < 0.85 else 1 - favoured
    hint = (("before", "early"), ("after", "late"))[weak]
    return {"text": f"@DRUG$ {frame[0]} @DRUG$ {_pick(rng, hint)} with {a} and {b} .", "label": label}

SEEN = {  # parts in train; parts in dev and test (repeats weigh)
    "clinicalsts": (("common",), ("first",)), "ddi2013": (("common",), ("first",)),
    "shareclefe": (("common", "first"), ("first", "second", "second")), "bc5cdr-chemical": (("common", "first"), ("first", "second", "second")),
    "mednli": (("common", "second"), ("second", "first", "first")), "bc5cdr-disease": (("common", "second"), ("second", "first", "first")),
    "i2b2-2010-re": (("common",), ("first", "second")), "chemprot": (("common",), ("first", "second")),
}
def rows(name, split):
    domain = CARDS[name]["domain"]
    rng = np.random.default_rng([VERSION, NAMES.index(name), ("train", "dev", "test").index(split)])
    sts = name in ("clinicalsts", "ddi2013")
    parts = SEEN[name][0 if split == "train" or (sts and split == "dev") else 1]
    terms = [t for p in parts for t in lexicon(domain) if t.part == p]
    sign = -1 if split == "test" else 1
    make = {
        "clinicalsts": lambda: _sts(rng, terms, sign),
        "ddi2013": lambda: _ddi(rng, terms, sign),
        "mednli": lambda: _mednli(rng, terms, parts),
        "i2b2-2010-re": lambda: _relation(rng, terms, _I2B2, parts),
        "chemprot": lambda: _relation(rng, terms, _CHEMPROT, parts),
        "shareclefe": lambda: _tagged(rng, terms, "Disorder", 1),
        "bc5cdr-chemical": lambda: _tagged(rng, terms, "Chemical", 1),
        "bc5cdr-disease": lambda: _tagged(rng, terms, "Disease", 0),
    }[name]
    return [{"id": f"{name}-{split}-{i:04d}", **make()} for i in range(SIZES[split])]

def card(name):
    return {"name": name, **CARDS[name], "text": "invented", "licence": "CC0, invented text", "source": "synthetic, transfer"}
