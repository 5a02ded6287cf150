"""Gains as a person reads them: points, intervals and verdicts as text."""

import pandas as pd

from transfer.analysis.tables import interval_of, points

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
    shown["95 % interval"] = intervals(table)
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
    ends = (map(points, interval_of(row)) for row in table.to_dict("records"))
    return [f"{low} to {high}" if low else "none" for low, high in ends]
