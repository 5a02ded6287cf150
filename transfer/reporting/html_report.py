"""`report.html`: one file that asks nothing of the network and runs nothing but its own script."""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, NamedTuple

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from transfer.analysis.study import Study
from transfer.analysis.tables import ALL, UNDEFINED, corpora_shown, minus, points
from transfer.analysis.verdicts import CLAIMS
from transfer.reporting import page_pictures as plots
from transfer.reporting import sentences as say
from transfer.reporting import stage_sentences as compared
from transfer.reporting.control_sentences import control
from transfer.reporting.figure_files import figure_names
from transfer.reporting.forest_picture import forest_axes
from transfer.reporting.gain_tables import CI, in_points
from transfer.reporting.page_graph import page_pictures
from transfer.reporting.palette import SHADES, css

GLYPHS = {"improves": "▲", "harms": "▼", "no effect": "=", "inconclusive": "?"}
SCRIPTS = ("graph.js", "tables.js", "page.js")
# what an edge says comes first where the screen is narrow
LEADING = ("source", "target", "verdict", "gain", CI, "p adjusted", "seeds")
TEXT_COLUMNS = {"stage", "source", "target", "metric", "verdict", "arm", "corpora", "state", "error", "name",
                "kind", "domain", "licence", "citation", "notes", "with", "over", "epochs", "highest",
                "missing", "flag", "reason", "baseline", "truncated (train / dev / test)"}  # fmt: skip
# an unescaped < may end a script, and two line ends of Unicode end a line of old scripts
UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


class Column(NamedTuple):
    name: str
    number: bool


class PageTable(NamedTuple):
    """A table as it is read: rows of text, all columns sortable."""

    id: str
    caption: str
    columns: list[Column]
    rows: list[list[str]]


class HeatCell(NamedTuple):
    """A square of the heat map; `shade` is 0 for what is not known."""

    text: str
    verdict: str
    sign: str
    shade: int


class Forest(NamedTuple):
    """The drawn column of the table of edges: one axis, and a row for each edge."""

    name: str
    limit: float
    axis: tuple[plots.Tick, ...]
    rows: list[plots.ForestRow]


class Stage(NamedTuple):
    """Everything on the page about one stage."""

    name: str
    answer: say.Answer
    counts: dict[str, int]
    edges: PageTable
    verdicts: list[str]
    forests: list[Forest]
    heat: list[list[HeatCell | None]]
    scatter: list[plots.TargetPlot]
    learning: dict[str, list[plots.TargetPlot]]
    graph_file: str


def report_html(found: Study) -> str:
    """The page. Equal findings give equal bytes."""
    style = css() + _asset("page.css")
    script = "\n".join(_asset(name) for name in SCRIPTS)
    stages = [_stage(found, name) for name in found.stages]
    environment = Environment(
        loader=PackageLoader("transfer.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(emphasised=_emphasised, minus=minus)
    return environment.get_template("report.html").render(
        found=found,
        stages=stages,
        say=say,
        glyphs=GLYPHS,
        warning=say.warning(found),
        protocol=say.protocol(found),
        together=any(series.role == ALL for stage in stages for made in stage.learning.values()
                     for panel in made for series in panel.series),
        unmeasured=None if stages else say.Answer(say.no_edge(found), ()),
        arms=compared.section(found),
        controls=[(name, control(found, name)) for name in found.controls],
        tables=_tables(found),
        marks=plots.MARKS,
        panel=plots,
        effect=f"{100 * found.smallest_effect:g}",
        style=Markup(style),
        script=Markup(script),
        data=_embedded(_data(found)),
        policy="; ".join(
            ["default-src 'none'", f"style-src {_hash(style)}", f"script-src {_hash(script)}",
             "img-src data:", "base-uri 'none'", "form-action 'none'"]
        ),
    )  # fmt: skip


def _stage(found: Study, name: str) -> Stage:
    edges = found.edges[found.edges["stage"] == name].reset_index(drop=True)
    limits = forest_axes(edges, smallest_effect=found.smallest_effect)
    axes = [("all gains", limits.wide), *([("near zero", limits.near)] if limits.near else [])]
    forests = [
        Forest(
            label,
            limit,
            plots.forest_axis(limit),
            [
                plots.forest_row(edge, limit=limit, smallest_effect=found.smallest_effect)
                for edge in edges.to_dict("records")
            ],
        )
        for label, limit in axes
    ]
    curves = found.curves[found.curves["stage"] == name]
    shown = in_points(edges)
    shown = shown[[*(name for name in LEADING if name in shown), *(n for n in shown if n not in LEADING)]]
    return Stage(
        name=name,
        answer=say.answer_of(found, name),
        counts={verdict: int((edges["verdict"] == verdict).sum()) for verdict in GLYPHS},
        edges=_table(f"edges-{name}", "", shown),
        verdicts=edges["verdict"].to_list(),
        forests=forests,
        heat=_heat(edges, found.order),
        scatter=plots.scatter(found.seed_gains[found.seed_gains["stage"] == name], order=found.order),
        learning={
            column: plots.learning(curves, column=column, order=found.order)
            for column in ("dev", "loss")
            if curves[column].notna().any()
        },
        graph_file=figure_names(name, found.stages)[0],
    )


def _heat(edges: pd.DataFrame, order: Sequence[str]) -> list[list[HeatCell | None]]:
    """The square of gains: partners down, targets across, in the grid's order."""
    cells = {(edge["source"], edge["target"]): edge for edge in edges.to_dict("records")}
    largest = max([1.0, *(100 * edges["gain"].dropna().abs())])

    def cell(edge: Mapping[Any, Any] | None) -> HeatCell | None:
        if edge is None:
            return None
        if edge["gain"] != edge["gain"]:
            return HeatCell(UNDEFINED, edge["verdict"], "less", 0)
        gain = 100 * edge["gain"]
        shade = round(SHADES * abs(gain) / largest) if edge["verdict"] != "inconclusive" else 0
        shade = max(shade, 1) if edge["verdict"] in CLAIMS else shade
        return HeatCell(
            points(edge["gain"], sign=True), edge["verdict"], "more" if gain > 0 else "less", shade
        )

    return [[cell(cells.get((source, target))) for target in order] for source in order]


def _tables(found: Study) -> dict[str, PageTable]:
    """The tables below the edges; an empty one is left out."""
    made = {f"scores-{stage}": (f"Scores, {stage}. {say.SCORES}", matrix)
            for stage, matrix in found.matrices.items()}  # fmt: skip
    made["groups"] = (f"Larger groups. {say.GROUPS}", in_points(found.groups))
    made |= {
        name: (f"{name.capitalize()} control.", in_points(table)) for name, table in found.controls.items()
    }
    made["stage-means"] = (compared.MEANS, compared.means_in_points(found.means))
    made["stage-contrasts"] = (compared.TABLE, compared.contrasts_in_points(found.contrasts))
    made["flags"] = (say.FLAGS, found.flags)
    made["missing"] = ("Scores that failed, are undefined or absent.", found.missing)
    made["corpora"] = ("The corpora and how many examples of each were used.", corpora_shown(found.corpora))
    return {key: _table(key, text, frame) for key, (text, frame) in made.items() if len(frame)}


def _table(id_: str, caption: str, frame: pd.DataFrame) -> PageTable:
    names = [str(name) for name in frame.columns]
    # the scores' columns are named by the corpora, whatever those are called
    numbers = [name not in TEXT_COLUMNS or (place > 0 and id_.startswith("scores"))
               for place, name in enumerate(names)]  # fmt: skip
    columns = [Column(name, number) for name, number in zip(names, numbers, strict=True)]
    rows = [["" if value != value else str(value) for value in row] for row in frame.to_numpy(dtype=object)]
    return PageTable(id_, caption, columns, rows)


def _data(found: Study) -> dict[str, Any]:
    """The graph for the script: its pictures, and the numbers as they are read elsewhere on the page."""
    kinds = found.corpora[["name", "kind", "metric"]].to_dict("records")
    places = {name: place for place, name in enumerate(found.order)}
    stages = []
    for name in found.stages:
        edges = found.edges[found.edges["stage"] == name]
        read = in_points(edges)
        stages.append(
            {
                "name": name,
                "edges": [
                    {
                        "source": places[edge["source"]], "target": places[edge["target"]],
                        "verdict": edge["verdict"],
                        "points": round(100 * edge["gain"], 4) if shown["gain"] else None,
                        "gain": minus(shown["gain"]) or UNDEFINED, "interval": minus(shown[CI]),
                        "p": shown["p adjusted"] or "none", "seeds": edge["seeds"],
                        "single": minus(shown["single"]), "joint": minus(shown["joint"]),
                        "more": _more(edge),
                    }
                    for edge, shown in zip(edges.to_dict("records"), read.to_dict("records"), strict=True)
                ],
                "pictures": page_pictures(
                    found.transfer_graph(name), list(zip(edges["source"], edges["target"], strict=True))
                ),
            }
        )  # fmt: skip
    return {"mark": "SYNTHETIC DATA" if found.synthetic else "", "nodes": kinds, "stages": stages}


def _more(edge: Mapping[Any, Any]) -> str:
    """Remarks on an edge beyond its numbers."""
    open_ = say.could_find(edge) if edge["verdict"] == "inconclusive" else ""
    return f"{open_}{say.flagged(edge)}".removeprefix("; ")


def _embedded(data: dict[str, Any]) -> Markup:
    """JSON that is safe to embed in a script element."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup("".join(UNSAFE.get(letter, letter) for letter in text))


def _emphasised(text: str) -> Markup:
    """A constant of `sentences`, the words between asterisks emphasised."""
    parts = [escape(part) for part in text.split("*")]
    return Markup("").join(
        Markup("<em>{}</em>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )


def _asset(name: str) -> str:
    return resources.files("transfer.reporting").joinpath("templates", name).read_text("utf-8")


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
