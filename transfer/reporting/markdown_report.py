"""The report in Markdown, as GitHub shows it: the answer, the pictures, all tables."""

from collections.abc import Sequence

from transfer.analysis.rerun import Rerun
from transfer.analysis.study import Study
from transfer.analysis.tables import corpora_shown, escaped, to_markdown
from transfer.reporting.captions import report_caption
from transfer.reporting.control_sentences import control
from transfer.reporting.figure_files import figure_names
from transfer.reporting.gain_tables import in_points
from transfer.reporting.sentences import (
    BANNER,
    FLAGS,
    GROUPS,
    QUESTION,
    REACH,
    SCORES,
    SYNTHETIC,
    Answer,
    answer_of,
    no_edge,
    protocol,
    warning,
)
from transfer.reporting.stage_sentences import MEANS, TABLE, contrasts_in_points, means_in_points, section

MARK = f"> **{BANNER}** {SYNTHETIC}\n"


def report_md(found: Study) -> str:
    """`report.md`."""
    parts = [f"# {escaped(found.title)}\n", MARK if found.synthetic else "", f"{QUESTION}\n"]
    if problem := warning(found):
        parts.append(f"**{problem}**\n")
    if not found.stages:
        parts.append(f"## Answer\n\n{no_edge(found)}\n")
    for stage in found.stages:
        head = "Answer" if len(found.stages) == 1 else f"Answer, {stage}"
        told = report_caption(found, "graph")
        graph, heat, forest, scatter = figure_names(stage, found.stages)
        parts += [
            f"## {head}\n\n{_answer(answer_of(found, stage))}",
            f"![Graph of the gains]({graph}.svg)\n\n*{escaped(told)}*\n",
            f"![Gains with their intervals]({forest}.svg)\n",
            f"![Heat map of the gains]({heat}.svg)\n",
            f"![Scores of each seed, alone and with each partner]({scatter}.svg)\n",
        ]
    parts.append(f"## Stages\n\n{stages}" if (stages := stages_md(found)) else "")
    if len(found.edges):
        parts.append(f"## Edges\n\nGains in points.\n\n{to_markdown(in_points(found.edges))}")
    if len(found.groups):
        parts.append(f"## Larger groups\n\n{GROUPS}\n\n{to_markdown(in_points(found.groups))}")
    parts += [_control(found, name) for name in found.controls]
    parts.append(f"## Scores\n\n{scores_md(found)}")
    if len(found.flags):
        parts.append(f"## Flags\n\n{FLAGS}\n\n{to_markdown(found.flags)}")
    if len(found.missing):
        parts.append(f"## Failed, undefined or missing\n\n{to_markdown(found.missing)}")
    parts += [
        f"## Data\n\n{to_markdown(corpora_shown(found.corpora))}",
        f"## Settings\n\n{to_markdown(found.settings)}",
        _again(found.rerun) if found.rerun else "",
        "## Protocol\n\n" + "".join(f"- {line}\n" for line in protocol(found)),
    ]
    return "\n".join(part for part in parts if part)


def stages_md(found: Study) -> str:
    """Section on the stages, in words and tables; empty for a grid that does not fine-tune."""
    said = section(found)
    if said is None:
        return ""
    means, contrasts = to_markdown(means_in_points(found.means)), contrasts_in_points(found.contrasts)
    parts = [said.text, _listed(said.tallies), said.rules, _listed(said.winners)]
    parts += [MEANS, means, TABLE, to_markdown(contrasts)]
    return "\n\n".join(part.rstrip() for part in parts) + "\n"


def _listed(lines: Sequence[str]) -> str:
    return "".join(f"- {escaped(line)}\n" for line in lines)


def _again(rerun: Rerun) -> str:
    fence = "`" * 3
    while fence in rerun.grid:
        fence += "`"
    file = f"{fence}yaml\n{rerun.grid}{fence}\n"
    return (
        f"## Reproduce\n\nSave this as `{rerun.file_name}`:\n\n{file}\n{fence}sh\n{rerun.command}\n{fence}\n"
    )


def _control(found: Study, name: str) -> str:
    title, text, lines = control(found, name)
    table = found.controls[name]
    parts = [
        f"## {title}\n",
        f"{text}\n",
        _listed(lines),
        to_markdown(in_points(table)) if len(table) else "",
    ]
    return "\n".join(part for part in parts if part)


def _answer(found: Answer) -> str:
    text = f"{found.tally}\n"
    for verdict, intro, lines in found.verdicts:
        head = f"**{verdict.capitalize()}**" + (f": {intro}" if intro else "")
        text += f"\n{head}\n\n" + _listed(lines)
    if found.reach:
        text += f"\n{REACH}\n\n" + _listed(found.reach)
    return text


def scores_md(found: Study) -> str:
    """Each stage's matrix under its name."""
    matrices = "".join(f"\n**{name}**\n\n{to_markdown(matrix)}" for name, matrix in found.matrices.items())
    return f"{SCORES}\n{matrices}"
