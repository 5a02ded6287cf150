"""A grid's question and how it was run: everything that a study says and no score decides."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from pydantic import BaseModel

from transfer.analysis.evidence import Cell
from transfer.analysis.rerun import Rerun, rerun
from transfer.analysis.tables import CorpusRow
from transfer.arms import Group
from transfer.corpora.baseline import Baseline
from transfer.external import External
from transfer.jobs import Job
from transfer.recipes import Recipe
from transfer.records import GridRecord, JobResult, without_paths
from transfer.seeds import Seeds

SOURCES = ("synthetic", "prepared")
MIXED = "mixed versions"  # the setting that names what the jobs were not all run with
VERSIONS = ("transfer", "torch", "transformers", "python", "device")
HOW = ("passes", "attention")  # implementations, whose results differ by rounding
DATA_OF = "data of "  # a corpus: the setting whose value is its fingerprint
NONE = "none"  # how a setting is shown that a grid does not have


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A grid's question and how it was run. Raises ValueError for an unknown source."""

    title: str
    source: str  # 'synthetic' or 'prepared'
    corpora: Sequence[CorpusRow]  # in the grid's order
    smallest_effect: float  # a fraction: 0.005 is half a point
    correction: str = "bh"
    controls: Collection[str] = ()  # those that the grid asks for
    settings: Mapping[str, object] = field(default_factory=dict)  # as the report lists them
    method: Mapping[str, str] = field(default_factory=dict)  # see `method_of`
    expected: Sequence[Cell] | None = None  # the scores that the grid promises; None: those the frame implies
    stage_seeds: Collection[int] | None = None  # the seeds in which stages are compared; None: all
    rerun: Rerun | None = None

    def __post_init__(self) -> None:
        if self.source not in SOURCES:
            raise ValueError(f"unknown source {self.source!r}; known: {', '.join(SOURCES)}")

    @property
    def baselines(self) -> dict[str, Baseline]:
        return {row["name"]: baseline for row in self.corpora if (baseline := row.get("baseline"))}

    @property
    def train_items(self) -> dict[str, int]:
        return {row["name"]: row["train"] for row in self.corpora}


def setup_of(record: GridRecord, results: Mapping[str, JobResult], jobs: Sequence[Job]) -> Setup:
    """The setup of a grid in the store; ``jobs`` are those that it needs so far."""
    grid = record.grid
    seeds = grid.seeds
    return Setup(
        title=record.title,
        source=record.source,
        corpora=[_corpus_row(record, name) for name in grid.tasks],
        smallest_effect=grid.smallest_effect / 100,
        correction=grid.correction,
        controls=grid.held_against,
        settings=_settings(record, results),
        method=method_of(record, results),
        expected=[cell for job in jobs for cell in cells_of(job) if cell.target in job.targets],
        # seeds that were added because of a result would judge it too kindly
        stage_seeds=range(seeds.start, seeds.start + seeds.first) if isinstance(seeds, Seeds) else None,
        rerun=rerun(record),
    )


def cells_of(job: Job) -> list[Cell]:
    """The scores that a job promises."""
    return [Cell(str(job.arm), str(Group(job.group)), name, job.arm_seed) for name in job.names]


def method_of(record: GridRecord, results: Mapping[str, JobResult]) -> dict[str, str]:
    """All that may tell the scores of two grids apart, by name; no path of a machine.

    Keys of the recipe as a grid's file has them (FINE_TUNE before those of fine-tuning), encoder, seeds,
    limits, versions and the fingerprint of each corpus.
    """
    grid, seeds = record.grid, record.grid.seeds
    shown = _built_in(record) if grid.trainer == "bert" else trainer_settings(grid.trainer)
    shown["seeds"] = (
        f"{seeds.first} to {seeds.most} from seed {seeds.start}, as needed"
        if isinstance(seeds, Seeds)
        else ", ".join(map(str, seeds))
    )
    if grid.single_seeds != "1x":
        shown["seeds of single-task runs"] = f"{grid.single_seeds} as many"
    limit = {key: value for key, value in grid.limit.model_dump(mode="json").items() if value is not None}
    shown |= {f"limit {key}": _as_written(value) for key, value in limit.items()}
    for name in (*VERSIONS, *HOW):
        if found := {r.provenance[name] for r in results.values() if name in r.provenance}:
            shown[name] = without_paths(", ".join(sorted(found)))
    shown["tasks"] = ", ".join(sorted(grid.tasks))
    return shown | {DATA_OF + corpus.card.name: corpus.fingerprint for corpus in record.corpora}


def _built_in(record: GridRecord) -> dict[str, str]:
    """Recipe and encoder of the built-in trainer."""
    grid = record.grid
    shown = {key: _as_written(getattr(grid.recipe, key)) for key in Recipe.model_fields if key != "fine_tune"}
    if "fine-tune" in grid.stages and grid.recipe.fine_tune:
        shown |= {f"{FINE_TUNE}{key}": _as_written(value) for key, value in grid.recipe.fine_tune}
    layers = f", its first {grid.encoder.layers} layers" if grid.encoder.layers else ""
    shown["encoder"] = without_paths(grid.encoder.name) + layers
    shown["encoder's weights"] = ", ".join(sorted({job.encoder_fingerprint for job in record.jobs}))
    return shown


def trainer_settings(trainer: External) -> dict[str, str]:
    """An external trainer, its settings, and the beginnings of its files' SHA-256 digests."""
    shown = {"trainer": without_paths(trainer.name)}
    shown |= {f"trainer {key}": _as_written(value) for key, value in trainer.settings.items()}
    return shown | {
        f"trainer file {without_paths(name)}": digest[:16] for name, digest in trainer.digests.items()
    }


FINE_TUNE = "fine_tune "  # what the names of a method's fine-tuning settings begin with


def _as_written(value: Any) -> str:
    """A value as a person writes it in a grid's file; a model says itself what it is."""
    if isinstance(value, BaseModel):
        return without_paths(str(value))
    text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False)
    return without_paths(text.removesuffix("...\n").strip()) if value is not None else NONE


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


def _settings(record: GridRecord, results: Mapping[str, JobResult]) -> dict[str, object]:
    grid, seeds = record.grid, record.grid.seeds
    recipe = {key: getattr(grid.recipe, key) for key in Recipe.model_fields if key != "fine_tune"}
    shown: dict[str, object] = {}
    if grid.trainer == "bert":
        layers = f", its first {grid.encoder.layers} layers" if grid.encoder.layers else ""
        shown["encoder"] = grid.encoder.name + layers
        settings = ", ".join(f"{key} {value}" for key, value in recipe.items())
        shown["recipe"] = f"{record.recipe_name}: {settings}"
    else:
        shown |= trainer_settings(grid.trainer)
    if "fine-tune" in grid.stages and grid.recipe.fine_tune:
        shown["fine-tuning"] = f"lr {grid.recipe.fine_tune.lr}, epochs {grid.recipe.fine_tune.epochs}"
    if isinstance(seeds, Seeds):
        shown["seeds"] = f"{seeds.first} everywhere, up to {seeds.most} where an edge is undecided"
        shown["seeds"] += f", from seed {seeds.start}" if seeds.start else ""
    else:
        shown["seeds"] = ", ".join(map(str, seeds))
    if grid.single_seeds != "1x":
        shown["seeds of single-task runs"] = f"{grid.single_seeds} as many"
    if record.overrides:
        shown["changed on the command line"] = ", ".join(record.overrides)
    shown |= versions(results)
    for corpus in record.corpora:
        shown[f"data of {corpus.card.name}"] = f"fingerprint {corpus.fingerprint}"
    shown["test texts that stand in a train split"] = "; ".join(record.overlaps) or "none"
    return shown


def versions(results: Mapping[str, JobResult]) -> dict[str, str]:
    """The versions that the jobs were run with and, where they differ, how many jobs with which."""
    found = Counter(
        (name, value)
        for result in results.values()
        for name, value in result.provenance.items()
        if name in (*VERSIONS, *HOW)
    )
    values = Counter(name for name, _ in found)
    shown = {"versions": ", ".join(f"{name} {value}" for name, value in sorted(found) if name in VERSIONS)}
    if mixed := [key for key in sorted(found) if values[key[0]] > 1]:
        shown[MIXED] = ", ".join(f"{name} {value} ({_jobs(found[name, value])})" for name, value in mixed)
    return shown


def _jobs(count: int) -> str:
    return f"{count} job" if count == 1 else f"{count} jobs"
