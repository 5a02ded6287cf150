"""Interim analyses of a grid with adaptive seeds: which edges are decided, and which jobs come next."""

import functools
import math
from collections.abc import Mapping
from typing import NamedTuple

from transfer.analysis import gains
from transfer.analysis.evidence import Cell
from transfer.analysis.gains import EdgeKey
from transfer.analysis.interim_looks import looks
from transfer.analysis.stored import Stored
from transfer.analysis.verdicts import Verdicts
from transfer.arms import Group
from transfer.jobs import Job
from transfer.records import GridRecord
from transfer.seeds import Seeds
from transfer.store import Store


def needed_jobs(store: Store, record: GridRecord) -> tuple[Job, ...]:
    """The jobs that the grid needs by what its store holds: all, or with adaptive seeds those so far."""
    fixed = not isinstance(record.grid.seeds, Seeds)
    return record.jobs if fixed else Interim(Stored(store, record)).jobs


class Decided(NamedTuple):
    """Numbers of edges with a final verdict and of open ones, and the seeds of the next analysis."""

    verdicts: Mapping[str, int]
    open: int
    seeds: int


class Interim:
    """The interim analyses of a grid, as far as its jobs have ended.

    A function of the results alone: a run that was killed wants the same jobs when it goes on. The
    jobs of a look are wanted together, and no edge is looked at before all of them have ended.
    """

    def __init__(self, stored: Stored) -> None:
        seeds = stored.record.grid.seeds
        assert isinstance(seeds, Seeds)
        self._stored, self._grid, self._seeds = stored, stored.record.grid, seeds
        self._judged, self.spent = self._look()  # spent: whether the hours of the grid are over

    @property
    def judged(self) -> gains.EdgeVerdicts:
        """The verdicts after the last look, with the gains of each edge."""
        return self._judged

    @functools.cached_property
    def jobs(self) -> tuple[Job, ...]:
        """The jobs of the grid that are needed so far."""
        verdicts, record = self._judged.verdicts, self._stored.record
        still = () if self.spent else verdicts.open
        # both stages of a group, so that a child never comes after its parent's encoder is gone
        groups = {(edge.target,) for edge in still}
        groups |= {Group.parse(edge.corpora).names for edge in still}
        found = [
            job
            for job in record.jobs
            if self._looked_for(job, self._seeds.first)
            or job.id in self._stored.results
            or (job.group in groups and self._looked_for(job, verdicts.seeds))
        ]
        needed = {job.id for job in found} | {teacher.id for job in found for teacher in job.teachers}
        return tuple(job for job in record.jobs if job.id in needed)

    @property
    def decided(self) -> Decided:
        """State of the edges: decided and open."""
        verdicts = self._judged.verdicts
        still = set(verdicts.open)
        found = [state.verdict for edge, state in verdicts.states.items() if edge not in still]
        return Decided({name: found.count(name) for name in gains.VERDICTS}, len(still), verdicts.seeds)

    def _look(self) -> tuple[gains.EdgeVerdicts, bool]:
        """The verdicts after the last look whose jobs have all ended, and whether the hours are over."""
        seeds, stored = self._seeds, self._stored
        edges = self._edges()
        verdicts = Verdicts(
            edges,
            at=looks(seeds.first, seeds.most),
            smallest_effect=self._grid.smallest_effect / 100,
            correction=self._grid.correction,
            arms=lambda edge: edge.arms,
            unlearned=[edge for edge in edges if edge.has(stored.flags)],
        )
        seed_gains = gains.seed_gains(stored.frame)
        # every look has the first seeds, so what later ones find changes no earlier look
        singles = gains.singles(stored.frame, seeds=seeds.numbers[: seeds.first])
        found = gains.by_edge(seed_gains)
        groups = {edge: found.get(edge, seed_gains.iloc[:0]) for edge in edges}
        ended = {Cell(*cell) for cell in stored.frame[gains.CELL].itertuples(index=False, name=None)}
        while verdicts.open and all(
            Cell(edge.stage, corpora, edge.target, seed) in ended
            for edge in verdicts.open
            for corpora in (edge.corpora, edge.target)
            for seed in self._seeds_of(edge.stage, corpora, verdicts.seeds)
        ):
            seen = verdicts.seeds
            verdicts.look(
                lambda edge, count: gains.estimate(
                    groups[edge][groups[edge]["seed"] < seeds.start + count],
                    stored.evidence,
                    singles,
                    among=self._seeds_of(edge.stage, edge.target, count),
                )
            )
            # at a look and not within one: what a killed run began, the next one finishes
            if seeds.hours and self._hours(seen) >= seeds.hours:
                return gains.EdgeVerdicts(verdicts, groups), True
        return gains.EdgeVerdicts(verdicts, groups), False

    def _edges(self) -> list[EdgeKey]:
        record = self._stored.record
        metrics = {c.card.name: c.card.metric for c in record.corpora}
        pairs = {(job.stage, job.group) for job in record.jobs if len(job.group) == 2}
        edges = [
            EdgeKey(stage, str(Group(group)), source, target, metrics[target])
            for stage, group in pairs
            for source, target in (group, group[::-1])
        ]
        return sorted(edges, key=lambda edge: (edge.stage, edge.source, edge.target))

    def _seeds_of(self, stage: str, corpora: str, count: int) -> tuple[int, ...]:
        """The seeds of an arm at a look at ``count`` seeds; refinement alone may have further ones."""
        alone = stage == "refine" and len(Group.parse(corpora)) == 1
        return self._grid.single_seeds_at(count) if alone else self._grid.seed_numbers[:count]

    def _looked_for(self, job: Job, count: int) -> bool:
        """Whether the looks up to the one at ``count`` seeds can need a job."""
        return job.arm_seed in self._seeds_of(str(job.arm), str(Group(job.group)), count)

    def _hours(self, count: int) -> float:
        """The working hours of the jobs of all looks up to this one; overlaps count once."""
        jobs = [job for job in self._stored.record.jobs if self._looked_for(job, count)]
        ended = [self._stored.results[job.id] for job in jobs if job.id in self._stored.results]
        spans = sorted((one.ended - one.seconds, one.ended) for one in ended if one.ended is not None)
        hours, until = 0.0, -math.inf
        for began, ended in spans:
            hours += max(0.0, ended - max(began, until)) / 3600
            until = max(until, ended)
        return hours
