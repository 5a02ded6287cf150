"""Verdicts by simulation: which interval covers, how often nothing is called something, what is found.

``coverage``: candidate intervals on the same simulated studies, and their power beside a t test's.
``null``: whole grids without any effect, judged as real ones are, with fixed and with adaptive seeds.
``adaptive``: graphs of 8 tasks with effects; adaptive seeds beside all seeds everywhere.
Each ends with what is outside its bounds.

    python bench/verdicts.py [coverage null adaptive] [--repetitions 2000] [--metrics accuracy …]
"""

import argparse
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from typing import TypeVar

import numpy as np
from candidates import ALPHA, CANDIDATES, reaches
from scipy.stats import binomtest
from simulated import EQUAL, GAINING, MADE, NOISE, PROFIT, Setting, seeded, studies, truth
from simulated_graphs import MOST as MOST_SEEDS
from simulated_graphs import SPREADS, TASKS, Graph, arms, graph, played

from transfer.analysis.inference import Estimate, crossed, shares
from transfer.analysis.sequential import Verdicts
from transfer.analysis.spending import looks
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


DESIGNS = {"3 seeds": (3,), "5 seeds": (5,), "10 seeds": (10,), "adaptive": looks(3, 10)}
NULL_TASKS = 6
NOTHING = 1e-9  # a smallest effect that every gain passes: what is claimed is what is significant
MARGIN = 0.1  # far beyond what any interval here reaches: the test is at its most generous


@dataclass
class Nulls:
    """Grids in which something was claimed though there is nothing, of a setting and by design."""

    setting: Setting
    grids: int = 0
    claimed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DESIGNS, 0))  # grids
    edges: dict[str, float] = field(default_factory=lambda: dict.fromkeys(DESIGNS, 0.0))  # share, summed
    equal: dict[str, float] = field(default_factory=lambda: dict.fromkeys(DESIGNS, 0.0))
    covered: dict[str, float] = field(default_factory=lambda: dict.fromkeys(DESIGNS, 0.0))

    def __str__(self) -> str:
        shown = " | ".join(
            f"{name}: {count / self.grids:.3f} {self.edges[name] / self.grids:.4f} "
            f"{self.equal[name] / self.grids:.3f} {self.covered[name] / self.grids:.3f}"
            for name, count in self.claimed.items()
        )
        return f"{self.setting}: {shown}"


def nulls(setting: Setting, repetitions: int) -> Nulls:
    """Grids of NULL_TASKS tasks whose arms are all equal, estimated and judged as real ones are."""
    rng, found = seeded("null", setting), Nulls(setting)
    for _ in range(repetitions):
        estimates = _null_grid(setting, rng)
        found.grids += 1
        for name, at in DESIGNS.items():
            judged = _judged(estimates, at, 0.0, NOTHING)
            wrong = [state.verdict in ("improves", "harms") for state in judged.states.values()]
            found.claimed[name] += any(wrong)
            found.edges[name] += float(np.mean(wrong))
            last = [state.estimate for state in judged.states.values()]
            found.covered[name] += float(np.mean([abs(e.gain) <= e.reach(ALPHA) for e in last]))
            # every gain is moved to the margin, where "no effect" is wrong
            at_margin = _judged(estimates, at, MARGIN, MARGIN)
            found.equal[name] += float(np.mean([s.verdict == "no effect" for s in at_margin.states.values()]))
    return found


def _null_grid(setting: Setting, rng: np.random.Generator) -> dict[tuple[tuple[int, int], int], Estimate]:
    """The estimates of all edges after each number of seeds that some design looks at."""
    measure = measure_of(setting.metric)
    counts = sorted({seeds for at in DESIGNS.values() for seeds in at})
    found = {}
    for target in range(NULL_TASKS):
        parts = studies(setting, [EQUAL] * NULL_TASKS, max(counts), 1, rng)
        single, *joint = [(measure.value(p[0].sum(-2)), shares(p[0], measure)) for p in parts]
        sources = [source for source in range(NULL_TASKS) if source != target]
        for source, arm in zip(sources, joint, strict=True):
            gains, of_items = arm[0] - single[0], arm[1] - single[1]
            for seeds in counts:
                found[(source, target), seeds] = crossed(gains[:seeds], of_items[:seeds])
    return found


def _judged(
    estimates: dict[tuple[tuple[int, int], int], Estimate], at: tuple[int, ...], gain: float, smallest: float
) -> Verdicts[tuple[int, int]]:
    """The verdicts on the grid, with ``gain`` added to every edge."""
    verdicts = Verdicts(sorted({e for e, _ in estimates}), at=at, smallest_effect=smallest, arms=arms)
    while verdicts.open:
        verdicts.look(
            lambda edge, seeds: estimates[edge, seeds]._replace(gain=estimates[edge, seeds].gain + gain)
        )
    return verdicts


def null(settings: Sequence[Setting], repetitions: int, processes: int) -> None:
    edges = NULL_TASKS * (NULL_TASKS - 1)
    print(f"\ngrids of {NULL_TASKS} tasks, {edges} edges, without any effect; by design: share of grids")
    print("with a false edge, of edges that are false, of edges whose gain is the margin called 'no effect',")
    print("coverage of the edges' 95 % intervals (moderated variances; after an adaptive stop no promise)")
    found = []
    for one in spread(nulls, settings, repetitions, processes):
        found.append(one)
        print(one, flush=True)
    print(f"\n{repetitions} grids a setting; nominal: {ALPHA} of grids; with 95 % binomial intervals")
    for name in DESIGNS:
        grids, claimed = sum(f.grids for f in found), sum(f.claimed[name] for f in found)
        worst = max(found, key=lambda f: f.claimed[name])
        above = [f for f in found if _interval(f.claimed[name], f.grids)[0] > ALPHA]
        print(
            f"{name:9}: {claimed / grids:.4f} of {grids} grids with a false edge {_shown(claimed, grids)}, "
            f"false edges {sum(f.edges[name] for f in found) / grids:.5f}, 'no effect' at the margin "
            f"{sum(f.equal[name] for f in found) / grids:.4f} (worst setting "
            f"{max(f.equal[name] / f.grids for f in found):.3f}), coverage "
            f"{sum(f.covered[name] for f in found) / grids:.4f} "
            f"({min(f.covered[name] / f.grids for f in found):.3f} to "
            f"{max(f.covered[name] / f.grids for f in found):.3f}); worst setting for false edges: "
            f"{worst.setting}: {_shown(worst.claimed[name], worst.grids)}; "
            f"above {ALPHA} by more than simulation error: {[str(f.setting) for f in above]}"
        )


def _interval(count: int, total: int) -> tuple[float, float]:
    found = binomtest(count, total).proportion_ci()
    return float(found.low), float(found.high)


def _shown(count: int, total: int) -> str:
    low, high = _interval(count, total)
    return f"({low:.4f} to {high:.4f})"


SAME, JOBS = 0.95, 0.60  # at least, at most
GRAPHS = tuple((noise, items, s) for s in SPREADS for noise in (0.25, 0.5, 1.0, 2.0) for items in (0.1, 0.3))


@dataclass(frozen=True)
class Adapted:
    """Means over graphs; pairs are (adaptive, all seeds everywhere)."""

    setting: tuple[float, float, str]
    same: float
    jobs: float
    found: tuple[float, float]
    false: tuple[float, float]  # share of what is claimed
    equal: tuple[float, float]  # share of "no effect" that is wrong
    wrong: int  # signs

    def __str__(self) -> str:
        noise, items, spread = self.setting
        return (
            f"noise {noise:4}, items {items}, {spread:15}: same verdict {self.same:.3f}, "
            f"jobs {self.jobs:.2f}, found {_pair(self.found, 2)}, false discoveries {_pair(self.false)}, "
            f"false 'no effect' {_pair(self.equal)}, wrong sign {self.wrong}"
        )


def _pair(shares: tuple[float, float], digits: int = 3) -> str:
    return f"{shares[0]:.{digits}f} ({shares[1]:.{digits}f})"


def adapted(setting: tuple[float, float, str], repetitions: int) -> Adapted:
    rng = seeded("adaptive", *setting)
    same, jobs, wrong = [], [], 0
    power, false, equal = ([], []), ([], []), ([], [])
    for _ in range(repetitions):
        shown = graph(*setting, rng)
        full, all_jobs = played(shown, (MOST_SEEDS,))
        some, some_jobs = played(shown, looks(3, MOST_SEEDS))
        same.append(np.mean([some[edge] == full[edge] for edge in full]))
        jobs.append(some_jobs / all_jobs)
        for which, verdicts in enumerate((some, full)):
            share_found, share_false, share_unequal, signs = _errors(shown, verdicts)
            power[which].append(share_found)
            false[which].append(share_false)
            equal[which].append(share_unequal)
            wrong += signs
    found, mistaken, unequal = (
        (float(np.mean(some)), float(np.mean(full))) for some, full in (power, false, equal)
    )
    return Adapted(setting, float(np.mean(same)), float(np.mean(jobs)), found, mistaken, unequal, wrong)


def _errors(shown: Graph, verdicts: dict[tuple[int, int], str]) -> tuple[float, float, float, int]:
    """The share of effects found, of claims that are false, of "no effect" that is wrong; wrong signs."""
    claims = {edge for edge, verdict in verdicts.items() if verdict in ("improves", "harms")}
    equal = {edge for edge, verdict in verdicts.items() if verdict == "no effect"}
    real = {edge for edge, gain in shown.true.items() if gain}
    return (
        len(claims & real) / len(real),
        len(claims - real) / max(len(claims), 1),
        len(equal & real) / max(len(equal), 1),
        sum((verdicts[edge] == "improves") != (shown.true[edge] > 0) for edge in claims & real),
    )


def adaptive(repetitions: int, processes: int) -> None:
    print(f"\ngraphs of {TASKS} tasks, {MOST_SEEDS} seeds at most (in brackets: everywhere); noise: standard")
    print("deviation of a gain over seeds, items: standard error from test items, in points")
    found = []
    for one in spread(adapted, GRAPHS, repetitions, processes):
        found.append(one)
        print(one, flush=True)
    same, jobs = np.mean([(one.same, one.jobs) for one in found], axis=0)
    print(f"\n{repetitions} graphs a setting; asked: same verdict {SAME}, jobs {JOBS}")
    print(f"{'over all graphs' if same >= SAME and jobs <= JOBS else 'MISSED over all graphs'}: ", end="")
    print(f"same verdict {same:.4f}, jobs {jobs:.4f}; settings that miss one of the two:")
    for one in found:
        if one.same < SAME or one.jobs > JOBS:
            print(f"MISSED: {one}")
    for what, nominal in (("false", ALPHA), ("equal", ALPHA)):
        worst = max(found, key=lambda f: getattr(f, what)[0])
        print(f"most errors of kind {what!r} (nominal {nominal}): {worst}")


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
    parser.add_argument("what", nargs="*", default=["coverage"], choices=["coverage", "null", "adaptive"])
    parser.add_argument("--repetitions", type=int, default=2000, help="studies of a cell, grids, or graphs")
    parser.add_argument("--metrics", nargs="+", default=list(MADE), choices=list(MADE))
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args()
    settings = [Setting(*values) for values in product(chosen.metrics, NOISE, PROFIT, ITEMS)]
    if "coverage" in chosen.what:
        coverage(settings, chosen.repetitions, chosen.processes)
    if "null" in chosen.what:
        null(settings, chosen.repetitions, chosen.processes)
    if "adaptive" in chosen.what:
        adaptive(chosen.repetitions, chosen.processes)


if __name__ == "__main__":
    main()
