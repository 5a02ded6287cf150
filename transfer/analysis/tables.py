"""Tables: scores of every arm, the corpora, results; and how a table is written as CSV or Markdown.

Frames hold fractions; only what a person reads (Markdown) is in points (hundredths).
"""

import math
import re
from collections.abc import Mapping, Sequence
from typing import NotRequired, TypedDict

import numpy as np
import pandas as pd

from transfer.analysis import gains
from transfer.arms import Group, members
from transfer.corpora.base import Split
from transfer.corpora.baseline import Baseline

SINGLE, ALL, BASELINE = "single", "all", "baseline"
FAILED, UNDEFINED = "failed", "undefined"
SCORES = ["stage", "arm", "target", "metric", "mean", "sd", "seeds", "missing"]
CORPORA = [
    "name", "kind", "metric", "domain", "licence", "citation", "train", "dev", "test", "notes", "baseline",
    "predictor", "truncated_train", "truncated_dev", "truncated_test",
]  # fmt: skip
RESULTS = [
    "job", "stage", "corpora", "target", "split", "metric", "seed", "value", "status", "error",
    "epoch", "items", "train_items", "steps", "seconds", "peak_memory", "encoder", "recipe", "source",
]  # fmt: skip
P_VALUES = ("p", "p_adjusted")

_MINUS = re.compile(r"(?<![^\s(])-(?=\d)")


class CorpusRow(TypedDict):
    """Description of one corpus in a report; counts are items."""

    name: str
    kind: str
    metric: str
    domain: str
    licence: str
    citation: str
    train: int
    dev: int
    test: int
    notes: NotRequired[str]
    baseline: NotRequired[Baseline | None]
    truncated: NotRequired[Mapping[Split, int] | None]
    pool: NotRequired[int]  # examples that each seed draws its ``train`` ones from; without it they are fixed


def interval_of(edge: Mapping | pd.Series, side: str = "") -> tuple[float, float]:
    """The ends of the 95 % interval to show: of a claim, the one that is adjusted for selection.

    ``edge`` is a row with ``ci_low`` and ``ci_high`` (after ``side``, if given).

    >>> interval_of({"ci_low": 0.01, "ci_high": 0.03, "ci_low_selected": 0.005, "ci_high_selected": 0.035})
    (0.005, 0.035)
    """
    low = float(edge.get(f"{side}ci_low_selected", math.nan))
    if math.isnan(low):  # no claim, or a table without adjusted intervals
        return float(edge[f"{side}ci_low"]), float(edge[f"{side}ci_high"])
    return low, float(edge[f"{side}ci_high_selected"])


def points(value: float, *, sign: bool = False) -> str:
    """A fraction in points with one decimal; an empty string for NaN.

    >>> points(0.0183, sign=True)
    '+1.8'
    """
    if math.isnan(value):
        return ""
    rounded = round(100 * value, 1) + 0.0  # + 0.0 turns -0.0 into 0.0
    return f"{rounded:+.1f}" if sign else f"{rounded:.1f}"


def minus(text: str) -> str:
    """The hyphen before a number as a minus sign; names keep theirs.

    >>> minus("i2b2-2010: -1.5 to 2.0 (-3)")
    'i2b2-2010: −1.5 to 2.0 (−3)'
    """
    return _MINUS.sub("−", text)


def results(frame: pd.DataFrame) -> pd.DataFrame:
    """The tidy results in a fixed order of rows and columns; unknown columns go last by name."""
    extra = sorted(set(frame.columns) - set(RESULTS))
    columns = [column for column in [*RESULTS, *extra] if column in frame.columns]
    return frame.sort_values(["stage", "corpora", "target", "split", "seed", "job"], ignore_index=True)[
        columns
    ]


def arm(corpora: str, target: str, everyone: Sequence[str]) -> str:
    """The name of a target's arm: `single`, `pair with x`, `all`, `all but x` or `with x+y`."""
    group = Group.parse(corpora).partners(target)
    if not group:
        return SINGLE
    if len(group) == 1:
        return f"pair with {group[0]}"
    name = gains.group_name(corpora, target, everyone)
    if name.startswith(gains.ALL):
        return name.replace(gains.ALL, ALL)
    return f"with {name}"


def score_table(frame: pd.DataFrame, baselines: Mapping[str, Baseline] | None = None) -> pd.DataFrame:
    """Mean and standard deviation over seeds of each arm's test score (fractions).

    Columns: stage, arm, target, metric, mean, sd, seeds, missing. A cell without a score stands there
    with seeds 0, no mean, and `failed` or `undefined`; with one seed the standard deviation is NaN. The
    baseline of a target, where there is one, is the arm `baseline` of each stage; it has no seeds.
    """
    names = members(frame["corpora"])
    done = gains.scored(frame)
    every = frame[frame["split"] == "test"].drop_duplicates(["stage", "corpora", "target"])
    every_done = frame[(frame["split"] == "test") & (frame["status"] == "done")]
    keys = ["stage", "corpora", "target"]
    values = {key: group["value"].to_numpy(float) for key, group in done.groupby(keys)}
    lost = every_done[every_done["value"].isna()]
    undefined = set(lost[keys].itertuples(index=False, name=None))
    rows = []
    for stage, corpora, target, metric in every.sort_values(keys)[[*keys, "metric"]].itertuples(
        index=False, name=None
    ):
        scores = values.get((stage, corpora, target), np.array([]))
        mean = float(scores.mean()) if len(scores) else math.nan
        sd = float(scores.std(ddof=1)) if len(scores) > 1 else math.nan
        missing = "" if len(scores) else UNDEFINED if (stage, corpora, target) in undefined else FAILED
        rows.append((stage, arm(corpora, target, names), target, metric, mean, sd, len(scores), missing))
        if corpora == target and target in (baselines or {}):
            value = (baselines or {})[target].value
            mean, missing = (math.nan, UNDEFINED) if value is None else (value, "")
            rows.append((stage, BASELINE, target, metric, mean, math.nan, 0, missing))
    return pd.DataFrame(rows, columns=pd.Index(SCORES))


def score_matrix(scores: pd.DataFrame, *, stage: str, order: Sequence[str]) -> pd.DataFrame:
    """One stage as a matrix of text, `mean ± sd` in points: arms down, targets (in order) across.

    A cell with fewer seeds than the best-filled one says so; a cell without any says why.
    """
    rows = scores[scores["stage"] == stage]
    full = rows["seeds"].max() if len(rows) else 0
    present = set(rows["arm"])
    leading = [BASELINE, SINGLE, *(f"pair with {name}" for name in order)]
    arms = [name for name in leading if name in present]
    arms += sorted(present - set(leading) - {ALL})
    arms += [ALL] if ALL in present else []
    targets = [name for name in order if name in set(rows["target"])]
    matrix = pd.DataFrame("", index=pd.Index(arms, name="arm"), columns=pd.Index(targets))
    for row in rows.itertuples():
        if row.arm == BASELINE:
            matrix.loc[row.arm, row.target] = points(row.mean) or UNDEFINED  # type: ignore
        elif not row.seeds:
            matrix.loc[row.arm, row.target] = row.missing  # type: ignore
        else:
            matrix.loc[row.arm, row.target] = _cell(row.mean, row.sd, row.seeds, full)  # type: ignore
    return matrix.reset_index()


def gain_matrix(edges: pd.DataFrame, *, column: str, order: Sequence[str]) -> pd.DataFrame:
    """One column of one stage's edges as a square: sources down, targets across, in order."""
    square = edges.pivot(index="source", columns="target", values=column)
    return square.reindex(index=list(order), columns=list(order))


def corpora_table(corpora: Sequence[Mapping[str, object]], *, source: str) -> pd.DataFrame:
    """One row for each corpus in the given order, with the column `source` (synthetic, …)."""
    rows = []
    for row in corpora:
        baseline, truncated = row.get("baseline"), row.get("truncated")
        found: dict[str, object] = {column: row.get(column, "") for column in CORPORA}
        found |= {"baseline": math.nan, "predictor": ""}
        if isinstance(baseline, Baseline):
            value = math.nan if baseline.value is None else baseline.value
            found |= {"baseline": value, "predictor": baseline.predictor}
        cut = truncated if isinstance(truncated, Mapping) else {}
        found |= {f"truncated_{split}": cut.get(split) for split in ("train", "dev", "test")}
        rows.append(found)
    table = pd.DataFrame(rows, columns=pd.Index(CORPORA)).assign(source=source)
    counts = dict.fromkeys([name for name in CORPORA if name.startswith("truncated_")], "Int64")
    return table.astype({"baseline": float, **counts})


def corpora_shown(table: pd.DataFrame) -> pd.DataFrame:
    """The table of corpora as a person reads it: baselines in points, truncated texts in one column."""
    shown = table.drop(columns=[*(c for c in table if str(c).startswith("truncated_")), "predictor"])
    shown["baseline"] = [
        f"{points(value) or UNDEFINED} ({predictor})" if predictor else ""
        for value, predictor in zip(table["baseline"], table["predictor"], strict=True)
    ]
    cut = table[["truncated_train", "truncated_dev", "truncated_test"]]
    shown["truncated (train / dev / test)"] = [
        "" if any(pd.isna(count) for count in counts) else " / ".join(str(count) for count in counts)
        for counts in cut.itertuples(index=False, name=None)
    ]
    return shown


def to_csv(frame: pd.DataFrame) -> str:
    """The table as CSV: fractions with six decimals, p values with four digits, NaN empty.

    Equal frames give equal bytes; a value that rounds to zero has no sign.
    """
    text = frame.copy()
    for column in text.columns:
        if pd.api.types.is_float_dtype(text[column]):
            form = "{:.4g}" if column in P_VALUES else "{:.6f}"
            text[column] = [_number(value, form) for value in frame[column]]
    return text.to_csv(index=False, lineterminator="\n")


def to_markdown(frame: pd.DataFrame) -> str:
    """The table as GitHub Markdown; numbers right-aligned; pipes and line breaks are escaped."""
    numeric = [pd.api.types.is_numeric_dtype(frame[column]) for column in frame.columns]
    lines = [
        [_plain(column) for column in frame.columns],
        ["---:" if number else "---" for number in numeric],
        *([_plain(value) for value in row] for row in frame.itertuples(index=False, name=None)),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def escaped(text: str) -> str:
    """One line of text that Markdown shows as it is, in a table too."""
    line = " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|")
    return line.replace("<", "&lt;")


def _cell(mean: float, sd: float, seeds: int, full: int) -> str:
    spread = "" if math.isnan(sd) else f" ± {points(sd)}"
    return f"{points(mean)}{spread}" + (f" ({seeds} of {full} seeds)" if seeds < full else "")


def _number(value: float, form: str) -> str:
    text = "" if math.isnan(value) else form.format(value)
    return text.removeprefix("-") if text and float(text) == 0 else text


def _plain(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    return escaped(str(value))
