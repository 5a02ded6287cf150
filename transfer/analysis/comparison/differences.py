"""The same edge under two methods: both gains, whether the verdict flips, and the difference of the gains.

Two intervals that overlap, or two verdicts that differ, say little of the difference: "the difference between
significant and not significant is not itself significant" (Gelman and Stern 2006). So the difference is
estimated itself, paired by seed and by test document, and judged by the rules that edges are judged by.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from transfer.analysis.comparison.methods import Method
from transfer.analysis.estimate import Estimate, over_seeds
from transfer.analysis.evidence import Cell, Evidence, contrast
from transfer.analysis.gains import EdgeKey
from transfer.analysis.moderation import moderated
from transfer.analysis.tables import interval_of
from transfer.analysis.verdicts import CLAIMS, Verdict, Verdicts

ALPHA = 0.05
# the verdict of an edge as that of a difference of two
ANSWERS = {
    Verdict.IMPROVES: "larger",
    Verdict.HARMS: "smaller",
    Verdict.NO_EFFECT: "no difference",
    Verdict.INCONCLUSIVE: "inconclusive",
}
RANDOM, GIVEN = "random", "given"  # the test items
COLUMNS = [
    "stage", "source", "target", "metric", "base", "method",
    "base_single", "base_joint", "base_gain", "base_ci_low", "base_ci_high", "base_verdict", "base_seeds",
    "single", "joint", "gain", "ci_low", "ci_high", "verdict", "seeds", "flip",
    "difference", "difference_ci_low", "difference_ci_high",
    "difference_ci_low_selected", "difference_ci_high_selected", "p", "p_adjusted", "difference_verdict",
    "common_seeds", "detectable", "test_items",
    "single_difference", "single_ci_low", "single_ci_high", "same_single_runs",
    "joint_difference", "joint_ci_low", "joint_ci_high", "smallest_effect", "data_source",
]  # fmt: skip
_TEXT = {"stage", "source", "target", "metric", "base", "method", "base_verdict", "verdict", "flip",
         "difference_verdict", "test_items", "same_single_runs", "data_source"}  # fmt: skip
_COUNTS = {"base_seeds", "seeds", "common_seeds"}


class _Pair(NamedTuple):
    """An edge under the base and under another method, in the seeds that both have."""

    key: EdgeKey
    base: Method
    other: Method
    seeds: list[int]

    @property
    def items(self) -> tuple[Evidence, Evidence] | None:
        """Both methods' kept predictions, where both have them."""
        both = self.base.evidence, self.other.evidence
        return (both[0], both[1]) if both[0] is not None and both[1] is not None else None

    def difference(self) -> Estimate:
        """Difference of the gains."""
        return self._estimate(("joint", 1, 1), ("single", 1, -1), ("joint", 0, -1), ("single", 0, 1))

    @property
    def flagged(self) -> bool:
        """Whether one of the edges has an arm that did not learn, by the reports (see `flags`)."""
        return any(method.rows[self.key].get("flag") for method in (self.base, self.other))

    def level(self, arm: str) -> Estimate:
        """Difference of the scores of one arm, 'single' or 'joint'."""
        return self._estimate((arm, 1, 1), (arm, 0, -1))

    @property
    def same_single_runs(self) -> bool:
        """Whether the target alone is the same jobs under both: then it takes no part in the difference."""
        cells = self._cells("single")
        return bool(cells) and all(self.base.jobs[cell] == self.other.jobs[cell] for cell in cells)

    def _estimate(self, *terms: tuple[str, int, int]) -> Estimate:
        """A sum of arms: which, of the base (0) or the other (1), and its sign."""
        if not self.seeds:
            return Estimate(math.nan, 0.0, 0.0, -1, 0)
        if both := self.items:
            return contrast([(sign, both[which], self._cells(arm)) for arm, which, sign in terms])
        groups = [self._group(method) for method in (self.base, self.other)]
        return over_seeds(sum(sign * groups[which][arm].to_numpy(float) for arm, which, sign in terms))  # type: ignore[arg-type]

    def _group(self, method: Method) -> pd.DataFrame:
        return method.seed_gains[self.key].set_index("seed").loc[self.seeds]

    def _cells(self, arm: str) -> list[Cell]:
        corpora = self.key.target if arm == "single" else self.key.corpora
        return [Cell(self.key.stage, corpora, self.key.target, seed) for seed in self.seeds]


def differences(base: Method, others: Sequence[Method]) -> pd.DataFrame:
    """One row for each edge and method that the base is compared with: the columns COLUMNS, fractions.

    `difference` is the mean over the common seeds of the method's gain less the base's, with its 95 %
    interval: seeds and test items random where both methods' predictions are kept, else seeds alone
    (`test_items` says which). Variances are moderated among the differences from one method (see
    `moderation`); p is corrected over all rows, and `difference_ci_low_selected` is the end of a claim's
    interval, adjusted for selection. The verdict is `larger` or `smaller` where it is
    significant and at least the smallest effect, `no difference` where it is shown to be less than
    that, else `inconclusive`. Of fewer than 2 common seeds there is no interval; without any the
    difference is that of the two reports' gains.

    Raises ValueError where a target was tested on other items under another method.
    """
    pairs: list[_Pair] = []
    found: list[Estimate] = []
    for other in others:
        own = [_paired(key, base, other) for key in base.seed_gains if key in other.seed_gains]
        estimates = [_tested_alike(pair) for pair in own]
        pairs += own
        found += moderated(estimates, [pair.key.target for pair in own])
    # variances have been lent within each method; one correction holds for all
    verdicts = Verdicts(
        range(len(pairs)),
        at=(max(1, *(len(pair.seeds) for pair in pairs)),),
        smallest_effect=base.smallest_effect,
        correction=base.correction,
        alpha=ALPHA,
        unlearned=[place for place, pair in enumerate(pairs) if pair.flagged],
    )
    verdicts.look(lambda place, _: found[place])
    adjusted, selected, level = verdicts.adjusted(), verdicts.selected_reach(), verdicts.first_level
    rows = [
        {
            **_sides(pair),
            **_difference(pair, found[place], selected.get(place, math.nan)),
            "p": verdicts.states[place].p,
            "p_adjusted": adjusted[place],
            "difference_verdict": ANSWERS[verdicts.states[place].verdict],
            "detectable": found[place].detectable(level, base.smallest_effect),
            **_levels(pair),
        }
        for place, pair in enumerate(pairs)
    ]
    table = pd.DataFrame(rows, columns=pd.Index(COLUMNS))
    numbers = [column for column in COLUMNS if column not in _TEXT | _COUNTS]
    return table.astype({**dict.fromkeys(numbers, float), **dict.fromkeys(sorted(_COUNTS), int)})


def flip(before: str, after: str) -> str:
    """Change of a verdict under another method, in words; empty if it stays the same.

    >>> flip("improves", "inconclusive")
    'claim lost'
    """
    if before == after:
        return ""
    if before in CLAIMS and after in CLAIMS:
        return "sign reversed"
    if before in CLAIMS:
        return "claim lost"
    if after in CLAIMS:
        return "claim gained"
    return "no effect shown" if after == Verdict.NO_EFFECT else "no effect not shown"


def _paired(key: EdgeKey, base: Method, other: Method) -> _Pair:
    both = set(base.seed_gains[key]["seed"]) & set(other.seed_gains[key]["seed"])
    return _Pair(key, base, other, sorted(int(seed) for seed in both))


def _tested_alike(pair: _Pair) -> Estimate:
    try:
        return pair.difference()
    except ValueError as error:
        raise ValueError(f"{pair.base.name} and {pair.other.name} cannot be compared: {error}") from None


def _sides(pair: _Pair) -> dict[str, Any]:
    """Both gains and verdicts, as the reports show them."""
    before, after = (method.rows[pair.key] for method in (pair.base, pair.other))
    columns = ("single", "joint", "gain", "verdict", "seeds")
    ends = ("ci_low", "ci_high")
    return {
        "stage": pair.key.stage, "source": pair.key.source, "target": pair.key.target,
        "metric": pair.key.metric, "base": pair.base.name, "method": pair.other.name,
        **{f"base_{column}": before[column] for column in columns},
        **{column: after[column] for column in columns},
        **dict(zip((f"base_{end}" for end in ends), interval_of(before), strict=True)),
        **dict(zip(ends, interval_of(after), strict=True)),
        "flip": flip(before["verdict"], after["verdict"]),
        "smallest_effect": pair.base.smallest_effect,
        "data_source": pair.base.data_source,
    }  # fmt: skip


def _difference(pair: _Pair, found: Estimate, selected: float) -> dict[str, Any]:
    reach = float(found.reach(ALPHA))
    difference = float(found.gain)
    if not pair.seeds:  # two means over other seeds
        difference = float(pair.other.rows[pair.key]["gain"]) - float(pair.base.rows[pair.key]["gain"])
    return {
        "difference": difference,
        "difference_ci_low": difference - reach,
        "difference_ci_high": difference + reach,
        "difference_ci_low_selected": difference - selected,
        "difference_ci_high_selected": difference + selected,
        "common_seeds": len(pair.seeds),
        "test_items": RANDOM if pair.items else GIVEN,
    }


def _levels(pair: _Pair) -> dict[str, Any]:
    """Differences of the single and joint scores, each with its own interval."""
    found: dict[str, Any] = {"same_single_runs": "yes" if pair.same_single_runs else "no"}
    for arm in ("single", "joint"):
        level = pair.level(arm)
        reach = float(level.reach(ALPHA))
        found |= {
            f"{arm}_difference": float(level.gain),
            f"{arm}_ci_low": float(level.gain) - reach,
            f"{arm}_ci_high": float(level.gain) + reach,
        }
    return found
