"""Tables in LaTeX: nothing in them is read as a command."""

import pandas as pd
import pytest

from transfer.analysis.latex import latex, to_latex


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("span_f1", r"span\_f1"),
        (r"50 % of $x\y", r"50 \% of \$x\textbackslash{}y"),
        ("{a}~b^c#d&e", r"\{a\}\textasciitilde{}b\textasciicircum{}c\#d\&e"),
        ("p < 0.05 > |x|", r"p \textless{} 0.05 \textgreater{} \textbar{}x\textbar{}"),
        ("-1.5 to +2.0 (-3)", "$-$1.5 to +2.0 ($-$3)"),
        ("i2b2-2010-re", "i2b2-2010-re"),
        ("a\n\n\\end{table}", r"a \textbackslash{}end\{table\}"),
        ("70.1 ± 0.2", r"70.1 $\pm$ 0.2"),
    ],
)
def test_text_is_shown_as_it_is(text, expected):
    assert latex(text) == expected


def test_numbers_stand_right_and_every_row_has_as_many_cells():
    table = pd.DataFrame(
        {"arm": ["a & b", "c"], "score": ["70.1 ± 0.2", ""], "gain": ["-0.9", "none"], "seeds": [3, 10]}
    )
    text = to_latex(table, caption="x", label="tab:x")
    assert r"\begin{tabular}{lrrr}" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    assert all(row.replace(r"\&", "").count("&") == 3 for row in rows)


def test_a_long_table_breaks_over_pages_and_repeats_its_head():
    text = to_latex(pd.DataFrame({"n": range(41)}), caption="x", label="tab:x")
    assert r"\begin{longtable}{r}" in text
    assert text.count("n \\\\") == 2
    assert r"\begin{table}" not in text


def test_a_wide_table_is_set_smaller():
    def text(columns):
        return to_latex(pd.DataFrame([["1.0"] * columns]), caption="x", label="tab:x")

    assert "footnotesize" not in text(6)
    assert "footnotesize" in text(7)
