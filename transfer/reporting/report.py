"""The report of one grid: every table, figure and sentence, as a function of its study.

Equal input gives equal files; nothing here reads a clock, a path or a corpus's text.
"""

from pathlib import Path

from transfer.analysis.saved import FILE, to_json
from transfer.analysis.study import Study
from transfer.analysis.tables import to_csv
from transfer.analysis.watch import Watch, nobody
from transfer.reporting.figure_files import draw_all
from transfer.reporting.folder import write_folder
from transfer.reporting.html_report import report_html
from transfer.reporting.markdown_report import report_md
from transfer.reporting.paste_tables import to_paste

OURS = ("graph*.*", "gains*.*", "forest*.*", "seeds*.*", "table_*.*")  # names that only a report gives


def write_report(found: Study, *, out: Path, watch: Watch = nobody) -> list[Path]:
    """Write the whole report of a study into `out` and return the files, `report.html` last.

    `watch` is told how far it is.
    """
    watch("pages", 0, 1)
    texts = {
        FILE: f"{to_json(found)}\n",
        **_csv(found),
        **to_paste(found),
        "report.md": report_md(found),
        "report.html": report_html(found),
    }
    return write_folder(out, texts, draw=lambda folder: draw_all(found, folder, watch=watch), ours=OURS)


def _csv(found: Study) -> dict[str, str]:
    """The tables as CSV, each with a column that says whether the data is synthetic."""
    texts = {
        "results.csv": to_csv(found.results),
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
