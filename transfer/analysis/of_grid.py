"""From a grid's record in the store to its report, and to its graph held against what was planted."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from transfer.analysis import gains
from transfer.analysis.curves import curves
from transfer.analysis.evidence import Arm, Cell, Evidence, arm_of
from transfer.analysis.gains import EdgeKey
from transfer.analysis.report import write_report
from transfer.analysis.rerun import rerun
from transfer.analysis.sequential import Verdicts, looks
from transfer.analysis.tables import CorpusRow
from transfer.corpora.synthetic_plan import Planted
from transfer.grid import Job, Seeds
from transfer.inputs import InputError
from transfer.metrics import measure_of
from transfer.store import Damaged, GridRecord, Store


def report_of_grid(store: Store, record: GridRecord, *, out: Path) -> list[Path]:
    """Writes ``out/<grid>/`` from what the store holds of the grid; returns the files."""
    grid = record.grid
    return write_report(
        store.frame(record),
        edges=edges_of_grid(store, record),
        null_control="null" in grid.controls,
        correction=grid.correction,
        out=out / grid.name,
        title=grid.name,
        corpora=[_corpus_row(record, name) for name in grid.tasks],
        settings=_settings(store, record),
        evidence=_evidence(store, record),
        smallest_effect=grid.smallest_effect / 100,
        source=record.source,
        curves=curves(store.results(record.jobs).values()),
        rerun=rerun(record),
        expected=[cell for job in wanted(store, record) for cell in _cells(job)],
    )


def edges_of_grid(store: Store, record: GridRecord) -> pd.DataFrame:
    """The grid's edges with their verdicts; see ``gains.edges`` and, for adaptive seeds, ``Verdicts``."""
    smallest = record.grid.smallest_effect / 100
    if isinstance(record.grid.seeds, Seeds):
        verdicts, groups = _looked_at(store, record)
        return gains.edge_table(verdicts, groups, smallest_effect=smallest)
    seed_gains = gains.seed_gains(store.frame(record))
    return gains.edges(
        seed_gains,
        smallest_effect=smallest,
        evidence=_evidence(store, record),
        correction=record.grid.correction,
    )


def wanted(store: Store, record: GridRecord) -> tuple[Job, ...]:
    """The jobs that the grid needs by what its store holds: all, or with adaptive seeds those so far.

    A function of the results alone: a run that was killed wants the same jobs when it goes on. The
    jobs of a look are wanted together, and no edge is looked at before all of them have ended.
    """
    seeds = record.grid.seeds
    if not isinstance(seeds, Seeds):
        return record.jobs
    verdicts, _ = _looked_at(store, record)
    # both stages of a group, so that a child never comes after its parent's encoder is gone
    groups = {(name,) for edge in verdicts.open for name in (edge.target,)}
    groups |= {tuple(edge.corpora.split("+")) for edge in verdicts.open}
    ended = set(store.results(record.jobs))
    return tuple(
        job
        for job in record.jobs
        if job.arm_seed < seeds.first
        or job.id in ended
        or (job.group in groups and job.seed < verdicts.seeds)
    )


def _looked_at(store: Store, record: GridRecord) -> tuple[Verdicts[EdgeKey], dict[EdgeKey, pd.DataFrame]]:
    """The verdicts after the last look whose jobs have all ended, and each edge's gains."""
    seeds, frame, evidence = record.grid.seeds, store.frame(record), _evidence(store, record)
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
    )
    seed_gains = gains.seed_gains(frame)
    found = gains.by_edge(seed_gains)
    groups = {edge: found.get(edge, seed_gains.iloc[:0]) for edge in edges}
    ended = {Cell(*cell) for cell in frame[gains.CELL].itertuples(index=False, name=None)}
    while verdicts.open and all(
        Cell(edge.stage, corpora, edge.target, seed) in ended
        for edge in verdicts.open
        for corpora in (edge.corpora, edge.target)
        for seed in range(verdicts.seeds)
    ):
        verdicts.look(
            lambda edge, count: gains.estimate(groups[edge][groups[edge]["seed"] < count], evidence)
        )
    return verdicts, groups


def _cells(job: Job) -> list[Cell]:
    """The scores that a job promises."""
    return [Cell(job.arm, "+".join(job.group), name, job.arm_seed) for name in job.names]


def _evidence(store: Store, record: GridRecord) -> Evidence:
    """The grid's kept predictions, read cell by cell as they are asked for."""
    jobs = {cell: job for job in record.jobs for cell in _cells(job)}
    measures = {c.card.name: measure_of(c.card.metric, negative=c.card.negative) for c in record.corpora}

    def read(cell: Cell) -> Arm:
        result = store.get(jobs[cell].id)
        score = next(s.value for s in result.scores if (s.corpus, s.split) == (cell.target, "test"))
        try:
            kept = store.predictions(result.id, digest=result.predictions)
            return arm_of(kept, cell.target, measures[cell.target], score=score)
        except (FileNotFoundError, ValueError, Damaged) as error:
            home = store.files.at(f"jobs/{result.id}")
            # a result from before there were checksums is not set aside by itself
            mend = "run the grid again" if result.predictions else f"remove {home} and run the grid again"
            raise InputError(f"{home}/predictions.parquet: {error}; {mend}") from None

    return Evidence(measures, read)


def against_plan(edges: pd.DataFrame, plan: Sequence[Planted], *, tasks: Iterable[str]) -> pd.DataFrame:
    """Each edge of the refinement stage beside what was planted for it.

    Columns source, target, planted ('improves', 'harms', 'no effect', or '' where nothing was
    planned), measured, gain, ci_low, ci_high (fractions), holds ('yes', 'no', 'open', or ''):
    an effect that was planted holds where it is the verdict, fails where the verdict is another
    claim, and is open where the verdict is 'inconclusive'.
    """
    tasks = set(tasks)
    planned = {(p.source, p.target): p.effect for p in plan if {p.source, p.target} <= tasks}
    table = edges.loc[
        edges["stage"] == "refine", ["source", "target", "verdict", "gain", "ci_low", "ci_high"]
    ]
    table = table.rename(columns={"verdict": "measured"})
    pairs = list(zip(table["source"], table["target"], strict=True))
    table.insert(2, "planted", [planned.get(pair, "") for pair in pairs])
    table["holds"] = [
        ""
        if not planted
        else "yes"
        if planted == measured
        else "open"
        if measured == "inconclusive"
        else "no"
        for planted, measured in zip(table["planted"], table["measured"], strict=True)
    ]
    return table.sort_values(
        ["planted", "source", "target"], ascending=[False, True, True], ignore_index=True
    )


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
        notes="; ".join(corpus.notes),
    )


def _settings(store: Store, record: GridRecord) -> dict[str, object]:
    grid = record.grid
    recipe = grid.recipe.model_dump(exclude={"fine_tune"})
    shown: dict[str, object] = {
        "encoder": grid.encoder.name
        + (f", its first {grid.encoder.layers} layers" if grid.encoder.layers else ""),
        "recipe": f"{record.recipe_name}: " + ", ".join(f"{key} {value}" for key, value in recipe.items()),
    }
    if "fine-tune" in grid.stages and grid.recipe.fine_tune:
        shown["fine-tuning"] = f"lr {grid.recipe.fine_tune.lr}, epochs {grid.recipe.fine_tune.epochs}"
    if isinstance(grid.seeds, Seeds):
        shown["seeds"] = f"{grid.seeds.first} everywhere, up to {grid.seeds.most} where an edge is undecided"
    else:
        shown["seeds"] = ", ".join(map(str, grid.seeds))
    if record.overrides:
        shown["changed on the command line"] = ", ".join(record.overrides)
    versions = {
        f"{name} {version}"
        for result in store.results(record.jobs).values()
        for name, version in result.provenance.items()
        if name in ("transfer", "torch", "transformers", "python", "device")
    }
    shown["versions"] = ", ".join(sorted(versions))
    for corpus in record.corpora:
        shown[f"data of {corpus.card.name}"] = f"fingerprint {corpus.fingerprint}"
    shown["test texts that stand in a train split"] = "; ".join(record.overlaps) or "none"
    return shown
