"""The same edges under several methods (recipes, encoders): what changes with them, and how sure that is.

First each grid as it is (methods), then a table of all edges (differences) and what they cost (cost).
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import pandas as pd

from transfer.analysis.comparison.cost import COSTS, costs
from transfer.analysis.comparison.differences import COLUMNS, differences
from transfer.analysis.comparison.methods import Method, assert_comparable, differing
from transfer.analysis.study import Study

__all__ = ["COLUMNS", "COSTS", "Comparison", "Method"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Several grids' edges of one stage; the first is the base that the others are held against.

    Raises ValueError, naming what differs, where the grids cannot be compared (``assert_comparable``).
    """

    methods: tuple[Method, ...]

    def __post_init__(self) -> None:
        assert_comparable(self.methods)

    @classmethod
    def of(cls, studies: Sequence[Study], stage: str) -> Self:
        """The comparison of studies in one stage."""
        return cls(tuple(Method.of(study, stage) for study in studies))

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
