"""The gain that `recommend` promises beside the true one, on the simulated grids of ``simulated_grids``.

Half of the edges of a grid have no effect. A target with a claimed improvement gets its partner with the
highest lower bound, as ``transfer recommend`` chooses. Printed are the mean measured and the mean expected
gain of these partners less their true gain, and the cross-fitted value of taking the largest gain of a target
less what that choice is truly worth, all in points.

    python bench/advice.py [--grids 200] [--processes "run deviation 1" …]
"""

import argparse
from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from released import ALPHA
from simulated import seeded
from simulated_grids import PROCESSES, TARGETS, TASKS, Process, Sample
from verdicts import Design, estimated, judged

from transfer.analysis.crossfit import Crossfit, SeedGains
from transfer.analysis.estimate import Estimate
from transfer.analysis.moderation import moderated
from transfer.analysis.shrinkage import expected_gains

DESIGNS = (Design(3, 3), Design(5, 5), Design(3, 6))


def promises(process: Process, design: Design, grids: int) -> Mapping[str, list[float]]:
    """Errors of what is said of the chosen partners, over all grids."""
    rng = seeded("advice", process.name, str(design))
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(grids):
        sample = process.sample(rng, null=False)
        many = estimated(sample, design)
        claimed = judged([many])[0].claimed[0]
        fields = [np.broadcast_to(field, many.gain.shape).tolist() for field in many]
        edges = moderated([Estimate(*values) for values in zip(*fields, strict=True)], TARGETS.tolist())
        gains = np.array([float(e.gain) for e in edges])
        shared = design.joint / (design.joint + design.single)
        expected = expected_gains(edges, TARGETS.tolist(), shared=shared)
        low = gains - np.array([float(e.reach(ALPHA / (TASKS - 1))) for e in edges])
        for target in range(TASKS):
            of_target = np.flatnonzero(target == TARGETS)
            improving = [i for i in of_target if claimed[i] and gains[i] > 0]
            if improving:
                best = max(improving, key=low.__getitem__)
                found["measured"].append(gains[best] - sample.true[best])
                found["expected"].append(expected[best] - sample.true[best])
            largest = max(of_target, key=gains.__getitem__)
            worth = sample.true[largest] if gains[largest] >= 0 else 0.0
            found["largest, measured"].append(max(gains[largest], 0.0) - worth)
            found["largest, held out"].append(_held_out(sample, of_target, design) - worth)
    return found


def _held_out(sample: Sample, of_target: np.ndarray, design: Design) -> float:
    assert sample.joint.shares is not None
    assert sample.single.shares is not None
    options = {}
    for i in of_target:
        seeds = slice(design.joint)
        shares = sample.joint.shares[i, seeds] - sample.single.shares[TARGETS[i], seeds]
        scores = sample.joint.scores[i, seeds] - sample.single.scores[TARGETS[i], seeds]
        options[i] = SeedGains(dict(enumerate(scores)), SeedGains.halved(str(TARGETS[i]), shares))

    def tried(chosen_by: Mapping[int, float], left_out: Mapping[int, float]) -> float:
        top = max(chosen_by, key=chosen_by.__getitem__)
        return left_out[top] if chosen_by[top] >= 0 else 0.0

    return Crossfit(options).value(tried)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--grids", type=int, default=200)
    named = [name for name, process in PROCESSES.items() if not process.fails]
    parser.add_argument("--processes", nargs="+", default=named, choices=list(PROCESSES))
    chosen = parser.parse_args()
    print(
        f"{chosen.grids} grids; mean error in points, with its Monte Carlo error; number of recommendations"
    )
    for name in chosen.processes:
        for design in DESIGNS:
            found = promises(PROCESSES[name], design, chosen.grids)
            said = ", ".join(
                f"{what} {np.mean(errors):+.2f} ± {np.std(errors) / len(errors) ** 0.5:.2f}"
                for what, errors in sorted(found.items())
            )
            print(f"{name}, {design} seeds: {said}; {len(found.get('expected', []))}", flush=True)


if __name__ == "__main__":
    main()
