"""A study as JSON: every number as it is, groups as lists, estimates with all their parts.

A report's other tables are for people and other programs: they are rounded, and nothing reads them back.
"""

import math
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from transfer.analysis.estimate import Estimate
from transfer.analysis.options import Option
from transfer.analysis.rerun import Rerun
from transfer.analysis.verdicts import Verdict
from transfer.inputs import InputError

if TYPE_CHECKING:
    from transfer.analysis.study import Study

FILE = "study.json"
TABLES = ("results", "edges", "groups", "scores", "missing", "flags", "corpora", "settings", "curves",
          "contrasts", "means")  # fmt: skip
PLAIN = ("title", "source", "smallest_effect", "correction", "dealt", "pools", "method")


class _Saved(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, ser_json_inf_nan="strings")


# JSON has no number for an undefined value: it is null
Number = Annotated[
    float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: None if math.isnan(value) else value),
]


class _Table(_Saved):
    """A table by columns, each with what it holds."""

    order: list[str]
    numbers: dict[str, list[Number]]
    counts: dict[str, list[int | None]]
    texts: dict[str, list[str]]

    @classmethod
    def of(cls, table: pd.DataFrame) -> "_Table":
        kinds: dict[str, dict[str, list]] = {"numbers": {}, "counts": {}, "texts": {}}
        for name in table.columns:
            column = table[name]
            if pd.api.types.is_float_dtype(column):
                kinds["numbers"][name] = column.to_list()
            elif pd.api.types.is_integer_dtype(column):
                kinds["counts"][name] = [None if pd.isna(value) else int(value) for value in column]
            else:
                kinds["texts"][name] = [str(value) for value in column]
        return cls(order=list(table.columns), **kinds)

    def frame(self) -> pd.DataFrame:
        """The table again. Raises ValueError where a column is missing, or shorter than another."""
        made = {name: pd.array(values, dtype="float64") for name, values in self.numbers.items()}
        made |= {
            name: pd.array(values, dtype="Int64" if None in values else "int64")
            for name, values in self.counts.items()
        }
        made |= {name: pd.array(values, dtype="str") for name, values in self.texts.items()}
        if set(made) != set(self.order):
            raise ValueError("a table's columns are not those of its order")
        return pd.DataFrame(made, columns=pd.Index(self.order))


class _Option(_Saved):
    stage: str
    target: str
    group: list[str]
    partners: str
    metric: str
    single: Number
    estimate: dict[str, Number]
    verdict: Verdict | None
    by_seed: list[tuple[int, Number]]
    single_seeds: int
    halves: list[tuple[Number, Number]] | None

    @classmethod
    def of(cls, option: Option) -> "_Option":
        fields = option._asdict() | {
            "estimate": option.estimate._asdict(),
            "by_seed": list(option.by_seed.items()),
            "halves": None if option.halves is None else option.halves.tolist(),
        }
        return cls.model_validate(fields)

    def option(self) -> Option:
        if set(self.estimate) != set(Estimate._fields):
            raise ValueError("an estimate lacks one of its parts")
        fields = {name: getattr(self, name) for name in Option._fields}
        fields |= {
            "group": tuple(self.group),
            "estimate": Estimate(**self.estimate).plain(),
            "by_seed": dict(self.by_seed),
            "halves": None if self.halves is None else np.array(self.halves),
        }
        return Option(**fields)


class _SavedStudy(_Saved):
    format: Literal[1] = 1
    title: str
    source: Literal["synthetic", "prepared"]
    smallest_effect: float
    correction: str
    dealt: tuple[int, int]
    pools: dict[str, int]
    method: dict[str, str]
    rerun: tuple[str, str, str] | None
    options: list[_Option]
    tables: dict[str, _Table]
    controls: dict[str, _Table]


def to_json(study: "Study") -> str:
    """The study without its predictions; equal studies give equal texts."""
    return _SavedStudy(
        **{name: getattr(study, name) for name in PLAIN},
        rerun=study.rerun,
        options=[_Option.of(option) for option in study.options],
        tables={name: _Table.of(getattr(study, name)) for name in TABLES},
        controls={name: _Table.of(table) for name, table in study.controls.items()},
    ).model_dump_json(indent=1)


def from_json(text: str | bytes, *, where: str) -> dict[str, Any]:
    """The fields of the study in a file named ``where``; raises InputError where it holds none."""
    try:
        saved = _SavedStudy.model_validate_json(text)
        if missing := set(TABLES) - set(saved.tables):
            raise ValueError(f"the table {min(missing)} is missing")
        return {
            **{name: getattr(saved, name) for name in PLAIN},
            "rerun": Rerun(*saved.rerun) if saved.rerun else None,
            "options": tuple(option.option() for option in saved.options),
            **{name: saved.tables[name].frame() for name in TABLES},
            "controls": {name: table.frame() for name, table in saved.controls.items()},
        }
    except (ValidationError, ValueError) as error:
        said = error.errors()[0] if isinstance(error, ValidationError) else None
        told = f"{'.'.join(map(str, said['loc']))}: {said['msg']}" if said else str(error)
        raise InputError(
            f"{where}: is no study of this version ({told}); write the report again with transfer report"
        ) from None


def save(study: "Study", folder: Path) -> Path:
    """Write ``study.json`` into a folder, whole or not at all; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".study-") as made:
        path = Path(made, FILE)
        path.write_text(to_json(study) + "\n", encoding="utf-8")
        return Path(os.replace(path, folder / FILE) or folder / FILE)
