"""The picture of the graph as plain numbers: nodes on a ring, one arc for each direction, labels.

`figures` and the page draw it. Lengths are inches from the center of the ring; line widths are points.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import networkx as nx
import numpy as np

from transfer.analysis.graph import TransferGraph
from transfer.analysis.tables import UNDEFINED, points
from transfer.analysis.verdicts import CLAIMS
from transfer.reporting.graph_layout import GAP, LABEL_SIZE, Box, arcs, half_head, label_spots, text_width
from transfer.reporting.palette import light

NAME_SIZE = 10.0  # printers' points
MANY = 12  # nodes; with more, what is not claimed is drawn pale and without numbers
SWELL = 2.6  # printers' points from the narrowest claimed line to the widest
FULL_GAIN = 0.05  # the widest line is the largest claimed gain, or this where all are smaller
AWAY = 0.12  # inches between a node and its name
LONGEST = 18  # letters of a name in a frame of fixed width; a longer one is cut


class EdgeStyle(NamedTuple):
    """Style of a verdict, distinct in form (dash and head) as well as in color."""

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


class Frame(NamedTuple):
    """The room for a picture and the sizes of its parts; the figure's own grows with the number of nodes.

    Names stand `beside` the nodes, `above` (and below) them, or along the radius (`radial`). A frame of
    fixed width has every edge, and at most `labels` numbers.
    """

    width: float | None = None  # inches, names included
    names: str = "beside"
    node_radius: float | None = None
    name_size: float = NAME_SIZE  # printers' points, like label_size
    label_size: float = LABEL_SIZE
    labels: int | None = None


FIGURE = Frame()


class NodeMark(NamedTuple):
    """A node: its place, its name and where the name stands (alignment left, center or right).

    `shown` is the name as it is written, turned counterclockwise by `turn` degrees around its place.
    """

    name: str
    detail: str
    x: float
    y: float
    text_x: float
    text_y: float
    align: str
    shown: str
    turn: float = 0.0


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
        """Number of drawn edges that improve or harm."""
        return sum(edge.verdict in CLAIMS for edge in self.edges)


def lay_out(graph: TransferGraph, *, widest: float | None = None, frame: Frame = FIGURE) -> GraphPicture:
    """The picture of a graph: deterministic, and independent of the order of the edges.

    `widest` is the gain of the widest line; graphs side by side share one, else it is the graph's own.
    """
    digraph = graph.digraph
    nodes, ring, radius = _ring(digraph, frame)
    places = {node.name: np.array([node.x, node.y]) for node in nodes}
    # Claims first: they get the best places for their labels. They are drawn last.
    ranked = sorted(
        digraph.edges(data=True),
        key=lambda edge: (edge[2]["verdict"] not in CLAIMS, -abs(edge[2].get("gain", 0.0)), edge[:2]),
    )
    ranked, note = _legible(ranked, len(nodes)) if frame.width is None else (ranked, "")
    many, widest = len(nodes) > MANY, widest_line(graph) if widest is None else widest
    styles = [_style(data, widest=widest, pale=many and frame.width is None) for *_, data in ranked]
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
    count = min(sum(labelled), len(ranked) if frame.labels is None else frame.labels)  # claims come first
    taken = [Box(x, y, radius, radius) for x, y in places.values()]
    if frame.width is not None:  # elsewhere names stand outside of all arcs
        taken += [box for node in nodes for box in name_boxes(node, frame)]
    spots = label_spots(paths, labels[:count], weights, taken=taken, size=frame.label_size)
    spots += [None] * (len(ranked) - count)
    marks = [
        _edge_mark(edge, style, path, label if spot else "", spot or (0.0, 0.0))
        for edge, style, path, label, spot in zip(ranked, styles, paths, labels, spots, strict=True)
    ]
    if bare := sum(not spot for spot in spots[:count]):
        note = f"{note} {bare} numbers found no room; edges.csv has them."
    pairs = len(nodes) * (len(nodes) - 1)
    if absent := pairs - digraph.number_of_edges():
        note = f"{note} Not measured: {absent} of {pairs} directed pairs."
    return GraphPicture(nodes, tuple(reversed(marks)), ring, radius, widest, note.strip())


def widest_line(*graphs: TransferGraph) -> float:
    """The gain of the widest line in pictures that share a scale: the largest claimed one, or FULL_GAIN."""
    return max([FULL_GAIN, *(graph.largest_claim for graph in graphs)])


def width_of(gain: float, *, widest: float) -> float:
    """Line width of a claimed gain in typographic points, where `widest` is that of the widest line."""
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


def _ring(digraph: nx.DiGraph, frame: Frame) -> tuple[tuple[NodeMark, ...], float, float]:
    """The nodes clockwise on a ring in their own order, with its radius and the nodes' radius."""
    count = len(digraph)
    ring = 0.0 if count == 1 else 1.0 + 0.26 * count
    radius = frame.node_radius or 0.14 + 0.018 * min(count, 12)
    if frame.width is not None:
        longest = max(text_width(_shorter(name), frame.name_size) for name in digraph)
        # the arcs outside of the ring need room, too
        beside = radius + (0.45 if frame.names == "above" else AWAY + longest)
        ring = min(ring, frame.width / 2 - beside)
    start = 90.0 if count % 2 else 90.0 + 180.0 / count
    marks = []
    for index, (name, data) in enumerate(digraph.nodes(data=True)):
        angle = math.radians(start - 360.0 * index / count)
        across, up = round(math.cos(angle), 9), round(math.sin(angle), 9)
        away = ring + radius + AWAY
        radial = frame.names == "radial"
        align = "center" if abs(across) < 0.05 and not radial else "left" if across > -1e-6 else "right"
        lift = 0.0 if radial else 0.14 * up * abs(up)  # two lines of text need more room above than beside
        place = np.round([ring * across, ring * up, away * across, away * up + lift], 6)
        x, y, text_x, text_y = (float(value) for value in place)
        turn = math.degrees(math.atan2(up, across)) + (180.0 if align == "right" else 0.0) if radial else 0.0
        shown = name if frame.width is None else _shorter(name)
        marks.append(NodeMark(name, data["metric"], x, y, text_x, text_y, align, shown, turn))
    return tuple(_above(marks, radius, frame) if frame.names == "above" else marks), ring, radius


def _above(marks: list[NodeMark], radius: float, frame: Frame) -> list[NodeMark]:
    """The nodes with their names above them, or below in the lower half, moved out until each is free."""
    assert frame.width is not None
    taken = [Box(node.x, node.y, radius, radius) for node in marks]
    moved: dict[str, NodeMark] = {}
    for node in sorted(marks, key=lambda node: abs(node.x)):  # from the middle outwards
        out = 1 if node.y >= 0 else -1
        room = frame.width / 2 - text_width(node.shown, frame.name_size) / 2
        x, y = max(-room, min(room, node.x)), node.y + out * (radius + 0.26)
        node = node._replace(text_x=x, text_y=y, align="center")
        while any(box.meets(other) for box in name_boxes(node, frame) for other in taken):
            node = node._replace(text_y=node.text_y + out * 0.05)
        taken += name_boxes(node, frame)
        moved[node.name] = node
    return [moved[node.name] for node in marks]


def name_boxes(node: NodeMark, frame: Frame) -> list[Box]:
    """The boxes that a node's name and detail take; a turned name takes a row of small ones."""
    width = text_width(node.shown, frame.name_size)
    if node.turn or frame.names == "radial":
        half = 0.6 * frame.name_size / 72
        steps = np.arange(0.0, width, half) * (-1 if node.align == "right" else 1)
        turn = math.radians(node.turn)
        return [
            Box(node.text_x + step * math.cos(turn), node.text_y + step * math.sin(turn), half, half)
            for step in steps
        ]
    middle = node.text_x + {"left": width / 2, "center": 0.0, "right": -width / 2}[node.align]
    return [Box(middle, node.text_y, width / 2, 1.3 * frame.name_size / 72)]


def _shorter(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"


def _style(data: Mapping, *, widest: float, pale: bool) -> EdgeStyle:
    """Style of an edge: claims are as wide as their gain, the rest is thin and possibly `pale`."""
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
