"""A comparison as plain numbers to draw: edges below each other, in each a mark for every method."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from transfer.analysis.tables import interval_of, minus, points
from transfer.analysis.verdicts import CLAIMS
from transfer.reporting.forest_picture import forest_axes

MOST_MARKS = 264  # that a page has room for: 132 edges under two methods, or 33 under eight


class Mark(NamedTuple):
    """An edge under one method: its gain, and (NaN for the base) how far that is from the base's; points."""

    method: int  # the base is 0
    gain: float
    low: float
    high: float
    claimed: bool
    difference: float
    difference_low: float
    difference_high: float
    decided: bool  # whether the difference has a verdict
    said: str  # the difference in figures
    flip: str


class ComparisonRow(NamedTuple):
    """One edge."""

    label: str
    marks: tuple[Mark, ...]


class ComparisonPicture(NamedTuple):
    """Numbers of the picture: half-widths of the two axes and of the band, in points."""

    methods: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]
    wide: float
    apart: float
    band: float
    note: str


def picture(table: pd.DataFrame, methods: Sequence[str]) -> ComparisonPicture:
    """The rows of `differences`, by target and then by the base's gain; the first method is the base.

    Of very many edges those whose verdict flips or whose gains differ come first, then those with the
    smallest p of a difference; the note says what is left out.
    """
    table, note = _legible(table, len(methods))
    smallest = float(table["smallest_effect"].iloc[0])
    ends = ["gain", "ci_low", "ci_high"]
    gains = pd.concat(
        [table[ends], table[[f"base_{end}" for end in ends]].set_axis(ends, axis="columns")],
        ignore_index=True,
    )
    apart = pd.DataFrame(
        [(row["difference"], *interval_of(row, "difference_")) for row in table.to_dict("records")],
        columns=ends,
    )
    edges = table.sort_values(["target", "base_gain", "source"], ascending=[True, False, True])
    rows = []
    for (source, target), group in edges.groupby(["source", "target"], sort=False):
        first = group.iloc[0]
        marks = [_mark(0, first, "base_")]
        marks += [_mark(methods.index(row["method"]), row, "") for _, row in group.iterrows()]
        rows.append(ComparisonRow(f"{source} → {target}", tuple(sorted(marks))))
    return ComparisonPicture(
        tuple(methods),
        tuple(rows),
        forest_axes(gains, smallest_effect=smallest).wide,
        forest_axes(apart, smallest_effect=smallest).wide,
        100 * smallest,
        note,
    )


def _mark(method: int, row: pd.Series, side: str) -> Mark:
    gain, low, high = (100 * float(row[f"{side}{end}"]) for end in ("gain", "ci_low", "ci_high"))
    claimed = row[f"{side}verdict"] in CLAIMS
    if not method:
        return Mark(0, gain, low, high, claimed, np.nan, np.nan, np.nan, False, "", "")
    decided = row["difference_verdict"] in ("larger", "smaller")
    difference, start, end = (
        100 * value for value in (float(row["difference"]), *interval_of(row, "difference_"))
    )
    return Mark(
        method, gain, low, high, claimed, difference, start, end, decided, in_figures(row), row["flip"]
    )


def in_figures(row: pd.Series) -> str:
    """A difference with its interval: `+1.2 (−0.3 to +2.7)`."""
    difference, low, high = (
        points(value, sign=True) for value in (float(row["difference"]), *interval_of(row, "difference_"))
    )
    return minus(f"{difference} ({low} to {high})" if low else difference)


def _legible(table: pd.DataFrame, methods: int) -> tuple[pd.DataFrame, str]:
    edge = ["source", "target"]
    count = len(table.drop_duplicates(edge))
    most = MOST_MARKS // methods
    if count <= most:
        return table, ""
    plain = (table["flip"] == "") & ~table["difference_verdict"].isin(["larger", "smaller"])
    rank = table.assign(_rank=plain + table["p"].fillna(1.0)).groupby(edge)["_rank"].min().reset_index()
    shown = rank.sort_values(["_rank", *edge]).head(most)[edge]
    note = (
        f"Shown: {most} of {count} edges, first those whose verdict flips or whose gains differ, then those "
        "with the smallest p; compare.csv has every edge."
    )
    return table.merge(shown, on=edge, how="inner"), note
