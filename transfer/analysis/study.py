"""From a grid's record in the store to its report, and to its graph held against what was planted."""

import functools
import itertools
import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from transfer.analysis import gains, tables
from transfer.analysis.arms import Arms
from transfer.analysis.curves import curves
from transfer.analysis.evidence import Arm, Cell, Evidence
from transfer.analysis.flags import Flags, flags_of, with_flags, with_unscored
from transfer.analysis.gains import EdgeKey
from transfer.analysis.interim_looks import looks
from transfer.analysis.older import known_undefined
from transfer.analysis.rerun import rerun
from transfer.analysis.tables import CorpusRow
from transfer.analysis.verdicts import Verdicts
from transfer.analysis.watch import Watch, nobody
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.metrics import measure_of
from transfer.recipes import Recipe
from transfer.records import Damaged, GridRecord
from transfer.reporting.report import MIXED, write_report
from transfer.seeds import Seeds
from transfer.store import Store


def report_of_grid(store: Store, record: GridRecord, *, out: Path, watch: Watch = nobody) -> list[Path]:
    """Writes ``out/<record.title>/`` from what the store holds of the grid; returns the files."""
    grid, kept = record.grid, Kept(store, record, watch=watch)
    return write_report(
        kept.frame,
        edges=kept.edges,
        controls=grid.held_against,
        correction=grid.correction,
        out=out / record.title,
        title=record.title,
        corpora=[_corpus_row(record, name) for name in grid.tasks],
        settings=_settings(kept),
        evidence=kept.evidence,
        flags=kept.flags,
        smallest_effect=grid.smallest_effect / 100,
        source=record.source,
        curves=curves(kept.results.values()),
        rerun=rerun(record),
        expected=[cell for job in kept.wanted for cell in _cells(job) if cell.target in job.targets],
        # seeds that were added because of a result would judge it too kindly
        stage_seeds=range(grid.seeds.start, grid.seeds.start + grid.seeds.first)
        if isinstance(grid.seeds, Seeds)
        else None,
        watch=watch,
    )


def tables_of_grid(kept: "Kept") -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """The tables of the report: results, edges, gains of larger groups, corpora."""
    record = kept.record
    described = [dict(_corpus_row(record, name)) for name in record.grid.tasks]
    return (
        tables.results(kept.frame),
        kept.edges,
        gains.group_gains(kept.frame, evidence=kept.evidence),
        tables.corpora_table(described, source=record.source),
    )


def edges_of_grid(store: Store, record: GridRecord) -> pd.DataFrame:
    """The grid's edges with their verdicts; see ``gains.edges`` and, for adaptive seeds, ``Verdicts``."""
    return Kept(store, record).edges


def wanted(store: Store, record: GridRecord) -> tuple[Job, ...]:
    """The jobs that the grid needs by what its store holds: all, or with adaptive seeds those so far.

    A function of the results alone: a run that was killed wants the same jobs when it goes on. The
    jobs of a look are wanted together, and no edge is looked at before all of them have ended.
    """
    fixed = not isinstance(record.grid.seeds, Seeds)
    return record.jobs if fixed else Kept(store, record).wanted


def decided(store: Store, record: GridRecord) -> tuple[dict[str, int], int, int]:
    """With adaptive seeds: how many edges have which verdict for good, how many are open, the next seeds."""
    return Kept(store, record).decided


class Kept:
    """What a store holds of a grid as it is now, and what follows from it; every file is read once."""

    def __init__(self, store: Store, record: GridRecord, *, watch: Watch = nobody) -> None:
        watch("results", 0, 1)
        self.record = record
        cards = {corpus.card.name: corpus.card for corpus in record.corpora}
        self.results = {
            id_: known_undefined(result, store, cards) for id_, result in store.results(record.jobs).items()
        }
        self.spent = False  # whether the hours of adaptive seeds are over; known after the looks
        self._store = store
        self._watch = watch

    @functools.cached_property
    def frame(self) -> pd.DataFrame:
        return self._store.frame(self.record, self.results)

    @functools.cached_property
    def edges(self) -> pd.DataFrame:
        """See ``edges_of_grid``."""
        grid = self.record.grid
        smallest = grid.smallest_effect / 100
        if isinstance(grid.seeds, Seeds):
            table = gains.edge_table(*self._looked_at, smallest_effect=smallest)
        else:
            table = gains.edges(
                gains.seed_gains(self.frame),
                smallest_effect=smallest,
                evidence=self.evidence,
                singles=gains.singles(self.frame),
                correction=grid.correction,
                flags=self.flags,
            )
        return with_flags(with_unscored(table, self.frame, smallest_effect=smallest), self.flags)

    @functools.cached_property
    def flags(self) -> Flags:
        """The arms that did not learn, or whose scores have no error; see ``flags_of``."""
        baselines = {c.card.name: c.baseline for c in self.record.corpora if c.baseline}
        return flags_of(self.frame, evidence=self.evidence, baselines=baselines)

    @functools.cached_property
    def wanted(self) -> tuple[Job, ...]:
        """See the function of this name."""
        seeds = self.record.grid.seeds
        if not isinstance(seeds, Seeds):
            return self.record.jobs
        verdicts, _ = self._looked_at
        still = () if self.spent else verdicts.open
        # both stages of a group, so that a child never comes after its parent's encoder is gone
        groups = {(edge.target,) for edge in still}
        groups |= {tuple(edge.corpora.split("+")) for edge in still}
        found = [
            job
            for job in self.record.jobs
            if self._looked_for(job, seeds.first)
            or job.id in self.results
            or (job.group in groups and self._looked_for(job, verdicts.seeds))
        ]
        needed = {job.id for job in found} | {teacher.id for job in found for teacher in job.teachers}
        return tuple(job for job in self.record.jobs if job.id in needed)

    @property
    def decided(self) -> tuple[dict[str, int], int, int]:
        """See the function of this name."""
        verdicts, _ = self._looked_at
        still = set(verdicts.open)
        found = [state.verdict for edge, state in verdicts.states.items() if edge not in still]
        return {verdict: found.count(verdict) for verdict in gains.VERDICTS}, len(still), verdicts.seeds

    @functools.cached_property
    def _looked_at(self) -> tuple[Verdicts[EdgeKey], Mapping[EdgeKey, pd.DataFrame]]:
        """The verdicts after the last look whose jobs have all ended, and each edge's gains."""
        seeds, record = self.record.grid.seeds, self.record
        assert isinstance(seeds, Seeds)
        metrics = {c.card.name: c.card.metric for c in record.corpora}
        pairs = {(job.stage, job.group) for job in record.jobs if len(job.group) == 2}
        edges = [
            EdgeKey(stage, "+".join(group), source, target, metrics[target])
            for stage, group in pairs
            for source, target in (group, group[::-1])
        ]
        edges.sort(key=lambda edge: (edge.stage, edge.source, edge.target))
        verdicts = Verdicts(
            edges,
            at=looks(seeds.first, seeds.most),
            smallest_effect=record.grid.smallest_effect / 100,
            correction=record.grid.correction,
            arms=lambda edge: edge.arms,
            unlearned=[edge for edge in edges if edge.has(self.flags)],
        )
        seed_gains = gains.seed_gains(self.frame)
        # every look has the first seeds, so what later ones find changes no earlier look
        singles = gains.singles(self.frame, seeds=seeds.numbers[: seeds.first])
        found = gains.by_edge(seed_gains)
        groups = {edge: found.get(edge, seed_gains.iloc[:0]) for edge in edges}
        ended = {Cell(*cell) for cell in self.frame[gains.CELL].itertuples(index=False, name=None)}
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
                    self.evidence,
                    singles,
                    among=self._seeds_of(edge.stage, edge.target, count),
                )
            )
            # at a look and not within one: what a killed run began, the next one finishes
            if seeds.hours and self._hours(seen) >= seeds.hours:
                self.spent = True
                break
        return verdicts, groups

    def _seeds_of(self, stage: str, corpora: str, count: int) -> tuple[int, ...]:
        """The seeds of an arm at a look at ``count`` seeds; refinement alone may have further ones."""
        grid = self.record.grid
        alone = stage == "refine" and "+" not in corpora
        return grid.single_seeds_at(count) if alone else grid.seed_numbers[:count]

    def _looked_for(self, job: Job, count: int) -> bool:
        """Whether the looks up to the one at ``count`` seeds can need a job."""
        return job.arm_seed in self._seeds_of(job.arm, "+".join(job.group), count)

    def _hours(self, count: int) -> float:
        """The working hours of the jobs of all looks up to this one; overlaps count once."""
        spans = sorted(
            (result.ended - result.seconds, result.ended)
            for result in self.results.values()
            if result.ended is not None and self._looked_for(result.job, count)
        )
        hours, until = 0.0, -math.inf
        for began, ended in spans:
            hours += max(0.0, ended - max(began, until)) / 3600
            until = max(until, ended)
        return hours

    @functools.cached_property
    def evidence(self) -> Evidence:
        """The kept predictions, read job by job as they are asked for."""
        jobs = {cell: job for job in self.record.jobs for cell in _cells(job)}
        cards = [corpus.card for corpus in self.record.corpora]
        arms = {c.name: Arms(c.name, measure_of(c.metric, negative=c.negative)) for c in cards}
        files = sum(result.status == "done" for result in self.results.values())
        count = itertools.count(1)

        def read(cell: Cell) -> Mapping[Cell, Arm]:
            job = jobs[cell]
            result = self.results[job.id]
            scores = {s.corpus: s.value for s in result.scores if s.split == "test" and s.value is not None}
            self._watch("predictions and intervals", next(count), files)
            try:
                table = self._store.prediction_table(job.id, digest=result.predictions)
                cells = [c for c in _cells(job) if c.target in scores]
                return {c: arms[c.target].arm(table, score=scores[c.target]) for c in cells}
            except (FileNotFoundError, ValueError, Damaged) as error:
                home = self._store.files.at(f"jobs/{job.id}")
                # a result from before there were checksums is not set aside by itself
                mend = "run the grid again" if result.predictions else f"remove {home} and run the grid again"
                raise InputError(f"{home}/predictions.parquet: {error}; {mend}") from None

        return Evidence(read)


def _cells(job: Job) -> list[Cell]:
    """The scores that a job promises."""
    return [Cell(job.arm, "+".join(job.group), name, job.arm_seed) for name in job.names]


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"


def _corpus_row(record: GridRecord, name: str) -> CorpusRow:
    corpus = next(c for c in record.corpora if c.card.name == name)
    card = corpus.card
    return CorpusRow(
        name=name,
        kind=card.kind,
        metric=card.metric,
        domain=card.domain,
        licence=card.licence,
        citation=card.source,
        train=corpus.items["train"],
        dev=corpus.items["dev"],
        test=corpus.items["test"],
        notes="; ".join((*corpus.notes, *corpus.doubts)),
        baseline=corpus.baseline,
        truncated=corpus.truncated,
        **({} if corpus.pool is None else {"pool": corpus.pool}),
    )


def _settings(kept: Kept) -> dict[str, object]:
    record, grid = kept.record, kept.record.grid
    recipe = {key: getattr(grid.recipe, key) for key in Recipe.model_fields if key != "fine_tune"}
    shown: dict[str, object] = {
        "encoder": grid.encoder.name
        + (f", its first {grid.encoder.layers} layers" if grid.encoder.layers else ""),
        "recipe": f"{record.recipe_name}: " + ", ".join(f"{key} {value}" for key, value in recipe.items()),
    }
    if "fine-tune" in grid.stages and grid.recipe.fine_tune:
        shown["fine-tuning"] = f"lr {grid.recipe.fine_tune.lr}, epochs {grid.recipe.fine_tune.epochs}"
    if isinstance(grid.seeds, Seeds):
        shown["seeds"] = f"{grid.seeds.first} everywhere, up to {grid.seeds.most} where an edge is undecided"
        shown["seeds"] += f", from seed {grid.seeds.start}" if grid.seeds.start else ""
    else:
        shown["seeds"] = ", ".join(map(str, grid.seeds))
    if grid.single_seeds != "1x":
        shown["seeds of single-task runs"] = f"{grid.single_seeds} as many"
    if record.overrides:
        shown["changed on the command line"] = ", ".join(record.overrides)
    versions = Counter(
        (name, version)
        for result in kept.results.values()
        for name, version in result.provenance.items()
        if name in ("transfer", "torch", "transformers", "python", "device")
    )
    shown["versions"] = ", ".join(f"{name} {version}" for name, version in sorted(versions))
    of_each = Counter(name for name, _ in versions)
    if mixed := [key for key in sorted(versions) if of_each[key[0]] > 1]:
        shown[MIXED] = ", ".join(
            f"{name} {version} ({_jobs(versions[name, version])})" for name, version in mixed
        )
    for corpus in record.corpora:
        shown[f"data of {corpus.card.name}"] = f"fingerprint {corpus.fingerprint}"
    shown["test texts that stand in a train split"] = "; ".join(record.overlaps) or "none"
    return shown
