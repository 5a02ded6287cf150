"""The picture of the graph as plain numbers: nodes on a ring, one arc for each direction, labels.

`figures` and the page draw it. Lengths are inches from the center of the ring; line widths are points.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import networkx as nx
import numpy as np

from transfer.analysis.graph import CLAIMS, TransferGraph
from transfer.analysis.tables import UNDEFINED, points
from transfer.reporting.graph_layout import GAP, arcs, half_head, label_spots
from transfer.reporting.palette import light

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


def lay_out(graph: TransferGraph, *, widest: float | None = None) -> GraphPicture:
    """Where everything stands: deterministic, and independent of the order of the edges.

    `widest` is the gain of the widest line; graphs side by side share one, else it is the graph's own.
    """
    digraph = graph.digraph
    nodes, ring, radius = _ring(digraph)
    places = {node.name: np.array([node.x, node.y]) for node in nodes}
    # Claims first: they get the best places for their labels. They are drawn last.
    ranked = sorted(
        digraph.edges(data=True),
        key=lambda edge: (edge[2]["verdict"] not in CLAIMS, -abs(edge[2].get("gain", 0.0)), edge[:2]),
    )
    ranked, note = _legible(ranked, len(nodes))
    many, widest = len(nodes) > MANY, widest_line(graph) if widest is None else widest
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
    spots = label_spots(paths, labels[:count], weights, nodes=np.array([*places.values()]), radius=radius) + [
        None
    ] * (len(ranked) - count)
    marks = [
        _edge_mark(edge, style, path, label if spot else "", spot or (0.0, 0.0))
        for edge, style, path, label, spot in zip(ranked, styles, paths, labels, spots, strict=True)
    ]
    if bare := sum(not spot for spot in spots[:count]):
        note = f"{note} {bare} numbers found no room; edges.csv has them."
    pairs = len(nodes) * (len(nodes) - 1)
    if absent := pairs - digraph.number_of_edges():
        note = f"{note} Not measured: {absent} of {pairs} directed pairs."
    note = note.strip()
    return GraphPicture(nodes, tuple(reversed(marks)), ring, radius, widest, note)


def widest_line(*graphs: TransferGraph) -> float:
    """The gain of the widest line in pictures that share a scale: the largest claimed one, or FULL_GAIN."""
    return max([FULL_GAIN, *(graph.largest_claim for graph in graphs)])


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
