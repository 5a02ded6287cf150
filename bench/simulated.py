"""Simulated studies, item by item: every arm its seeds, every test item a difficulty and a profit of its own.

An item's latent value is the sum of what the item, the seed, the arm and the item in that arm bring; each
metric is made from latent values in its own way. What two arms differ in is known, or read off many seeds
and items.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from transfer.metrics import measure_of

NOISE = {"small": 0.03, "large": 0.3}  # of a seed, in units of an item's latent value
PROFIT = {"alike": 0.0, "differ": 1.0}  # how items differ in what they gain
TRUTH_SEEDS, TRUTH_ITEMS, TRUTH_TIMES = 100, 4000, 60


@dataclass(frozen=True)
class Setting:
    """A simulated setting: metric, test items, and the variation of seeds and of the items' gains."""

    metric: str
    noise: str
    profit: str
    items: int

    def __str__(self) -> str:
        return f"{self.metric:10} noise {self.noise}, items {self.profit:6}, {self.items:4} items"


@dataclass(frozen=True)
class Arm:
    """By how much an arm's latent values are higher, and the share of the items' profit that is its own."""

    gain: float = 0.0
    profit: float = 0.0


# A gain, as an edge has it; and arms of which none is better, though items may do better in one or another.
GAINING = (Arm(), Arm(gain=0.1, profit=1.0))
EQUAL = Arm(profit=0.5**0.5)


def studies(
    setting: Setting, arms: Sequence[Arm], seeds: int, count: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Each arm in many studies of the same items, [count, seeds, items, k] parts of the metric."""
    noise = NOISE[setting.noise]
    shape, of_item, of_seed = (
        (count, seeds, setting.items),
        (count, 1, setting.items),
        (count, seeds, 1),
    )
    common = 0.6 + rng.normal(size=of_item) + 0.5 * noise * rng.normal(size=of_seed)
    made = MADE[setting.metric](rng, of_item)
    found = []
    for arm in arms:
        latent = 0.5 * rng.normal(size=shape)
        latent += common + arm.gain + noise * rng.normal(size=of_seed)
        if PROFIT[setting.profit] and arm.profit:
            latent += PROFIT[setting.profit] * arm.profit * rng.normal(size=of_item)
        found.append(made(latent))
    return found


def truth(setting: Setting, arms: Sequence[Arm]) -> float:
    """The mean gain of the second arm over the first, over very many seeds and items."""
    measure, rng = measure_of(setting.metric), seeded("truth", setting, *arms)
    large = Setting(setting.metric, setting.noise, setting.profit, TRUTH_ITEMS)
    gains = []
    for _ in range(TRUTH_TIMES):
        single, joint = studies(large, arms, TRUTH_SEEDS, 1, rng)
        gains.append((measure.value(joint.sum(-2)) - measure.value(single.sum(-2))).mean())
    return float(np.mean(gains))


def seeded(*key: object) -> np.random.Generator:
    """A generator that follows from the words and numbers given."""
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


Maker = Callable[[np.ndarray], np.ndarray]


def _accuracy(rng: np.random.Generator, shape: tuple[int, ...]) -> Maker:
    return lambda x: np.stack([x > 0, np.ones_like(x)], axis=-1).astype(float)


def _micro_f1(rng: np.random.Generator, shape: tuple[int, ...]) -> Maker:
    positive, mistaken = rng.random(shape) < 0.3, rng.random(shape) < 0.5

    def parts(x: np.ndarray) -> np.ndarray:
        right, invented = positive & (x > 0), ~positive & (x < -0.8)
        other = positive & (x <= 0) & mistaken  # found, but as another label
        return np.stack([2 * right, right + other + invented + positive], axis=-1).astype(float)

    return parts


def _span_f1(rng: np.random.Generator, shape: tuple[int, ...]) -> Maker:
    there = rng.poisson(1.2, shape)

    def parts(x: np.ndarray) -> np.ndarray:
        right = rng.binomial(np.broadcast_to(there, x.shape), ndtr(x))
        return np.stack([2 * right, right + (x < -0.5) + there], axis=-1).astype(float)

    return parts


def _pearson(rng: np.random.Generator, shape: tuple[int, ...]) -> Maker:
    gold, error = rng.normal(size=shape), 0.5 * rng.normal(size=shape)

    def parts(x: np.ndarray) -> np.ndarray:
        said = gold * (0.5 + 0.3 * np.tanh(x - 0.6)) + error + 0.3 * rng.normal(size=x.shape)
        g = np.broadcast_to(gold, x.shape)
        return np.stack([np.ones_like(x), g, said, g * g, said * said, g * said], axis=-1)

    return parts


def _example_f1(rng: np.random.Generator, shape: tuple[int, ...]) -> Maker:
    def parts(x: np.ndarray) -> np.ndarray:
        score = np.select([x > 0.8, x > 0, x > -0.5], [1.0, 2 / 3, 0.5], 0.0)
        return np.stack([score, np.ones_like(x)], axis=-1)

    return parts


MADE = {
    "accuracy": _accuracy,
    "micro_f1": _micro_f1,
    "span_f1": _span_f1,
    "pearson": _pearson,
    "example_f1": _example_f1,
}
