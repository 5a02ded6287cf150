"""Everything that a report says of a grid, as plain tables, before a word of it is written."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from transfer.analysis import gains, stages, tables
from transfer.analysis.controls import beside, control_tables, dealt, standing
from transfer.analysis.curves import CURVES
from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.flags import Flags, flag_table, flags_of, with_flags, with_unscored
from transfer.analysis.missing import missing
from transfer.analysis.rerun import Rerun
from transfer.analysis.tables import CorpusRow, interval_of, points, without_paths

SOURCES = ("synthetic", "prepared")
STAGES = ("refine", "fine-tune")
MIXED = "mixed versions"  # the setting that names what the jobs were not all run with
CONTROL_HEADS = {
    "same_steps": "gain, same steps",
    "left_out": "gain, text left out",
    "tuned": "gain, tuned alone",
}
MACHINE_TEXT = ("error", "encoder", "recipe")  # columns that may hold a path of this machine


@dataclass(frozen=True, eq=False)
class Findings:
    """A grid's scores, gains and verdicts with what they rest on; fractions, and no path of a machine."""

    title: str
    source: str  # 'synthetic' or 'prepared'
    smallest_effect: float
    correction: str
    frame: pd.DataFrame
    seed_gains: pd.DataFrame
    edges: pd.DataFrame
    groups: pd.DataFrame
    controls: Mapping[str, pd.DataFrame]  # of those that the grid asks for, see `controls`
    dealt: tuple[int, int]  # claims and edges of the null control, however its runs are dealt into arms
    scores: pd.DataFrame
    missing: pd.DataFrame
    flags: pd.DataFrame  # the arms that did not learn, see `flags`
    corpora: pd.DataFrame
    settings: pd.DataFrame
    curves: pd.DataFrame  # see `curves.curves`
    rerun: Rerun | None
    contrasts: pd.DataFrame  # of a grid that fine-tunes, see `stages`; else without rows
    means: pd.DataFrame  # of these arms
    pools: Mapping[str, int]  # corpora whose training sample each seed draws anew: of how many examples

    @property
    def synthetic(self) -> bool:
        return self.source == "synthetic"

    @property
    def order(self) -> list[str]:
        """The corpora's names as the grid orders them."""
        return self.corpora["name"].to_list()

    @property
    def test_items(self) -> dict[str, int]:
        """How many test items each corpus has, in the grid's order."""
        return dict(zip(self.corpora["name"], self.corpora["test"].astype(int), strict=True))

    @property
    def stages(self) -> list[str]:
        """The stages that have edges."""
        return in_order(self.edges["stage"])

    @property
    def matrices(self) -> dict[str, pd.DataFrame]:
        """Each stage's scores as a matrix of text (see `tables.score_matrix`)."""
        return {
            stage: tables.score_matrix(self.scores, stage=stage, order=self.order)
            for stage in in_order(self.scores["stage"])
            if stage in STAGES
        }


def findings(
    frame: pd.DataFrame,
    *,
    title: str,
    corpora: Sequence[CorpusRow],
    settings: Mapping[str, object],
    smallest_effect: float,
    source: str,
    edges: pd.DataFrame | None = None,
    controls: Collection[str] = (),
    correction: str = "bh",
    evidence: Evidence | None = None,
    expected: Iterable[Cell] | None = None,
    curves: pd.DataFrame | None = None,
    rerun: Rerun | None = None,
    stage_seeds: Collection[int] | None = None,
    flags: Flags | None = None,
) -> Findings:
    """What the store's tidy frame says; the arguments are those of `write_report`.

    Raises ValueError where `source` is unknown or the frame says another one.
    """
    if source not in SOURCES:
        raise ValueError(f"unknown source {source!r}; known: {', '.join(SOURCES)}")
    if other := set(frame["source"]) - {source}:
        raise ValueError(f"the frame holds {', '.join(sorted(other))} results, not only {source}")
    frame = _without_machine(frame)
    expected = None if expected is None else list(expected)
    seed_gains = gains.seed_gains(frame)
    baselines = {row["name"]: baseline for row in corpora if (baseline := row.get("baseline"))}
    if flags is None:
        flags = flags_of(frame, evidence=evidence, baselines=baselines)
    if edges is None:
        edges = gains.edges(
            seed_gains,
            smallest_effect=smallest_effect,
            evidence=evidence,
            singles=gains.singles(frame),
            correction=correction,
            flags=flags,
        )
        edges = with_unscored(edges, frame, smallest_effect=smallest_effect)
    if "flag" not in edges:
        edges = with_flags(edges, flags)
    held = control_tables(
        frame,
        controls,
        train_items={row["name"]: row["train"] for row in corpora},
        smallest_effect=smallest_effect,
        evidence=evidence,
        correction=correction,
        flags=flags,
    )
    return Findings(
        title=title,
        source=source,
        smallest_effect=smallest_effect,
        correction=correction,
        frame=frame,
        seed_gains=seed_gains,
        edges=standing(
            beside(edges, held),
            frame,
            controls,
            train_items={row["name"]: row["train"] for row in corpora},
            smallest_effect=smallest_effect,
            evidence=evidence,
            correction=correction,
        ),
        groups=gains.group_gains(frame, evidence=evidence),
        controls=held,
        dealt=dealt(frame, smallest_effect=smallest_effect, evidence=evidence, correction=correction)
        if "null" in held
        else (0, 0),
        scores=tables.score_table(frame, baselines),
        missing=missing(frame, expected),
        flags=flag_table(flags),
        corpora=tables.corpora_table(
            [{key: _shown(value) for key, value in row.items()} for row in corpora], source=source
        ),
        settings=pd.DataFrame(
            [(str(key), without_paths(str(value))) for key, value in settings.items()],
            columns=pd.Index(["setting", "value"]),
        ),
        curves=pd.DataFrame(columns=pd.Index(CURVES)) if curves is None else curves,
        rerun=rerun,
        contrasts=stages.contrasts(
            frame,
            smallest_effect=smallest_effect,
            evidence=evidence,
            expected=expected,
            seeds=stage_seeds,
            correction=correction,
            flags=flags,
        ),
        means=stages.means(frame, expected=expected, seeds=stage_seeds),
        pools={row["name"]: row["pool"] for row in corpora if "pool" in row},
    )


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


def in_order(stages: pd.Series) -> list[str]:
    """The stages that occur, refinement first."""
    present = set(stages)
    return [*(stage for stage in STAGES if stage in present), *sorted(present - set(STAGES))]


def _without_machine(frame: pd.DataFrame) -> pd.DataFrame:
    cleaned = frame.copy()
    for column in MACHINE_TEXT:
        cleaned[column] = [without_paths(str(text)) for text in frame[column]]
    return cleaned


def _shown(value: object) -> object:
    return without_paths(value) if isinstance(value, str) else value
