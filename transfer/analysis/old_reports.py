"""Reports of versions that saved no study: what their tables tell, read back from text."""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from transfer.analysis import gains, tables
from transfer.analysis.controls import CONTROLS
from transfer.analysis.curves import CURVES
from transfer.analysis.estimate import Estimate
from transfer.analysis.flags import FLAGS
from transfer.analysis.options import Option
from transfer.analysis.stages import CONTRASTS, MEANS
from transfer.analysis.verdicts import CORRECTIONS, Verdict, corrected
from transfer.arms import Group, members
from transfer.inputs import InputError

TABLES = ("results.csv", "edges.csv", "table_groups.csv", "table_corpora.csv")
TEXT = {
    "job", "stage", "corpora", "source", "target", "split", "metric", "status", "error", "encoder", "recipe",
    "verdict", "data_source", "name", "kind", "domain", "licence", "citation", "notes", "flag", "predictor",
    "arm", "against", "epochs", "missing", "highest", "reason", "state",
}  # fmt: skip
PRINTED = 2e-3  # p values of a report's tables have four digits


def read_report(folder: Path) -> dict[str, Any]:
    """The fields of a study (see ``Study``) from the tables of a report; raises InputError."""
    for name in TABLES:
        if not (folder / name).is_file():
            raise InputError(f"{folder}: {name} is missing, so this is no report; give a report or a grid")
    try:
        results, edges, groups, corpora = (_read(folder / name) for name in TABLES)
        # advice rests on these, and reports of the first versions lack them
        if missing := {"se_seeds", "se_items", "df_seeds"} - set(edges) or {"se_seeds", "se_items"} - set(
            groups
        ):
            raise ValueError(f"{min(missing)} is missing; write the report again with transfer report")
        controls = {name: f"table_{name.replace('-', '_')}.csv" for name in CONTROLS}
        return {
            "title": folder.resolve().name,
            "source": str(corpora["source"].iloc[0]),
            "smallest_effect": float(edges["smallest_effect"].iloc[0]) if len(edges) else 0.005,
            "correction": correction_of(edges),
            "results": results,
            "edges": edges.drop(columns="data_source", errors="ignore"),
            "groups": groups.drop(columns="data_source", errors="ignore"),
            "options": tuple(options_of(results, edges, groups)),
            "controls": {
                name: _read(folder / at) for name, at in controls.items() if (folder / at).is_file()
            },
            "scores": tables.score_table(results),
            "missing": _optional(folder / "table_missing.csv", [*gains.CELL, "state", "error"]),
            "flags": _optional(folder / "table_flags.csv", FLAGS),
            "corpora": corpora,
            "settings": pd.DataFrame(columns=pd.Index(["setting", "value"])),
            "curves": pd.DataFrame(columns=pd.Index(CURVES)),
            "contrasts": _optional(folder / "table_stages.csv", CONTRASTS),
            "means": _optional(folder / "table_stage_means.csv", MEANS),
        }
    except (KeyError, IndexError, ValueError) as error:
        raise InputError(f"{folder}: its tables are not those of a report ({error})") from None


def options_of(frame: pd.DataFrame, edges: pd.DataFrame, groups: pd.DataFrame) -> Iterator[Option]:
    """The options behind results.csv, edges.csv and table_groups.csv, as far as these tell of them."""
    everyone = members(frame.loc[frame["stage"].isin(("refine", "fine-tune")), "corpora"])
    by_seed = {
        key: dict(zip(rows["seed"].astype(int), rows["gain"].astype(float), strict=True))
        for key, rows in gains.paired(frame).groupby(["stage", "corpora", "target"])
    }
    items = frame[frame["split"] == "test"].groupby(["stage", "target"])["items"].max()
    for row in (row for table in (edges, groups) for row in table.to_dict("records")):
        stage, target = row["stage"], row["target"]
        group = _group(row["source"], target, everyone)
        own = by_seed.get((stage, str(Group(group)), target))
        if own is None or math.isnan(row["gain"]):
            continue
        own = {seed: own[seed] for seed in sorted(own)[: int(row["seeds"])]}
        found = _estimate(row, len(own), items=int(items[stage, target]))
        verdict = Verdict(row["verdict"]) if "verdict" in row else None
        yield Option(
            stage, target, group, row["source"], row["metric"], row["single"], found, verdict,
            own, int(row.get("single_seeds", row["seeds"])),
        )  # fmt: skip


def correction_of(edges: pd.DataFrame) -> str:
    """The correction that makes the p values of edges.csv those that it calls adjusted; empty if none does.

    Of one edge all of them do, then the first.
    """
    told = edges["p_adjusted"].to_numpy(float)
    for name in CORRECTIONS:
        if np.allclose(corrected(edges["p"].to_numpy(float), name), told, rtol=PRINTED, equal_nan=True):
            return name
    return ""


def _group(source: str, target: str, everyone: Sequence[str]) -> tuple[str, ...]:
    """The names behind a group's words; see ``gains.group_name``."""
    rest = source.removeprefix(gains.ALL)
    if rest == source:
        return Group((target, *Group.parse(source).names)).names
    return Group(tuple(set(everyone) - {rest.removeprefix(" but ")})).names


def _estimate(row: Mapping, seeds: int, *, items: int) -> Estimate:
    """The estimate behind a row: the variances of matched and unmatched runs are one.

    A report of an earlier version lacks the degrees of freedom of the items; their number stands for them.
    """
    degrees = row.get("df_seeds", math.nan)
    borrowed = 0.0 if math.isnan(degrees) else max(degrees - (seeds - 1), 0.0)  # a group borrows nothing
    of_items = float(row.get("df_items", max(items - 1, 1)))
    return Estimate(
        float(row["gain"]), row["se_seeds"] ** 2, row["se_items"] ** 2, seeds - 1, of_items, borrowed
    )


def _optional(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """The columns of a table that not every report has; without rows where there is none."""
    return _read(path)[list(columns)] if path.is_file() else pd.DataFrame(columns=pd.Index(columns))


def _read(path: Path) -> pd.DataFrame:
    """A table of a report; a text that is empty, or says null, is that text."""
    table = pd.read_csv(path, keep_default_na=False, na_values=[""])
    for name in TEXT & set(table.columns):
        table[name] = table[name].astype(object).fillna("").astype(str)
    return table
