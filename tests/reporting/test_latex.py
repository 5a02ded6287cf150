"""Tables in LaTeX: nothing in them is read as a command, and none is wider than its page."""

import re
import shutil
import subprocess
from itertools import permutations

import pandas as pd
import pytest

from transfer.reporting.latex import latex, to_latex
from transfer.reporting.latex_layout import COLUMN, PAGE, SIZES, broken, layout, natural

NAMES = ["bc5cdr-disease", "bc5cdr-chemical", "ddi2013", "chemprot", "clinicalsts", "i2b2-2010-re", "mednli",
         "shareclefe", "ncbi-disease", "scicite-intents", "nubes-negation", "medical-abstracts"]  # fmt: skip
LONG = ["adverse-drug-events-in-discharge-summaries", "mednli", "shareclefe-disorder-mentions-2013",
        "drug-drug-interactions-ddi-2013-medline-and-drugbank"]  # fmt: skip
CAPTION = "Gain of each target from each partner, in points, over training alone. " * 6
DOCUMENT = "\\documentclass%s\n\\usepackage{booktabs}\n\\begin{document}\n%s\n\\end{document}\n"
CLASSES = ("[10pt]{article}", "[10pt,twocolumn]{article}", "[10pt,twocolumn,a4paper]{article}")
PDFLATEX = shutil.which("pdflatex")


def scores(names):
    """A matrix of scores as a report has it."""
    arms = ["single", *(f"pair with {name}" for name in names), "all"]
    return pd.DataFrame({"arm": arms} | {name: ["58.8 ± 11.3"] * len(arms) for name in names})


def edges(names, controls=0):
    """Edges as a report has them, with the columns of so many controls."""
    pairs = list(permutations(names, 2))
    table = pd.DataFrame(pairs, columns=pd.Index(["source", "target"])).sort_values("target", kind="stable")
    table = table.assign(metric="micro_f1", single="58.8", joint="59.7", gain="-13.9")
    table["95% CI"] = "[-28.8, 11.0]"
    table = table.assign(**{"p adjusted": "0.00096", "verdict": "inconclusive"})
    return table.assign(**{f"gain, text left {n}": "-18.0" for n in range(controls)}, seeds=10)


def tables():
    """Tables to paste from grids of different sizes, by name."""
    made = {f"scores of {count}": to_latex(scores(NAMES[:count]), caption=CAPTION, label=f"s{count}")
            for count in (2, 4, 8, 12)}  # fmt: skip
    made["scores, long names"] = to_latex(scores(LONG), caption=CAPTION, label="sl")
    for name, table in {
        **{f"edges of {count}": edges(NAMES[:count]) for count in (2, 4, 8, 12)},
        "edges of 8, three controls": edges(NAMES[:8], 3),
        "edges, long names": edges(LONG, 1),
    }.items():
        made[name] = to_latex(table, caption=CAPTION, label=name.replace(" ", "-"), by=("target", "metric"))
    return made


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
    assert r"\begin{tabular}{@{}lrrr@{}}" in text
    rows = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    assert all(row.replace(r"\&", "").count("&") == 3 for row in rows)


def complaints(folder, documentclass, text):
    """The lines of LaTeX's log that say that something does not fit or is wrong."""
    (folder / "t.tex").write_text(DOCUMENT % (documentclass, text), encoding="utf-8")
    command = [PDFLATEX, "-interaction=nonstopmode", "t.tex"]
    subprocess.run(command, cwd=folder, capture_output=True, timeout=120, check=False)
    log = (folder / "t.log").read_text(encoding="utf-8", errors="replace")
    return re.findall(r"Overfull .*|.*Float too large.*|^! .*|.*undefined.*", log, flags=re.MULTILINE)


@pytest.mark.skipif(not PDFLATEX, reason="pdflatex is not installed (Debian: texlive-latex-recommended)")
@pytest.mark.parametrize("documentclass", CLASSES)
def test_every_table_fits_its_page_in_one_column_and_in_two(documentclass, tmp_path):
    text = "\n\\clearpage\n".join(tables().values())
    assert complaints(tmp_path, documentclass, text) == []
    wide = r"\begin{tabular}{l}" + "wide " * 30 + r"\end{tabular}"
    assert complaints(tmp_path, documentclass, wide), "what is too wide is found"


@pytest.mark.parametrize(("name", "text"), tables().items())
def test_no_table_is_estimated_wider_than_its_page(name, text):
    room = PAGE if "table*" in text else COLUMN
    size = next((s for s in SIZES[1:] if rf"{s.command}\setlength" in text), SIZES[0])
    panels = re.findall(r"\\toprule\n(.*?)\\bottomrule", text, flags=re.DOTALL)
    assert panels
    for panel in panels:
        rows = [
            line.removesuffix(r" \\").split(" & ")
            for line in panel.splitlines()
            if line.endswith(r"\\") and "multicolumn" not in line
        ]
        widest = [
            max(natural(plain(line)) for cell in column for line in cell.split(r"\\"))
            for column in zip(*rows, strict=True)
        ]
        assert size.scale * sum(widest) + 2 * size.gap * (len(widest) - 1) <= room + 0.01, name


def plain(line):
    """The visible text of a line of a cell."""
    line = re.sub(r"\\begin\{tabular\}\[.\]\{@\{\}.@\{\}\}|\\end\{tabular\}", "", line)
    return line.replace("$-$", "−").replace(r"$\pm$", "±").replace("\\", "").strip()


def test_four_tasks_stand_in_one_panel_and_many_in_several_with_every_cell_once():
    four, twelve = (to_latex(scores(NAMES[:n]), caption="x", label="t") for n in (4, 12))
    assert four.count(r"\toprule") == 1
    assert "in panels" in twelve
    assert twelve.count(r"58.8 $\pm$ 11.3") == 12 * 14
    assert twelve.count("\npair with mednli &") == twelve.count(r"\toprule") > 1


def test_rows_of_one_target_stand_under_its_name():
    text = to_latex(edges(NAMES[:3]), caption="x", label="t", by=("target", "metric"))
    parts = text.split(r"\addlinespace")
    assert len(parts) == 3
    for name, part in zip(sorted(NAMES[:3]), parts, strict=True):
        assert rf"\textit{{target {name}, metric micro\_f1}}" in part
        assert part.count("inconclusive") == 2
    assert "& target" not in text


def test_a_long_table_goes_on_in_further_floats_and_repeats_its_head():
    text = to_latex(pd.DataFrame({"n": range(90)}), caption="x", label="tab:x")
    floats = text.split(r"\begin{table}")[1:]
    assert len(floats) == 3
    assert all("n \\\\\n\\midrule" in part for part in floats)
    assert [part.count("addtocounter") for part in floats] == [0, 1, 1]
    assert text.count(r"\label{tab:x}") == 1
    assert [int(n) for n in re.findall(r"^(\d+) ", text, flags=re.MULTILINE)] == list(range(90))


def test_a_group_that_is_cut_has_its_heading_again():
    table = pd.DataFrame({"target": "t", "source": [f"s{n}" for n in range(60)], "gain": "1.0"})
    text = to_latex(table, caption="x", label="t", by=("target",))
    assert text.count(r"\textit{target t}") == text.count(r"\toprule") == 2


def test_text_is_broken_only_where_a_reader_expects_it():
    assert broken("gain, same steps", 1) == ["gain,", "same", "steps"]
    assert broken("i2b2-2010-re", 1) == ["i2b2-", "2010-", "re"]
    assert broken("58.8 ± 2.3", 1e9) == ["58.8 ± 2.3"]
    assert broken("", 50) == [""]


def test_a_table_is_set_smaller_only_as_far_as_it_must():
    found = [
        SIZES.index(layout(["arm"] * columns, [["58.8 ± 2.3"] * columns], keys=1).size)
        for columns in (2, 6, 7, 8)
    ]
    assert found == sorted(found)
    assert (found[0], found[-1]) == (0, 3)
