"""Graphs of several grids as panels of one figure, as plain numbers (Peng et al. 2020, Figure 2).

First one table of all edges, then the pictures, whose lines share one scale of width, then the drawing.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from transfer.analysis import tables
from transfer.analysis.graph import TransferGraph
from transfer.analysis.study import Study
from transfer.reporting.captions import GENERATED, panels_caption, setting
from transfer.reporting.folder import write_folder
from transfer.reporting.graph_picture import GraphPicture, lay_out, widest_line

FILES = "panels"
MOST = 26  # panels have a letter each


class PanelPicture(NamedTuple):
    """The picture of one panel: its letter, the grid's name, where its data is from, the graph."""

    letter: str
    name: str
    source: str  # 'synthetic' or 'prepared'
    picture: GraphPicture


@dataclass(frozen=True, eq=False)
class Panel:
    """One grid in one stage: the edges of that stage, their graph, and how its jobs were run, in words."""

    name: str
    edges: pd.DataFrame  # see `gains.edges`
    graph: TransferGraph
    how: str

    @classmethod
    def of(cls, study: Study, stage: str) -> "Panel":
        """A study in one stage."""
        rows = study.edges[study.edges["stage"] == stage].reset_index(drop=True)
        data = f"{GENERATED}; " if study.synthetic else ""
        return cls(study.title, rows, study.transfer_graph(stage), f"{data}{setting(study, rows)}")


@dataclass(frozen=True, eq=False)
class Panels:
    """Several grids' edges of one stage, judged by one rule, with different names.

    Raises ValueError where there are fewer than two, two have one name, or stage or smallest effect
    differ: a colour would not mean the same in all panels.
    """

    panels: tuple[Panel, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.panels) <= MOST:
            raise ValueError(f"{len(self.panels)} grids; panels show 2 to {MOST}")
        names = [panel.name for panel in self.panels]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two of the grids are named '{twice[0]}'; every panel shows another grid")
        for column, what in (("stage", "the stage"), ("smallest_effect", "the smallest effect that matters")):
            if len(set(self.table[column])) > 1:
                found = ", ".join(
                    f"{_shown(value)} in {panel.name}"
                    for panel in self.panels
                    for value in sorted(set(panel.edges[column]))
                )
                raise ValueError(f"{what} differs: {found}; one figure has one rule for all its edges")

    @property
    def letters(self) -> list[str]:
        """Letters of the panels: a, b, …."""
        return [chr(ord("a") + place) for place in range(len(self.panels))]

    @property
    def table(self) -> pd.DataFrame:
        """All edges, panel by panel: `panel` (its letter), `grid`, and the columns of edges.csv."""
        parts = []
        for letter, panel in zip(self.letters, self.panels, strict=True):
            part = panel.edges.drop(columns="data_source", errors="ignore")
            part.insert(0, "panel", letter)
            part.insert(1, "grid", panel.name)
            parts.append(part.assign(data_source=panel.graph.data_source))
        table = pd.concat(parts, ignore_index=True)
        return table[[*table.columns.drop("data_source"), "data_source"]]

    @property
    def pictures(self) -> tuple[PanelPicture, ...]:
        """Pictures of the panels; the widest line of all panels is the largest claim of all."""
        widest = widest_line(*(panel.graph for panel in self.panels))
        return tuple(
            PanelPicture(letter, panel.name, panel.graph.data_source, lay_out(panel.graph, widest=widest))
            for letter, panel in zip(self.letters, self.panels, strict=True)
        )

    @property
    def synthetic(self) -> bool:
        """Whether any panel shows generated corpora."""
        return any(panel.graph.data_source == "synthetic" for panel in self.panels)

    @property
    def caption(self) -> str:
        """The caption of the picture."""
        told = [(letter, one.name, one.how) for letter, one in zip(self.letters, self.panels, strict=True)]
        return panels_caption(told, float(self.table["smallest_effect"].iloc[0]))

    @property
    def title(self) -> str:
        """For the metadata of the files."""
        names = " and ".join(panel.name for panel in self.panels)
        return f"{'SYNTHETIC DATA: ' if self.synthetic else ''}transfer graphs of {names}"

    def write(self, out: Path) -> list[Path]:
        """Write picture and table into `out`/<name>+<name>/; return the files, the CSV last."""
        from transfer.reporting import figures  # matplotlib loads here, not with the command line

        drawn = figures.draw_panels(self.pictures, caption=self.caption)
        return write_folder(
            out / "+".join(panel.name for panel in self.panels),
            {f"{FILES}.csv": tables.to_csv(self.table)},
            draw=lambda folder: figures.save(drawn, folder / FILES, title=self.title),
        )


def _shown(value: object) -> str:
    return f"{100 * value:g} points" if isinstance(value, float) else str(value)
