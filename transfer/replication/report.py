"""Tables 1 to 6 and Figure 2 as files: CSV for programs, Markdown and LaTeX for people, one page for all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from transfer.analysis.tables import escaped, to_csv, to_markdown
from transfer.replication import cells, paper, table1, tables
from transfer.replication.cells import Source
from transfer.reporting.captions import table_caption
from transfer.reporting.folder import write_folder
from transfer.reporting.latex import to_latex
from transfer.reporting.panels import Panels
from transfer.reporting.sentences import BANNER, SYNTHETIC
from transfer.store import Store

PAGE = "paper.md"
OURS = ("table_[1-6].*", "figure_2.*", "figure_2_text.*", PAGE)


@dataclass(frozen=True)
class Sheet:
    """A table ready to be written: its cells, its form for people, and all that stands below it."""

    number: int
    title: str
    cells: pd.DataFrame
    shown: pd.DataFrame
    how: str
    footnotes: tuple[str, ...]
    gaps: tuple[str, ...]


@dataclass(frozen=True)
class Replication:
    """Measured tables and figure of the paper, from a folder of grids.

    ``edges`` are those of the halves of Figure 2 that were run; ``figure`` is there where both have some,
    else ``no_figure`` says why it is not. ``left_out`` tells of grids that fill no cell.
    """

    name: str
    sources: tuple[Source, ...]
    edges: Mapping[str, pd.DataFrame]
    figure: Panels | None
    no_figure: str
    left_out: tuple[str, ...] = ()

    @property
    def synthetic(self) -> bool:
        """Whether anything was measured on generated corpora."""
        return any(s.record.source == "synthetic" for s in self.sources if s.record)


def sheets(found: Replication, store: Store) -> list[Sheet]:
    """Tables 1 to 6 from what the store has."""
    counts, notes = cells.corpora_cells(found.sources)
    counted = f"Counts of the whole corpora as they are prepared; published: {table1.SOURCE}."
    first = Sheet(
        1,
        "The corpora",
        counts,
        tables.corpora_matrix(counts),
        counted,
        (*paper.TABLE_1_FOOTNOTES, *notes),
        tuple(tables.gaps(counts)),
    )
    measured = cells.measured(found.sources, store)
    rest = []
    for table in paper.tables():
        frame = cells.table_cells(table, measured)
        rest.append(
            Sheet(
                table.number,
                table.title,
                frame,
                tables.matrix(table, frame),
                _how(table, frame),
                table.footnotes,
                tuple(tables.gaps(frame)),
            )
        )
    return [first, *rest]


def _how(table: paper.Table, frame: pd.DataFrame) -> str:
    seeds, encoders = tables.seeds_of(frame), tables.who_was_measured(frame)
    text = f"Test scores in points; published: Table {table.number} of {paper.SOURCE}. "
    if not seeds:
        return text + "Nothing was measured."
    text += f"Measured: the mean of {seeds}, with its 95% CI (t) where seeds differ. "
    if any(row.arm == "longer single" for row in table.rows):
        text += (
            "Trained longer: alone, then alone for the epochs of the fine-tuning too, so that the gain of "
            "fine-tuning can be told from that of longer training. "
        )
    return f"{text}Encoders that were measured: {'; '.join(encoders)}."


def write(found: Replication, store: Store, *, out: Path) -> list[Path]:
    """Write all files into ``out`` and return them, the page last."""
    all_sheets = sheets(found, store)
    said = tables.statements(
        found.edges,
        {
            letter: source.record.source
            for letter, source in cells.halves(found.sources).items()
            if source.record
        },
    )
    texts = {"figure_2_text.csv": to_csv(said)}
    for sheet in all_sheets:
        stem = f"table_{sheet.number}"
        texts[f"{stem}.csv"] = to_csv(sheet.cells)
        texts[f"{stem}.md"] = f"{_mark(found)}{_markdown(sheet, level=1)}"
        texts[f"{stem}.tex"] = to_latex(
            sheet.shown,
            caption=table_caption(
                [f"{sheet.title}.", sheet.how, *sheet.footnotes], synthetic=found.synthetic, gaps=sheet.gaps
            ),
            label=f"tab:paper-{sheet.number}",
            keys=2 if sheet.number > 1 else 1,
        )
    if found.figure:
        texts["figure_2.csv"] = to_csv(found.figure.table)
    texts[PAGE] = _page(found, all_sheets, said)
    return write_folder(out, texts, draw=lambda folder: _figure_2(found.figure, folder), ours=OURS)


def _figure_2(panels: Panels | None, folder: Path) -> list[Path]:
    from transfer.reporting import figures  # matplotlib loads here, not with the command line

    if panels is None:
        return []
    drawn = figures.draw_panels(panels.pictures, caption=panels.caption)
    return figures.save(drawn, folder / "figure_2", title=panels.title)


def _mark(found: Replication) -> str:
    return f"> **{BANNER}** {SYNTHETIC}\n\n" if found.synthetic else ""


def _markdown(sheet: Sheet, *, level: int) -> str:
    parts = [
        f"{'#' * level} Table {sheet.number}: {sheet.title}\n",
        f"{escaped(sheet.how)}\n",
        to_markdown(sheet.shown),
        _listed(sheet.footnotes),
    ]
    if sheet.gaps:
        parts.append(f"Empty or incomplete:\n\n{_listed(sheet.gaps)}")
    return "\n".join(parts)


def _listed(lines: Sequence[str]) -> str:
    return "".join(f"- {escaped(line)}\n" for line in lines)


def _page(found: Replication, all_sheets: Sequence[Sheet], said: pd.DataFrame) -> str:
    parts = [
        f"# {escaped(found.name)}: the tables and the figure of {paper.SOURCE}\n",
        _mark(found).rstrip("\n") + "\n" if found.synthetic else "",
        "Each measured cell stands beside the published one; cells that were not run are empty and listed.\n",
        f"{_listed(found.left_out)}" if found.left_out else "",
        *(_markdown(sheet, level=2) for sheet in all_sheets),
        "## Figure 2: which pairs help\n",
    ]
    if found.figure:
        parts.append(f"![The graphs of both halves](figure_2.svg)\n\n*{escaped(found.figure.caption)}*\n")
    else:
        parts.append(f"The figure is not drawn: {escaped(found.no_figure)}\n")
    shown = said.drop(columns="data_source")
    parts += [
        "Statements of the paper beside the measured verdicts (gains in points):\n",
        to_markdown(shown),
    ]
    parts.append(_listed(paper.FIGURE_2_FOOTNOTES))
    return "\n".join(part for part in parts if part)
