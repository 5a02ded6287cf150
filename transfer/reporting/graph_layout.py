"""Layout of a graph's arcs and labels: geometry only, in inches."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

LABEL_SIZE = 7.0  # printers' points
GAP = 0.04  # between an arc's end and its node
HEAD = 0.11  # length of an arrowhead
POINTS = 81  # of an arc
ROUNDS = 3  # in which labels choose their places
NEAR = 0.08  # between two labels that could be mistaken for each other
APART = 0.012  # between two ends at a node
PASS = 0.25  # between a curve and a node that it passes, before its ends are moved
PART = 0.5  # between the bends of two edges that join the same nodes
MOST_TURNED = math.radians(270)  # of a node's rim that ends may take; its name stands at the rest


class Box(NamedTuple):
    """A rectangle: its center and half its size."""

    x: float
    y: float
    half_width: float
    half_height: float

    def meets(self, other: "Box") -> bool:
        """Whether the two share any room."""
        across = abs(self.x - other.x) < self.half_width + other.half_width
        return across and abs(self.y - other.y) < self.half_height + other.half_height


def text_width(text: str, size: float) -> float:
    """A generous estimate of a text's width in inches at a type size in printers' points."""
    return 0.64 * size / 72 * len(text)


def half_head(head: str, width: float) -> float:
    """Half of an arrowhead's breadth ('arrow', 'tee', 'open') on a line of so many printers' points."""
    return {"arrow": 1.0, "tee": 1.5, "open": 0.8}[head] * (0.42 * HEAD + 0.012 * width)


def with_head(path: np.ndarray, head: str, width: float) -> tuple[np.ndarray, np.ndarray]:
    """An arc [n, 2] cut where its head begins, and the head: corners (arrow), ends (tee) or barbs (open)."""
    tip = path[-1]
    behind = path[np.hypot(*(path - tip).T) >= HEAD]
    base = behind[-1]
    along = (tip - base) / np.hypot(*(tip - base))
    side = np.array([-along[1], along[0]]) * half_head(head, width)
    # a tee's bar ends where the edge does, not in the node
    short = {"arrow": 0.7 * HEAD, "tee": bar_width(width) / 144, "open": 0.0}[head]
    line = np.vstack([behind, tip - along * short])
    if head == "arrow":
        return line, np.array([tip, tip - along * HEAD - side, tip - along * HEAD + side])
    if head == "tee":
        middle = tip - along * short
        return line, np.array([middle - side, middle + side])
    return line, np.array([tip - along * HEAD * 0.8 - side, tip, tip - along * HEAD * 0.8 + side])


def bar_width(width: float) -> float:
    """The thickness of a tee's bar on a line of so many printers' points."""
    return width + 1.0


def arcs(
    places: Mapping[str, np.ndarray],
    edges: Sequence[tuple[str, str]],
    needs: Sequence[tuple[float, float]],
    *,
    clearance: float,
) -> list[np.ndarray]:
    """A curve for each edge, bent to the right of its way, so that a pair's edges part; each [POINTS, 2].

    Curves begin and end `clearance` from the centres of their nodes (`places`). `needs` says how much
    room to either side an edge's start and tip take; at every node the ends keep their order and
    are moved along the rim as little as it takes that no two share room (least squares: an
    isotonic regression), as far as the rim has room for all.
    """
    from scipy.optimize import isotonic_regression  # slow to import, needed only here

    controls = _controls(places, edges, clearance=clearance)
    rims = np.empty((len(edges), 2, 2))  # where each edge starts and where it ends
    for name, centre in places.items():
        ends = [(row, end) for row, edge in enumerate(edges) for end in (0, 1) if edge[end] == name]
        if not ends:
            continue
        inwards = math.atan2(-centre[1], -centre[0])
        angles = np.array([math.atan2(*(controls[row] - centre)[::-1]) - inwards for row, _ in ends])
        angles = (angles + math.pi) % (2 * math.pi) - math.pi
        order = np.argsort(angles, kind="stable")
        half = np.array([needs[ends[k][0]][ends[k][1]] + APART / 2 for k in order]) / clearance
        half *= min(1.0, MOST_TURNED / (2 * half.sum()))
        middles = np.cumsum(2 * half) - half
        turned = isotonic_regression(angles[order] - middles).x + middles + inwards
        for k, angle in zip(order, turned, strict=True):
            rims[ends[k]] = centre + clearance * np.array([math.cos(angle), math.sin(angle)])
    t = np.linspace(0, 1, POINTS)[:, None]
    return [
        np.round((1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * tip, 6)
        for (start, tip), control in zip(rims, controls, strict=True)
    ]


def _controls(
    places: Mapping[str, np.ndarray], edges: Sequence[tuple[str, str]], *, clearance: float
) -> list[np.ndarray]:
    """Control points of the edges' quadratic curves, each to the right of the middle of its edge.

    A curve bends less, or the other way, where it would run over a node; then its counterpart bends more.
    """
    others = np.array([*places.values()])
    free = {}
    for source, target in {(s, t) for pair in edges for s, t in (pair, pair[::-1])}:
        start, way = places[source], places[target] - places[source]
        length = float(np.hypot(*way))
        right = np.array([way[1], -way[0]]) / length
        t, aside = (others - start) @ way / length**2, (others - start) @ right
        near = (t > 0.02) & (t < 0.98) & (aside > 0)
        t, aside = t[near], aside[near]
        # the curve is 2 t (1 - t) times its bend from the straight way
        room = (aside - clearance - PASS) / (2 * t * (1 - t))
        free[source, target] = min(0.25 * length, 0.45 + 0.04 * length, *room), right
    controls = []
    for source, target in edges:
        bend, right = free[source, target]
        back, _ = free[target, source]
        bend = max(bend, PART - back) if back < bend else bend
        controls.append((places[source] + places[target]) / 2 + bend * right)
    return controls


def label_spots(
    paths: Sequence[np.ndarray],
    labels: Sequence[str],
    weights: Sequence[float],
    *,
    taken: Sequence[Box],
    size: float = LABEL_SIZE,
) -> list[tuple[float, float] | None]:
    """For each label the place on its own arc that covers least; None where none is free.

    The arcs may be more than the labels; those without one come last.

    A label never covers another label, an arrowhead or what is `taken` (nodes, names). Among the free
    places the one over the least of foreign arcs wins (`weights` says how much each arc counts), then the
    one that stands apart from other labels, then the one nearest to the middle of its own arc. The labels
    choose in turn and, knowing of all others, again.
    """
    tips = np.array([path[-1] for path in paths]).reshape(-1, 2)
    thin = 1 + len(paths) * POINTS // 8000  # every point of 8 nodes' arcs, every third of 16's
    arcs = np.concatenate([*(path[::thin] for path in paths), np.empty((0, 2))])
    per_arc = -(-POINTS // thin)
    others = np.array(taken, dtype=float).reshape(-1, 4)
    halves = np.array([[text_width(label, size) / 2, 0.62 * size / 72] for label in labels])
    free = []  # of each label the places that cover neither node nor head, and what they cost
    for own, (path, half) in enumerate(zip(paths, halves, strict=False)):
        places = path[POINTS // 6 : -POINTS // 6 : 2]
        foreign = np.repeat(np.where(np.arange(len(paths)) == own, 0.0, weights), per_arc)
        cost = _inside(places, arcs, half + 0.02) @ foreign
        cost += 0.1 * np.abs(np.arange(len(places)) - len(places) // 2)
        blocked = np.any(_inside(places, tips, half + HEAD / 2), axis=1)
        blocked |= np.any(_inside(places, others[:, :2], half + others[:, 2:]), axis=1)
        free.append((places, np.where(blocked, np.inf, cost)))
    spots = np.full((len(labels), 2), np.nan)
    for _ in range(ROUNDS):
        for own, (places, cost) in enumerate(free):
            spots[own] = np.nan
            there = ~np.isnan(spots[:, 0])
            room = halves[own] + halves[there]
            near = _inside(places, spots[there], room + NEAR).sum(axis=1)
            covered = np.any(_inside(places, spots[there], room + 0.04), axis=1)
            total = np.where(covered, np.inf, cost + 3.0 * near)
            best = int(np.argmin(total))
            if np.isfinite(total[best]):
                spots[own] = places[best]
    return [None if math.isnan(x) else (float(x), float(y)) for x, y in spots]


def _inside(places: np.ndarray, things: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Which things [m, 2] lie in the box of a half size around each place [n, 2]; [n, m]."""
    distance = np.abs(places[:, None, :] - things[None, :, :])
    return np.logical_and.reduce(distance < half, axis=-1)
