"""Measured options: every group that was trained, as each of its tasks sees it."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis import gains
from transfer.analysis.crossfit import SeedGains
from transfer.analysis.estimate import Estimate
from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.gains import EdgeKey, EdgeVerdicts
from transfer.analysis.verdicts import Verdict
from transfer.arms import Group


class Option(NamedTuple):
    """A group that was measured, as one of its tasks sees it. Scores and gains are fractions."""

    stage: str
    target: str
    group: tuple[str, ...]  # the target and its partners, sorted
    partners: str  # for people: `b`, `b+c`, `all others`
    metric: str
    single: float
    estimate: Estimate
    verdict: Verdict | None  # of the grid; a group larger than a pair has none
    by_seed: Mapping[int, float]
    single_seeds: int  # single-task runs that the gain rests on, shared by all options of the target
    halves: np.ndarray | None = None  # see ``SeedGains``; None without predictions

    @property
    def seed_gains(self) -> SeedGains:
        return SeedGains(self.by_seed, self.halves)


def options_of(
    judged: EdgeVerdicts,
    larger: Mapping[EdgeKey, tuple[pd.DataFrame, Estimate]],
    *,
    evidence: Evidence | None = None,
) -> Iterator[Option]:
    """Every edge and every larger group with a gain, by the seeds and the estimate that it rests on."""
    for edge, state in judged.verdicts.states.items():
        if state.seeds:
            rows = judged.groups[edge].head(state.seeds)
            yield _option(edge, rows, state.estimate, state.verdict, evidence)
    for edge, (rows, found) in larger.items():
        yield _option(edge, rows, found, None, evidence)


def _option(
    edge: EdgeKey, rows: pd.DataFrame, found: Estimate, verdict: Verdict | None, evidence: Evidence | None
) -> Option:
    by_seed = {int(seed): float(gain) for seed, gain in zip(rows["seed"], rows["gain"], strict=True)}
    halves = None
    if evidence is not None:
        pairs = [
            (
                evidence.arm(Cell(edge.stage, edge.corpora, edge.target, seed)),
                evidence.arm(Cell(edge.stage, edge.target, edge.target, seed)),
            )
            for seed in by_seed
        ]
        halves = SeedGains.halved(
            edge.target, np.stack([joint.shares - single.shares for joint, single in pairs])
        )
    return Option(
        edge.stage,
        edge.target,
        Group.parse(edge.corpora).names,
        edge.source,
        edge.metric,
        float(rows["joint"].mean() - found.gain),
        found.plain(),
        verdict,
        by_seed,
        gains.single_seeds(found, len(rows)),
        halves,
    )
