"""Fabricated edges with every verdict, and graphs of them."""

from itertools import permutations

import numpy as np
import pandas as pd

from transfer.analysis import gains
from transfer.analysis.graph import TransferGraph

NAMES = ["clinicalsts", "i2b2-2010-re", "mednli", "shareclefe", "bc5cdr-chemical",
         "bc5cdr-disease", "ddi2013", "chemprot"]  # fmt: skip


def nodes(names):
    return [{"name": n, "kind": "tagging", "metric": "span F1", "domain": "d"} for n in names]


def fabricated(names):
    """Edges with every verdict, from a fixed generator."""
    rng = np.random.default_rng(len(names))
    rows = []
    for source, target in permutations(names, 2):
        middle = rng.choice([0.02, -0.02, 0.0])
        spread = (0.001, 0.01)[names.index(target) % 2]  # edges of one target lend each other variance
        for seed in range(3):
            gain = middle + spread * rng.normal()
            rows.append(("refine", f"{source}+{target}", source, target, "f1", seed, 0.7, 0.7 + gain, gain))
    table = pd.DataFrame(rows, columns=pd.Index(gains.SEED_GAINS))
    return gains.edges(table, smallest_effect=0.005)


def graph_of(count):
    names = NAMES[:count]
    return TransferGraph.from_edges(fabricated(names), nodes=nodes(names), data_source="synthetic")
