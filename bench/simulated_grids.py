"""Simulated grids of tasks: scores of every run and each test document's share in them, in points.

A process draws the arms of one target without any effect; true gains are added to the joint arms. What
processes differ in is how runs and test documents vary, and whether some runs fail to learn.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from transfer.analysis.estimate import Runs, shares
from transfer.metrics import measure_of

TASKS, MOST = 8, 10  # tasks; seeds of a joint arm, of which a single arm has twice as many
TRUE = 2.0  # the deviation of true gains, in half of the edges
SMALLEST = 0.5
TARGETS = np.repeat(np.arange(TASKS), TASKS - 1)
DOCUMENTS = 100
FAILED, DROP = 0.1, 20.0  # the chance that a run fails to learn, and what it loses then

ArmScores = Callable[[np.random.Generator, int], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Sample:
    """One grid: true gains [edges] and the runs of its arms; edges are by target."""

    true: np.ndarray
    single: Runs  # [tasks, 2 * MOST] and their documents
    joint: Runs  # [edges, MOST]


@dataclass(frozen=True)
class Process:
    """A process that draws arms: ``arms(rng, target)`` are scores and shares [tasks, seeds(, documents)].

    The first arm is the single one. ``gains`` are true gains by edge, if not half of them null.
    """

    name: str
    arms: ArmScores
    gains: Callable[[np.random.Generator], np.ndarray] | None = None
    fails: bool = False  # whether some runs fail to learn
    shift: float = 0.0  # what failures alone add to every gain

    def sample(self, rng: np.random.Generator, *, null: bool) -> Sample:
        """One grid, without any effect where ``null``."""
        edges = len(TARGETS)
        true = np.zeros(edges)
        if not null:
            true = self.gains(rng) if self.gains else half_null(rng)
        drawn = [self.arms(rng, target) for target in range(TASKS)]
        joint = [np.concatenate([arms[kind][1:, :MOST] for arms in drawn]) for kind in (0, 1)]
        return Sample(
            true + self.shift,
            Runs(*(np.stack([arms[kind][0] for arms in drawn]) for kind in (0, 1))),
            Runs(joint[0] + true[:, None], joint[1] + true[:, None, None]),
        )


def half_null(rng: np.random.Generator) -> np.ndarray:
    """True gains: half of them 0, the others normal."""
    edges = len(TARGETS)
    return np.where(rng.random(edges) < 0.5, 0.0, TRUE * rng.normal(size=edges))


def normal(
    run: Callable[[np.random.Generator, int], np.ndarray],
    items: float,
    *,
    fails: tuple[float, float] = (0.0, 0.0),
    tails: float | None = None,
) -> ArmScores:
    """ArmScores with normal runs: ``run(rng, target)`` are the runs' deviations by arm [tasks].

    ``items`` is the standard error that test documents add to a gain; with ``tails`` documents profit by a t
    distribution of so many degrees of freedom, and some edges' documents much more unequally than others'.
    ``fails`` are the chances that a single and a joint run fail to learn.
    """

    def arms(rng: np.random.Generator, target: int) -> tuple[np.ndarray, np.ndarray]:
        shape = (TASKS, 2 * MOST, DOCUMENTS)
        spread = np.broadcast_to(run(rng, target), TASKS)[:, None]
        level = spread * rng.normal(size=shape[:2])
        chance = np.where(np.arange(TASKS) == 0, *fails)[:, None]
        level -= DROP * (rng.random(shape[:2]) < chance)
        profit = rng.normal(size=(TASKS, 1, DOCUMENTS))
        if tails:
            profit = rng.standard_t(tails, size=profit.shape) / np.sqrt(tails / (tails - 2))
            profit *= np.exp(0.5 * rng.normal(size=(TASKS, 1, 1)))
        # documents differ in difficulty, in what each arm makes of them, and a little from run to run
        difficulty = 10 * rng.normal(size=(1, 1, DOCUMENTS))
        values = level[..., None] + difficulty + items * np.sqrt(DOCUMENTS / 2) * profit
        values += rng.normal(size=shape)
        return values.mean(-1), values

    return arms


def clusters(rng: np.random.Generator, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Accuracy on 60 documents, from one item to some hundred in each."""
    size = np.ceil(5 * np.exp(1.2 * rng.normal(size=60))).astype(int)
    shape = (TASKS, 2 * MOST, len(size))
    latent = 0.6 + rng.normal(size=(1, 1, len(size))) + 0.2 * rng.normal(size=(TASKS, 1, len(size)))
    latent = latent + 0.05 * rng.normal(size=(*shape[:2], 1)) + 0.1 * rng.normal(size=shape)
    right = rng.binomial(np.broadcast_to(size, shape), ndtr(latent))
    return _scored("accuracy", np.stack([right, np.broadcast_to(size, shape)], axis=-1).astype(float))


def heavy_pearson(rng: np.random.Generator, target: int) -> tuple[np.ndarray, np.ndarray]:
    """Pearson's r on 150 items whose errors have heavy tails."""
    items = 150
    gold = rng.standard_t(4, size=(1, 1, items))
    error = 0.5 * rng.standard_t(3, size=(1, 1, items))
    own = 0.2 * rng.standard_t(3, size=(TASKS, 1, items))
    seed = 1 + 0.1 * rng.normal(size=(TASKS, 2 * MOST, 1))
    said = gold + seed * (error + own) + 0.2 * rng.standard_t(4, size=(TASKS, 2 * MOST, items))
    gold = np.broadcast_to(gold, said.shape)
    return _scored(
        "pearson", np.stack([np.ones_like(said), gold, said, gold**2, said**2, gold * said], axis=-1)
    )


def _scored(metric: str, parts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores and shares in points, of parts [tasks, seeds, documents, k]."""
    measure = measure_of(metric)
    return 100 * measure.value(parts.sum(-2)), 100 * shares(parts, measure)


def _constant(*values: float) -> Callable[[np.random.Generator, int], np.ndarray]:
    """The deviation of single runs, and of joint ones if another."""
    spread = np.full(TASKS, values[-1])
    spread[0] = values[0]
    return lambda rng, target: spread


def _precise(rng: np.random.Generator, target: int) -> np.ndarray:
    return np.full(TASKS, 0.15 if target < TASKS // 2 else 1.0)


def _precise_arms(rng: np.random.Generator, target: int) -> tuple[np.ndarray, np.ndarray]:
    return normal(_precise, 0.05 if target < TASKS // 2 else 0.7)(rng, target)


def _wild_edge(rng: np.random.Generator, target: int) -> np.ndarray:
    return np.array([1.0, 6.0 if target == 0 else 1.0, *[1.0] * (TASKS - 2)])


PROCESSES: Mapping[str, Process] = {
    process.name: process
    for process in (
        Process("run deviation 1", normal(_constant(1.0), 0.7)),
        Process("run deviation 2", normal(_constant(2.0), 0.7)),
        Process("run deviation 1 to 3", normal(lambda rng, _: np.full(TASKS, rng.uniform(1, 3)), 0.7)),
        Process("joint runs vary twice as much", normal(_constant(1.0, 2.0), 0.3)),
        Process("single runs vary twice as much", normal(_constant(2.0, 1.0), 0.3)),
        Process("targets differ", normal(lambda rng, _: np.full(TASKS, np.exp(0.7 * rng.normal())), 0.3)),
        Process("edges differ", normal(lambda rng, _: np.exp(0.5 * rng.normal(size=TASKS)), 0.3)),
        Process("one wild target", normal(lambda _, t: np.full(TASKS, 1.0 if t else 5.0), 0.3)),
        Process("one wild edge", normal(_wild_edge, 0.3)),
        Process("stable seeds, unequal items", normal(_constant(0.1), 0.7, tails=3.0)),
        Process("unequal clusters", clusters),
        Process("heavy-tailed Pearson", heavy_pearson),
        Process(
            "small precise edges",
            _precise_arms,
            gains=lambda rng: np.where(TARGETS < TASKS // 2, 0.35, 0.0),
        ),
        Process("failures in both arms", normal(_constant(1.0), 0.7, fails=(FAILED, FAILED)), fails=True),
        Process(
            "failures in joint runs",
            normal(_constant(1.0), 0.7, fails=(0.0, FAILED)),
            fails=True,
            shift=-FAILED * DROP,
        ),
    )
}
