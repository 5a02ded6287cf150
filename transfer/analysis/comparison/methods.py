"""Results of each compared grid, the settings that differ, and whether the grids can be compared."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from transfer.analysis import gains
from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.gains import EdgeKey
from transfer.analysis.setup import DATA_OF, FINE_TUNE, NONE
from transfer.analysis.study import Study
from transfer.arms import Group
from transfer.records import without_paths

MOST = 8  # methods: a figure tells so many forms and colours apart


@dataclass(frozen=True, eq=False)
class Method:
    """A study in one stage, under whatever its recipe, encoder or data were.

    ``settings`` are all that tells its scores from another grid's (see ``setup.method_of``), without any
    where that is not known; ``evidence`` is None where there are no predictions, as in a report's folder.
    """

    name: str
    results: pd.DataFrame  # the stage's rows
    edges: pd.DataFrame
    data_source: str
    correction: str
    settings: Mapping[str, str] = field(default_factory=dict)
    evidence: Evidence | None = None

    @classmethod
    def of(cls, study: Study, stage: str) -> "Method":
        """Raises ValueError where the study is of tables whose p values no correction explains."""
        if not study.correction:
            raise ValueError(
                f"{study.title}: its tables are not those of a report (the adjusted p values are not those "
                "of its p values)"
            )
        results, edges = (table[table["stage"] == stage] for table in (study.results, study.edges))
        tuned = stage == "fine-tune"
        settings = {key: said for key, said in study.method.items() if tuned or not key.startswith(FINE_TUNE)}
        return cls(
            study.title, results, edges, study.source, study.correction, settings=settings,
            evidence=study.evidence,
        )  # fmt: skip

    @functools.cached_property
    def rows(self) -> dict[EdgeKey, dict[str, Any]]:
        """The row of edges.csv of each edge."""
        keys = list(EdgeKey._fields)
        pairs = zip(self.edges["source"], self.edges["target"], strict=True)
        groups = [str(Group(pair)) for pair in pairs]
        table = self.edges.assign(corpora=groups)
        return {
            EdgeKey(*(row[key] for key in keys)): {str(name): value for name, value in row.items()}
            for row in table.to_dict("records")
        }

    @functools.cached_property
    def seed_gains(self) -> dict[EdgeKey, pd.DataFrame]:
        """The gains of each edge in the seeds that its row rests on."""
        found = gains.by_edge(gains.seed_gains(self.results))
        return {key: found[key].head(int(row["seeds"])) for key, row in self.rows.items() if key in found}

    @functools.cached_property
    def tested(self) -> pd.DataFrame:
        """The test rows that carry a score, one for each group, target and seed."""
        return gains.scored(self.results)

    @functools.cached_property
    def jobs(self) -> dict[Cell, str]:
        """The job that each score is of."""
        rows = self.tested[[*gains.CELL, "job"]].itertuples(index=False, name=None)
        return {Cell(*row[:-1]): str(row[-1]) for row in rows}

    @property
    def smallest_effect(self) -> float:
        return float(self.edges["smallest_effect"].iloc[0])

    def known(self) -> dict[str, str]:
        """The settings that results.csv tells."""
        return {
            "encoder": ", ".join(sorted({without_paths(name) for name in self.tested["encoder"]})),
            "recipe": ", ".join(sorted({without_paths(name) for name in self.tested["recipe"]})),
            "seeds": ", ".join(str(seed) for seed in sorted(set(self.tested["seed"]))),
        }


def differing(methods: Sequence[Method]) -> pd.DataFrame:
    """The settings that are not the same in all: `setting`, and a column for each method.

    Where one of them is a report's folder, only what results.csv tells of all of them is compared. A corpus
    that one has not is no difference of its data.
    """
    full = all(method.settings for method in methods)
    told = [dict(method.settings) if full else method.known() for method in methods]
    keys = [
        key
        for key in dict.fromkeys(key for one in told for key in one)
        if not key.startswith(DATA_OF) or all(key in one for one in told)
    ]
    rows = [
        (key, *(one.get(key, NONE) for one in told))
        for key in keys
        if len({one.get(key, NONE) for one in told}) > 1
    ]
    return pd.DataFrame(rows, columns=pd.Index(["setting", *(method.name for method in methods)]))


def assert_comparable(methods: Sequence[Method]) -> None:
    """Raises ValueError, naming what differs, where a difference of gains would not measure the method."""
    if not 2 <= len(methods) <= MOST:
        raise ValueError(f"{len(methods)} grids; 2 to {MOST} are compared")
    base = methods[0]
    names = [method.name for method in methods]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ValueError(f"two of the grids are named '{twice[0]}'; give one of them another `name`")
    for other in methods[1:]:
        _same("the data", base, other, base.data_source, other.data_source)
        rules = [f"{100 * method.smallest_effect:g} points" for method in (base, other)]
        _same("the smallest effect that matters", base, other, *rules)
        _same("the correction", base, other, base.correction, other.correction)
        here, there = ({(key.source, key.target) for key in m.seed_gains} for m in (base, other))
        if not here & there:
            raise ValueError(
                f"{base.name} and {other.name} have no edge in common: the one is about "
                f"{_tasks(base)}, the other about {_tasks(other)}"
            )
        for target in sorted({target for _, target in here & there}):
            metric, items = (_of_target(base, other, target, column) for column in ("metric", "items"))
            _same(f"the metric of {target}", base, other, *metric)
            _same(f"the number of test items of {target}", base, other, *items)
        if base.jobs == other.jobs:
            raise ValueError(f"{base.name} and {other.name} are the same jobs; there is nothing to compare")


def _same(what: str, base: Method, other: Method, one: object, two: object) -> None:
    if one != two:
        raise ValueError(
            f"{what} differs: {one} in {base.name}, {two} in {other.name}; a difference of their gains "
            "would not measure the method"
        )


def _of_target(base: Method, other: Method, target: str, column: str) -> tuple[Any, Any]:
    found = [
        ", ".join(sorted({str(v) for v in m.tested.loc[m.tested["target"] == target, column]}))
        for m in (base, other)
    ]
    return found[0], found[1]


def _tasks(method: Method) -> str:
    return ", ".join(sorted({*method.edges["source"], *method.edges["target"]}))
