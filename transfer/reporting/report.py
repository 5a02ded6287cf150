"""The report of one grid: every table, figure and sentence, as a function of the store's frame.

Equal input gives equal files; nothing here reads a clock, a path or a corpus's text.
"""

import os
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pandas as pd

from transfer.analysis.evidence import Cell, Evidence
from transfer.analysis.findings import MIXED, Findings, findings
from transfer.analysis.flags import Flags
from transfer.analysis.rerun import Rerun
from transfer.analysis.tables import CorpusRow, results, to_csv
from transfer.analysis.watch import Watch, nobody
from transfer.reporting.figure_files import draw_all
from transfer.reporting.html_report import report_html
from transfer.reporting.markdown_report import report_md
from transfer.reporting.paste_tables import to_paste
from transfer.reporting.sentences import sentence

__all__ = ["MIXED", "sentence", "write_report"]

OURS = ("graph*.*", "gains*.*", "forest*.*", "seeds*.*", "table_*.*")  # names that only a report gives


def write_report(
    frame: pd.DataFrame,
    *,
    out: Path,
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
    watch: Watch = nobody,
) -> list[Path]:
    """Writes the whole report of a grid into `out` and returns the files, `report.html` last.

    `frame` is the store's tidy frame (see `gains`), `corpora` the grid's corpora in its order,
    `settings` what the page shows of how it was run, `smallest_effect` a fraction (0.005 is
    half a point), `edges` the verdicts (without them: one look at all seeds) and `correction`
    theirs, `controls` those that the grid asks for, `evidence` what the arms predicted (see
    `gains.edges`), `expected` the cells the grid promises (without it: what the frame implies),
    `curves` the learning curves (see `curves.curves`), `rerun` how all this is made again,
    `stage_seeds` the seeds that stages are compared in (without it: all; see `stages`), `flags` the
    arms that did not learn (without it: made of the others; see `flags`), `watch` is told how far it is.
    The files are made beside their places and then moved in, so none is ever half-written.
    Raises ValueError where `source` is unknown or the frame says another one.
    """
    found = findings(
        frame,
        title=title,
        corpora=corpora,
        settings=settings,
        smallest_effect=smallest_effect,
        source=source,
        edges=edges,
        controls=controls,
        correction=correction,
        evidence=evidence,
        expected=expected,
        curves=curves,
        rerun=rerun,
        stage_seeds=stage_seeds,
        flags=flags,
    )
    watch("pages", 0, 1)
    texts = {
        **_csv(found),
        **to_paste(found),
        "report.md": report_md(found),
        "report.html": report_html(found),
    }
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out, prefix=".report-") as folder:
        made = draw_all(found, Path(folder), watch=watch)
        for name, text in texts.items():
            path = Path(folder, name)
            path.write_text(text, encoding="utf-8")
            made.append(path)
        # The pages are moved in last: what they refer to is there.
        made.sort(
            key=lambda path: ("report.md", "report.html").index(path.name) if path.stem == "report" else -1
        )
        for path in made:
            os.replace(path, out / path.name)
    for path in {p for pattern in OURS for p in out.glob(pattern)} - {out / p.name for p in made}:
        path.unlink()  # an earlier report's: a stage that is gone, cells that are no longer missing
    return [out / path.name for path in made]


def _csv(found: Findings) -> dict[str, str]:
    """The tables as CSV, each with a column that says whether the data is synthetic."""
    texts = {
        "results.csv": to_csv(results(found.frame)),
        "edges.csv": to_csv(found.edges.assign(data_source=found.source)),
        "table_groups.csv": to_csv(found.groups.assign(data_source=found.source)),
        "table_scores.csv": to_csv(found.scores.assign(source=found.source)),
        "table_corpora.csv": to_csv(found.corpora),
    }
    for name, table in found.controls.items():
        texts[f"table_{name.replace('-', '_')}.csv"] = to_csv(table.assign(data_source=found.source))
    if len(found.contrasts):
        texts["table_stages.csv"] = to_csv(found.contrasts.assign(data_source=found.source))
        texts["table_stage_means.csv"] = to_csv(found.means.assign(data_source=found.source))
    if len(found.flags):
        texts["table_flags.csv"] = to_csv(found.flags.assign(source=found.source))
    if len(found.missing):
        texts["table_missing.csv"] = to_csv(found.missing.assign(source=found.source))
    return texts
