"""Single intervals by simulation: which candidate covers, and what it finds beside a t test.

    python bench/intervals.py [--repetitions 2000] [--metrics accuracy …]

Ends with what is outside its bounds. Whole grids are in ``verdicts.py``.
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import TypeVar

import numpy as np
from candidates import CANDIDATES, reaches
from simulated import GAINING, MADE, NOISE, PROFIT, Setting, seeded, studies, truth

from transfer.metrics import measure_of

SEEDS, ITEMS = (3, 5, 10), (100, 300, 3000)
LEAST, MOST = {3: 0.92, 5: 0.93, 10: 0.93}, 0.98  # the coverage that a 95 % interval must have
SHORTFALL = 0.05  # of power beside a calibrated t test
USUAL_POWER = 0.8
AT_ONCE = 200_000  # latent values of an arm that are in memory, so that they stay in the cache


@dataclass(frozen=True)
class Covered:
    """A cell: how often each candidate's interval covers, and what it finds."""

    setting: Setting
    seeds: int
    gain: float
    coverage: dict[str, float]
    power: dict[str, float]  # at the gain that was simulated
    usual: dict[str, float]  # at a gain that the t test finds in 4 of 5

    def outside(self, name: str) -> bool:
        return not LEAST[self.seeds] <= self.coverage[name] <= MOST

    def __str__(self) -> str:
        figures = " | ".join(
            f"{name} {self.coverage[name]:.3f} {self.power[name]:.2f} {self.usual[name]:.2f}"
            for name in CANDIDATES
        )
        return f"{self.setting}, {self.seeds:2} seeds, gain {100 * self.gain:+.2f}: {figures}"


def covered(setting: Setting, repetitions: int) -> list[Covered]:
    """The cells of a setting; those with fewer seeds take the first ones of the same studies."""
    measure, rng = measure_of(setting.metric), seeded("coverage", setting)
    at_once = max(1, AT_ONCE // (max(SEEDS) * setting.items))
    found: dict[int, list[dict[str, np.ndarray]]] = {seeds: [] for seeds in SEEDS}
    for start in range(0, repetitions, at_once):
        count = min(at_once, repetitions - start)
        single, joint = studies(setting, GAINING, max(SEEDS), count, rng)
        for seeds in SEEDS:
            found[seeds].append(reaches(single[:, :seeds], joint[:, :seeds], measure))
    gain = truth(setting, GAINING)
    return [
        _cell(setting, seeds, gain, {name: np.concatenate([f[name] for f in parts]) for name in parts[0]})
        for seeds, parts in found.items()
    ]


def _cell(setting: Setting, seeds: int, gain: float, found: dict[str, np.ndarray]) -> Covered:
    """An interval moved with its gain: so the same studies tell the power at any gain."""
    off = found["gain"] - gain
    # |off + x| > reach, for either sign of off, where x is larger than this
    usual = float(np.quantile(np.concatenate([found["t"] - off, found["t"] + off]), USUAL_POWER))

    def power(name: str, at: float) -> float:
        return float(np.mean([np.abs(off + sign * at) > found[name] for sign in (1, -1)]))

    return Covered(
        setting,
        seeds,
        gain,
        {name: float(np.mean(np.abs(off) <= found[name])) for name in CANDIDATES},
        {name: float(np.mean(np.abs(found["gain"]) > found[name])) for name in CANDIDATES},
        {name: power(name, usual) for name in CANDIDATES},
    )


def coverage(settings: Sequence[Setting], repetitions: int, processes: int) -> None:
    print(f"coverage of the 95 % interval, power at the gain simulated, power where t has {USUAL_POWER}")
    cells: list[Covered] = []
    for some in spread(covered, settings, repetitions, processes):
        cells += some
        print(*some, sep="\n", flush=True)
    print(f"\n{repetitions} studies a cell, whose own error is {np.sqrt(0.95 * 0.05 / repetitions):.4f}")
    for name in CANDIDATES:
        out = [cell for cell in cells if cell.outside(name)]
        seen = [cell.coverage[name] for cell in cells]
        print(
            f"{name:13} {len(out):3} of {len(cells)} cells outside {LEAST[3]} (3 seeds) or {LEAST[5]} to "
            f"{MOST}; {min(seen):.3f} to {max(seen):.3f}, mean {np.mean(seen):.3f}"
        )
    for cell in cells:
        if cell.outside("ours"):
            print(f"OUTSIDE: {cell.setting}, {cell.seeds} seeds: {cell.coverage['ours']:.4f}")
    calibrated = [cell for cell in cells if not cell.outside("t")]
    for what, of in (("at the gain simulated", "power"), (f"where t has {USUAL_POWER}", "usual")):
        short = [getattr(cell, of)["t"] - getattr(cell, of)["ours"] for cell in calibrated]
        print(
            f"power {what}, in the {len(calibrated)} cells where t is calibrated: ours is lower by "
            f"{max(short):.3f} at most, {np.mean(short):.3f} on average; by more than {SHORTFALL} in "
            f"{sum(s > SHORTFALL for s in short)}"
        )
        for cell, less in zip(calibrated, short, strict=True):
            if less > SHORTFALL:
                covers = cell.coverage["t"]
                print(f"SHORT: {cell.setting}, {cell.seeds} seeds: {less:.3f} (t covers {covers:.3f})")


S = TypeVar("S")
R = TypeVar("R")


def spread(
    run: Callable[[S, int], R], settings: Sequence[S], repetitions: int, processes: int
) -> Iterator[R]:
    """The results in the settings' order, from a pool of processes."""
    if processes == 1:
        yield from (run(setting, repetitions) for setting in settings)
        return
    with ProcessPoolExecutor(processes) as pool:
        yield from pool.map(run, settings, [repetitions] * len(settings))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--repetitions", type=int, default=2000, help="studies of a cell")
    parser.add_argument("--metrics", nargs="+", default=list(MADE), choices=list(MADE))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    settings = [Setting(*values) for values in product(chosen.metrics, NOISE, PROFIT, ITEMS)]
    coverage(settings, chosen.repetitions, chosen.processes)


if __name__ == "__main__":
    main()
