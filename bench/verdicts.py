"""Verdicts on simulated grids of 8 tasks: coverage, false claims and power beside two references.

Every process of ``simulated_grids`` is drawn with half of the edges null and without any effect, and judged
with 3, 5 and 10 seeds and with twice as many single-task seeds (3+3, …) by the rule of this version, the
rule of version 0.1.0 (``released``) and the paired t test. Single intervals are in ``intervals.py``, adaptive
seeds in ``adaptive.py``.

    python bench/verdicts.py [--grids 300] [--processes "run deviation 1" …] [--csv FILE]
"""

import argparse
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from released import ALPHA, Judged, benjamini_hochberg, released, t_test
from simulated import seeded
from simulated_grids import DOCUMENTS, PROCESSES, SMALLEST, TARGETS, TASKS, Process, Sample

from transfer.analysis.estimate import Estimate, Runs, combined, stacked
from transfer.analysis.moderation import moderated
from transfer.analysis.singles import matching_of


class Design(NamedTuple):
    """Seeds of joint runs and of single runs."""

    joint: int
    single: int

    def __str__(self) -> str:
        return f"{self.joint}" if self.single == self.joint else f"{self.joint}+{self.single - self.joint}"

    @property
    def compute(self) -> float:
        """Training time of a grid with one seed is 1; a pair takes as long as its two tasks."""
        pairs = TASKS * (TASKS - 1)
        return (self.single * TASKS + self.joint * pairs) / (TASKS + pairs)


PAIRED = tuple(Design(n, n) for n in (3, 4, 5, 6, 7, 10))
DOUBLED = tuple(Design(n, 2 * n) for n in (3, 4, 5, 10))
MAIN = ("3", "5", "10", "3+3", "5+5", "10+10")  # the others serve to compare power at equal compute


def estimated(sample: Sample, design: Design) -> Estimate:
    """The estimates of a grid's edges before variances are moderated, as arrays."""
    single = Runs(sample.single.scores[TARGETS, : design.single], _shares(sample.single, design.single))
    joint = sample.joint.first(design.joint)
    matching = 1.0
    if design.single > design.joint:
        rows = np.indices(joint.scores.shape)[0].ravel()
        matched = single.scores[:, : design.joint].ravel()
        names = pd.Series(rows.astype(str))
        matching = matching_of(
            pd.DataFrame(
                {"stage": "refine", "corpora": names, "target": names, "single": matched}
                | {"joint": joint.scores.ravel()}
            )
        )
    return combined(joint, single, matching)


def _shares(single: Runs, count: int) -> np.ndarray:
    assert single.shares is not None
    return single.shares[TARGETS, :count]


def judged(grids: Sequence[Estimate]) -> tuple[Judged, np.ndarray]:
    """Verdicts by the rule of this version, and moderated degrees of freedom; all grids at once."""
    steadied = []
    for found in grids:
        fields = [np.broadcast_to(field, found.gain.shape).tolist() for field in found]
        edges = [Estimate(*values) for values in zip(*fields, strict=True)]
        steadied.append(stacked(moderated(edges, TARGETS.tolist())))
    many = Estimate(*(np.stack(fields) for fields in zip(*steadied, strict=True)))
    relevant = np.where(np.abs(many.gain) < SMALLEST, 1.0, many.p)
    claimed = benjamini_hochberg(relevant) < ALPHA
    level = np.maximum(ALPHA * claimed.mean(-1, keepdims=True), ALPHA / claimed.shape[-1])
    selected = np.asarray(many.reach(level))
    no_effect = ~claimed & (np.abs(many.gain) + many.reach(2 * ALPHA) < SMALLEST)
    return Judged(np.asarray(many.reach(ALPHA)), selected, claimed, no_effect), many.over_seeds_degrees


def row(rule: str, design: Design, true: np.ndarray, gain: np.ndarray, found: Judged) -> dict[str, object]:
    """A rule's figures over all grids; ``true`` and ``gain`` are [grids, edges]."""
    off = np.abs(gain - true)
    claims, real = found.claimed, np.abs(true) > 0
    false = claims & ~real
    wrong = claims & real & (np.sign(gain) != np.sign(true))
    of_claims = claims.sum(-1)
    called, matters = found.no_effect, np.abs(true) >= SMALLEST
    return {
        "rule": rule,
        "design": str(design),
        "compute": design.compute,
        "coverage": (off <= found.reach).mean(),
        "claimed coverage": _share((off <= found.selected) & claims, claims),
        "claimed coverage, unadjusted": _share((off <= found.reach) & claims, claims),
        "found": (claims & real).sum(-1).mean(),
        "FDR": (false.sum(-1) / np.maximum(of_claims, 1)).mean(),
        "any false claim": false.any(-1).mean(),
        "any false claim, error": false.any(-1).std() / np.sqrt(len(true)),
        "FDR, error": (false.sum(-1) / np.maximum(of_claims, 1)).std() / np.sqrt(len(true)),
        "wrong sign": wrong.sum(),
        "false no effect": _share(called & matters, matters),
        "claims": of_claims.sum(),
    }


def _share(part: np.ndarray, whole: np.ndarray) -> float:
    return float(part.sum() / whole.sum()) if whole.any() else float("nan")


def table(process: Process, grids: int, *, null: bool) -> pd.DataFrame:
    """All rules and designs of one process."""
    rng = seeded("verdicts", process.name, null)
    true: list[np.ndarray] = []
    designs = [d for d in (*PAIRED, *DOUBLED) if not null or str(d) in MAIN]
    found: dict[Design, list[Estimate]] = {design: [] for design in designs}
    for _ in range(grids):
        sample = process.sample(rng, null=null)
        true.append(sample.true)
        for design, estimates in found.items():
            estimates.append(estimated(sample, design))
    truth, rows = np.stack(true), []
    for design, estimates in found.items():
        many = Estimate(*(np.stack(np.broadcast_arrays(*fields)) for fields in zip(*estimates, strict=True)))
        mine, degrees = judged(estimates)
        rows.append(row("this", design, truth, many.gain, mine) | {"degrees": float(degrees.mean())})
        if design.single == design.joint:
            documents = sample.joint.shares.shape[-1]  # type: ignore[union-attr]
            old = released(many.gain, many.seeds, many.items, design.joint, documents - 1)
            rows.append(row("0.1.0", design, truth, many.gain, old))
            by_seeds = t_test(many.gain, many.seeds, design.joint)
            rows.append(row("t test", design, truth, many.gain, by_seeds))
    return pd.DataFrame(rows).assign(process=process.name, null=null, grids=grids)


def shown(result: pd.DataFrame) -> str:
    """The figures of the main designs, a line each."""
    lines = []
    for values in result[result["design"].isin(MAIN)].to_dict("records"):
        figures = ", ".join(
            f"{name} {values[name]:.3f}"
            for name in ("coverage", "claimed coverage", "found", "FDR", "any false claim", "false no effect")
        )
        kind = "no effect anywhere" if values["null"] else "half null"
        lines.append(
            f"{values['process']}, {kind}: {values['design']:>5} seeds, {values['rule']:6}: {figures}"
        )
    return "\n".join(lines)


def power(results: pd.DataFrame) -> str:
    """True edges found beside the released rule, and the compute that this one saves with doubled singles."""
    lines = []
    for process, some in results[~results["null"]].groupby("process", sort=False):
        found = {
            (str(r), str(d)): float(n)
            for r, d, n in zip(some["rule"], some["design"], some["found"], strict=True)
        }
        compute = {str(d): float(c) for d, c in zip(some["design"], some["compute"], strict=True)}
        old = [(compute[d], n) for (rule, d), n in found.items() if rule == "0.1.0"]
        seeds, most = zip(*sorted(old), strict=True)
        for design in MAIN:
            mine, was = found["this", design], found.get(("0.1.0", design))
            # the seeds at which the released rule finds as much, between those that were simulated
            needed = float(np.interp(mine, np.maximum.accumulate(most), seeds))
            text = f"{process}: {design:>5} seeds find {mine:.2f}"
            if was is not None:
                text += f", 0.1.0 {was:.2f} ({mine / max(was, 1e-9):.2f} times)"
            saved = 1 - compute[design] / needed
            lines.append(f"{text}; 0.1.0 needs {needed:.1f} seeds for that, this saves {100 * saved:.0f} %")
    return "\n".join(lines)


def failures(results: pd.DataFrame) -> list[str]:
    """Figures that miss their bound by more than two standard errors of the simulation."""
    told = []
    mine: list[dict[str, Any]] = results[results["rule"] == "this"].to_dict("records")  # type: ignore[assignment]
    for values in mine:
        process: Process = PROCESSES[values["process"]]
        where = f"{values['process']}, null {values['null']}, {values['design']} seeds"
        if process.fails:
            continue
        if values["null"] and values["any false claim"] - 2 * values["any false claim, error"] > ALPHA:
            told.append(f"{where}: some claim in {values['any false claim']:.3f} of grids")
        if values["FDR"] - 2 * values["FDR, error"] > ALPHA:
            told.append(f"{where}: false discovery rate {values['FDR']:.3f}")
        covered, claims = values["claimed coverage"], max(values["claims"], 1)
        if not values["null"] and covered + 2 * np.sqrt(0.08 * 0.92 / claims) < 0.92:
            told.append(f"{where}: intervals of {claims} claims cover {covered:.3f}")
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--grids", type=int, default=300)
    parser.add_argument("--processes", nargs="+", default=list(PROCESSES), choices=list(PROCESSES))
    parser.add_argument("--csv", help="where all figures go")
    chosen = parser.parse_args()
    print(f"{chosen.grids} grids of {TASKS} tasks a process, {len(TARGETS)} edges, {DOCUMENTS} documents;")
    print(f"standard error of a share of 5 %: {np.sqrt(0.05 * 0.95 / chosen.grids):.3f}")
    results = []
    for name in chosen.processes:
        for null in (False, True):
            results.append(table(PROCESSES[name], chosen.grids, null=null))
            print(shown(results[-1]), flush=True)
            if chosen.csv:
                pd.concat(results).to_csv(chosen.csv, index=False)
    both = pd.concat(results, ignore_index=True)
    print(f"\npower\n{power(both)}")
    missed = failures(both)
    print(f"\noutside the bounds: {len(missed)}", *missed, sep="\n")


if __name__ == "__main__":
    main()
