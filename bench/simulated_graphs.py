"""Simulated graphs: scores by run, whose noise may differ between targets and edges."""

import itertools
from dataclasses import dataclass

import numpy as np

from transfer.analysis.estimate import Estimate, Runs, combined
from transfer.analysis.singles import MATCHING
from transfer.analysis.verdicts import Verdicts

TASKS, MOST, SMALLEST = 8, 10, 0.5  # tasks, seeds of a pair, points
Edge = tuple[int, int]

# By how much the seeds' noise of one edge is larger than another's; as on the whole the same everywhere.
SPREADS = ("alike", "targets differ", "edges differ", "one wild target", "one wild edge")


def arms(edge: Edge) -> tuple[Edge, Edge]:
    """The target alone, and the pair."""
    return (edge[1], edge[1]), (min(edge), max(edge))


@dataclass(frozen=True)
class Graph:
    """Each edge's true gain, and the scores of all runs less what they are without a partner (points)."""

    true: dict[Edge, float]
    alone: np.ndarray  # [tasks, MOST]
    joint: dict[Edge, np.ndarray]  # [MOST]
    items: float  # the standard error that the test items alone give a gain

    def estimate(self, edge: Edge, seeds: int, singles: int) -> Estimate:
        """The gain from so many seeds of the pair and so many single-task runs."""
        found = combined(Runs(self.joint[edge][:seeds]), Runs(self.alone[edge[1], :singles]), MATCHING)
        return found._replace(items=np.float64(self.items**2), item_degrees=1000)


def graph(
    noise: float, items: float, spread: str, rng: np.random.Generator, *, effects: bool = True
) -> Graph:
    """Half of the edges have no effect, the others one of 1 to 3 points; edges share their targets' seeds.

    Without ``effects`` no edge has any.
    """
    pairs = list(itertools.permutations(range(TASKS), 2))
    null, sign = rng.random(len(pairs)) < (0.5 if effects else 1.0), rng.choice([-1, 1], len(pairs))
    true = dict(zip(pairs, np.where(null, 0.0, sign * rng.uniform(1, 3, len(pairs))), strict=True))
    of_target, of_edge = np.ones(TASKS), np.ones(len(pairs))
    if spread == "targets differ":
        of_target = np.exp(0.7 * rng.normal(size=TASKS))
    elif spread == "edges differ":
        of_edge = np.exp(0.5 * rng.normal(size=len(pairs)))
    elif spread == "one wild target":
        of_target[0] = 5
    elif spread == "one wild edge":
        of_edge[0] = 6
    by_arm = noise / np.sqrt(2)
    alone = by_arm * of_target[:, None] * rng.normal(size=(TASKS, MOST))
    joint = {
        (s, t): gain + by_arm * of_target[t] * wider * rng.normal(size=MOST) + items * rng.normal()
        for ((s, t), gain), wider in zip(true.items(), of_edge, strict=True)
    }
    return Graph(true, alone, joint, items)


def played(shown: Graph, at: tuple[int, ...], *, times: int = 1) -> tuple[dict[Edge, str], int]:
    """The verdicts, and how many jobs (single tasks and pairs, by seed) they took.

    At every look a target has ``times`` as many single-task runs as its pairs have, up to MOST.
    """
    verdicts = Verdicts(list(shown.true), at=at, smallest_effect=SMALLEST, arms=arms, singles=MOST)
    jobs: set[tuple[Edge, int]] = set()
    while verdicts.open:
        singles = min(times * verdicts.seeds, MOST)
        for edge in verdicts.open:
            alone, joint = arms(edge)
            jobs |= {(alone, seed) for seed in range(singles)}
            jobs |= {(joint, seed) for seed in range(verdicts.seeds)}
        verdicts.look(lambda edge, seeds, singles=singles: shown.estimate(edge, seeds, singles))
    return {edge: state.verdict for edge, state in verdicts.states.items()}, len(jobs)
