"""Verdicts by simulation: which interval covers, how often nothing is called something, what is found.

Studies are simulated item by item: two arms, each seed its own, every test item with a difficulty and
perhaps a profit of its own. The truth of a cell is the same simulation on many seeds and items. Every
candidate interval sees the same studies.

    python bench/verdicts.py [--repetitions 2000] [--metrics accuracy …]
    python bench/verdicts.py --adaptive [--repetitions 50]
"""

import argparse
import itertools
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.special import ndtr, stdtrit

from transfer.analysis.inference import Estimate, over_seeds, two_way
from transfer.analysis.sequential import Verdicts, looks
from transfer.metrics import Measure, measure_of

ALPHA = 0.05
SEEDS, ITEMS = (3, 5, 10), (100, 300, 3000)
NOISE = {"small": 0.03, "large": 0.3}  # of a seed, in units of an item's latent value
PROFIT = {"alike": 0.0, "differ": 1.0}  # how items differ in what they gain
GAIN = 0.1
CELLS_AT_ONCE = 2_000_000  # latent values in memory


@dataclass(frozen=True)
class Cell:
    """One setting of the simulation; ``gain`` 0 is the null."""

    metric: str
    noise: str
    profit: str
    seeds: int
    items: int
    gain: float


def studies(cell: Cell, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Single and joint arms of many studies, [count, seeds, items, k] parts of the metric."""
    shape = (count, cell.seeds, cell.items)
    item = rng.normal(size=(count, 1, cell.items))
    profit = PROFIT[cell.profit] * rng.normal(size=(count, 1, cell.items))
    shared = 0.5 * NOISE[cell.noise] * rng.normal(size=(count, cell.seeds, 1))
    latent = [
        0.6 + item + shared + NOISE[cell.noise] * rng.normal(size=(count, cell.seeds, 1)) + extra
        + 0.5 * rng.normal(size=shape)
        for extra in (0.0, profit + cell.gain)
    ]  # fmt: skip
    made = MADE[cell.metric](rng, (count, 1, cell.items))
    return made(latent[0]), made(latent[1])


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


def truth(cell: Cell) -> float:
    """The mean gain over very many seeds and items; 0 under the null, by symmetry."""
    if cell.gain == 0 and cell.profit == "alike":
        return 0.0
    measure, rng = measure_of(cell.metric), _rng("truth", cell.metric, cell.noise, cell.profit, cell.gain)
    large = Cell(cell.metric, cell.noise, cell.profit, 100, 4000, cell.gain)
    gains = []
    for _ in range(60):
        single, joint = studies(large, 1, rng)
        gains.append((measure.value(joint.sum(-2)) - measure.value(single.sum(-2))).mean())
    return float(np.mean(gains))


def _rng(*key: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(key).encode()))


def satterthwaite(found: Estimate) -> np.ndarray:
    """Half the interval by one t quantile, at Satterthwaite's degrees of freedom."""
    total = found.seeds + found.items
    degrees = total**2 / (found.seeds**2 / found.seed_degrees + found.items**2 / found.item_degrees)
    return stdtrit(degrees, 1 - ALPHA / 2) * np.sqrt(total)


def squares(found: Estimate) -> np.ndarray:
    """Half the interval by the sum of the two variances' own squared reaches."""
    by_seeds = stdtrit(found.seed_degrees, 1 - ALPHA / 2)
    by_items = stdtrit(found.item_degrees, 1 - ALPHA / 2)
    return np.sqrt(by_seeds**2 * found.seeds + by_items**2 * found.items)


def items_only(single: np.ndarray, joint: np.ndarray, measure: Measure) -> np.ndarray:
    """Half the jackknife interval over items of the mean score over seeds: the seeds taken as given."""
    items = single.shape[-2]
    without = [measure.value(parts.sum(-2, keepdims=True) - parts).mean(axis=-2) for parts in (single, joint)]
    gains = without[1] - without[0]
    error = np.sqrt((items - 1) / items * ((gains - gains.mean(-1, keepdims=True)) ** 2).sum(-1))
    return stdtrit(items - 1, 1 - ALPHA / 2) * error


def simulated(cell: Cell, repetitions: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The studies' gains, and half the interval by each candidate; [repetitions] each."""
    measure, rng = measure_of(cell.metric), _rng(cell)
    gains, reaches = [], []
    at_once = max(1, CELLS_AT_ONCE // (cell.seeds * cell.items))
    for start in range(0, repetitions, at_once):
        single, joint = studies(cell, min(at_once, repetitions - start), rng)
        found = two_way(single, joint, measure)
        seeds_only = over_seeds(measure.value(joint.sum(-2)) - measure.value(single.sum(-2)))
        gains.append(found.gain)
        reaches.append(
            {
                "seeds": seeds_only.reach(ALPHA),
                "items": items_only(single, joint, measure),
                "satterthwaite": satterthwaite(found),
                "squares": squares(found),
                "ours": found.reach(ALPHA),
            }
        )
    return np.concatenate(gains), {name: np.concatenate([r[name] for r in reaches]) for name in reaches[0]}


def cells(metrics: list[str], gain: float) -> Iterator[Cell]:
    for metric, noise, profit, seeds, items in product(metrics, NOISE, PROFIT, SEEDS, ITEMS):
        yield Cell(metric, noise, profit, seeds, items, gain)


TASKS, MOST, SMALLEST = 8, 10, 0.5
Edge = tuple[int, int]


@dataclass(frozen=True)
class Graph:
    """A simulated graph: each edge's true gain, and its gain in each seed (points)."""

    true: dict[Edge, float]
    gains: dict[Edge, np.ndarray]
    items: float  # the standard error that the test items alone give a gain

    def estimate(self, edge: Edge, seeds: int) -> Estimate:
        found = over_seeds(self.gains[edge][:seeds])
        return found._replace(items=np.float64(self.items**2), item_degrees=1000)


def graph(noise: float, items: float, rng: np.random.Generator) -> Graph:
    """Half of the edges have no effect, the others one of 1 to 3 points; edges share their targets' seeds."""
    pairs = list(itertools.permutations(range(TASKS), 2))
    null, sign = rng.random(len(pairs)) < 0.5, rng.choice([-1, 1], len(pairs))
    true = dict(zip(pairs, np.where(null, 0.0, sign * rng.uniform(1, 3, len(pairs))), strict=True))
    alone = rng.normal(0, noise / np.sqrt(2), (TASKS, MOST))
    gains = {
        pair: gain + rng.normal(0, noise / np.sqrt(2), MOST) - alone[pair[1]] + items * rng.normal()
        for pair, gain in true.items()
    }
    return Graph(true, gains, items)


def played(shown: Graph, at: tuple[int, ...]) -> tuple[dict[Edge, str], int]:
    """The verdicts, and how many jobs (single tasks and pairs, by seed) they took."""
    verdicts = Verdicts(list(shown.true), at=at, smallest_effect=SMALLEST)
    jobs = set()
    while verdicts.open:
        for source, target in verdicts.open:
            for seed in range(verdicts.seeds):
                jobs |= {(target, target, seed), (min(source, target), max(source, target), seed)}
        verdicts.look(shown.estimate)
    return {edge: state.verdict for edge, state in verdicts.states.items()}, len(jobs)


def adaptive(repetitions: int) -> None:
    print(f"{TASKS} tasks, {MOST} seeds at most; noise: standard deviation of a gain over seeds, in points")
    for noise, items in product((0.25, 0.5, 1.0, 2.0), (0.1, 0.3)):
        rng = _rng("adaptive", noise, items)
        same, jobs, power, false, wrong = [], [], [[], []], [[], []], 0
        for _ in range(repetitions):
            shown = graph(noise, items, rng)
            full, all_jobs = played(shown, (MOST,))
            some, some_jobs = played(shown, looks(3, MOST))
            same += [some[edge] == full[edge] for edge in full]
            jobs.append(some_jobs / all_jobs)
            for which, verdicts in enumerate((some, full)):
                claims = {e for e, verdict in verdicts.items() if verdict in ("improves", "harms")}
                null = [edge for edge, gain in shown.true.items() if gain == 0]
                power[which] += [e in claims for e, gain in shown.true.items() if gain]
                false[which].append(sum(e in claims for e in null) / max(len(claims), 1))
                wrong += sum((verdicts[e] == "improves") != (shown.true[e] > 0) for e in claims - set(null))
        print(
            f"noise {noise:4}, items {items}: same verdict {np.mean(same):.3f}, jobs {np.mean(jobs):.2f}, "
            f"found {np.mean(power[0]):.2f} ({np.mean(power[1]):.2f} with {MOST} everywhere), "
            f"false discoveries {np.mean(false[0]):.3f} ({np.mean(false[1]):.3f}), wrong sign {wrong}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--repetitions", type=int, default=2000)
    parser.add_argument("--metrics", nargs="+", default=list(MADE), choices=list(MADE))
    parser.add_argument("--adaptive", action="store_true", help="adaptive seeds on graphs of 8 tasks")
    chosen = parser.parse_args()
    if chosen.adaptive:
        adaptive(chosen.repetitions)
        return
    print("coverage of the 95 % interval, and power (share that excludes 0), by candidate")
    outside: dict[str, list[str]] = {}
    reaches: dict[str, np.ndarray] = {}
    for cell in cells(chosen.metrics, GAIN):
        gains, reaches = simulated(cell, chosen.repetitions)
        right = truth(cell)
        shown = []
        for name, reach in reaches.items():
            covered = float(np.mean(np.abs(gains - right) <= reach))
            power = float(np.mean(np.abs(gains) > reach))
            shown.append(f"{name} {covered:.3f} {power:.2f}")
            if not (0.92 if cell.seeds == 3 else 0.93) <= covered <= (1 if cell.seeds == 3 else 0.98):
                outside.setdefault(name, []).append(f"{covered:.3f}")
        where = f"{cell.metric:10} noise {cell.noise}, items {cell.profit:6}, {cell.seeds:2} x {cell.items:4}"
        print(f"{where}, gain {100 * right:+.2f}: " + " | ".join(shown), flush=True)
    for name in reaches:
        print(f"{name}: {len(outside.get(name, []))} cells outside their bounds {outside.get(name, '')}")


if __name__ == "__main__":
    main()
