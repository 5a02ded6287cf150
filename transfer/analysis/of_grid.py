"""From a grid's record in the store to its report, and to its graph held against what was planted."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from transfer.analysis import gains
from transfer.analysis.evidence import Arm, Cell, Evidence, arm_of
from transfer.analysis.report import write_report
from transfer.analysis.tables import CorpusRow
from transfer.corpora.synthetic_plan import Planted
from transfer.metrics import measure_of
from transfer.store import GridRecord, Store


def report_of_grid(store: Store, record: GridRecord, *, out: Path) -> list[Path]:
    """Writes ``out/<grid>/`` from what the store holds of the grid; returns the files."""
    grid = record.grid
    return write_report(
        store.frame(record),
        out=out / grid.name,
        title=grid.name,
        corpora=[_corpus_row(record, name) for name in grid.tasks],
        settings=_settings(store, record),
        evidence=_evidence(store, record),
        smallest_effect=grid.smallest_effect / 100,
        source=record.source,
        expected=[
            Cell(job.stage, "+".join(job.group), name, job.seed) for job in record.jobs for name in job.names
        ],
    )


def edges_of_grid(store: Store, record: GridRecord) -> pd.DataFrame:
    """The grid's edges with their verdicts; see ``gains.edges``."""
    return gains.edges(
        gains.seed_gains(store.frame(record)),
        smallest_effect=record.grid.smallest_effect / 100,
        evidence=_evidence(store, record),
    )


def _evidence(store: Store, record: GridRecord) -> Evidence:
    """The grid's kept predictions, read cell by cell as they are asked for."""
    jobs = {
        Cell(job.stage, "+".join(job.group), name, job.seed): job for job in record.jobs for name in job.names
    }
    measures = {c.card.name: measure_of(c.card.metric, negative=c.card.negative) for c in record.corpora}

    def read(cell: Cell) -> Arm:
        result = store.get(jobs[cell].id)
        score = next(s.value for s in result.scores if (s.corpus, s.split) == (cell.target, "test"))
        return arm_of(store.predictions(result.id), cell.target, measures[cell.target], score=score)

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
