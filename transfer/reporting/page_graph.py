"""The graph's pictures for the page, one for wide and one for narrow screens, in pixels as JSON."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from transfer.analysis.graph import TransferGraph
from transfer.reporting.graph_layout import bar_width, with_head
from transfer.reporting.graph_picture import MANY, EdgeMark, Frame, GraphPicture, lay_out, name_boxes

NAME, LABEL = 13.5, 11.5  # pixels, the type sizes of page.css
EDGE = 0.08  # inches around everything


class Scale(NamedTuple):
    """A frame on a screen: pixels per inch, and the picture's width in pixels."""

    per_inch: float
    pixels: int
    names: str
    node: float  # the node's radius in pixels
    labels: int

    @property
    def frame(self) -> Frame:
        """The frame that this scale makes room for."""
        name, label = (72 * size / self.per_inch for size in (NAME, LABEL))
        width = self.pixels / self.per_inch - 2 * EDGE
        return Frame(width, self.names, self.node / self.per_inch, name, label, self.labels)


WIDE = Scale(100, 780, "beside", 14, 60)
NARROW = Scale(55, 350, "above", 10, 24)
RADIAL = Scale(60, 780, "radial", 6, 60)


def page_pictures(graph: TransferGraph, edges: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    """The widest picture first; `edges` (source, target) gives the order of the edges in each."""
    scales = (RADIAL,) if len(graph.digraph) > MANY else (WIDE, NARROW)
    return [_in_pixels(lay_out(graph, frame=scale.frame), scale, edges) for scale in scales]


def _in_pixels(picture: GraphPicture, scale: Scale, edges: Sequence[tuple[str, str]]) -> dict[str, Any]:
    marks = {(mark.source, mark.target): mark for mark in picture.edges}
    boxes = [box for node in picture.nodes for box in name_boxes(node, scale.frame)]
    ends = [
        *(box.y + sign * box.half_height for box in boxes for sign in (-1, 1)),
        *(y for mark in picture.edges for _, y in mark.path),
        *(node.y + sign * picture.node_radius for node in picture.nodes for sign in (-1, 1)),
    ]
    top, low = max(ends) + EDGE, min(ends) - EDGE
    per, middle = scale.per_inch, scale.pixels / 2

    def at(x: float, y: float) -> tuple[float, float]:
        return round(middle + per * x, 1), round(per * (top - y), 1)

    def path(points: np.ndarray) -> str:
        return "L".join("{:g},{:g}".format(*at(*point)) for point in points)

    def drawn(mark: EdgeMark) -> dict[str, Any]:
        """The line as the part of its quadratic curve before the head, and a straight end."""
        curve = np.array(mark.path)
        line, head = with_head(curve, mark.head, mark.width)
        part = (len(line) - 2) / (len(curve) - 1)
        control = 2 * curve[len(curve) // 2] - (curve[0] + curve[-1]) / 2
        bow = curve[0] + part * (control - curve[0])
        label = {"label": [*at(mark.label_x, mark.label_y), mark.label]} if mark.label else {}
        return {
            "line": f"M{path(line[:1])}Q{path(bow[None])} {path(line[-2:])}",
            "head": f"M{path(head)}" + ("Z" if mark.head == "arrow" else ""),
            "width": round(per * mark.width / 72, 2),
            "head_width": round(per / 72 * (bar_width(mark.width) if mark.head == "tee" else mark.width), 2),
        } | label

    return {
        "width": scale.pixels,
        "height": round(per * (top - low)),
        "radius": scale.node,
        "nodes": [
            [*at(node.x, node.y), *at(node.text_x, node.text_y), node.align, round(-node.turn, 2), node.shown]
            for node in picture.nodes
        ],
        "edges": [drawn(marks[edge]) for edge in edges],
    }
