"""The tables that stand alone, ready to paste: Markdown for pages, LaTeX for papers."""

from transfer.analysis.study import Study
from transfer.analysis.tables import corpora_shown, to_markdown
from transfer.reporting.captions import edges_caption, table_caption
from transfer.reporting.gain_tables import in_points
from transfer.reporting.latex import to_latex
from transfer.reporting.markdown_report import MARK, scores_md, stages_md
from transfer.reporting.sentences import SCORES

EDGES_BY = ("stage", "target", "metric")  # what rows of edges share stands above them


def to_paste(found: Study) -> dict[str, str]:
    """The edges and scores in both forms, the corpora in Markdown, by file name."""
    edges = in_points(found.edges)
    pages = {
        "table_edges.md": f"Gains in points.\n\n{to_markdown(edges)}",
        "table_scores.md": scores_md(found),
        "table_corpora.md": to_markdown(corpora_shown(found.corpora)),
    }
    if stages := stages_md(found):
        pages["table_stages.md"] = stages
    scores = [
        to_latex(
            matrix,
            caption=table_caption([SCORES, f"Stage: {stage}."], synthetic=found.synthetic),
            label=f"tab:scores-{stage}",
        )
        for stage, matrix in found.matrices.items()
    ]
    # under each target its partners; refinement comes before fine-tuning
    ordered = found.edges.sort_values(["stage", "target", "source"], ascending=[False, True, True])
    papers = {
        "table_edges.tex": to_latex(
            in_points(ordered).drop(columns="flag", errors="ignore"),  # the report has the flags in full
            caption=edges_caption(found),
            label="tab:edges",
            by=EDGES_BY[len(found.stages) < 2 :],
        ),
        "table_scores.tex": "\n".join(scores),
    }
    return {name: f"{MARK}\n{text}" if found.synthetic else text for name, text in pages.items()} | papers
