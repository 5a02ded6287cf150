"""A grid's findings as one handle: from the store, from a report's folder, or from a frame of scores."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from transfer.analysis import gains, grouping, old_reports, saved, stages, tables
from transfer.analysis.advice import Recommendation, recommend
from transfer.analysis.controls import beside, control_tables, dealt, standing
from transfer.analysis.curves import CURVES, curves
from transfer.analysis.evidence import Evidence
from transfer.analysis.flags import (
    Flags,
    doubtful,
    flag_table,
    flags_of,
    undefined_gains,
    with_flags,
    with_unscored,
)  # fmt: skip
from transfer.analysis.graph import TransferGraph
from transfer.analysis.interim import Interim
from transfer.analysis.missing import missing
from transfer.analysis.options import Option, options_of
from transfer.analysis.rerun import Rerun
from transfer.analysis.setup import Setup, setup_of
from transfer.analysis.stored import Stored
from transfer.analysis.watch import Watch, nobody
from transfer.inputs import InputError, did_you_mean
from transfer.records import GridRecord, without_paths
from transfer.seeds import Seeds
from transfer.store import Store

if TYPE_CHECKING:
    import networkx as nx

STAGES = ("refine", "fine-tune")
MACHINE_TEXT = ("error", "encoder", "recipe")  # columns that may hold a path of this machine


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Study:
    """A grid's scores, gains and verdicts with what they rest on; fractions, and no path of a machine."""

    title: str
    source: str  # 'synthetic' or 'prepared'
    smallest_effect: float
    correction: str
    results: pd.DataFrame  # one row for each job, target and split
    edges: pd.DataFrame  # one row for each directed edge: gain, ci_low, ci_high, verdict, …, and its controls
    groups: pd.DataFrame  # gains from groups of three or more
    options: tuple[Option, ...]  # the estimates behind edges and groups
    controls: Mapping[str, pd.DataFrame]  # of those that the grid asks for, see `controls`
    dealt: tuple[int, int] = (0, 0)  # claims and edges of the null control, over all ways to deal its runs
    scores: pd.DataFrame
    missing: pd.DataFrame
    flags: pd.DataFrame  # the arms that did not learn, see `flags`
    corpora: pd.DataFrame  # what the report says of each corpus, in the grid's order
    settings: pd.DataFrame
    curves: pd.DataFrame  # see `curves.curves`
    contrasts: pd.DataFrame  # of a grid that fine-tunes, see `stages`; else without rows
    means: pd.DataFrame  # of these arms
    pools: Mapping[str, int] = field(default_factory=dict)  # corpora with a sample per seed: of how many
    method: Mapping[str, str] = field(default_factory=dict)  # see `setup.method_of`; empty: not known
    rerun: Rerun | None = None
    evidence: Evidence | None = None  # the stored predictions; a folder has none

    @classmethod
    def of(cls, store: Store, record: GridRecord, *, watch: Watch = nobody) -> Self:
        """The study of a grid from what the store holds of it; ``watch`` is told how far it is."""
        stored = Stored(store, record, watch=watch)
        interim = Interim(stored) if isinstance(record.grid.seeds, Seeds) else None
        return cls.of_frame(
            stored.frame,
            setup_of(record, stored.results, interim.jobs if interim else record.jobs),
            evidence=stored.evidence,
            flags=stored.flags,
            judged=interim.judged if interim else None,
            curves=curves(record.jobs, stored.results),
        )

    @classmethod
    def of_frame(
        cls,
        frame: pd.DataFrame,
        setup: Setup,
        *,
        evidence: Evidence | None = None,
        flags: Flags | None = None,
        judged: gains.EdgeVerdicts | None = None,
        curves: pd.DataFrame | None = None,
    ) -> Self:
        """The study behind the store's tidy frame (see `gains`).

        ``evidence`` is what the arms predicted (see `gains.edges`), ``flags`` the arms that did not learn
        (without them: see `flags`), ``judged`` the verdicts (without them: one look at all seeds). Raises
        ValueError where the frame is of another source.
        """
        if other := set(frame["source"]) - {setup.source}:
            raise ValueError(f"the frame holds {', '.join(sorted(other))} results, not only {setup.source}")
        if flags is None:
            flags = flags_of(_without_machine(frame), evidence=evidence, baselines=setup.baselines)
        rule: dict[str, Any] = {
            "smallest_effect": setup.smallest_effect,
            "correction": setup.correction,
            "evidence": evidence,
        }
        if judged is None:
            seed_gains, singles = gains.seed_gains(frame), gains.singles(frame)
            judged = gains.judged(seed_gains, singles=singles, flags=flags, **rule)
        larger = gains.larger_groups(frame, evidence=evidence)
        edges = gains.edge_table(judged, smallest_effect=setup.smallest_effect)
        edges = with_flags(with_unscored(edges, frame, smallest_effect=setup.smallest_effect), flags)
        known = {"train_items": setup.train_items}
        held = control_tables(frame, setup.controls, flags=flags, **known, **rule)
        shown = [{key: _shown(value) for key, value in row.items()} for row in setup.corpora]
        return cls(
            title=setup.title,
            source=setup.source,
            smallest_effect=setup.smallest_effect,
            correction=setup.correction,
            results=tables.results(_without_machine(frame)),
            edges=standing(beside(edges, held), frame, setup.controls, **known, **rule),
            groups=gains.group_table(larger),
            options=tuple(options_of(judged, larger, evidence=evidence)),
            controls=held,
            dealt=dealt(frame, **rule) if "null" in held else (0, 0),
            scores=tables.score_table(frame, setup.baselines),
            missing=missing(_without_machine(frame), setup.expected),
            flags=flag_table(flags),
            corpora=tables.corpora_table(shown, source=setup.source),
            settings=pd.DataFrame(
                [(str(key), without_paths(str(value))) for key, value in setup.settings.items()],
                columns=pd.Index(["setting", "value"]),
            ),
            curves=pd.DataFrame(columns=pd.Index(CURVES)) if curves is None else curves,
            contrasts=stages.contrasts(
                frame, expected=setup.expected, seeds=setup.stage_seeds, flags=flags, **rule
            ),
            means=stages.means(frame, expected=setup.expected, seeds=setup.stage_seeds),
            pools={row["name"]: row["pool"] for row in setup.corpora if "pool" in row},
            method=setup.method,
            rerun=setup.rerun,
            evidence=evidence,
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The study in a report's folder, named after the folder; raises InputError if there is none."""
        path = folder / saved.FILE
        if not path.is_file():
            return cls(**old_reports.read_report(folder))
        found = saved.from_json(path.read_bytes(), where=str(path))
        found["title"] = folder.resolve().name
        return cls(**found)

    def save(self, folder: Path) -> Path:
        """Write the study, without its predictions, as ``study.json``; return its path."""
        return saved.save(self, folder)

    @property
    def synthetic(self) -> bool:
        return self.source == "synthetic"

    @property
    def order(self) -> list[str]:
        """The corpora's names as the grid orders them."""
        return self.corpora["name"].to_list()

    @property
    def test_items(self) -> dict[str, int]:
        """Number of test items per corpus, in the grid's order."""
        return dict(zip(self.corpora["name"], self.corpora["test"].astype(int), strict=True))

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that have edges."""
        return tuple(in_order(self.edges["stage"]))

    @functools.cached_property
    def seed_gains(self) -> pd.DataFrame:
        """See `gains.seed_gains`."""
        return gains.seed_gains(self.results)

    @property
    def matrices(self) -> dict[str, pd.DataFrame]:
        """Each stage's scores as a matrix of text (see `tables.score_matrix`)."""
        return {
            stage: tables.score_matrix(self.scores, stage=stage, order=self.order)
            for stage in in_order(self.scores["stage"])
            if stage in STAGES
        }

    @functools.cached_property
    def graph(self) -> "nx.DiGraph":
        """The graph of the first stage: gain, intervals, p_adjusted, verdict and seeds of each edge."""
        return self.graph_of(self.known_stage(None))

    def graph_of(self, stage: str) -> "nx.DiGraph":
        """The graph of one stage; see ``graph``."""
        return self.transfer_graph(self.known_stage(stage)).digraph

    def transfer_graph(self, stage: str) -> TransferGraph:
        """The graph of one stage, which may have no edge."""
        nodes = [{str(key): value for key, value in row.items()} for row in self.corpora.to_dict("records")]
        rows = self.edges[self.edges["stage"] == stage]
        return TransferGraph.from_edges(rows, nodes=nodes, data_source=self.source)

    def recommend(self, target: str, *, stage: str | None = None) -> Recommendation:
        """Train ``target`` alone or with whom; see ``transfer.analysis.advice``."""
        if target not in self.order:
            raise InputError(f"unknown task '{target}' in {self.title}{did_you_mean(target, self.order)}")
        stage = self.known_stage(stage)
        undefined = undefined_gains(self.edges, stage=stage)
        advice = recommend(
            self._options(stage),
            target,
            stage=stage,
            data_source=self.source,
            smallest_effect=self.smallest_effect,
            undefined={source: why for (source, of), why in undefined.items() if of == target},
        )
        return replace(advice, doubtful=doubtful(self.edges, stage=stage, target=target))

    def group(self, models: int, *, stage: str | None = None) -> grouping.Grouping:
        """The best division of the tasks into at most ``models``; see ``transfer.analysis.grouping``."""
        stage = self.known_stage(stage)
        found = grouping.group(
            self._options(stage),
            self.order,
            models,
            stage=stage,
            data_source=self.source,
            undefined=undefined_gains(self.edges, stage=stage),
        )
        return replace(found, doubtful=doubtful(self.edges, stage=stage))

    def known_stage(self, name: str | None) -> str:
        """A stage that has edges, the first one without a name. Raises InputError where there is none."""
        if not self.stages:
            raise InputError(
                f"{self.title}: no gain was measured; a gain needs the jobs single and pairs, "
                "with a seed that both have finished"
            )
        if name is None:
            return self.stages[0]
        if name not in self.stages:
            raise InputError(f"no gain was measured in the stage '{name}'; known: {', '.join(self.stages)}")
        return name

    def _options(self, stage: str) -> Sequence[Option]:
        return [option for option in self.options if option.stage == stage]

    def __repr__(self) -> str:
        count = self.edges["verdict"].value_counts()
        found = ", ".join(f"{count[v]} {v}" for v in gains.VERDICTS if v in count)
        mark = ", SYNTHETIC DATA" if self.synthetic else ""
        return f"Study {self.title}: {len(self.order)} tasks{mark}; edges: {found or 'none'}"


def in_order(stages: pd.Series) -> list[str]:
    """The stages that occur, refinement first."""
    present = set(stages)
    return [*(stage for stage in STAGES if stage in present), *sorted(present - set(STAGES))]


def _without_machine(frame: pd.DataFrame) -> pd.DataFrame:
    cleaned = frame.copy()
    for column in MACHINE_TEXT:
        cleaned[column] = [without_paths(str(text)) for text in frame[column]]
    return cleaned


def _shown(value: object) -> object:
    return without_paths(value) if isinstance(value, str) else value
