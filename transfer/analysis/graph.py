"""The directed improve/harm graph, and its picture as plain numbers (Peng et al. 2020, Figure 2).

The picture is laid out here and drawn in `figures`: nodes on a fixed ring, one arc for each
direction, labels where they cover nothing. Lengths are inches from the centre of the ring.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import numpy as np
import pandas as pd

from transfer.analysis.tables import UNDEFINED, points
from transfer.reporting.graph_layout import GAP, arcs, half_head, label_spots
from transfer.reporting.palette import light

NODE_ATTRIBUTES = ("kind", "metric", "domain")
# of an edge; the adjusted interval where it is claimed
GAIN_ATTRIBUTES = ("gain", "ci_low", "ci_high", "ci_low_selected", "ci_high_selected")
NAME_SIZE = 10.0  # printers' points
MANY = 12  # nodes; with more, what is not claimed is drawn pale and without numbers
SWELL = 2.6  # printers' points from the narrowest claimed line to the widest
FULL_GAIN = 0.05  # the widest line is the largest claimed gain, or this where all are smaller


class EdgeStyle(NamedTuple):
    """How a verdict is drawn: told apart by form (dash and head) as well as by colour."""

    color: str
    dashed: bool
    head: str  # 'arrow' (filled), 'tee' (a bar: inhibits) or 'open'
    width: float  # printers' points, at no gain


STYLES = {
    "improves": EdgeStyle(light("improves"), False, "arrow", 1.4),
    "harms": EdgeStyle(light("harms"), False, "tee", 1.4),
    "no effect": EdgeStyle(light("flat"), False, "open", 0.9),
    "inconclusive": EdgeStyle(light("flat"), True, "open", 0.9),
}
CLAIMS = ("improves", "harms")
PALE = light("pale")
CROWDED = 20  # nodes; with more, what is not claimed is not drawn at all, and of the claims only so many:
STRONGEST = 60


class NodeMark(NamedTuple):
    """A node: its place, its name and where the name stands (alignment left, center or right)."""

    name: str
    detail: str
    x: float
    y: float
    text_x: float
    text_y: float
    align: str


class EdgeMark(NamedTuple):
    """An edge: the points of its arc from source to tip, and its label (empty: no room)."""

    source: str
    target: str
    verdict: str
    color: str
    dashed: bool
    head: str
    width: float
    path: tuple[tuple[float, float], ...]
    label: str
    label_x: float
    label_y: float


class GraphPicture(NamedTuple):
    """Everything that is drawn of a graph, as plain numbers; claims come last, thus on top.

    `widest` is the gain (a fraction) whose line is the widest; `note` says what is not drawn, and is
    empty where everything is.
    """

    nodes: tuple[NodeMark, ...]
    edges: tuple[EdgeMark, ...]
    ring: float
    node_radius: float
    widest: float
    note: str = ""

    @property
    def claims(self) -> int:
        """How many of the edges drawn improve or harm."""
        return sum(edge.verdict in CLAIMS for edge in self.edges)


@dataclass(frozen=True, eq=False)
class TransferGraph:
    """Corpora as nodes, gains as directed edges; a frozen networkx DiGraph of one stage."""

    digraph: nx.DiGraph

    @classmethod
    def from_edges(
        cls, edges: pd.DataFrame, *, nodes: Sequence[Mapping[str, object]], data_source: str
    ) -> "TransferGraph":
        """The graph of one stage's `gains.edges`; `nodes` (name, kind, metric, domain) in order.

        An edge carries GAIN_ATTRIBUTES, p_adjusted, verdict, seeds, and its flag if it has one; what is
        undefined is left out. Raises ValueError for two stages or an edge to an unknown corpus.
        """
        stages = sorted(edges["stage"].unique())
        if len(stages) > 1:
            raise ValueError(f"a graph shows one stage, not {', '.join(stages)}")
        digraph = nx.DiGraph(data_source=data_source, stage="".join(stages))
        for node in nodes:
            digraph.add_node(str(node["name"]), **{key: str(node.get(key, "")) for key in NODE_ATTRIBUTES})
        for row in edges.sort_values(["source", "target"]).to_dict("records"):
            if unknown := {row["source"], row["target"]} - set(digraph):
                raise ValueError(f"edge to a corpus that is not described: {min(unknown)!r}")
            numbers = {key: round(float(row.get(key, math.nan)), 6) for key in GAIN_ATTRIBUTES}
            numbers["p_adjusted"] = float(f"{row['p_adjusted']:.4g}")
            flag = {"flag": str(row["flag"])} if row.get("flag") else {}
            digraph.add_edge(
                row["source"],
                row["target"],
                **{key: value for key, value in numbers.items() if not math.isnan(value)},
                verdict=str(row["verdict"]),
                seeds=int(row["seeds"]),
                **flag,
            )
        return cls(nx.freeze(digraph))

    @property
    def data_source(self) -> str:
        """'synthetic' or 'prepared'."""
        return self.digraph.graph["data_source"]

    def write_graphml(self, path: Path) -> None:
        """GraphML, equal bytes for equal graphs; `data_source` is an attribute of the graph."""
        text = "\n".join(nx.generate_graphml(self.digraph, named_key_ids=True))
        path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n', encoding="utf-8")

    def write_json(self, path: Path) -> None:
        """Node-link JSON (nodes, edges with source and target), as networkx, d3 and others read it."""
        data = nx.node_link_data(self.digraph, edges="edges")
        path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @property
    def widest(self) -> float:
        """The gain of the widest line: the largest that is claimed, or FULL_GAIN where all are smaller."""
        edges = (data for *_, data in self.digraph.edges(data=True))
        return max([FULL_GAIN, *(abs(data["gain"]) for data in edges if data["verdict"] in CLAIMS)])

    def picture(self, *, widest: float | None = None) -> GraphPicture:
        """Where everything stands: deterministic, and independent of the order of the edges.

        `widest` is the gain of the widest line; graphs side by side share one, else it is the graph's own.
        """
        nodes, ring, radius = _ring(self.digraph)
        places = {node.name: np.array([node.x, node.y]) for node in nodes}
        # Claims first: they get the best places for their labels. They are drawn last.
        ranked = sorted(
            self.digraph.edges(data=True),
            key=lambda edge: (edge[2]["verdict"] not in CLAIMS, -abs(edge[2].get("gain", 0.0)), edge[:2]),
        )
        ranked, note = _legible(ranked, len(nodes))
        many, widest = len(nodes) > MANY, self.widest if widest is None else widest
        styles = [_style(data, widest=widest, pale=many) for *_, data in ranked]
        paths = arcs(
            places,
            [edge[:2] for edge in ranked],
            # of many nodes what is not claimed is pale, and may lie under a claim
            [
                (0.0, 0.0) if style.color == PALE else (style.width / 144, half_head(style.head, style.width))
                for style in styles
            ],
            clearance=radius + GAP,
        )
        labels = [
            points(edge[2]["gain"], sign=True).replace("-", "−") if "gain" in edge[2] else UNDEFINED
            for edge in ranked
        ]
        weights = [3.0 if edge[2]["verdict"] in CLAIMS else 1.0 for edge in ranked]
        labelled = [not many or edge[2]["verdict"] in CLAIMS for edge in ranked]
        count = sum(labelled)  # claims come first
        spots = label_spots(
            paths, labels[:count], weights, nodes=np.array([*places.values()]), radius=radius
        ) + [None] * (len(ranked) - count)
        marks = [
            _edge_mark(edge, style, path, label if spot else "", spot or (0.0, 0.0))
            for edge, style, path, label, spot in zip(ranked, styles, paths, labels, spots, strict=True)
        ]
        if bare := sum(not spot for spot in spots[:count]):
            note = f"{note} {bare} numbers found no room; edges.csv has them."
        pairs = len(nodes) * (len(nodes) - 1)
        if absent := pairs - self.digraph.number_of_edges():
            note = f"{note} Not measured: {absent} of {pairs} directed pairs."
        note = note.strip()
        return GraphPicture(nodes, tuple(reversed(marks)), ring, radius, widest, note)


def width_of(gain: float, *, widest: float) -> float:
    """How wide the line of a claimed gain is, in printers' points, where `widest` is the widest line's."""
    # the root keeps a gain of 2 points visible beside one of 70
    return round(STYLES["improves"].width + SWELL * math.sqrt(min(abs(gain) / widest, 1.0)), 3)


def width_key(widest: float) -> tuple[float, float]:
    """Two gains whose widths explain all others: the widest line's, and a round one near a tenth of it.

    >>> width_key(0.627)
    (0.05, 0.627)
    """
    tenth = widest / 10
    power = 10.0 ** math.floor(math.log10(tenth))
    small = max(power * step for step in (1, 2, 5) if power * step <= tenth * (1 + 1e-9))
    return round(small, 9), widest


def _legible(ranked: list, nodes: int) -> tuple[list, str]:
    """The edges that can be told apart on a ring of so many nodes, and what is said of the others."""
    if nodes <= CROWDED:
        return ranked, ""
    claims = [edge for edge in ranked if edge[2]["verdict"] in CLAIMS]
    drawn = claims[:STRONGEST]
    what = f"the {len(drawn)} largest of" if len(drawn) < len(claims) else "all"
    return drawn, (
        f"Drawn: {what} {len(claims)} edges that improve or harm, of {len(ranked)} edges measured; "
        "edges.csv has every edge."
    )


def _ring(digraph: nx.DiGraph) -> tuple[tuple[NodeMark, ...], float, float]:
    """The nodes clockwise on a ring in their own order, with its radius and the nodes' radius."""
    count = len(digraph)
    ring = 0.0 if count == 1 else 1.0 + 0.26 * count
    radius = 0.14 + 0.018 * min(count, 12)
    start = 90.0 if count % 2 else 90.0 + 180.0 / count
    marks = []
    for index, (name, data) in enumerate(digraph.nodes(data=True)):
        angle = math.radians(start - 360.0 * index / count)
        across, up = round(math.cos(angle), 9), round(math.sin(angle), 9)
        away = ring + radius + 0.12
        align = "center" if abs(across) < 0.05 else "left" if across > 0 else "right"
        lift = 0.14 * up * abs(up)  # two lines of text need more room above than beside
        place = np.round([ring * across, ring * up, away * across, away * up + lift], 6)
        x, y, text_x, text_y = (float(value) for value in place)
        marks.append(NodeMark(name, data["metric"], x, y, text_x, text_y, align))
    return tuple(marks), ring, radius


def _style(data: Mapping, *, widest: float, pale: bool) -> EdgeStyle:
    """How an edge is drawn: a claim as wide as its gain says, the rest thin, or `pale`, too."""
    style = STYLES[data["verdict"]]
    if data["verdict"] in CLAIMS:
        return style._replace(width=width_of(data["gain"], widest=widest))
    return style._replace(color=PALE) if pale else style


def _edge_mark(
    edge: tuple[str, str, dict], style: EdgeStyle, path: np.ndarray, label: str, spot: tuple[float, float]
) -> EdgeMark:
    source, target, data = edge
    return EdgeMark(
        source,
        target,
        data["verdict"],
        style.color,
        style.dashed,
        style.head,
        style.width,
        tuple((float(x), float(y)) for x, y in path),
        label,
        *spot,
    )
