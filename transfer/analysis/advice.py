"""Partner advice: train a task alone or with whom, the gain to expect, and how sure that is.

The best of many measured gains is too high on average, because luck helped to make it the best (the
winner's curse). Four things guard against it: only an option whose verdict is `improves` is recommended;
every option's interval is simultaneous over all of them (Bonferroni), so it is valid for whichever is
chosen; of several that improve, the one with the highest lower bound is taken, not the one with the highest
gain, which noise favors; and the gain that is promised is shrunk (see ``shrinkage``).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from transfer.analysis import gains
from transfer.analysis.crossfit import Crossfit
from transfer.analysis.estimate import Estimate
from transfer.analysis.flags import caution
from transfer.analysis.options import Option
from transfer.analysis.shrinkage import expected_gains
from transfer.analysis.tables import escaped, points, to_markdown
from transfer.analysis.verdicts import Verdict
from transfer.inputs import InputError, did_you_mean

ALPHA = 0.05
POINTS = ("gain", "expected", "low", "high")
DRAWS = 1000  # quantiles that stand for the next seed's gain
LIKELY = 0.05  # a smaller chance of being settled is not worth a sentence
MOST_SEEDS = 30  # what more would settle only beyond so many seeds is called out of reach


class Outlook(NamedTuple):
    """Expected effect of further seeds on one option."""

    chance: float  # that one more seed settles it; NaN where nothing is known
    seeds: int | None  # how many settle it if its gain stays as it is; None: not within MOST_SEEDS


class Judged(NamedTuple):
    """An option with the interval that all options of its target hold together."""

    option: Option
    low: float
    high: float
    verdict: Verdict
    outlook: Outlook | None  # None where nothing is open
    expected: float  # the shrunken gain; NaN where its error is not known


@dataclass(frozen=True)
class Recommendation:
    """Whom to train a task with; `best` is None where it should be trained alone."""

    target: str
    stage: str
    data_source: str
    smallest_effect: float
    options: tuple[Judged, ...]  # the best first, then by lower bound
    best: Judged | None
    held_out: float  # see `held_out`
    items_held_out: bool  # whether test items were left out too, not only seeds
    undefined: Mapping[str, str] = field(default_factory=dict)  # partners without a gain, and why
    doubtful: tuple[str, ...] = ()  # see ``flags.doubtful``

    @property
    def table(self) -> pd.DataFrame:
        """One row per option: partners, gain, expected, low, high (simultaneous), verdict, seeds, outlook."""
        return pd.DataFrame(
            [
                {
                    "partners": o.option.partners,
                    "gain": o.option.estimate.gain,
                    "expected": o.expected,
                    "low": o.low,
                    "high": o.high,
                    "verdict": o.verdict,
                    "seeds": o.option.estimate.seed_degrees + 1,
                    "chance_one_more_seed": o.outlook.chance if o.outlook else math.nan,
                    "seeds_to_settle": (o.outlook.seeds or math.nan) if o.outlook else math.nan,
                }
                for o in self.options
            ]
        )

    def _repr_markdown_(self) -> str:
        table = self.table.assign(**{c: [points(v, sign=True) for v in self.table[c]] for c in POINTS})
        return as_markdown(self.sentences(), table, self.data_source)

    def sentences(self) -> list[str]:
        """The advice in words, gains in points; what it says follows from the fields alone."""
        first = self.options[0].option
        alone = f"{first.metric} {points(first.single)}"
        count = len(self.options)
        if self.best is None:
            none = (
                f"none of the {count} measured options is" if count > 1 else "the one measured option is not"
            )
            said = [f"Train {self.target} alone ({alone}): {none} shown to improve it."]
            if [o for o in self.options if o.verdict is Verdict.INCONCLUSIVE]:
                said.append("That nothing helps is not shown either.")
        else:
            best = self.best
            said = [f"Train {self.target} with {_whom(best.option)}. {_promise(best, alone)}"]
            if count > 1:
                said[0] += (
                    f" The interval is simultaneous over all {count} options: it allows for the choice."
                )
            if best.low <= 0:
                said.append(
                    "The report's verdict is `improves`, but this wider interval includes 0: as the best of "
                    "several options it is not certain."
                )
            rivals = [
                o.option.partners
                for o in self.options
                if o.verdict is Verdict.IMPROVES and o is not best and o.high >= best.low
            ]
            if rivals:
                said.append(f"The best partner is not settled: {', '.join(rivals)} may be as good.")
        if not math.isnan(self.held_out):
            where = (
                "seeds and test items that did not help to choose"
                if self.items_held_out
                else "a seed that did not help to choose; the test items did, because a report's folder "
                "holds no predictions"
            )
            said.append(
                "Taking the largest measured gain, whatever its verdict, is worth "
                f"{points(self.held_out, sign=True)} points on {where}."
            )
        left_out = (
            f"Left out, its gain is undefined: {name} ({why})." for name, why in self.undefined.items()
        )
        return [*said, *_open_text(self.options), *left_out, *caution(self.doubtful)]


def recommend(
    options: Sequence[Option],
    target: str,
    *,
    stage: str,
    data_source: str,
    smallest_effect: float,
    undefined: Mapping[str, str] | None = None,
    alpha: float = ALPHA,
) -> Recommendation:
    """Recommend whom to train ``target`` with, or to train it alone.

    ``options`` are those of all targets: the prior of the expected gains is estimated from all of them. A
    pair has its grid's verdict. A larger group has none in the report; here it improves or harms where its
    simultaneous interval excludes 0 and the gain is at least ``smallest_effect`` (a fraction), and has no
    effect where the equivalence test at the same level says so. ``undefined``: the partners without a gain,
    and why. Raises InputError where nothing was measured for the target.
    """
    own = [option for option in options if option.target == target]
    if not own:
        known = {option.target for option in options}
        hint = did_you_mean(target, known) if known else "; a gain needs the jobs single and pairs"
        hint = f": it is undefined. {next(iter(undefined.values()))}" if undefined else hint
        raise InputError(f"no gain of '{target}' was measured{hint}")
    level = alpha / len(own)
    expected = dict(zip(map(id, options), expected_of(options).tolist(), strict=True))
    judged = [_judged(option, level, smallest_effect, expected[id(option)]) for option in own]
    judged.sort(key=lambda o: (-_or(o.low, -math.inf), len(o.option.group), o.option.partners))
    improving = [o for o in judged if o.verdict is Verdict.IMPROVES]
    best = improving[0] if improving else None
    if best:
        judged = [best, *(o for o in judged if o is not best)]
    folds = Crossfit({option.group: option.seed_gains for option in own})
    return Recommendation(
        target,
        stage,
        data_source,
        smallest_effect,
        tuple(judged),
        best,
        held_out(folds),
        folds.items,
        undefined or {},
    )


def held_out(folds: Crossfit[tuple[str, ...]]) -> float:
    """The cross-fitted value of taking the largest mean gain, or 0 (train alone) if all are negative."""

    def tried(chosen_by: Mapping[tuple[str, ...], float], left_out: Mapping[tuple[str, ...], float]) -> float:
        top = max(chosen_by, key=chosen_by.__getitem__)
        return left_out[top] if chosen_by[top] >= 0 else 0.0

    return folds.value(tried)


def expected_of(options: Sequence[Option]) -> np.ndarray:
    """The expected gain of each option, [options]; see ``shrinkage``."""
    # equal variances of both arms: the single-task runs have the larger part where they are the fewer
    shared = [len(o.by_seed) / (len(o.by_seed) + o.single_seeds) for o in options]
    return expected_gains([o.estimate for o in options], [o.target for o in options], shared=shared)


def _judged(option: Option, level: float, smallest: float, expected: float) -> Judged:
    found = option.estimate
    reach = float(found.reach(level))
    verdict = option.verdict or _settled(found, level, smallest) or Verdict.INCONCLUSIVE
    outlook = _outlook(option, level, smallest) if verdict is Verdict.INCONCLUSIVE else None
    return Judged(option, found.gain - reach, found.gain + reach, verdict, outlook, expected)


def _promise(best: Judged, alone: str) -> str:
    """The gain to expect, beside the measured one."""
    interval = f"95% CI [{points(best.low, sign=True)}, {points(best.high, sign=True)}]"
    measured = f"{points(best.option.estimate.gain, sign=True)} points, {interval}"
    if math.isnan(best.expected):
        return f"Measured over training alone ({alone}): {measured}."
    return (
        f"Expect about {points(best.expected, sign=True)} points over training alone ({alone}). Measured: "
        f"{measured}; the best of several measured gains is too high on average, so the expected gain is "
        "shrunk toward what all gains of the grid suggest."
    )


def _settled(found: Estimate, level: float, smallest: float) -> Verdict | None:
    """The verdict on a gain by its interval at a level; None where that leaves it open."""
    if abs(found.gain) > max(float(found.reach(level)), smallest):
        return Verdict.of_sign(found.gain)
    small = abs(found.gain) + float(found.reach(2 * level)) < smallest
    return Verdict.NO_EFFECT if small else None


def _outlook(option: Option, level: float, smallest: float) -> Outlook:
    found = option.estimate
    if not found.known:
        return Outlook(math.nan, None)
    more = range(found.seed_degrees + 2, MOST_SEEDS + 1)
    enough = (n for n in more if _settled(found.with_seeds(n), level, smallest))
    return Outlook(chance_settled(option, level=level, smallest=smallest), next(enough, None))


def chance_settled(option: Option, *, level: float, smallest: float) -> float:
    """The chance that one more seed settles what is open.

    The next seed's gain is drawn from what the seeds so far foretell of it (the t distribution of a
    further observation), and mean and variance over the seeds are reckoned anew with it; what the test
    items add stays.
    """
    found, count = option.estimate, len(option.by_seed)
    degrees = count - 1 + found.borrowed
    squares = found.seeds * count * degrees  # what other edges lend counts as if it were seeds
    deviation = math.sqrt(squares / degrees * (1 + 1 / count))
    drawn = deviation * stdtrit(degrees, (np.arange(DRAWS) + 0.5) / DRAWS)
    later = found._replace(
        gain=found.gain + drawn / (count + 1),
        seeds=(squares + drawn**2 * count / (count + 1)) / (degrees + 1) / (count + 1),
        seed_degrees=count,
    )
    size = np.abs(later.gain)
    claimed = size > np.maximum(later.reach(level), smallest)
    return float((claimed | (size + later.reach(2 * level) < smallest)).mean())


def _open_text(options: Sequence[Judged]) -> list[str]:
    """Expected effect of more seeds on the undecided options."""
    known = [(o, o.outlook) for o in options if o.outlook and not math.isnan(o.outlook.chance)]
    if not known:
        return []
    likely = sorted(((o, w) for o, w in known if w.chance >= LIKELY), key=lambda pair: -pair[1].chance)
    if likely:
        names = ", ".join(f"{o.option.partners} ({100 * w.chance:.0f} %)" for o, w in likely)
        return [f"One more seed may settle what is open, with these chances: {names}."]
    text = f"One more seed settles none of what is open ({', '.join(o.option.partners for o, _ in known)})"
    if within := sorted((w.seeds, o.option.partners) for o, w in known if w.seeds):
        seeds, partners = within[0]
        return [f"{text}; {seeds} seeds would settle {partners} if its gain stays as it is."]
    return [f"{text}; {MOST_SEEDS} seeds would not either if the gains stay as they are."]


def as_markdown(sentences: Sequence[str], table: pd.DataFrame, data_source: str) -> str:
    """Advice as a notebook shows it."""
    mark = (
        ["**SYNTHETIC DATA: this advice is about invented corpora.**"] if data_source == "synthetic" else []
    )
    return "\n\n".join([*mark, *map(escaped, sentences), to_markdown(table)])


def _whom(option: Option) -> str:
    """The partners; those behind `all others` by name where they are few."""
    names = [name for name in option.group if name != option.target]
    if option.partners == gains.ALL and len(names) <= 4:
        return f"{gains.ALL} ({', '.join(names)})"
    return option.partners


def _or(value: float, otherwise: float) -> float:
    return otherwise if math.isnan(value) else value
