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

from transfer.analysis.tables import points

NODE_ATTRIBUTES = ("kind", "metric", "domain")
LABEL_SIZE, NAME_SIZE = 7.0, 10.0  # type sizes in printers' points
GAP = 0.04  # between an arc's end and its node
HEAD = 0.11  # length of an arrowhead
POINTS = 81  # of an arc
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
    "improves": EdgeStyle("#00875F", False, "arrow", 1.4),
    "harms": EdgeStyle("#B2182B", False, "tee", 1.4),
    "no effect": EdgeStyle("#8C8C8C", False, "open", 0.9),
    "inconclusive": EdgeStyle("#8C8C8C", True, "open", 0.9),
}
CLAIMS = ("improves", "harms")
PALE = "#C9C9C9"
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

        An edge carries gain, ci_low, ci_high, p_adjusted, verdict, seeds; what is undefined is
        left out. Raises ValueError for two stages or an edge to an unknown corpus.
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
            numbers = {key: round(float(row[key]), 6) for key in ("gain", "ci_low", "ci_high")}
            numbers["p_adjusted"] = float(f"{row['p_adjusted']:.4g}")
            digraph.add_edge(
                row["source"],
                row["target"],
                **{key: value for key, value in numbers.items() if not math.isnan(value)},
                verdict=str(row["verdict"]),
                seeds=int(row["seeds"]),
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
            key=lambda edge: (edge[2]["verdict"] not in CLAIMS, -abs(edge[2]["gain"]), edge[:2]),
        )
        ranked, note = _legible(ranked, len(nodes))
        paths = [_arc(places[edge[0]], places[edge[1]], radius + GAP) for edge in ranked]
        labels = [points(edge[2]["gain"], sign=True).replace("-", "−") for edge in ranked]
        weights = [3.0 if edge[2]["verdict"] in CLAIMS else 1.0 for edge in ranked]
        many = len(nodes) > MANY
        labelled = [not many or edge[2]["verdict"] in CLAIMS for edge in ranked]
        count = sum(labelled)  # claims come first
        spots = _label_spots(
            paths, labels[:count], weights, nodes=np.array([*places.values()]), radius=radius
        ) + [None] * (len(ranked) - count)
        widest = self.widest if widest is None else widest
        marks = [
            _edge_mark(edge, path, label if spot else "", spot or (0.0, 0.0), widest=widest, pale=many)
            for edge, path, label, spot in zip(ranked, paths, labels, spots, strict=True)
        ]
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


def text_width(text: str, size: float) -> float:
    """A generous estimate of a text's width in inches at a type size in printers' points."""
    return 0.64 * size / 72 * len(text)


def _ring(digraph: nx.DiGraph) -> tuple[tuple[NodeMark, ...], float, float]:
    """The nodes clockwise on a ring in their own order, with its radius and the nodes' radius."""
    count = len(digraph)
    ring = 0.0 if count == 1 else 1.0 + 0.26 * count
    radius = 0.14 + 0.018 * min(count, 8)
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


def _arc(start: np.ndarray, end: np.ndarray, clearance: float) -> np.ndarray:
    """A quadratic curve bent to the right of its way, so that a pair's edges part; [POINTS, 2]."""
    way = end - start
    length = float(np.hypot(*way))
    right = np.array([way[1], -way[0]]) / length
    control = (start + end) / 2 + min(0.25 * length, 0.45 + 0.04 * length) * right
    t = np.linspace(0, 1, 801)[:, None]
    curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
    outside = (np.hypot(*(curve - start).T) >= clearance) & (np.hypot(*(curve - end).T) >= clearance)
    first, last = np.flatnonzero(outside)[[0, -1]]
    return np.round(curve[np.linspace(first, last, POINTS).round().astype(int)], 6)


def _label_spots(
    paths: Sequence[np.ndarray],
    labels: Sequence[str],
    weights: Sequence[float],
    *,
    nodes: np.ndarray,
    radius: float,
) -> list[tuple[float, float] | None]:
    """For each label the place on its own arc that covers least; None where none is free.

    The arcs may be more than the labels; those without one come last.

    A label never covers another label, a node or an arrowhead. Among the free places the one
    over the least of foreign arcs wins (`weights` says how much each arc counts), then the one
    nearest to the middle of its own arc.
    """
    spots: list[tuple[float, float] | None] = []
    taken = np.empty((0, 4))  # centres and half sizes of the labels that stand
    tips = np.array([path[-1] for path in paths]).reshape(-1, 2)
    thin = 1 + len(paths) * POINTS // 8000  # every point of 8 nodes' arcs, every third of 16's
    arcs = np.concatenate([*(path[::thin] for path in paths), np.empty((0, 2))])
    per_arc = -(-POINTS // thin)
    half_height = 0.62 * LABEL_SIZE / 72
    for own, label in enumerate(labels):
        path = paths[own]
        half = np.array([text_width(label, LABEL_SIZE) / 2, half_height])
        places = path[POINTS // 6 : -POINTS // 6 : 2]
        foreign = np.repeat(np.where(np.arange(len(paths)) == own, 0.0, weights), per_arc)
        covered = _inside(places, arcs, half + 0.02) @ foreign
        blocked = np.any(_inside(places, tips, half + HEAD / 2), axis=1)
        blocked |= np.any(_inside(places, nodes, half + radius), axis=1)
        blocked |= np.any(_inside(places, taken[:, :2], half + taken[:, 2:] + 0.02), axis=1)
        cost = covered + 0.1 * np.abs(np.arange(len(places)) - len(places) // 2)
        best = int(np.argmin(np.where(blocked, np.inf, cost)))
        if blocked[best]:
            spots.append(None)
            continue
        spots.append((float(places[best, 0]), float(places[best, 1])))
        taken = np.vstack([taken, [*places[best], *half]])
    return spots


def _inside(places: np.ndarray, things: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Which things [m, 2] lie in the box of a half size around each place [n, 2]; [n, m]."""
    distance = np.abs(places[:, None, :] - things[None, :, :])
    return np.logical_and.reduce(distance < half, axis=-1)


def _edge_mark(
    edge: tuple[str, str, dict],
    path: np.ndarray,
    label: str,
    spot: tuple[float, float],
    *,
    widest: float,
    pale: bool,
) -> EdgeMark:
    source, target, data = edge
    style = STYLES[data["verdict"]]
    claimed = data["verdict"] in CLAIMS
    return EdgeMark(
        source,
        target,
        data["verdict"],
        PALE if pale and not claimed else style.color,
        style.dashed,
        style.head,
        width_of(data["gain"], widest=widest) if claimed else style.width,
        tuple((float(x), float(y)) for x, y in path),
        label,
        *spot,
    )
