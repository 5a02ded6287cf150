"""A finished grid in a notebook: its results as tables, its graph, its figures, and advice from it.

from transfer import Study

study = Study.open("grids/clinical_pairs.yaml")     # as it was run into runs/
study = Study.open("studies/clinical_pairs")        # or a report's folder: needs nothing else
study.edges[study.edges["verdict"] == "improves"]
study.recommend("mednli")
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transfer.analysis.study import Study as Numbers
from transfer.inputs import InputError
from transfer.last_run import record_of
from transfer.ledger import grid_in, is_ledger
from transfer.reporting.captions import report_caption
from transfer.reporting.panels import Panel, Panels
from transfer.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from transfer.reporting.comparison_report import ComparisonReport


@dataclass(frozen=True)
class Drawing:
    """A figure as SVG text; a notebook shows it by itself."""

    svg: str

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> Path:
        """Write the SVG; return its path."""
        Path(path).write_text(self.svg, encoding="utf-8")
        return Path(path)


class Study(Numbers):
    """A grid's findings, with figures; scores and gains are fractions (0.005 is half a point)."""

    @property
    def name(self) -> str:
        return self.title

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.order)

    @property
    def data_source(self) -> str:
        return self.source

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        store: str | Path = "runs",
        corpora: str | None = None,
        overrides: Sequence[str] = (),
    ) -> "Study":
        """A grid's file as it was run into ``store``, the folder of its report, or a ledger of one grid.

        ``store`` may be a ledger, too. ``corpora`` and ``overrides`` are what ``run-grid`` was given as
        --corpora and --set. Raises InputError where the grid was not run, or the folder holds no report.
        """
        where = Path(where)
        if where.is_dir():
            return cls.load(where)
        if is_ledger(where):
            return cls.of(*grid_in(where))
        opened = Store(Path(store))
        return cls.of(opened, record_of(opened, where, overrides=overrides, corpora=corpora))

    def graph_figure(self, stage: str | None = None) -> Drawing:
        """The improve/harm graph."""
        from transfer.reporting import figures
        from transfer.reporting.graph_picture import lay_out

        picture = lay_out(self.transfer_graph(self.known_stage(stage)))
        return self._drawn(
            figures.draw_graph(picture, caption=report_caption(self, "graph"), source=self.source)
        )

    def forest_figure(self, stage: str | None = None) -> Drawing:
        """Every edge with its interval."""
        from transfer.reporting import figures

        rows = self.edges[self.edges["stage"] == self.known_stage(stage)]
        return self._drawn(
            figures.draw_forest(
                rows,
                smallest_effect=self.smallest_effect,
                caption=report_caption(self, "forest"),
                source=self.source,
            )
        )

    def seeds_figure(self, stage: str | None = None) -> Drawing:
        """Every seed: the score alone against the score with each partner."""
        from transfer.reporting import figures

        rows = self.seed_gains[self.seed_gains["stage"] == self.known_stage(stage)]
        return self._drawn(
            figures.draw_scatter(
                rows, order=self.order, caption=report_caption(self, "scatter"), source=self.source
            )
        )

    def panels_figure(self, *others: "Study", stage: str | None = None) -> Drawing:
        """The graphs of this and other grids side by side; see ``panels``."""
        from transfer.reporting import figures

        together = self.panels(*others, stage=stage)
        return _drawn(figures.draw_panels(together.pictures, caption=together.caption), together.title)

    def panels(self, *others: "Study", stage: str | None = None) -> Panels:
        """This and other grids as panels a, b, … with one scale: their edges as one table, and files.

        Without ``stage``: the first one that all have gains in. Raises InputError where there is none, or
        what stands side by side would not mean the same (see ``Panels``).
        """
        common = self._common_stage(others, stage)
        try:
            return Panels(tuple(Panel.of(study, common) for study in (self, *others)))
        except ValueError as error:
            raise InputError(f"{error}") from None

    def compare(self, *others: "Study", stage: str | None = None) -> "ComparisonReport":
        """Compare the edges of other grids with those of this one.

        The result has `table`, `settings`, `cost`, and writes files.

        Without ``stage``: the first one that all have gains in. Raises InputError where there is none, or a
        difference of gains would not measure the method (see ``Comparison``).
        """
        from transfer.reporting.comparison_report import ComparisonReport

        common = self._common_stage(others, stage)
        try:
            compared = ComparisonReport.of((self, *others), common)
            _ = compared.table  # whether test items are the same is seen where they are paired
        except ValueError as error:
            raise InputError(f"{error}") from None
        return compared

    def compare_figure(self, *others: "Study", stage: str | None = None) -> Drawing:
        """Gains under this and other grids, and their differences; see ``compare``."""
        from transfer.reporting import figures

        found = self.compare(*others, stage=stage)
        drawn = figures.draw_comparison(found.picture, caption=found.caption, source=self.source)
        return _drawn(drawn, found.title)

    def _common_stage(self, others: Sequence["Study"], stage: str | None) -> str:
        """The stage that this and other studies are looked at in; raises where one of them has no gain."""
        studies = (self, *others)
        common = [name for name in self.stages if all(name in study.stages for study in studies)]
        chosen = stage or next(iter(common), None)
        (found,) = {study.known_stage(chosen) for study in studies}
        return found

    def _drawn(self, figure: "Figure") -> Drawing:
        return _drawn(figure, f"{'SYNTHETIC DATA: ' if self.synthetic else ''}{self.title}")


def _drawn(figure: "Figure", title: str) -> Drawing:
    """The figure as SVG text that is the same whenever the figure is."""
    from transfer.reporting import figures

    with tempfile.TemporaryDirectory() as folder:
        (path,) = figures.save(figure, Path(folder, "figure"), title=title, formats=("svg",))
        return Drawing(path.read_text(encoding="utf-8"))
