"""The rate of false claims in the null control."""

import pandas as pd

from transfer.analysis.verdicts import CLAIMS


def false_claims(null: pd.DataFrame) -> tuple[int, float, float]:
    """The number of claims among the edges of the null control, and the exact 95% CI of their rate.

    Clopper and Pearson 1934.
    """
    from scipy.stats import binomtest  # slow to import, needed only here

    claims = int(null["verdict"].isin(CLAIMS).sum())
    interval = binomtest(claims, len(null)).proportion_ci(0.95)
    return claims, float(interval.low), float(interval.high)
