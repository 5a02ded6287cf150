"""Train a task alone, or with whom? What the measured gains say, and how sure that is.

The best of many measured gains is too high on average, because luck helped to make it the best (the
winner's curse). Three things are held against it: only an option whose verdict is `improves` is
recommended; every option's interval is one that all of them hold together (Bonferroni), so it is valid
for whichever of them is chosen; and of several that improve the one with the highest lower bound is
taken, not the one with the highest gain, which noise favours.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from transfer.analysis import gains
from transfer.analysis.inference import Estimate
from transfer.analysis.tables import escaped, points, to_markdown
from transfer.inputs import InputError, did_you_mean

ALPHA = 0.05
POINTS = ("gain", "low", "high")
DRAWS = 1000  # quantiles that stand for the next seed's gain
LIKELY = 0.05  # a smaller chance of being settled is not worth a sentence
MOST_SEEDS = 30  # what more would settle only beyond so many seeds is called out of reach


class Option(NamedTuple):
    """A group that was measured, as one of its tasks sees it. Scores and gains are fractions."""

    target: str
    group: tuple[str, ...]  # the target and its partners, sorted
    partners: str  # for people: `b`, `b+c`, `all others`
    metric: str
    single: float
    estimate: Estimate
    verdict: str  # of the grid; empty for a group larger than a pair, which has none
    by_seed: Mapping[int, float]


class Outlook(NamedTuple):
    """What further seeds are expected to do for one option."""

    chance: float  # that one more seed settles it; NaN where nothing is known
    seeds: int | None  # how many settle it if its gain stays as it is; None: not within MOST_SEEDS


class Judged(NamedTuple):
    """An option with the interval that all options of its target hold together."""

    option: Option
    low: float
    high: float
    verdict: str
    outlook: Outlook | None  # None where nothing is open


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

    @property
    def table(self) -> pd.DataFrame:
        """The options: partners, gain, low, high (simultaneous), verdict, seeds, and what more seeds do."""
        return pd.DataFrame(
            [
                {
                    "partners": o.option.partners,
                    "gain": o.option.estimate.gain,
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
            if [o for o in self.options if o.verdict == "inconclusive"]:
                said.append("That nothing helps is not shown either.")
        else:
            best, gain = self.best, self.best.option.estimate.gain
            said = [
                f"Train {self.target} with {_whom(best.option)}: {alone} alone, measured "
                f"{points(gain, sign=True)} points, 95 % interval {points(best.low, sign=True)} to "
                f"{points(best.high, sign=True)}."
            ]
            if count > 1:
                said[0] += (
                    f" The intervals hold for all {count} options together, so choosing among them is "
                    "allowed for."
                )
            if best.low <= 0:
                said.append(
                    "By the report's correction it improves; as the best of several it is not certain, "
                    "since that interval reaches 0."
                )
            rivals = [
                o.option.partners
                for o in self.options
                if o.verdict == "improves" and o is not best and o.high >= best.low
            ]
            if rivals:
                said.append(f"Which is best is not settled: as good may be {', '.join(rivals)}.")
        if not math.isnan(self.held_out):
            said.append(
                "Whoever takes the largest gain that was measured, whatever its verdict, gets "
                f"{points(self.held_out, sign=True)} points on a seed that did not help to choose."
            )
        return said + _open_text(self.options)


def recommend(
    options: Sequence[Option],
    target: str,
    *,
    stage: str,
    data_source: str,
    smallest_effect: float,
    alpha: float = ALPHA,
) -> Recommendation:
    """Train ``target`` alone or with whom, by all that was measured for it (see the module).

    A pair has its grid's verdict. A larger group has none in the report; here it improves or harms
    where its simultaneous interval leaves out 0 and the gain is at least ``smallest_effect`` (a
    fraction), and has no effect where the equivalence test at the same level says so. Raises
    InputError where nothing was measured for the target.
    """
    own = [option for option in options if option.target == target]
    if not own:
        known = {option.target for option in options}
        raise InputError(
            f"no gain of '{target}' was measured"
            + (did_you_mean(target, known) if known else "; a gain needs the jobs single and pairs")
        )
    level = alpha / len(own)
    judged = [_judged(option, level, smallest_effect) for option in own]
    judged.sort(key=lambda o: (-_or(o.low, -math.inf), len(o.option.group), o.option.partners))
    improving = [o for o in judged if o.verdict == "improves"]
    best = improving[0] if improving else None
    if best:
        judged = [best, *(o for o in judged if o is not best)]
    return Recommendation(
        target, stage, data_source, smallest_effect, tuple(judged), best, held_out([o.by_seed for o in own])
    )


def held_out(gains_by_seed: Sequence[Mapping[int, float]]) -> float:
    """What the choice of the largest mean gain is worth on a seed that did not help to choose.

    Each seed is left out once; the option with the largest mean over the others (or 0: none, where
    all are negative) is read on it. The mean over the seeds is free of the luck of the seeds, not of
    that of the test items, which all seeds share. Seeds that some option lacks are not used. NaN with
    fewer than two.
    """
    seeds = sorted(set.intersection(*map(set, gains_by_seed))) if gains_by_seed else []
    if len(seeds) < 2:
        return math.nan
    table = np.array([[by_seed[seed] for seed in seeds] for by_seed in gains_by_seed])
    table = np.vstack([table, np.zeros(len(seeds))])  # training alone gains nothing
    others = table.sum(axis=1, keepdims=True) - table
    return float(table[others.argmax(axis=0), np.arange(len(seeds))].mean())


def options_of(frame: pd.DataFrame, edges: pd.DataFrame, groups: pd.DataFrame, *, stage: str) -> list[Option]:
    """Every group that was measured in a stage, once for each of its tasks.

    ``frame``, ``edges`` and ``groups`` are a report's results.csv, edges.csv and table_groups.csv.
    """
    everyone = gains.everyone(frame[frame["stage"].isin(("refine", "fine-tune"))])
    by_seed = {
        key: dict(zip(rows["seed"].astype(int), rows["gain"].astype(float), strict=True))
        for key, rows in gains.paired(frame[frame["stage"] == stage]).groupby(["corpora", "target"])
    }
    tested = frame[(frame["split"] == "test") & (frame["stage"] == stage)]
    items = tested.groupby("target")["items"].max()
    found = []
    for table in (edges, groups):
        for row in table[table["stage"] == stage].to_dict("records"):
            group = _group(row["source"], row["target"], everyone)
            own = by_seed.get(("+".join(group), row["target"]))
            if own is None or math.isnan(row["gain"]):
                continue
            own = {seed: own[seed] for seed in sorted(own)[: int(row["seeds"])]}
            estimate = _estimate(row, own, items=int(items[row["target"]]))
            verdict = row.get("verdict", "")
            found.append(
                Option(
                    row["target"], group, row["source"], row["metric"], row["single"], estimate, verdict, own
                )
            )
    return found


def _group(source: str, target: str, everyone: Sequence[str]) -> tuple[str, ...]:
    """The names behind a group's words; see ``gains.group_name``."""
    rest = source.removeprefix(gains.ALL)
    if rest == source:
        return tuple(sorted({target, *source.split("+")}))
    return tuple(sorted(set(everyone) - {rest.removeprefix(" but ")}))


def _estimate(row: Mapping, by_seed: Mapping[int, float], *, items: int) -> Estimate:
    """The estimate behind a row of a report.

    A report of an earlier version lacks the degrees of freedom of the items; their number stands for them.
    """
    degrees = float(row.get("df_items", max(items - 1, 1)))
    found = Estimate(
        float(row["gain"]), row["se_seeds"] ** 2, row["se_items"] ** 2, len(by_seed) - 1, degrees
    )
    lent = row.get("df_seeds", math.nan) - found.seed_degrees  # NaN: a group
    return found if math.isnan(lent) else found._replace(borrowed=max(lent, 0.0))


def _judged(option: Option, level: float, smallest: float) -> Judged:
    found = option.estimate
    reach = float(found.reach(level))
    verdict = option.verdict or _settled(found, level, smallest) or "inconclusive"
    outlook = _outlook(option, level, smallest) if verdict == "inconclusive" else None
    return Judged(option, found.gain - reach, found.gain + reach, verdict, outlook)


def _settled(found: Estimate, level: float, smallest: float) -> str:
    """What a gain is called by its interval at a level; empty where that leaves it open."""
    if abs(found.gain) > max(float(found.reach(level)), smallest):
        return "improves" if found.gain > 0 else "harms"
    return "no effect" if abs(found.gain) + float(found.reach(2 * level)) < smallest else ""


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
    mean = np.array([*option.by_seed.values()], dtype=float).mean()
    degrees = count - 1 + found.borrowed
    squares = found.seeds * count * degrees  # what other edges lend counts as if it were seeds
    deviation = math.sqrt(squares / degrees * (1 + 1 / count))
    drawn = deviation * stdtrit(degrees, (np.arange(DRAWS) + 0.5) / DRAWS)
    later = found._replace(
        gain=mean + drawn / (count + 1),
        seeds=(squares + drawn**2 * count / (count + 1)) / (degrees + 1) / (count + 1),
        seed_degrees=count,
    )
    size = np.abs(later.gain)
    claimed = size > np.maximum(later.reach(level), smallest)
    return float((claimed | (size + later.reach(2 * level) < smallest)).mean())


def _open_text(options: Sequence[Judged]) -> list[str]:
    """What more seeds would do for the options that are open."""
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
