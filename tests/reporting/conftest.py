"""Simulated grids for the report: scores and learning curves from a fixed generator."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from tests.worlds import world as world
from transfer.analysis.rerun import Rerun
from transfer.analysis.setup import Setup
from transfer.analysis.study import Study

NAMES = ["clinicalsts", "i2b2-2010-re", "mednli", "shareclefe", "bc5cdr-chemical",
         "bc5cdr-disease", "ddi2013", "chemprot"]  # fmt: skip
EFFECTS = [0.0, 0.0, 0.02, -0.02, 0.1, -0.12]
NOISES = [0.001, 0.004, 0.02]  # of a seed


def simulate(names, *, seeds, stages=("refine",), source="synthetic"):
    """The store's frame and the learning curves of a grid of all pairs; every verdict occurs."""
    rng = np.random.default_rng(len(names))
    effect = {pair: rng.choice(EFFECTS) for pair in combinations([*names, *names], 2)}
    base, noise = ({name: rng.choice(of) for name in names} for of in ([0.55, 0.7, 0.85], NOISES))
    groups = [(name,) for name in names] + list(combinations(names, 2)) + [tuple(names)]
    scores, curves = [], []
    for stage in stages:
        for group, seed in ((group, seed) for group in dict.fromkeys(groups) for seed in range(seeds)):
            corpora = "+".join(sorted(group))
            for target in group:
                helped = sum(effect[partner, target] for partner in group if partner != target) / len(group)
                value = float(np.clip(base[target] + 2 * helped + noise[target] * rng.normal(), 0, 1))
                scores += [
                    {"job": f"{stage} {corpora} {seed}", "stage": stage, "corpora": corpora, "target": target,
                     "split": split, "metric": "span_f1", "seed": seed, "value": value, "status": "done",
                     "error": "", "epoch": 4, "items": 300, "train_items": 600, "steps": 60, "seconds": 1.5,
                     "source": source, "encoder": "minilm-l6", "recipe": "quick"}
                    for split in ("dev", "test")
                ]  # fmt: skip
                curves += [
                    (stage, corpora, target, seed, e, 2 / e, value * (1 - 0.5**e)) for e in range(1, 9)
                ]
    columns = pd.Index(["stage", "corpora", "target", "seed", "epoch", "loss", "dev"])
    return pd.DataFrame(scores), pd.DataFrame(curves, columns=columns)


@pytest.fixture(scope="session")
def simulated():
    """Makes the study of a simulated grid: of the first so many names, or of names that are given."""

    def make(names=4, *, seeds=3, stages=("refine",), source="synthetic", **other):
        names = NAMES[:names] if isinstance(names, int) else names
        frame, curves = simulate(names, seeds=seeds, stages=stages, source=source)
        corpora = [
            {"name": name, "kind": "tagging", "metric": "span_f1", "domain": "clinical", "licence": "free",
             "citation": "me 2020", "train": 600, "dev": 200, "test": 300, "notes": ""}
            for name in names
        ]  # fmt: skip
        options = {
            "title": "simulated", "corpora": corpora, "settings": {"versions": "torch 2.13"},
            "smallest_effect": 0.005, "source": source,
            "rerun": Rerun("transfer run-grid simulated.yaml", "simulated.yaml", "name: simulated\n"),
        }  # fmt: skip
        return Study.of_frame(frame, Setup(**(options | other)), curves=curves)

    return make
