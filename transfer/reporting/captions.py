"""The captions of all figures and of the tables in LaTeX: everything that lets a picture stand alone."""

from collections.abc import Iterable, Sequence

import pandas as pd

from transfer.analysis.study import Study
from transfer.records import without_paths

CORRECTIONS = {"bh": "Benjamini-Hochberg", "holm": "Holm"}
MARK = "SYNTHETIC DATA"
GENERATED = f"{MARK}: generated corpora, not real text"
EDGE = "Gain of each target from each partner (partner → target) over single-task training, in points"
# of each figure of a report
FIGURES = {
    "graph": f"{EDGE}.",
    "heatmap": f"{EDGE}; partners in rows, targets in columns.",
    "forest": f"{EDGE}, with 95% CIs; those of claims are adjusted for selection.",
    "scatter": "Test scores of each target, one mark per seed: single-task (across), with each partner (up).",
}


def report_caption(study: Study, figure: str) -> str:
    """The caption of one of a report's figures, so that it can stand alone."""
    data = GENERATED if study.synthetic else f"Corpora: {', '.join(study.order)}"
    rule = verdict_rule(study.smallest_effect, f"p < 0.05 after {CORRECTIONS[study.correction]} correction")
    return f"{FIGURES[figure]} {data}. Trained with {setting(study, study.edges)}. {rule}"


def edges_caption(study: Study) -> str:
    """The caption of the table of edges in LaTeX."""
    return report_caption(study, "graph")


def panels_caption(panels: Iterable[tuple[str, str, str]], smallest_effect: float) -> str:
    """The caption of several graphs; a panel is its letter, its grid's name and how that grid was run."""
    told = " ".join(f"({letter}) {name}: {how}." for letter, name, how in panels)
    return f"{EDGE}. {told} {verdict_rule(smallest_effect, 'significant after correction within each grid')}"


def comparison_caption(base: str, *, smallest_effect: float, synthetic: bool, paired: str) -> str:
    """The caption of a comparison of methods; `paired` says what the differences are paired by."""
    return (
        f"{f'{GENERATED}. ' if synthetic else ''}Left: {EDGE[0].lower()}{EDGE[1:]}, with 95% CI, "
        f"under each method. Filled: improves or harms. Ringed: the verdict differs from that under {base}. "
        f"Right, and in numbers: the gain minus the gain under {base}, {paired}. Filled and bold: "
        "significant after correction over all differences, and at least "
        f"{100 * smallest_effect:g} points (the band)."
    )


def table_caption(sentences: Sequence[str], *, synthetic: bool, gaps: Sequence[str] = ()) -> str:
    """The caption of a table in LaTeX; `gaps` are its empty or incomplete cells."""
    mark, empty = f"{MARK}." if synthetic else "", f"Empty or incomplete: {'; '.join(gaps)}." if gaps else ""
    return " ".join(part for part in (mark, *sentences, empty) if part)


def verdict_rule(smallest_effect: float, significant: str) -> str:
    """Meaning of the verdicts, for captions."""
    return (
        f"Improves, harms: {significant}, and at least {100 * smallest_effect:g} points. "
        "No effect: shown to be smaller than that. Inconclusive: neither."
    )


def setting(study: Study, edges: pd.DataFrame) -> str:
    """Encoder and recipe of the jobs that are done, and the number of seeds of some edges."""
    done = study.results[study.results["status"] == "done"]
    fewest, most = (int(n) for n in (edges["seeds"].min(), edges["seeds"].max())) if len(edges) else (0, 0)
    seeds = f"{fewest} to {most} seeds" if fewest < most else seeds_of(most or done["seed"].nunique())
    encoders, recipes = (without_paths(", ".join(sorted(set(done[name])))) for name in ("encoder", "recipe"))
    return f"encoder {encoders or 'none'}, recipe {recipes or 'none'}, {seeds}"


def seeds_of(count: int) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{count} seed" if count == 1 else f"{count} seeds"
