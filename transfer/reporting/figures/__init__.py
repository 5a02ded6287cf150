"""Drawings of what the analysis found; the only room that imports matplotlib.

Nothing is computed from scores here: a picture's numbers come from `graph`, `gains` and `tables`.
Figures are built without pyplot, and the files of equal figures are equal byte for byte.
"""

from transfer.reporting.figures.canvas import BANNER, save
from transfer.reporting.figures.comparison import draw_comparison
from transfer.reporting.figures.forest import draw_forest
from transfer.reporting.figures.graph import draw_graph
from transfer.reporting.figures.heatmap import gains_heatmap
from transfer.reporting.figures.panels import draw_panels
from transfer.reporting.figures.scatter import draw_scatter

__all__ = [
    "BANNER",
    "draw_comparison",
    "draw_forest",
    "draw_graph",
    "draw_panels",
    "draw_scatter",
    "gains_heatmap",
    "save",
]
