"""Single-task scores for gains whose single arm has more seeds than the joint one.

All edges of a target share its single-task runs, so further seeds of that arm are cheap: they shorten the
intervals of all its edges.
"""

from collections.abc import Collection, Mapping
from typing import NamedTuple

import pandas as pd

# The regression of a joint score on the single score of its seed, before a grid is seen (in the committed
# reports matching explains a tenth of the variance), and the degrees of freedom that this counts as.
MATCHING, MATCHING_DEGREES = 0.1, 10


class Singles(NamedTuple):
    """Scores by stage and target, then seed; ``matching`` is what ``estimate.combined`` needs."""

    scores: Mapping[tuple[str, str], Mapping[int, float]]
    matching: float

    def further(self, group: pd.DataFrame, among: Collection[int] | None = None) -> list[int]:
        """The single-task seeds beyond those of an edge's gains; only those in ``among``, if given."""
        if group.empty:
            return []
        own = self.scores.get((group.iloc[0]["stage"], group.iloc[0]["target"]), {})
        return sorted(s for s in set(own) - set(group["seed"]) if among is None or s in among)


def matching_of(pairs: pd.DataFrame) -> float:
    """The regression of a joint score on the single score of its seed, between 0 and 1.

    Pooled over all edges, within each, and drawn towards MATCHING: a few seeds of a few edges tell little.
    ``pairs`` has the columns stage, corpora, target, seed, single and joint.
    """
    within = pairs.groupby(["stage", "corpora", "target"])
    single, joint = (pairs[arm] - within[arm].transform("mean") for arm in ("single", "joint"))
    squares, degrees = float((single**2).sum()), len(pairs) - within.ngroups
    slope = float((single * joint).sum()) / squares if squares else MATCHING
    matching = (degrees * slope + MATCHING_DEGREES * MATCHING) / (degrees + MATCHING_DEGREES)
    return min(max(matching, 0.0), 1.0)
