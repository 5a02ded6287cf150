"""Graphs of several grids side by side, as plain numbers (Peng et al. 2020, Figure 2: two panels).

First one table of all edges, then the pictures, whose lines share one scale of width, then the drawing.
"""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from transfer.analysis import tables
from transfer.analysis.graph import TransferGraph
from transfer.analysis.study import Study
from transfer.analysis.tables import without_paths
from transfer.reporting.graph_picture import GraphPicture, lay_out, widest_line

FILES = "panels"
MOST = 26  # panels have a letter each


class Panel(NamedTuple):
    """One graph of several: its letter, the grid's name, where its data is from, what is drawn of it."""

    letter: str
    name: str
    source: str  # 'synthetic' or 'prepared'
    picture: GraphPicture


@dataclass(frozen=True, eq=False)
class Side:
    """What one grid brings: the edges of one stage, their graph, and how its jobs were run, in words."""

    name: str
    edges: pd.DataFrame  # see `gains.edges`
    graph: TransferGraph
    how: str

    @classmethod
    def of(cls, study: Study, stage: str) -> "Side":
        """A study in one stage."""
        rows = study.edges[study.edges["stage"] == stage].reset_index(drop=True)
        fewest, most = rows["seeds"].min(), rows["seeds"].max()
        seeds = f"{fewest} to {most} seeds" if fewest < most else f"{most} seed{'s' if most != 1 else ''}"
        data = "SYNTHETIC DATA, generated corpora, not real text; " if study.synthetic else ""
        return cls(study.title, rows, study.transfer_graph(stage), f"{data}{how(study)}, {seeds}")


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Several grids' edges of one stage, judged by one rule, with different names.

    Raises ValueError where there are fewer than two, two have one name, or stage or smallest effect
    differ: a colour would not mean the same in all panels.
    """

    sides: tuple[Side, ...]

    def __post_init__(self) -> None:
        if not 2 <= len(self.sides) <= MOST:
            raise ValueError(f"{len(self.sides)} grids; side by side stand 2 to {MOST}")
        names = [side.name for side in self.sides]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"two of the grids are named '{twice[0]}'; every panel shows another grid")
        for column, what in (("stage", "the stage"), ("smallest_effect", "the smallest effect that matters")):
            if len(set(self.table[column])) > 1:
                found = ", ".join(
                    f"{_shown(value)} in {side.name}"
                    for side in self.sides
                    for value in sorted(set(side.edges[column]))
                )
                raise ValueError(f"{what} differs: {found}; one figure has one rule for all its edges")

    @property
    def letters(self) -> list[str]:
        """Letters of the panels: a, b, …."""
        return [chr(ord("a") + place) for place in range(len(self.sides))]

    @property
    def table(self) -> pd.DataFrame:
        """All edges, panel by panel: `panel` (its letter), `grid`, and the columns of edges.csv."""
        parts = []
        for letter, side in zip(self.letters, self.sides, strict=True):
            part = side.edges.drop(columns="data_source", errors="ignore")
            part.insert(0, "panel", letter)
            part.insert(1, "grid", side.name)
            parts.append(part.assign(data_source=side.graph.data_source))
        table = pd.concat(parts, ignore_index=True)
        return table[[*table.columns.drop("data_source"), "data_source"]]

    @property
    def panels(self) -> tuple[Panel, ...]:
        """Pictures of the panels; the widest line of all panels is the largest claim of all."""
        widest = widest_line(*(side.graph for side in self.sides))
        return tuple(
            Panel(letter, side.name, side.graph.data_source, lay_out(side.graph, widest=widest))
            for letter, side in zip(self.letters, self.sides, strict=True)
        )

    @property
    def synthetic(self) -> bool:
        """Whether any panel shows generated corpora."""
        return any(side.graph.data_source == "synthetic" for side in self.sides)

    @property
    def caption(self) -> str:
        """What the picture needs to stand alone."""
        how = " ".join(
            f"({letter}) {side.name}: {side.how}."
            for letter, side in zip(self.letters, self.sides, strict=True)
        )
        smallest = 100 * float(self.table["smallest_effect"].iloc[0])
        return (
            "Gain of each target from each partner (partner → target), in points, over training alone. "
            f"{how} Improves, harms: significant after correction over all edges of the grid and at least "
            f"{smallest:g} points. No effect: shown to be smaller than that. Inconclusive: neither."
        )

    @property
    def title(self) -> str:
        """For the metadata of the files."""
        names = " and ".join(side.name for side in self.sides)
        return f"{'SYNTHETIC DATA: ' if self.synthetic else ''}transfer graphs of {names}"

    def write(self, out: Path) -> list[Path]:
        """Writes the table and the picture into `out`/<name>+<name>/; returns the files, the CSV first.

        They are made beside their places and then moved in, so none is ever half-written.
        """
        from transfer.reporting import figures  # matplotlib loads here, not with the command line

        home = out / "+".join(side.name for side in self.sides)
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".panels-") as folder:
            table = Path(folder, f"{FILES}.csv")
            table.write_text(tables.to_csv(self.table), encoding="utf-8")
            drawn = figures.draw_panels(self.panels, caption=self.caption)
            made = [table, *figures.save(drawn, Path(folder, FILES), title=self.title)]
            for path in made:
                os.replace(path, home / path.name)
        return [home / path.name for path in made]


def how(study: Study) -> str:
    """The encoder and the recipe of the jobs that are done."""
    done = study.results[study.results["status"] == "done"]
    encoder, recipe = (without_paths(", ".join(sorted(set(done[c])))) for c in ("encoder", "recipe"))
    return f"encoder {encoder}, recipe {recipe}"


def _shown(value: object) -> str:
    return f"{100 * value:g} points" if isinstance(value, float) else str(value)
