"""What every arm scored on the test documents, in the form that intervals are made of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from transfer.analysis.inference import Estimate, crossed


class Cell(NamedTuple):
    """One score that a grid promises: a target's test score in one job."""

    stage: str
    corpora: str
    target: str
    seed: int


@dataclass(frozen=True)
class Arm:
    """A cell's score, and the share in it of each test document, [documents] (see ``inference.shares``)."""

    documents: tuple[str, ...]
    score: float
    shares: np.ndarray


class Evidence:
    """The arms of a grid, by cell; a job's are read together when one of them is first needed."""

    def __init__(self, read: Callable[[Cell], Mapping[Cell, Arm]]) -> None:
        """``read`` gives the arms of the job that a cell belongs to."""
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
            expected = single[0].documents
            if arm.documents is not expected and arm.documents != expected:
                raise ValueError(f"{target}: the arms of {corpora}, seed {seed}, were tested on other items")
        gains = np.array([j.score - s.score for j, s in zip(joint, single, strict=True)])
        return crossed(gains, np.stack([j.shares - s.shares for j, s in zip(joint, single, strict=True)]))

    def _arm(self, cell: Cell) -> Arm:
        if cell not in self._arms:
            self._arms |= self._read(cell)
        return self._arms[cell]
