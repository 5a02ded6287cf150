"""A table in LaTeX, ready to paste: booktabs, everything escaped, never wider than the page."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from transfer.analysis.tables import minus
from transfer.reporting.latex_layout import HEIGHT, Layout, broken, layout

CAPTION_LINE = 70  # letters of a caption on a line of 12 points
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "→": r"$\to$", "±": r"$\pm$", "−": "$-$",
}  # fmt: skip
SPANS = "% table* spans both columns of a two-column page; on a page of one column it is an ordinary table."
SPLIT = "% Too wide for one page: its columns stand in panels below each other, each with the first column."
LONG = "% Too long for one page: it goes on in further floats under the same number."


class Group(NamedTuple):
    """Rows under one heading (empty: none)."""

    heading: str
    rows: list[list[str]]


def to_latex(frame: pd.DataFrame, *, caption: str, label: str, by: Sequence[str] = (), keys: int = 1) -> str:
    """The table with caption and label; text columns left, numbers (signs and ± too) right-aligned.

    It fits `article` at 10 points in one column and in two: in a column where it is narrow, else over both
    (`table*`), smaller, with broken lines, or in panels that repeat the first `keys` columns. Rows that
    share the columns `by` stand under one heading instead. More rows than a page holds go on in further
    floats. Needs the package booktabs alone.

    >>> print(to_latex(pd.DataFrame({"arm": ["a_b"], "gain": ["-0.9"]}), caption="C.", label="tab:x"))
    % Needs \\usepackage{booktabs}.
    \\begin{table}
    \\centering
    \\caption{C.}\\label{tab:x}
    \\medskip
    \\begin{tabular}{@{}lr@{}}
    \\toprule
    arm & gain \\\\
    \\midrule
    a\\_b & $-$0.9 \\\\
    \\bottomrule
    \\end{tabular}
    \\end{table}
    <BLANKLINE>
    """
    shown = frame.drop(columns=list(by))
    heads = [str(name) for name in shown.columns]
    groups = _groups(frame, shown, by)
    made = layout(heads, [row for group in groups for row in group.rows], keys=keys)
    align = ["r" if _is_numbers(shown[column]) else "l" for column in shown.columns]
    room = HEIGHT - 12 * (len(caption) // CAPTION_LINE)
    bodies = [(panel, part) for panel in made.panels for part in _parts(groups, made, panel, room=room)]
    floats = _packed(bodies, made, room=room)
    lines = ["% Needs \\usepackage{booktabs}."]
    lines += [SPANS] * made.wide + [SPLIT] * (len(made.panels) > 1) + [LONG] * (len(floats) > 1)
    for place, tables in enumerate(floats):
        title = f"\\caption{{{latex(caption)}}}\\label{{{label}}}"
        if place:
            title = "\\addtocounter{table}{-1}\\caption{(continued)}"
        environment = "table*" if made.wide else "table"
        size = f"{made.size.command}\\setlength{{\\tabcolsep}}{{{made.size.gap:g}pt}}"
        lines += [f"\\begin{{{environment}}}", "\\centering", title, "\\medskip"]
        lines += [size] * bool(made.size.command)
        for number, (panel, part) in enumerate(tables):
            lines += ["", "\\medskip"] * bool(number)
            lines += _tabular(part, made, panel, align)
        lines.append(f"\\end{{{environment}}}")
    return "\n".join(lines) + "\n"


def latex(text: str) -> str:
    """One line of text that LaTeX shows as it is; a minus before a number is typeset as one."""
    line = minus(" ".join(text.split()))
    return "".join(_SPECIAL.get(letter, letter) for letter in line)


def _groups(frame: pd.DataFrame, shown: pd.DataFrame, by: Sequence[str]) -> list[Group]:
    rows = [
        ["" if value != value else minus(" ".join(str(value).split())) for value in row]
        for row in shown.itertuples(index=False, name=None)
    ]
    if not by:
        return [Group("", rows)]
    headings = [
        ", ".join(f"{name} {value}" for name, value in zip(by, row, strict=True))
        for row in frame[list(by)].itertuples(index=False, name=None)
    ]
    return [
        Group(heading, [row for row, its in zip(rows, headings, strict=True) if its == heading])
        for heading in dict.fromkeys(headings)
    ]


def _tall(row: Sequence[str], made: Layout) -> float:
    """Points that a row takes from the page."""
    return made.size.line * max((len(broken(text, made.most)) for text in row), default=1)


def _head_tall(made: Layout, panel: Sequence[int]) -> float:
    return 12 + made.size.line * max(len(made.heads[place]) for place in panel)


def _parts(
    groups: Sequence[Group], made: Layout, panel: Sequence[int], *, room: float
) -> Iterator[list[Group]]:
    """The groups in parts that a page holds; a group that is cut has its heading again."""
    part: list[Group] = []
    left = room - _head_tall(made, panel)
    for group in groups:
        whole = sum(_tall([row[place] for place in panel], made) for row in group.rows) + made.size.line
        if part and left < whole:
            yield part
            part, left = [], room - _head_tall(made, panel)
        part.append(Group(group.heading, []))
        left -= made.size.line if group.heading else 0
        for row in group.rows:
            tall = _tall([row[place] for place in panel], made)
            if left < tall and part[-1].rows:
                yield part
                part, left = [Group(group.heading, [])], room - _head_tall(made, panel) - made.size.line
            part[-1].rows.append(row)
            left -= tall
    yield part


def _packed(bodies: list, made: Layout, *, room: float) -> list[list]:
    """Panels together in a float as far as they fit."""
    floats: list[list] = []
    left = 0.0
    for panel, part in bodies:
        tall = _head_tall(made, panel) + 12
        tall += sum(made.size.line * bool(group.heading) for group in part)
        tall += sum(_tall([row[place] for place in panel], made) for group in part for row in group.rows)
        if not floats or left < tall:
            floats.append([])
            left = room
        floats[-1].append((panel, part))
        left -= tall
    return floats


def _tabular(part: Sequence[Group], made: Layout, panel: Sequence[int], align: Sequence[str]) -> list[str]:
    columns = "".join(align[place] for place in panel)
    lines = [
        f"\\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        "\\toprule",
        _row([_stacked(made.heads[place], align[place], "b") for place in panel]),
        "\\midrule",
    ]
    for number, group in enumerate(part):
        lines += ["\\addlinespace"] * bool(number)
        if group.heading:
            lines.append(
                f"\\multicolumn{{{len(panel)}}}{{@{{}}l@{{}}}}{{\\textit{{{latex(group.heading)}}}}} \\\\"
            )
        lines += [
            _row([_stacked(broken(row[place], made.most), align[place], "t") for place in panel])
            for row in group.rows
        ]
    return [*lines, "\\bottomrule", "\\end{tabular}"]


def _stacked(lines: Sequence[str], align: str, at: str) -> str:
    """A cell of one or more lines."""
    texts = [latex(line) for line in lines]
    if len(texts) == 1:
        return texts[0]
    return f"\\begin{{tabular}}[{at}]{{@{{}}{align}@{{}}}}" + r"\\".join(texts) + "\\end{tabular}"


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _is_numbers(column: pd.Series) -> bool:
    """Whether every cell that is not empty begins as a number does."""
    texts = [str(value) for value in column if str(value)]
    return bool(texts) and all(re.match(r"[-+−]?\d", text) or text in ("none", "nan") for text in texts)
