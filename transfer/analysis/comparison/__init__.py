"""The same edges under several methods (recipes, encoders): what changes with them, and how sure that is.

First each grid as it is (methods), then a table of all edges (differences) and what they cost (cost), then
words (page) and what is drawn (picture).
"""

import functools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from transfer.analysis import tables
from transfer.analysis.comparison.cost import COSTS, costs
from transfer.analysis.comparison.differences import COLUMNS, differences
from transfer.analysis.comparison.methods import (
    Method,
    assert_comparable,
    correction_of,
    differing,
    settings_of,
)
from transfer.reporting import comparison_report as page
from transfer.reporting import comparison_sentences as sentences
from transfer.reporting.comparison_picture import ComparisonPicture, picture

__all__ = ["COLUMNS", "COSTS", "Comparison", "Method", "correction_of", "settings_of"]

FILES = "compare"
LONGEST = 200  # letters of the folder's name


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several grids' edges of one stage; the first is the base that the others are held against.

    Raises ValueError, naming what differs, where the grids cannot be compared (``assert_comparable``).
    """

    methods: tuple[Method, ...]

    def __post_init__(self) -> None:
        assert_comparable(self.methods)

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """One row for each edge and method but the first; see ``differences``.

        Raises ValueError where a target was tested on other items under another method.
        """
        return differences(self.methods[0], self.methods[1:])

    @functools.cached_property
    def settings(self) -> pd.DataFrame:
        """The settings in which the grids differ, a column for each."""
        return differing(self.methods)

    @functools.cached_property
    def cost(self) -> pd.DataFrame:
        """Seconds and memory of each method's jobs; see ``costs``."""
        return costs(self.methods)

    @property
    def names(self) -> list[str]:
        """The grids', the base first."""
        return [method.name for method in self.methods]

    @property
    def synthetic(self) -> bool:
        """Whether the corpora were generated."""
        return self.methods[0].data_source == "synthetic"

    @property
    def picture(self) -> ComparisonPicture:
        """What is drawn."""
        return picture(self.table, self.names)

    @property
    def title(self) -> str:
        """For the metadata of the files."""
        mark = "SYNTHETIC DATA: " if self.synthetic else ""
        return f"{mark}{' and '.join(self.names[1:])} against {self.names[0]}"

    @property
    def caption(self) -> str:
        """What the picture needs to stand alone."""
        smallest = f"{100 * self.methods[0].smallest_effect:g} points"
        data = "SYNTHETIC DATA, generated corpora, not real text. " if self.synthetic else ""
        base = self.names[0]
        return (
            f"{data}Left: gain of each target from each partner (partner → target) over training alone, in "
            "points and with its 95 % interval, under each method; filled where it is claimed to improve or "
            f"harm, ringed where the verdict flips against {base}. Right, and in figures: its gain less that "
            f"under {base}, {sentences.seeds_and_items(self.table)}; filled and bold where significant after "
            f"correction over all differences and at least {smallest}, which is what the bands show."
        )

    def markdown(self, *, picture: str = "") -> str:
        """The page; ``picture`` is the stem of the SVG file beside it, if there is one."""
        return page.compare_md(
            self.table,
            self.settings,
            self.cost,
            picture=picture,
            caption=self.caption,
            correction=self.methods[0].correction,
            all_settings=all(method.settings for method in self.methods),
        )

    def _repr_markdown_(self) -> str:
        return self.markdown()

    @property
    def folder(self) -> str:
        """`base+vs+other+other`, which is where it is written."""
        name = f"{self.names[0]}+vs+{'+'.join(self.names[1:])}"
        return name if len(name) <= LONGEST else f"{self.names[0]}+vs+{len(self.names) - 1}-others"

    def write(self, out: Path) -> list[Path]:
        """Writes page, tables and picture into `out`/`folder`/; returns the files, the page first.

        They are made beside their places and then moved in, so none is ever half-written.
        """
        from transfer.reporting import figures  # matplotlib loads here, not with the command line

        texts = {
            f"{FILES}.md": self.markdown(picture=FILES),
            f"{FILES}.csv": tables.to_csv(self.table),
            f"{FILES}_cost.csv": tables.to_csv(self.cost),
        }
        source = self.methods[0].data_source
        drawn = figures.draw_comparison(self.picture, caption=self.caption, source=source)
        home = out / self.folder
        home.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home, prefix=".compare-") as folder:
            made = [Path(folder, name) for name in texts]
            for path, text in zip(made, texts.values(), strict=True):
                path.write_text(text, encoding="utf-8")
            made += figures.save(drawn, Path(folder, FILES), title=self.title)
            for path in made:
                os.replace(path, home / path.name)
        return [home / path.name for path in made]
