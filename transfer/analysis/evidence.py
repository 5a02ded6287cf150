"""What every arm predicted for the test items, in the form that intervals are made of."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis.inference import Estimate, two_way
from transfer.metrics import Measure

# a stored score and the one recomputed from its predictions differ by rounding alone
SAME = 1e-9


class Cell(NamedTuple):
    """One score that a grid promises: a target's test score in one job."""

    stage: str
    corpora: str
    target: str
    seed: int


@dataclass(frozen=True)
class Arm:
    """A cell's predictions: the test documents in order, and the [documents, k] parts of the score."""

    documents: tuple[str, ...]
    parts: np.ndarray


class Evidence:
    """The arms of a grid, by cell; read when they are first needed."""

    def __init__(self, measures: Mapping[str, Measure], read: Callable[[Cell], Arm]) -> None:
        self._measures = measures
        self._read = read
        self._arms: dict[Cell, Arm] = {}

    def estimate(
        self, stage: str, corpora: str, target: str, seeds: Sequence[int], *, alone: str | None = None
    ) -> Estimate:
        """The gain of ``target`` in the group over the target alone, seeds and documents random.

        ``alone`` is the stage of the arm without partner, if another one. Raises ValueError where
        two arms were not tested on the same documents.
        """
        single = [self._arm(Cell(alone or stage, target, target, seed)) for seed in seeds]
        joint = [self._arm(Cell(stage, corpora, target, seed)) for seed in seeds]
        for seed, arm in zip([*seeds, *seeds], [*single, *joint], strict=True):
            if arm.documents != single[0].documents:
                raise ValueError(f"{target}: the arms of {corpora}, seed {seed}, were tested on other items")
        return two_way(_stacked(single), _stacked(joint), self._measures[target])

    def _arm(self, cell: Cell) -> Arm:
        if cell not in self._arms:
            self._arms[cell] = self._read(cell)
        return self._arms[cell]


def _stacked(arms: Iterable[Arm]) -> np.ndarray:
    return np.stack([arm.parts for arm in arms])


def arm_of(predictions: pd.DataFrame, target: str, measure: Measure, *, score: float) -> Arm:
    """The arm of one target in a job's kept predictions (see ``Store.predictions``).

    Items that name a document are added up by it; the others are documents of their own. Raises
    ValueError where the predictions do not give the job's ``score``.
    """
    rows = predictions[predictions["corpus"] == target]
    gold = [json.loads(value) for value in rows["gold"]]
    predicted = [json.loads(value) for value in rows["predicted"]]
    recomputed = measure(gold, predicted)
    if abs(recomputed - score) > SAME:
        raise ValueError(
            f"{target}: the kept predictions give {recomputed:.6f}, the kept score is {score:.6f}; "
            "one of the two was changed"
        )
    parts = measure.parts(gold, predicted)
    documents = np.array([doc or id_ for doc, id_ in zip(rows["doc"], rows["id"], strict=True)], dtype=object)
    names, of = np.unique(documents, return_inverse=True)
    sums = np.zeros((len(names), parts.shape[1]))
    np.add.at(sums, of, parts)
    return Arm(tuple(names), sums)
