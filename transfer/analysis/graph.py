"""The directed improve/harm graph as numbers (Peng et al. 2020, Figure 2)."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import networkx as nx
import pandas as pd

from transfer.analysis.verdicts import CLAIMS

NODE_ATTRIBUTES = ("kind", "metric", "domain")
# of an edge; the adjusted interval where it is claimed
GAIN_ATTRIBUTES = ("gain", "ci_low", "ci_high", "ci_low_selected", "ci_high_selected")


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
    def largest_claim(self) -> float:
        """The largest claimed gain in absolute value; 0 where nothing is claimed."""
        edges = (data for *_, data in self.digraph.edges(data=True))
        return max((abs(data["gain"]) for data in edges if data["verdict"] in CLAIMS), default=0.0)
