"""A finished grid in a notebook: its results as tables, its graph, its figures, and advice from it.

from transfer import Study

study = Study.open("grids/clinical_pairs.yaml")     # as it was run into runs/
study = Study.open("studies/clinical_pairs")        # or a report's folder: needs nothing else
study.edges[study.edges["verdict"] == "improves"]
study.recommend("mednli")
"""

import functools
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from transfer.analysis import gains
from transfer.analysis import grouping as division
from transfer.analysis.advice import Recommendation, recommend
from transfer.analysis.flags import doubtful, undefined_gains
from transfer.analysis.graph import TransferGraph
from transfer.analysis.options import Option, options_of
from transfer.analysis.tables import without_paths
from transfer.inputs import InputError, did_you_mean
from transfer.reporting.panels import Side, SideBySide

if TYPE_CHECKING:
    import networkx as nx
    from matplotlib.figure import Figure

    from transfer.analysis.comparison import Comparison, Method
    from transfer.analysis.study import Kept

TABLES = ("results.csv", "edges.csv", "table_groups.csv", "table_corpora.csv")
TEXT = {
    "job", "stage", "corpora", "source", "target", "split", "metric", "status", "error", "encoder", "recipe",
    "verdict", "data_source", "name", "kind", "domain", "licence", "citation", "notes", "flag", "predictor",
}  # fmt: skip


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG text; a notebook shows it by itself."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Writes the SVG; returns where."""
        Path(path).write_text(self.svg, encoding="utf-8")
        return Path(path)


@dataclass(frozen=True, eq=False)
class Study:
    """What a grid found. Scores and gains in the tables are fractions (0.005 is half a point)."""

    name: str
    tasks: tuple[str, ...]
    results: pd.DataFrame  # one row for each job, target and split
    edges: pd.DataFrame  # one row for each directed edge: gain, ci_low, ci_high, verdict, …
    groups: pd.DataFrame  # gains from groups of three or more
    corpora: pd.DataFrame  # what the report says of each corpus
    smallest_effect: float
    data_source: str  # 'synthetic' or 'prepared'
    kept: "Kept | None" = None  # what the store holds of it; a report's folder has only the tables

    @staticmethod
    def open(
        where: str | Path,
        *,
        store: str | Path = "runs",
        corpora: str | None = None,
        overrides: Sequence[str] = (),
    ) -> "Study":
        """A grid's file as it was run into ``store``, or the folder of its report.

        ``corpora`` and ``overrides`` are what ``run-grid`` was given as --corpora and --set. Raises
        InputError where the grid was not run, or the folder holds no report.
        """
        where = Path(where)
        if where.is_dir():
            return _of_report(where)
        return _of_store(where, Path(store), corpora, overrides)

    @property
    def stages(self) -> tuple[str, ...]:
        """The stages that gains were measured in."""
        return tuple(stage for stage in ("refine", "fine-tune") if stage in set(self.edges["stage"]))

    @functools.cached_property
    def graph(self) -> "nx.DiGraph":
        """The graph of the first stage: gain, intervals, p_adjusted, verdict and seeds of each edge."""
        return self.graph_of(self._stage(None))

    def graph_of(self, stage: str) -> "nx.DiGraph":
        """The graph of one stage; see ``graph``."""
        return self._transfer_graph(stage).digraph

    def graph_figure(self, stage: str | None = None) -> Drawing:
        """The improve/harm graph."""
        from transfer.reporting import figures
        from transfer.reporting.graph_picture import lay_out

        picture = lay_out(self._transfer_graph(self._stage(stage)))
        return self._drawn(figures.draw_graph(picture, caption=self._caption, source=self.data_source))

    def forest_figure(self, stage: str | None = None) -> Drawing:
        """Every edge with its interval."""
        from transfer.reporting import figures

        rows = self.edges[self.edges["stage"] == self._stage(stage)]
        return self._drawn(
            figures.draw_forest(
                rows, smallest_effect=self.smallest_effect, caption=self._caption, source=self.data_source
            )
        )

    def seeds_figure(self, stage: str | None = None) -> Drawing:
        """Every seed: the score alone against the score with each partner."""
        from transfer.reporting import figures

        seed_gains = gains.seed_gains(self.results)
        rows = seed_gains[seed_gains["stage"] == self._stage(stage)]
        return self._drawn(
            figures.draw_scatter(rows, order=list(self.tasks), caption=self._caption, source=self.data_source)
        )

    def panels_figure(self, *others: "Study", stage: str | None = None) -> Drawing:
        """The graphs of this and other grids side by side; see ``beside``."""
        from transfer.reporting import figures

        together = self.beside(*others, stage=stage)
        return _drawn(figures.draw_panels(together.panels, caption=together.caption), together.title)

    def beside(self, *others: "Study", stage: str | None = None) -> SideBySide:
        """This and other grids as panels a, b, … with one scale: their edges as one table, and files.

        Without ``stage``: the first one that all have gains in. Raises InputError where there is none, or
        what stands side by side would not mean the same (see ``SideBySide``).
        """
        found = self._with(others, stage)
        try:
            return SideBySide(tuple(study._side(stage) for study, stage in found))
        except ValueError as error:
            raise InputError(f"{error}") from None

    def compare(self, *others: "Study", stage: str | None = None) -> "Comparison":
        """The edges of this and other grids, each of the others held against this one: `table`, `settings`,
        `cost`, and files.

        Without ``stage``: the first one that all have gains in. Raises InputError where there is none, or a
        difference of gains would not measure the method (see ``Comparison``).
        """
        from transfer.analysis.comparison import Comparison

        found = self._with(others, stage)
        try:
            compared = Comparison(tuple(study._method(stage) for study, stage in found))
            _ = compared.table  # whether test items are the same is seen where they are paired
        except ValueError as error:
            raise InputError(f"{error}") from None
        return compared

    def compare_figure(self, *others: "Study", stage: str | None = None) -> Drawing:
        """Gains under this and other grids, and their differences; see ``compare``."""
        from transfer.reporting import figures

        found = self.compare(*others, stage=stage)
        drawn = figures.draw_comparison(found.picture, caption=found.caption, source=self.data_source)
        return _drawn(drawn, found.title)

    def _with(self, others: Sequence["Study"], stage: str | None) -> list[tuple["Study", str]]:
        """This and other studies with the stage that is looked at; raises where nothing was measured."""
        studies = (self, *others)
        common = [name for name in self.stages if all(name in study.stages for study in studies)]
        chosen = stage or next(iter(common), None)
        return [(study, study._stage(chosen)) for study in studies]

    def _method(self, stage: str) -> "Method":
        from transfer.analysis.comparison import Method, correction_of, settings_of

        kept = self.kept
        try:
            correction = kept.record.grid.correction if kept else correction_of(self.edges)
        except ValueError as error:
            raise InputError(f"{self.name}: its tables are not those of a report ({error})") from None
        return Method(
            self.name,
            self.results[self.results["stage"] == stage],
            self.edges[self.edges["stage"] == stage],
            self.data_source,
            correction,
            settings=settings_of(kept.record, kept.results, stage=stage) if kept else None,
            evidence=kept.evidence if kept else None,
        )

    def _side(self, stage: str) -> Side:
        rows = self.edges[self.edges["stage"] == stage].reset_index(drop=True)
        fewest, most = rows["seeds"].min(), rows["seeds"].max()
        seeds = f"{fewest} to {most} seeds" if fewest < most else f"{most} seed{'s' if most != 1 else ''}"
        data = "SYNTHETIC DATA, generated corpora, not real text; " if self.data_source == "synthetic" else ""
        return Side(self.name, rows, self._transfer_graph(stage), f"{data}{self._setting}, {seeds}")

    def recommend(self, target: str, *, stage: str | None = None) -> Recommendation:
        """Train ``target`` alone or with whom; see ``transfer.analysis.advice``."""
        if target not in self.tasks:
            raise InputError(f"unknown task '{target}' in {self.name}{did_you_mean(target, self.tasks)}")
        stage = self._stage(stage)
        advice = recommend(
            self._options(stage),
            target,
            stage=stage,
            data_source=self.data_source,
            smallest_effect=self.smallest_effect,
            undefined={
                source: why
                for (source, of), why in undefined_gains(self.edges, stage=stage).items()
                if of == target
            },
        )
        return replace(advice, doubtful=doubtful(self.edges, stage=stage, target=target))

    def group(self, models: int, *, stage: str | None = None) -> division.Grouping:
        """The best division of the tasks into at most ``models``; see ``transfer.analysis.grouping``."""
        stage = self._stage(stage)
        found = division.group(
            self._options(stage),
            self.tasks,
            models,
            stage=stage,
            data_source=self.data_source,
            undefined=undefined_gains(self.edges, stage=stage),
        )
        return replace(found, doubtful=doubtful(self.edges, stage=stage))

    def _options(self, stage: str) -> list[Option]:
        evidence = self.kept.evidence if self.kept else None
        return options_of(self.results, self.edges, self.groups, stage=stage, evidence=evidence)

    def _stage(self, stage: str | None) -> str:
        if not self.stages:
            raise InputError(
                f"{self.name}: no gain was measured; a gain needs the jobs single and pairs, "
                "with a seed that both have finished"
            )
        if stage is None:
            return self.stages[0]
        if stage not in self.stages:
            raise InputError(f"no gain was measured in the stage '{stage}'; known: {', '.join(self.stages)}")
        return stage

    def _transfer_graph(self, stage: str) -> TransferGraph:
        rows = self.edges[self.edges["stage"] == stage]
        nodes = [{str(key): value for key, value in row.items()} for row in self.corpora.to_dict("records")]
        return TransferGraph.from_edges(rows, nodes=nodes, data_source=self.data_source)

    def _drawn(self, figure: "Figure") -> Drawing:
        mark = "SYNTHETIC DATA: " if self.data_source == "synthetic" else ""
        return _drawn(figure, f"{mark}{self.name}")

    @property
    def _setting(self) -> str:
        """The encoder and the recipe of the jobs that are done."""
        done = self.results[self.results["status"] == "done"]
        encoder, recipe = (without_paths(", ".join(sorted(set(done[c])))) for c in ("encoder", "recipe"))
        return f"encoder {encoder}, recipe {recipe}"

    @property
    def _caption(self) -> str:
        data = " SYNTHETIC DATA: generated corpora, not real text." if self.data_source == "synthetic" else ""
        return (
            f"{self.name}: gain of each target from each partner (partner → target) over training alone, in "
            f"points.{data} E{self._setting[1:]}. Improves, harms: significant after "
            f"correction and at least {100 * self.smallest_effect:g} points. No effect: shown to be smaller "
            "than that. Inconclusive: neither."
        )

    def __repr__(self) -> str:
        count = self.edges["verdict"].value_counts()
        found = ", ".join(f"{count[v]} {v}" for v in gains.VERDICTS if v in count)
        mark = ", SYNTHETIC DATA" if self.data_source == "synthetic" else ""
        return f"Study {self.name}: {len(self.tasks)} tasks{mark}; edges: {found or 'none'}"


def _drawn(figure: "Figure", title: str) -> Drawing:
    """The figure as SVG text that is the same whenever the figure is."""
    from transfer.reporting import figures

    with tempfile.TemporaryDirectory() as folder:
        (path,) = figures.save(figure, Path(folder, "figure"), title=title, formats=("svg",))
        return Drawing(path.read_text(encoding="utf-8"))


def _of_store(grid_file: Path, store_dir: Path, corpora: str | None, overrides: Sequence[str]) -> Study:
    from transfer.analysis.study import Kept, tables_of_grid
    from transfer.recorded import record_of
    from transfer.store import Store

    store = Store(store_dir)
    record = record_of(store, grid_file, overrides=overrides, corpora=corpora)
    kept = Kept(store, record)
    return Study(
        record.title,
        record.grid.tasks,
        *tables_of_grid(kept),
        record.grid.smallest_effect / 100,
        record.source,
        kept,
    )


def _of_report(folder: Path) -> Study:
    for name in TABLES:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing, so this is no report; give a report or a grid")
    try:
        results, edges, groups, described = (_read(folder / name) for name in TABLES)
        smallest = edges["smallest_effect"].iloc[0] if len(edges) else 0.005
        # advice rests on them, and reports of the first versions lack them
        if missing := {"se_seeds", "se_items", "df_seeds"} - set(edges) or {"se_seeds", "se_items"} - set(
            groups
        ):
            raise ValueError(f"{min(missing)} is missing; write the report again with transfer report")
        tasks, source = tuple(described["name"]), str(described["source"].iloc[0])
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(f"{folder}: its tables are not those of a report ({error})") from None
    return Study(folder.resolve().name, tasks, results, edges, groups, described, float(smallest), source)


def _read(path: Path) -> pd.DataFrame:
    """A table of a report; a text that is empty, or says null, is that text."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    for name in TEXT & set(table.columns):
        table[name] = table[name].astype(object).fillna("").astype(str)
    return table
