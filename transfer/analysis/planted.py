"""Measured edges beside those that were planted in synthetic corpora."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from transfer.analysis.tables import interval_of
from transfer.analysis.verdicts import Verdict
from transfer.corpora.synthetic_plan import Planted


def against_plan(edges: pd.DataFrame, plan: Sequence[Planted], *, tasks: Iterable[str]) -> pd.DataFrame:
    """Each edge of the refinement stage beside what was planted for it.

    Columns source, target, planted ('improves', 'harms', 'no effect', or '' where nothing was
    planned), measured, gain, ci_low, ci_high (fractions), holds ('yes', 'no', 'open', or ''):
    an effect that was planted holds where it is the verdict, fails where the verdict is another
    claim, and is open where the verdict is 'inconclusive'.
    """
    tasks = set(tasks)
    planned = {(p.source, p.target): p.effect for p in plan if {p.source, p.target} <= tasks}
    rows = edges[edges["stage"] == "refine"]
    ends = np.array([interval_of(edge) for edge in rows.to_dict("records")]).reshape(-1, 2)
    table = rows[["source", "target", "verdict", "gain"]].rename(columns={"verdict": "measured"})
    table = table.assign(ci_low=ends[:, 0], ci_high=ends[:, 1])  # those to be shown
    pairs = list(zip(table["source"], table["target"], strict=True))
    table.insert(2, "planted", [planned.get(pair, "") for pair in pairs])
    table["holds"] = [
        ""
        if not planted
        else "yes"
        if planted == measured
        else "open"
        if measured == Verdict.INCONCLUSIVE
        else "no"
        for planted, measured in zip(table["planted"], table["measured"], strict=True)
    ]
    return table.sort_values(
        ["planted", "source", "target"], ascending=[False, True, True], ignore_index=True
    )
