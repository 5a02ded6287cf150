"""Simulated grids under two methods: what each test document scores in every arm, from a fixed generator."""

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd
import pytest

from transfer.analysis import gains
from transfer.analysis.comparison import Method
from transfer.analysis.evidence import ArmScore, Cell, Evidence

DOCUMENTS = 40


class World:
    """Properties shared by the methods of one study: each document's difficulty and each seed's luck."""

    def __init__(self, seed: int, tasks: Sequence[str] = "abcd", documents: int = DOCUMENTS) -> None:
        self.rng = np.random.default_rng(seed)
        self.tasks = tuple(tasks)
        self.documents = documents
        self.hardness = {task: 0.1 * self.rng.normal(size=documents) for task in tasks}
        self.luck: dict[tuple[str, int], float] = {}

    def method(
        self,
        name: str,
        *,
        gain: float | Mapping[tuple[str, str], float] = 0.0,
        level: float = 0.0,
        seeds: Sequence[int] = range(5),
        by_document: float = 0.0,
        by_seed: float = 0.005,
        shares_single: Method | None = None,
        kept: bool = True,
        source: str = "prepared",
        metric: str = "f1",
        smallest: float = 0.005,
        correction: str = "bh",
        renamed: str = "",
    ) -> Method:
        """A grid whose edges gain so much (fractions); ``by_document`` is how unlike documents profit.

        Its single runs are those of another method, if one is given. ``renamed`` sets its documents apart.
        """
        arms: dict[Cell, ArmScore] = {}
        jobs: dict[Cell, str] = {}
        documents = tuple(f"{renamed}{place:03d}" for place in range(self.documents))
        for target in self.tasks:
            for seed in seeds:
                luck = self.luck.setdefault((target, seed), 0.02 * self.rng.normal())
                cell = Cell("refine", target, target, seed)
                if shares_single is not None:
                    assert shares_single.evidence is not None
                    arms[cell], jobs[cell] = shares_single.evidence.arm(cell), shares_single.jobs[cell]
                else:
                    arms[cell] = self._arm(documents, target, 0.6 + luck + level, by_seed)
                    jobs[cell] = f"{name} {target} {seed}"
        for partner, target in permutations(self.tasks, 2):
            mean = gain if isinstance(gain, float) else gain.get((partner, target), 0.0)
            profit = mean + by_document * self.rng.normal(size=self.documents)
            corpora = "+".join(sorted((partner, target)))
            for seed in seeds:
                cell = Cell("refine", corpora, target, seed)
                middle = 0.6 + self.luck[target, seed] + level + profit
                arms[cell], jobs[cell] = (
                    self._arm(documents, target, middle, by_seed),
                    f"{name} {corpora} {seed}",
                )
        results = pd.DataFrame(
            [(*cell, jobs[cell], arm.score) for cell, arm in arms.items()],
            columns=pd.Index([*gains.CELL, "job", "value"]),
        ).assign(
            split="test", metric=metric, status="done", error="", items=self.documents, encoder="e",
            recipe=name, seconds=2.0, source=source,
        )  # fmt: skip
        edges = gains.edges(gains.seed_gains(results), smallest_effect=smallest, correction=correction)
        evidence = Evidence(lambda cell: {cell: arms[cell]}) if kept else None
        return Method(name, results, edges, source, correction, evidence=evidence)

    def _arm(
        self, documents: tuple[str, ...], target: str, middle: float | np.ndarray, by_seed: float
    ) -> ArmScore:
        scores = middle + self.hardness[target] + 0.05 * self.rng.normal(size=self.documents)
        scores = scores + by_seed * self.rng.normal()
        # of a mean a document's jackknife share is the document's own score
        return ArmScore(documents, float(scores.mean()), scores)


@pytest.fixture
def world() -> Callable[..., World]:
    """``world(seed)``: documents and seeds that several methods are tried on."""
    return World
