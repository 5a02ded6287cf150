"""The figures of a report as files, one set for each stage, and the graph for other programs."""

from collections.abc import Sequence
from pathlib import Path

from transfer.analysis import tables
from transfer.analysis.graph import TransferGraph
from transfer.analysis.report.findings import STAGES, Findings
from transfer.analysis.report.sentences import caption


def draw_all(found: Findings, folder: Path) -> list[Path]:
    """The figures of each stage; where there is no edge, one graph of the bare nodes."""
    from transfer.analysis import figures  # matplotlib loads here, not with the command line

    nodes = [dict(zip(found.corpora.columns, row, strict=True)) for row in found.corpora.to_numpy()]
    mark = f"{figures.BANNER}: " if found.synthetic else ""
    words = {"caption": caption(found), "source": found.source}
    made = []
    for stage in found.stages or [STAGES[0]]:
        rows = found.edges[found.edges["stage"] == stage]
        graph_name, heat_name, forest_name, scatter_name = figure_names(stage, found.stages)
        graph = TransferGraph.from_edges(rows, nodes=nodes, data_source=found.source)
        graph.write_graphml(folder / f"{graph_name}.graphml")
        graph.write_json(folder / f"{graph_name}.json")
        made += [folder / f"{graph_name}.graphml", folder / f"{graph_name}.json"]
        drawing = figures.draw_graph(graph.picture(), **words)
        made += figures.save(drawing, folder / graph_name, title=f"{mark}transfer graph")
        drawing = figures.gains_heatmap(
            tables.gain_matrix(rows, column="gain", order=found.order),
            tables.gain_matrix(rows, column="verdict", order=found.order),
            **words,
        )
        made += figures.save(drawing, folder / heat_name, title=f"{mark}gains")
        drawing = figures.draw_forest(rows, smallest_effect=found.smallest_effect, **words)
        made += figures.save(drawing, folder / forest_name, title=f"{mark}gains with intervals")
        seeds = found.seed_gains[found.seed_gains["stage"] == stage]
        drawing = figures.draw_scatter(seeds, order=found.order, **words)
        made += figures.save(drawing, folder / scatter_name, title=f"{mark}scores of each seed")
    return made


def figure_names(stage: str, stages: Sequence[str]) -> tuple[str, str, str, str]:
    """Of graph, heat map, forest and scatter; the first stage's are plain, the others say their stage."""
    tail = "" if stage == [*stages, stage][0] else f"_{stage}"
    return f"graph{tail}", f"gains{tail}", f"forest{tail}", f"seeds{tail}"
