"""Measured options: every group that was trained, as each of its tasks sees it."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis import gains
from transfer.analysis.crossfit import SeedGains
from transfer.analysis.estimate import Estimate
from transfer.analysis.evidence import Cell, Evidence


class Option(NamedTuple):
    """A group that was measured, as one of its tasks sees it. Scores and gains are fractions."""

    target: str
    group: tuple[str, ...]  # the target and its partners, sorted
    partners: str  # for people: `b`, `b+c`, `all others`
    metric: str
    single: float
    estimate: Estimate
    verdict: str  # of the grid; empty for a group larger than a pair, which has none
    by_seed: Mapping[int, float]
    single_seeds: int  # single-task runs that the gain rests on, shared by all options of the target
    shares: np.ndarray | None = None  # see ``SeedGains``; None where only tables are at hand

    @property
    def seed_gains(self) -> SeedGains:
        return SeedGains(self.target, self.by_seed, self.shares)


def options_of(
    frame: pd.DataFrame,
    edges: pd.DataFrame,
    groups: pd.DataFrame,
    *,
    stage: str,
    evidence: Evidence | None = None,
) -> list[Option]:
    """Every group that was measured in a stage, once for each of its tasks.

    ``frame``, ``edges`` and ``groups`` are a report's results.csv, edges.csv and table_groups.csv;
    ``evidence`` are the stored predictions, where they are at hand.
    """
    everyone = gains.everyone(frame[frame["stage"].isin(("refine", "fine-tune"))])
    by_seed = {
        key: dict(zip(rows["seed"].astype(int), rows["gain"].astype(float), strict=True))
        for key, rows in gains.paired(frame[frame["stage"] == stage]).groupby(["corpora", "target"])
    }
    tested = frame[(frame["split"] == "test") & (frame["stage"] == stage)]
    items = tested.groupby("target")["items"].max()
    found = []
    for table in (edges, groups):
        for row in table[table["stage"] == stage].to_dict("records"):
            group = _group(row["source"], row["target"], everyone)
            own = by_seed.get(("+".join(group), row["target"]))
            if own is None or math.isnan(row["gain"]):
                continue
            own = {seed: own[seed] for seed in sorted(own)[: int(row["seeds"])]}
            estimate = _estimate(row, own, items=int(items[row["target"]]))
            verdict = row.get("verdict", "")
            shares = None if evidence is None else _shares(evidence, stage, group, row["target"], own)
            found.append(
                Option(
                    row["target"], group, row["source"], row["metric"], row["single"], estimate, verdict, own,
                    int(row.get("single_seeds", row["seeds"])), shares,
                )
            )  # fmt: skip
    return found


def _shares(
    evidence: Evidence, stage: str, group: Sequence[str], target: str, seeds: Iterable[int]
) -> np.ndarray:
    """Each document's share in the gain of each seed, [seeds, documents]."""
    arms = [
        (
            evidence.arm(Cell(stage, "+".join(group), target, seed)),
            evidence.arm(Cell(stage, target, target, seed)),
        )
        for seed in seeds
    ]
    return np.stack([joint.shares - single.shares for joint, single in arms])


def _group(source: str, target: str, everyone: Sequence[str]) -> tuple[str, ...]:
    """The names behind a group's words; see ``gains.group_name``."""
    rest = source.removeprefix(gains.ALL)
    if rest == source:
        return tuple(sorted({target, *source.split("+")}))
    return tuple(sorted(set(everyone) - {rest.removeprefix(" but ")}))


def _estimate(row: Mapping, by_seed: Mapping[int, float], *, items: int) -> Estimate:
    """The estimate behind a row of a report.

    A report of an earlier version lacks the degrees of freedom of the items; their number stands for them.
    """
    own = len(by_seed) - 1
    degrees = row.get("df_seeds", math.nan)
    borrowed = 0.0 if math.isnan(degrees) else max(degrees - own, 0.0)  # a group borrows nothing
    of_items = float(row.get("df_items", max(items - 1, 1)))
    return Estimate(float(row["gain"]), row["se_seeds"] ** 2, row["se_items"] ** 2, own, of_items, borrowed)
