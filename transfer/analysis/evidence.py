"""Scores of every arm on the test documents, in the form that intervals are computed from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from transfer.analysis.estimate import Estimate, Runs, combined, crossed, over_seeds


class Cell(NamedTuple):
    """One score that a grid promises: a target's test score in one job."""

    stage: str
    corpora: str
    target: str
    seed: int


@dataclass(frozen=True)
class ArmScore:
    """A cell's score, and the share in it of each test document, [documents] (see ``estimate.shares``).

    A share is NaN where the score is undefined without the document. ``constant`` says what is predicted,
    if that is the same for every item.
    """

    documents: tuple[str, ...]
    score: float
    shares: np.ndarray
    constant: str = ""


class Evidence:
    """The arms of a grid, by cell; a job's are read together when one of them is first needed."""

    def __init__(self, read: Callable[[Cell], Mapping[Cell, ArmScore]]) -> None:
        """``read`` gives the arms of the job that a cell belongs to."""
        self._read = read
        self._arms: dict[Cell, ArmScore] = {}

    def estimate(
        self,
        stage: str,
        corpora: str,
        target: str,
        seeds: Sequence[int],
        *,
        alone: str | None = None,
        further: Sequence[int] = (),
        matching: float = 1.0,
    ) -> Estimate:
        """The gain of ``target`` in the group over the target alone, seeds and documents random.

        ``alone`` is the stage of the arm without partner, if another one. ``further`` are seeds that this arm
        alone has, weighted by ``matching`` (see ``estimate.combined``). Raises ValueError where two
        arms were not tested on the same documents.
        """
        single = [Cell(alone or stage, target, target, seed) for seed in (*seeds, *further)]
        joint = [Cell(stage, corpora, target, seed) for seed in seeds]
        if not joint:
            return over_seeds(np.array([]))
        runs = self._runs([*joint, *single])
        return combined(runs.first(len(joint)), runs.after(len(joint)), matching)

    def between(self, single: Sequence[Cell], joint: Sequence[Cell]) -> Estimate:
        """The gain of the joint cells over the single ones, paired in order. Raises as ``estimate`` does."""
        return contrast([(1, self, joint), (-1, self, single)])

    def _runs(self, cells: Sequence[Cell]) -> Runs:
        """The runs of cells that were tested on the same documents."""
        arms = [self.arm(cell) for cell in cells]
        for cell, arm in zip(cells, arms, strict=True):
            _tested_alike(arms[0], arm, cell)
        return Runs(np.array([arm.score for arm in arms]), np.stack([arm.shares for arm in arms]))

    def arm(self, cell: Cell) -> ArmScore:
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
    if not terms[0][2]:
        return over_seeds(np.array([]))
    first = terms[0][1].arm(terms[0][2][0])
    scores, parts = [], []
    for seed in range(len(terms[0][2])):
        arms = []
        for sign, evidence, cells in terms:
            arm = evidence.arm(cells[seed])
            _tested_alike(first, arm, terms[0][2][seed])
            arms.append((sign, arm))
        scores.append(sum(sign * arm.score for sign, arm in arms))
        parts.append(sum(sign * arm.shares for sign, arm in arms))
    return crossed(np.array(scores), np.stack(parts))


def _tested_alike(first: ArmScore, arm: ArmScore, cell: Cell) -> None:
    if arm.documents is not first.documents and arm.documents != first.documents:
        where = f"the arms of {cell.corpora}, seed {cell.seed}"
        raise ValueError(f"{cell.target}: {where}, were tested on other items")
