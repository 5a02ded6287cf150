"""Cost of each method's jobs in time and memory, beside their gains."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from transfer.analysis.comparison.methods import Method
from transfer.analysis.gains import group_size

COSTS = ["method", "jobs", "seconds", "seconds_single", "seconds_joint", "peak_memory", "data_source"]


def costs(methods: Sequence[Method]) -> pd.DataFrame:
    """One row for each method: what the jobs behind its edges took, each counted once.

    Columns: method; `jobs`; `seconds` of all of them; `seconds_single` and `seconds_joint` of the median
    job of one corpus and of a pair; `peak_memory`, the most bytes that a job of a pair took, NaN where that
    was not recorded; data_source.
    """
    rows = []
    for method in methods:
        groups = {key.corpora for key in method.seed_gains} | {key.target for key in method.seed_gains}
        jobs = method.tested[method.tested["corpora"].isin(groups)].drop_duplicates("job")
        joint = jobs["corpora"].map(group_size) > 1
        seconds, memory = (
            pd.to_numeric(jobs[name]) if name in jobs else pd.Series(np.nan, index=jobs.index)
            for name in ("seconds", "peak_memory")
        )
        rows.append(
            (
                method.name,
                len(jobs),
                seconds.sum(min_count=1),
                seconds[~joint].median(),
                seconds[joint].median(),
                memory[joint].max(),
                method.data_source,
            )
        )
    return pd.DataFrame(rows, columns=pd.Index(COSTS))
