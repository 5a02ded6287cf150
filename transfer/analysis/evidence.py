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
    """A cell's score, and the share in it of each test document, [documents] (see ``inference.shares``).

    A share is NaN where the score is undefined without the document. ``constant`` says what is predicted,
    if that is the same for every item.
    """

    documents: tuple[str, ...]
    score: float
    shares: np.ndarray
    constant: str = ""


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
        return self.between(
            [Cell(alone or stage, target, target, seed) for seed in seeds],
            [Cell(stage, corpora, target, seed) for seed in seeds],
        )

    def between(self, single: Sequence[Cell], joint: Sequence[Cell]) -> Estimate:
        """The gain of the joint cells over the single ones, paired in order. Raises as ``estimate`` does."""
        return contrast([(1, self, joint), (-1, self, single)])

    def arm(self, cell: Cell) -> Arm:
        """The arm of a cell."""
        if cell not in self._arms:
            self._arms |= self._read(cell)
        return self._arms[cell]


def contrast(terms: Sequence[tuple[int, Evidence, Sequence[Cell]]]) -> Estimate:
    """The mean over seeds of a sum of scores, each with its sign, seeds and test documents random.

    A term is a sign (1 or -1), where its arms are, and its cells, one for each seed, in one order in all
    terms: a gain is (1, joint), (-1, single). Raises ValueError where two arms were not tested on the same
    documents.
    """
    scores, parts = [], []
    expected: tuple[str, ...] | None = None
    for seed in range(len(terms[0][2])):
        arms = []
        for sign, evidence, cells in terms:
            arm = evidence.arm(cells[seed])
            expected = arm.documents if expected is None else expected
            if arm.documents is not expected and arm.documents != expected:
                cell = terms[0][2][seed]
                where = f"the arms of {cell.corpora}, seed {cell.seed}"
                raise ValueError(f"{cell.target}: {where}, were tested on other items")
            arms.append((sign, arm))
        scores.append(sum(sign * arm.score for sign, arm in arms))
        parts.append(sum(sign * arm.shares for sign, arm in arms))
    return crossed(np.array(scores), np.stack(parts))
