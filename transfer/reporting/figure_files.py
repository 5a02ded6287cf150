"""The figures of a report as files, one set for each stage, and the graph for other programs."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from transfer.analysis import tables
from transfer.analysis.graph import TransferGraph
from transfer.analysis.study import STAGES, Study
from transfer.analysis.watch import Watch, nobody
from transfer.reporting.captions import report_caption
from transfer.reporting.graph_picture import lay_out

TITLES = ("transfer graph", "gains", "gains with intervals", "scores of each seed")


def draw_all(found: Study, folder: Path, *, watch: Watch = nobody) -> list[Path]:
    """The figures of each stage; where there is no edge, one graph of the bare nodes."""
    from transfer.reporting import figures  # matplotlib loads here, not with the command line

    mark = f"{figures.BANNER}: " if found.synthetic else ""
    stages = found.stages or [STAGES[0]]
    made = []
    for number, stage in enumerate(stages):
        graph, names = found.transfer_graph(stage), figure_names(stage, found.stages)
        graph.write_graphml(folder / f"{names[0]}.graphml")
        graph.write_json(folder / f"{names[0]}.json")
        made += [folder / f"{names[0]}.graphml", folder / f"{names[0]}.json"]
        drawings = _drawings(found, stage, graph)
        for place, (name, title) in enumerate(zip(names, TITLES, strict=True)):
            watch("figures", len(TITLES) * number + place, len(TITLES) * len(stages))
            made += figures.save(next(drawings), folder / name, title=f"{mark}{title}")
    return made


def _drawings(found: Study, stage: str, graph: TransferGraph) -> Iterator[Any]:
    """Graph, heat map, forest and scatter of a stage, each drawn when it is asked for."""
    from transfer.reporting import figures

    def words(figure: str) -> dict[str, str]:
        return {"caption": report_caption(found, figure), "source": found.source}

    edges = found.edges[found.edges["stage"] == stage]
    yield figures.draw_graph(lay_out(graph), **words("graph"))
    gain, verdict = (tables.gain_matrix(edges, column=c, order=found.order) for c in ("gain", "verdict"))
    yield figures.gains_heatmap(gain, verdict, **words("heatmap"))
    yield figures.draw_forest(edges, smallest_effect=found.smallest_effect, **words("forest"))
    seed_gains = found.seed_gains[found.seed_gains["stage"] == stage]
    yield figures.draw_scatter(seed_gains, order=found.order, **words("scatter"))


def figure_names(stage: str, stages: Sequence[str]) -> tuple[str, str, str, str]:
    """File names of graph, heat map, forest and scatter; stages after the first are part of the name."""
    tail = "" if stage == [*stages, stage][0] else f"_{stage}"
    return f"graph{tail}", f"gains{tail}", f"forest{tail}", f"seeds{tail}"
