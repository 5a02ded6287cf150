"""Gains as a person reads them: points, intervals and verdicts as text."""

import pandas as pd

from transfer.analysis.tables import interval_of, points

CI = "95% CI"
CONTROL_HEADS = {
    "same_steps": "gain, same steps",
    "left_out": "gain, text left out",
    "tuned": "gain, tuned alone",
}


def in_points(table: pd.DataFrame) -> pd.DataFrame:
    """Edges or group gains as a person reads them."""
    shown = table[["source", "target", "metric"]].copy()
    if table["stage"].nunique() > 1:
        shown.insert(0, "stage", table["stage"])
    for column in ("single", "joint"):
        shown[column] = [points(value) for value in table[column]]
    shown["gain"] = [points(value, sign=True) for value in table["gain"]]
    shown[CI] = intervals(table)
    if "verdict" in table:
        shown["p adjusted"] = [f"{p:.2g}" if p == p else "" for p in table["p_adjusted"]]
        shown["verdict"] = table["verdict"]
        if "flag" in table and (table["flag"] != "").any():
            shown["flag"] = table["flag"]
    for control, head in CONTROL_HEADS.items():
        if f"gain_{control}" in table and table[f"gain_{control}"].notna().any():
            shown[head] = [points(value, sign=True) for value in table[f"gain_{control}"]]
    return shown.assign(seeds=table["seeds"])


def intervals(table: pd.DataFrame) -> list[str]:
    """The intervals of gains as a person reads them; those of claims are adjusted for selection."""
    return [brackets(*interval_of(row)) or "none" for row in table.to_dict("records")]


def brackets(low: float, high: float, *, sign: bool = False) -> str:
    """An interval in points, empty where it is unknown.

    >>> brackets(0.009, 0.027)
    '[0.9, 2.7]'
    """
    ends = points(low, sign=sign), points(high, sign=sign)
    return f"[{', '.join(ends)}]" if ends[0] else ""


def with_ci(low: float, high: float, *, sign: bool = False) -> str:
    """An interval within a sentence: `95% CI [0.9, 2.7]`, or `no interval`."""
    return f"{CI} {interval}" if (interval := brackets(low, high, sign=sign)) else "no interval"
