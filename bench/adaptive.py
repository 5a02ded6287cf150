"""Adaptive seeds on simulated graphs of 8 tasks, beside all seeds everywhere: verdicts, jobs and errors.

Two designs: at every look as many single-task runs as pairs have seeds (1x), and twice as many (2x). Noise
is the standard deviation of a gain over seeds and items the standard error from test items, in points. Ends
with graphs without any effect, where some claim may be made in 5 %.

    python bench/adaptive.py [--graphs 10] [--nulls 60]
"""

import argparse
from collections.abc import Mapping

import numpy as np
from released import ALPHA
from simulated import seeded
from simulated_graphs import MOST, SPREADS, Edge, Graph, graph, played

from transfer.analysis.interim_looks import looks

SAME, JOBS = 0.95, 0.50  # what is asked: at least, at most
SETTINGS = tuple((n, items, s) for s in SPREADS for n in (0.25, 0.5, 1.0, 2.0) for items in (0.1, 0.3))
DESIGNS: Mapping[str, tuple[tuple[int, ...], int]] = {
    "all": ((MOST,), 1),
    "1x": (looks(3, MOST), 1),
    "2x": (looks(3, MOST), 2),
}
FIGURES = ("same verdict", "jobs", "found", "false discoveries", "false no effect", "wrong signs")


def compared(setting: tuple[float, float, str], graphs: int) -> dict[str, np.ndarray]:
    """The means of FIGURES by design."""
    rng, rows = seeded("adaptive", *setting), {name: [] for name in DESIGNS}
    for _ in range(graphs):
        shown = graph(*setting, rng)
        ended = {name: played(shown, at, times=times) for name, (at, times) in DESIGNS.items()}
        full, jobs = ended["all"]
        for name, (verdicts, used) in ended.items():
            same = np.mean([verdicts[edge] == full[edge] for edge in full])
            rows[name].append((same, used / jobs, *errors(shown, verdicts)))
    return {name: np.mean(values, axis=0) for name, values in rows.items()}


def errors(shown: Graph, verdicts: Mapping[Edge, str]) -> tuple[float, float, float, int]:
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


def nulls(setting: tuple[float, float, str], graphs: int) -> dict[str, float]:
    """The share of graphs without effect in which something is claimed, by design."""
    rng, claims = seeded("null", *setting), dict.fromkeys(DESIGNS, 0)
    for _ in range(graphs):
        shown = graph(*setting, rng, effects=False)
        for name, (at, times) in DESIGNS.items():
            verdicts, _ = played(shown, at, times=times)
            claims[name] += bool({"improves", "harms"} & set(verdicts.values()))
    return {name: count / graphs for name, count in claims.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--graphs", type=int, default=10, help="of a setting, with effects")
    parser.add_argument("--nulls", type=int, default=60, help="of a setting, without any")
    chosen = parser.parse_args()
    means: dict[str, list[np.ndarray]] = {name: [] for name in DESIGNS}
    for setting in SETTINGS:
        for name, values in compared(setting, chosen.graphs).items():
            means[name].append(values)
            figures = ", ".join(f"{f} {value:.3f}" for f, value in zip(FIGURES, values, strict=True))
            print(f"noise {setting[0]}, items {setting[1]}, {setting[2]}, {name}: {figures}", flush=True)
    print(f"\nover all {len(SETTINGS)} settings, {chosen.graphs} graphs each; asked: {SAME} at {JOBS}")
    for name, values in means.items():
        each = np.array(values)
        error = each[:, 0].std() / np.sqrt(len(each) * chosen.graphs)
        figures = ", ".join(f"{f} {value:.4f}" for f, value in zip(FIGURES, each.mean(0), strict=True))
        met = each[:, 0].mean() >= SAME and each[:, 1].mean() <= JOBS
        print(f"{name}: {figures} (error of the first about {error:.4f}){'' if met else ' MISSED'}")
    print(f"\nwithout any effect, {chosen.nulls} graphs a setting: share with some claim; allowed {ALPHA}")
    for setting in SETTINGS[:: len(SETTINGS) // 8]:
        found = nulls(setting, chosen.nulls)
        print(setting, *(f"{name} {share:.3f}" for name, share in found.items()), flush=True)


if __name__ == "__main__":
    main()
