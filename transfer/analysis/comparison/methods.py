"""What each compared grid brings, in which settings the grids differ, and whether they can be compared."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import yaml
from pydantic import BaseModel

from transfer.analysis import gains
from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.gains import EdgeKey
from transfer.analysis.tables import without_paths
from transfer.analysis.verdicts import CORRECTIONS, corrected
from transfer.recipes import Recipe
from transfer.records import GridRecord, JobResult
from transfer.seeds import Seeds

MOST = 8  # methods: a figure tells so many forms and colours apart
VERSIONS = ("transfer", "torch", "transformers", "python", "device")
DATA_OF = "data of "  # a corpus: the setting whose value is its fingerprint
NONE = "none"  # how a setting is shown that one of the grids has not
PRINTED = 2e-3  # p values of a report's tables have four digits


@dataclass(frozen=True, eq=False)
class Method:
    """What a grid found in one stage, under whatever its recipe, encoder or data were.

    ``settings`` are all that a report's folder or the store's record tells (``settings_of``);
    ``evidence`` is None where there are no predictions, as in a report's folder.
    """

    name: str
    results: pd.DataFrame  # the stage's rows of results.csv
    edges: pd.DataFrame  # the stage's rows of edges.csv
    data_source: str
    correction: str
    settings: Mapping[str, str] | None = None
    evidence: Evidence | None = None

    @functools.cached_property
    def rows(self) -> dict[EdgeKey, dict[str, Any]]:
        """The row of edges.csv of each edge."""
        keys = list(EdgeKey._fields)
        groups = [
            "+".join(sorted(pair)) for pair in zip(self.edges["source"], self.edges["target"], strict=True)
        ]
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
    told = [dict(method.settings or {}) if full else method.known() for method in methods]
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


def settings_of(record: GridRecord, results: Mapping[str, JobResult], *, stage: str) -> dict[str, str]:
    """All that may tell the scores of two grids apart, by name; no path of a machine.

    Keys of the recipe as a grid's file has them, encoder, seeds, limits, versions and the fingerprint of
    each corpus.
    """
    grid = record.grid
    shown = {key: _as_written(getattr(grid.recipe, key)) for key in Recipe.model_fields if key != "fine_tune"}
    if stage == "fine-tune" and grid.recipe.fine_tune:
        shown |= {f"fine_tune {key}": _as_written(value) for key, value in grid.recipe.fine_tune}
    layers = f", its first {grid.encoder.layers} layers" if grid.encoder.layers else ""
    shown["encoder"] = without_paths(grid.encoder.name) + layers
    shown["encoder's weights"] = ", ".join(sorted({job.encoder_fingerprint for job in record.jobs}))
    seeds = grid.seeds
    shown["seeds"] = (
        f"{seeds.first} to {seeds.most} from seed {seeds.start}, as needed"
        if isinstance(seeds, Seeds)
        else ", ".join(map(str, seeds))
    )
    if grid.single_seeds != "1x":
        shown["seeds of single-task runs"] = f"{grid.single_seeds} as many"
    limit = {key: value for key, value in grid.limit.model_dump(mode="json").items() if value is not None}
    shown |= {f"limit {key}": _as_written(value) for key, value in limit.items()}
    for name in VERSIONS:
        versions = {r.provenance[name] for r in results.values() if name in r.provenance}
        if versions:
            shown[name] = without_paths(", ".join(sorted(versions)))
    shown["tasks"] = ", ".join(sorted(grid.tasks))
    return shown | {DATA_OF + corpus.card.name: corpus.fingerprint for corpus in record.corpora}


def correction_of(edges: pd.DataFrame) -> str:
    """The correction that makes a report's p values those that it calls adjusted.

    Of one edge all of them do, then the first. Raises ValueError where none does.
    """
    if edges.empty:
        return next(iter(CORRECTIONS))
    told = edges["p_adjusted"].to_numpy(float)
    for name in CORRECTIONS:
        if np.allclose(corrected(edges["p"].to_numpy(float), name), told, rtol=PRINTED, equal_nan=True):
            return name
    raise ValueError("the adjusted p values are not those of its p values")


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


def _as_written(value: Any) -> str:
    """A value as a person writes it in a grid's file; a model says itself what it is."""
    if isinstance(value, BaseModel):
        return without_paths(str(value))
    text = yaml.safe_dump(value, default_flow_style=True, width=1000, sort_keys=False)
    return without_paths(text.removesuffix("...\n").strip()) if value is not None else NONE
