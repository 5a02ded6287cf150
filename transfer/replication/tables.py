"""The cells as the paper prints them: matrices of text in points, and what of them is empty and why."""

import math
from collections.abc import Iterator, Mapping

import pandas as pd

from transfer.analysis import gains
from transfer.analysis.tables import interval_of, points
from transfer.corpora.base import SPLITS
from transfer.replication import paper
from transfer.replication.cells import AVERAGE

LINES = ("measured", "published", "difference")
STATEMENTS = ["half", "source", "target", "published", "measured", "statement", "data_source"]
SIGNED = "{:+d}".format


def matrix(table: paper.Table, cells: pd.DataFrame) -> pd.DataFrame:
    """One of Tables 2 to 6 as text in points, three lines for each model (Table 6: for each corpus).

    A measured cell is ``mean (low to high)`` over its seeds, and says how many of them are there where some
    are missing; an empty one was not measured. A model that the paper has not says so, and has one line.
    """
    at = {(cell.model, cell.corpus): cell for cell in cells.itertuples()}
    corpora = {name: paper.NAMES.get(name, name) for name in (*table.corpora, AVERAGE)}
    models = {row.model: _model(row) for row in table.rows}
    down, across = (corpora, models) if table.models_across else (models, corpora)
    rows = []
    for name, label in down.items():
        cells_of = [at[(other, name) if table.models_across else (name, other)] for other in across]
        for line in LINES if any(not math.isnan(c.published) for c in cells_of) else LINES[:1]:  # type: ignore
            rows.append(["" if line != LINES[0] else label, line, *(_text(cell, line) for cell in cells_of)])
    head = ["corpus" if table.models_across else "model", "", *across.values()]
    return pd.DataFrame(rows, columns=pd.Index(head))


def _model(row: paper.Row) -> str:
    return f"{row.model} (not in the paper)" if row.arm == "longer single" else row.model


def _text(cell, line: str) -> str:
    if line == "published":
        return points(cell.published)
    if line == "difference":
        return points(cell.difference, sign=True)
    if not cell.seeds:
        return ""
    interval = "" if math.isnan(cell.ci_low) else f" ({points(cell.ci_low)} to {points(cell.ci_high)})"
    few = f" [{cell.seeds} of {cell.seeds_wanted} seeds]" if cell.seeds < cell.seeds_wanted else ""
    return f"{points(cell.mean)}{interval}{few}"


def corpora_matrix(cells: pd.DataFrame) -> pd.DataFrame:
    """Table 1 as text: for each corpus what is counted, three lines of its splits."""
    rows = []
    for name, some in cells.groupby("corpus", sort=False):
        by_split = some.set_index("split")
        told = some.iloc[0]
        first = [paper.NAMES[str(name)], told["task"], told["metric"], told["domain"], told["unit"]]
        for line, column in zip(LINES, ("count", "published", "difference"), strict=True):
            form = SIGNED if line == "difference" else str
            shown = [by_split.loc[split, column] for split in SPLITS]
            rows.append(
                [*(first if line == LINES[0] else [""] * len(first)), line]
                + ["" if value is pd.NA else form(int(value)) for value in shown]  # type: ignore[arg-type]
            )
    head = ["corpus", "task", "metric", "domain", "unit", "", *SPLITS]
    return pd.DataFrame(rows, columns=pd.Index(head))


def gaps(cells: pd.DataFrame) -> list[str]:
    """Empty and incomplete cells with the reason: a line per model and reason, without averages."""
    some = cells[(cells["why"] != "") & (cells["corpus"] != AVERAGE)]
    if "model" not in some:
        names = [paper.NAMES[name] for name in dict.fromkeys(some["corpus"])]
        return [f"{', '.join(names)}: {some['why'].iloc[0]}"] if names else []
    return [
        f"{model}: {', '.join(paper.NAMES[name] for name in group['corpus'])}: {why}"
        for (model, why), group in some.groupby(["model", "why"], sort=False)
    ]


def who_was_measured(cells: pd.DataFrame) -> list[str]:
    """The measured encoder behind each of the paper's."""
    found = cells[cells["seeds"] > 0][["encoder", "measured_with"]].drop_duplicates()
    return [
        f"{paper.ENCODERS[encoder]}: {with_}" for encoder, with_ in found.itertuples(index=False, name=None)
    ]


def seeds_of(cells: pd.DataFrame) -> str:
    """Number of seeds that the measured cells rest on."""
    counts = sorted(set(cells.loc[cells["seeds"] > 0, "seeds"]))
    if not counts:
        return ""
    few = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else f"{counts[0]}"
    return f"{few} seed{'' if counts == [1] else 's'}"


def statements(edges: Mapping[str, pd.DataFrame], sources: Mapping[str, str]) -> pd.DataFrame:
    """Statements of the text about Figure 2 beside the verdicts of the halves' edges; see STATEMENTS.

    ``edges`` holds those of each half that was run (``gains.edges``), ``sources`` where its data is from.
    """
    rows = []
    for said in paper.statements():
        found = _said(edges.get(said.half), said)
        rows.append(
            (
                said.half, _name(said.source), _name(said.target), said.effect,
                "; ".join(found) or "not measured", said.text, sources.get(said.half, ""),
            )
        )  # fmt: skip
    return pd.DataFrame(rows, columns=pd.Index(STATEMENTS))


def _name(corpus: str) -> str:
    return paper.NAMES.get(corpus, corpus)


def _said(edges: pd.DataFrame | None, said: paper.Statement) -> Iterator[str]:
    if edges is None:
        return
    some = edges[edges["stage"] == "refine"]
    for column, name in (("source", said.source), ("target", said.target)):
        some = some if name == "any" else some[some[column] == name]
    if "any" in (said.source, said.target):
        counts = some["verdict"].value_counts()
        yield from (f"{counts[v]} of {len(some)} {v}" for v in gains.VERDICTS if v in counts)
        return
    for edge in some.to_dict("records"):
        low, high = (points(end, sign=True) for end in interval_of(edge))
        interval = f" ({low} to {high})" if low else ""
        yield f"{edge['verdict']}, {points(edge['gain'], sign=True)}{interval}"
