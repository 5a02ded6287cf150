"""Simulated graphs: gains by edge and seed, whose noise may differ between targets and edges."""

import itertools
from dataclasses import dataclass

import numpy as np

from transfer.analysis.inference import Estimate, over_seeds
from transfer.analysis.sequential import Verdicts

TASKS, MOST, SMALLEST = 8, 10, 0.5  # tasks, seeds, points
Edge = tuple[int, int]

# By how much the seeds' noise of one edge is larger than another's; as on the whole the same everywhere.
SPREADS = ("alike", "targets differ", "edges differ", "one wild target", "one wild edge")


def arms(edge: Edge) -> tuple[Edge, Edge]:
    """The target alone, and the pair."""
    return (edge[1], edge[1]), (min(edge), max(edge))


@dataclass(frozen=True)
class Graph:
    """Each edge's true gain, and its gain in each seed (points)."""

    true: dict[Edge, float]
    gains: dict[Edge, np.ndarray]
    items: float  # the standard error that the test items alone give a gain

    def estimate(self, edge: Edge, seeds: int) -> Estimate:
        found = over_seeds(self.gains[edge][:seeds])
        return found._replace(items=np.float64(self.items**2), item_degrees=1000)


def graph(noise: float, items: float, spread: str, rng: np.random.Generator) -> Graph:
    """Half of the edges have no effect, the others one of 1 to 3 points; edges share their targets' seeds."""
    pairs = list(itertools.permutations(range(TASKS), 2))
    null, sign = rng.random(len(pairs)) < 0.5, rng.choice([-1, 1], len(pairs))
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
    gains = {
        (s, t): gain + by_arm * of_target[t] * wider * rng.normal(size=MOST) - alone[t] + items * rng.normal()
        for ((s, t), gain), wider in zip(true.items(), of_edge, strict=True)
    }
    return Graph(true, gains, items)


def played(shown: Graph, at: tuple[int, ...]) -> tuple[dict[Edge, str], int]:
    """The verdicts, and how many jobs (single tasks and pairs, by seed) they took."""
    verdicts = Verdicts(list(shown.true), at=at, smallest_effect=SMALLEST, arms=arms)
    jobs: set[tuple[Edge, int]] = set()
    while verdicts.open:
        jobs |= {
            (arm, seed) for edge in verdicts.open for arm in arms(edge) for seed in range(verdicts.seeds)
        }
        verdicts.look(shown.estimate)
    return {edge: state.verdict for edge, state in verdicts.states.items()}, len(jobs)
