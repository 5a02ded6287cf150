"""Cells of the paper's Tables 1 to 6 as plain numbers, from grids and their results in a store.

A cell is named by encoder, stage, group and target, whatever grid its jobs are of: a grid feeds every cell
that it can, and a job that several grids share feeds all their cells.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis.estimate import over_seeds
from transfer.analysis.interim import needed_jobs
from transfer.corpora.base import SPLITS, Split
from transfer.corpora.stats import notes_of
from transfer.grid import Grid
from transfer.inputs import InputError, did_you_mean
from transfer.records import CorpusRecord, GridRecord, without_paths
from transfer.replication import paper, table1
from transfer.replication.table1 import PUBLISHED
from transfer.store import Store

AVERAGE = "Avg"
COLUMNS = [
    "table", "model", "encoder", "arm", "measured_with", "corpus", "metric", "mean", "ci_low", "ci_high",
    "seeds", "seeds_wanted", "published", "difference", "why", "data_source",
]  # fmt: skip
COUNTS = ["corpus", "task", "metric", "domain", "unit", "split", "count", "published", "difference", "why",
          "data_source"]  # fmt: skip


class Key(NamedTuple):
    """Identity of a cell; ``encoder`` is an alias of ``paper.ENCODERS``, ``group`` is sorted."""

    encoder: str
    stage: str
    group: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Source:
    """A grid's file, the grid, and what it was expanded to; without that, ``why`` there is none."""

    file: Path
    grid: Grid
    record: GridRecord | None = None
    why: str = ""

    @property
    def encoder(self) -> str | None:
        """The encoder of the paper whose rows it fills."""
        name = self.grid.stands_for or self.grid.encoder.name
        return name if name in paper.ENCODERS else None

    @property
    def measured_with(self) -> str:
        """The encoder that is really trained."""
        name, layers = without_paths(self.grid.encoder.name), self.grid.encoder.layers
        return f"{name} ({layers} layer{'s' if layers > 1 else ''})" if layers else name

    def cells(self) -> Iterator[Key]:
        """The cells that the grid's jobs fill."""
        for group in self.grid.groups() if self.encoder else ():
            for stage in self.grid.stages:
                yield from (Key(str(self.encoder), stage, group, target) for target in group)


@dataclass
class Measured:
    """The test scores of a cell by seed, the seeds that were asked for, and why some or all are missing."""

    scores: dict[int, float] = field(default_factory=dict)
    wanted: set[int] = field(default_factory=set)
    why: list[str] = field(default_factory=list)
    measured_with: str = ""
    source: str = ""


def key_of(row: paper.Row, table: paper.Table, target: str) -> Key:
    """The cell of a published row.

    >>> table = paper.tables()[0]
    >>> key_of(table.rows[0], table, "mednli")
    Key(encoder='bluebert-clinical', stage='refine', group=('mednli',), target='mednli')
    """
    alone = row.arm in ("single", "longer single")
    stage = "fine-tune" if row.arm in ("fine-tuning", "longer single") else "refine"
    return Key(row.encoder, stage, (target,) if alone else tuple(sorted(table.corpora)), target)


def checked(sources: Sequence[Source]) -> None:
    """Raise InputError if two grids would fill one cell of a table with different jobs.

    Nor may some be on synthetic corpora and some not: real and invented scores would stand in one table.
    Each ``stands_for`` must be an encoder of the paper.
    """
    for source in sources:
        told = source.grid.stands_for
        if told is not None and told not in paper.ENCODERS:
            near = did_you_mean(told, paper.ENCODERS)
            raise InputError(f"{source.file}: stands_for: the paper has no encoder '{told}'{near}")
    invented = [source for source in sources if source.grid.corpora == "synthetic"]
    if invented and len(invented) < len(sources):
        real = next(source for source in sources if source not in invented)
        raise InputError(
            f"{invented[0].file}: is on synthetic corpora and {real.file} is not; "
            "give all grids of a folder the same, or --corpora DIR"
        )
    asked = {key_of(r, t, c): (t, r) for t in reversed(paper.tables()) for r in t.rows for c in t.corpora}
    first: dict[Key, Source] = {}
    for source in sources:
        for key in source.cells():
            if key not in asked:
                continue
            other = first.setdefault(key, source)
            if differs := _difference(source.grid, other.grid, stage=key.stage):
                table, row = asked[key]
                raise InputError(
                    f"{source.file}: Table {table.number} has one cell for {row.model} on "
                    f"{paper.NAMES[key.target]}, and {other.file} fills it too, with {differs}; "
                    "give both the same, or take one of them away"
                )


def _difference(one: Grid, other: Grid, *, stage: str) -> str:
    """The first setting a cell depends on in which two grids differ; '' if there is none."""
    a, b = (
        {
            "encoder": grid.encoder.model_dump(),
            "limit": grid.limit.model_dump(),
            "corpora": grid.corpora,
            **{
                f"recipe.{key}": value
                for key, value in grid.recipe.model_dump().items()
                if stage == "fine-tune" or key != "fine_tune"
            },
        }
        for grid in (one, other)
    )
    return next((f"{key} {b[key]} in place of {a[key]}" for key in a if a[key] != b[key]), "")


def measured(sources: Iterable[Source], store: Store) -> dict[Key, Measured]:
    """Measured scores of every cell that one of the grids asks for."""
    cells: dict[Key, Measured] = {}
    for source in sources:
        for key in source.cells() if source.record is None else ():
            cells.setdefault(key, Measured()).why.append(source.why)
        if source.record is not None and source.encoder:
            _add(cells, source, source.record, store)
    return cells


def _add(cells: dict[Key, Measured], source: Source, record: GridRecord, store: Store) -> None:
    jobs = [job for job in needed_jobs(store, record) if not job.arm.control]
    results = store.results(jobs)
    for job in jobs:
        result = results.get(job.id)
        scores = {s.corpus: s for s in result.scores if s.split == "test"} if result else {}
        for target in job.names:
            cell = cells.setdefault(Key(str(source.encoder), job.stage, job.group, target), Measured())
            cell.measured_with, cell.source = source.measured_with, record.source
            cell.wanted.add(job.seed)
            if (score := scores.get(target)) and score.value is not None:
                cell.scores[job.seed] = score.value
            elif score:
                cell.why.append(f"seed {job.seed} is undefined: {score.undefined}")
            elif result and result.status == "failed":
                error = without_paths(result.reason) or "no reason given"
                cell.why.append(f"seed {job.seed} failed: {error}")
            else:
                cell.why.append(f"seed {job.seed} was not run yet ({source.file.name})")


def table_cells(table: paper.Table, cells: Mapping[Key, Measured]) -> pd.DataFrame:
    """A table as one row for each of its cells and averages; scores are fractions. See COLUMNS.

    ``mean`` and its 95 % t interval are over seeds (no interval with one seed, or where seeds show no
    spread); an average is over all corpora, seed by seed, and only of seeds that every corpus has. ``why``
    says what is missing of a cell.
    """
    rows = []
    for row in table.rows:
        found = [
            cells.get(key_of(row, table, c), Measured(why=[_unasked(row, table)])) for c in table.corpora
        ]
        for corpus, cell in zip(table.corpora, found, strict=True):
            rows.append(_line(table, row, corpus, PUBLISHED[corpus].metric, cell, row.scores.get(corpus)))
        common = set.intersection(*(set(cell.scores) for cell in found))
        together = Measured(
            scores={seed: sum(cell.scores[seed] for cell in found) / len(found) for seed in sorted(common)},
            wanted=set.union(*(cell.wanted for cell in found)),
            why=[f"not every corpus has {'every seed' if common else 'a score'}"],
            measured_with=next((cell.measured_with for cell in found if cell.measured_with), ""),
            source=next((cell.source for cell in found if cell.source), ""),
        )
        rows.append(_line(table, row, AVERAGE, "", together, row.average))
    return pd.DataFrame(rows, columns=pd.Index(COLUMNS))


def _unasked(row: paper.Row, table: paper.Table) -> str:
    label = paper.ENCODERS[row.encoder]
    if row.arm in ("single", "longer single"):
        return f"no grid here trains {label} on this corpus alone" + (
            ", in both stages" if row.arm != "single" else ""
        )
    return f"no grid here trains {label} on the {len(table.corpora)} corpora together"


def _line(
    table: paper.Table, row: paper.Row, corpus: str, metric: str, cell: Measured, published: float | None
) -> tuple:
    scores = list(cell.scores.values())
    estimate = over_seeds(np.array(scores))
    mean = float(estimate.gain)
    half = float(estimate.reach(0.05)) if len(scores) > 1 else math.nan
    told = math.nan if published is None else published
    why = "; ".join(dict.fromkeys(filter(None, cell.why))) if len(scores) < max(1, len(cell.wanted)) else ""
    return (
        table.number, row.model, row.encoder, row.arm, cell.measured_with, corpus, metric,
        mean, mean - half, mean + half, len(scores), len(cell.wanted), told, mean - told, why, cell.source,
    )  # fmt: skip


def corpora_cells(sources: Iterable[Source]) -> tuple[pd.DataFrame, list[str]]:
    """Table 1: a row for each corpus and split (see COUNTS), and notes on the counts."""
    known: dict[str, tuple[CorpusRecord, str]] = {}
    for source in sources:
        for corpus in source.record.corpora if source.record else ():
            if corpus.counts:
                known.setdefault(corpus.card.name, (corpus, source.record.source))  # type: ignore[union-attr]
    rows, notes = [], []
    for name, told in PUBLISHED.items():
        corpus, origin = known.get(name, (None, ""))
        for split in SPLITS:
            count = corpus.counts.get(split) if corpus else None
            rows.append(
                (
                    name, told.task, told.metric, told.domain, told.unit, split, count, told.counts[split],
                    None if count is None else count - told.counts[split],
                    "" if corpus else "no grid here was run on it", origin,
                )
            )  # fmt: skip
        if corpus and origin != "synthetic":
            counts: dict[Split, int] = {split: corpus.counts[split] for split in SPLITS}
            known_of_it = [*notes_of(corpus.card), *table1.notes_of(name, counts)]
            notes += [f"{told.corpus}: {note}" for note in known_of_it]
    frame = pd.DataFrame(rows, columns=pd.Index(COUNTS))
    return frame.astype({"count": "Int64", "published": "Int64", "difference": "Int64"}), notes


def halves(sources: Iterable[Source]) -> dict[str, Source]:
    """The grids of Figure 2's halves, a and b: every pair of their corpora, and each alone.

    Raises InputError where two grids are the same half.
    """
    found: dict[str, Source] = {}
    for source in sources:
        groups = set(source.grid.groups())
        pairs = {group for group in groups if len(group) == 2}
        for letter, corpora in paper.HALVES.items():
            every = len(corpora) * (len(corpora) - 1) // 2
            alone = {(corpus,) for corpus in corpora}
            if set(source.grid.tasks) == set(corpora) and len(pairs) == every and alone <= groups:
                if letter in found:
                    raise InputError(
                        f"{source.file}: {found[letter].file} has every pair of the same corpora; "
                        f"Figure 2 has one half ({letter}), take one of them away"
                    )
                found[letter] = source
    return found
