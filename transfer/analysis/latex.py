"""A table in LaTeX, ready to paste: booktabs, everything escaped."""

import re

import pandas as pd

from transfer.analysis.tables import minus

LONG = 40  # rows; a float with more does not fit a page
WIDE = 6  # columns; more are set smaller and closer
_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{",
    "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "→": r"$\to$", "±": r"$\pm$", "−": "$-$",
}  # fmt: skip


def to_latex(frame: pd.DataFrame, *, caption: str, label: str) -> str:
    """The table with caption and label; text columns left, numbers (signs and ± too) right-aligned.

    Needs the package booktabs, and longtable where there are more than 40 rows.

    >>> print(to_latex(pd.DataFrame({"arm": ["a_b"], "gain": ["-0.9"]}), caption="C.", label="tab:x"))
    % \\usepackage{booktabs}
    \\begin{table}
    \\centering
    \\caption{C.}\\label{tab:x}
    \\begin{tabular}{lr}
    \\toprule
    arm & gain \\\\
    \\midrule
    a\\_b & $-$0.9 \\\\
    \\bottomrule
    \\end{tabular}
    \\end{table}
    <BLANKLINE>
    """
    columns = "".join("r" if _is_numbers(frame[column]) else "l" for column in frame.columns)
    head = _row(frame.columns)
    rows = [_row(row) for row in frame.itertuples(index=False, name=None)]
    title = f"\\caption{{{latex(caption)}}}\\label{{{label}}}"
    size = ["\\footnotesize\\setlength{\\tabcolsep}{3pt}"] if len(frame.columns) > WIDE else []
    if len(rows) > LONG:
        lines = [
            "% \\usepackage{booktabs,longtable}", "\\begingroup\\setlength{\\LTcapwidth}{\\textwidth}", *size,
            f"\\begin{{longtable}}{{{columns}}}", f"{title}\\\\",
            "\\toprule", head, "\\midrule", "\\endfirsthead", "\\toprule", head, "\\midrule", "\\endhead",
            "\\bottomrule", "\\endfoot", *rows, "\\end{longtable}",
            "\\endgroup",
        ]  # fmt: skip
    else:
        lines = [
            "% \\usepackage{booktabs}", "\\begin{table}", "\\centering", *size, title,
            f"\\begin{{tabular}}{{{columns}}}", "\\toprule", head, "\\midrule", *rows, "\\bottomrule",
            "\\end{tabular}", "\\end{table}",
        ]  # fmt: skip
    return "\n".join(lines) + "\n"


def latex(text: str) -> str:
    """One line of text that LaTeX shows as it is; a minus before a number is typeset as one."""
    line = minus(" ".join(text.split()))
    return "".join(_SPECIAL.get(letter, letter) for letter in line)


def _row(values) -> str:
    return " & ".join(latex("" if value != value else str(value)) for value in values) + r" \\"


def _is_numbers(column: pd.Series) -> bool:
    """Whether every cell that is not empty begins as a number does."""
    texts = [str(value) for value in column if str(value)]
    return bool(texts) and all(re.match(r"[-+−]?\d", text) or text in ("none", "nan") for text in texts)
