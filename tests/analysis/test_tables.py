"""Tables: what is averaged, how a cell reads, and text that breaks no table."""

import math

import pandas as pd
import pytest

from transfer.analysis import tables


def row(corpora, target, seed, value, status="done"):
    return {
        "job": f"{corpora}-{seed}", "stage": "refine", "corpora": corpora, "target": target,
        "split": "test", "metric": "f1", "seed": seed, "value": value, "status": status,
        "error": "" if status == "done" else "out of memory",
    }  # fmt: skip


@pytest.fixture
def frame():
    rows = [row(c, c, s, 0.70 + 0.01 * s) for c in "abc" for s in range(3)]
    rows += [row("a+b", t, s, 0.72) for t in "ab" for s in range(3)]
    rows += [row("a+b+c", t, s, 0.75 + 0.02 * s) for t in "abc" for s in range(2)]
    rows += [row("b+c", t, s, math.nan, "failed") for t in "bc" for s in range(3)]
    return pd.DataFrame(rows)


def test_the_matrix_of_scores(frame):
    matrix = tables.score_matrix(tables.score_table(frame), stage="refine", order=["c", "b", "a"])
    assert matrix.to_numpy().tolist() == [
        ["single", "71.0 ± 1.0", "71.0 ± 1.0", "71.0 ± 1.0"],
        ["pair with c", "", "failed", ""],
        ["pair with b", "failed", "", "72.0 ± 0.0"],
        ["pair with a", "", "72.0 ± 0.0", ""],
        ["all", *["76.0 ± 1.4 (2 of 3 seeds)"] * 3],
    ]
    assert matrix.columns.to_list() == ["arm", "c", "b", "a"]


def test_one_seed_has_no_spread(frame):
    one = frame[frame["seed"] == 0]
    scores = tables.score_table(one)
    assert scores["sd"].isna().all()
    matrix = tables.score_matrix(scores, stage="refine", order=list("abc"))
    assert matrix.loc[0, "a"] == "70.0"


def test_csv_has_fixed_digits_and_no_negative_zero():
    frame = pd.DataFrame({"name": ["a,b"], "gain": [-1e-9], "p": [0.00012345], "low": [math.nan]})
    assert tables.to_csv(frame) == 'name,gain,p,low\n"a,b",0.000000,0.0001234,\n'


def test_markdown_escapes_what_would_break_a_table():
    text = tables.to_markdown(pd.DataFrame({"error": ["a | b\nc <script>"], "seeds": [3]}))
    assert text.splitlines() == [
        "| error | seeds |",
        "| --- | ---: |",
        "| a \\| b c &lt;script> | 3 |",
    ]


def test_points():
    assert tables.points(-0.0001, sign=True) == "+0.0"
    assert tables.points(0.0183, sign=True) == "+1.8"
    assert tables.points(math.nan) == ""


def test_results_have_a_fixed_order(frame):
    mixed = frame.sample(frac=1, random_state=1)[frame.columns[::-1]]
    pd.testing.assert_frame_equal(tables.results(mixed), tables.results(frame))


def test_every_corpus_row_says_its_source():
    table = tables.corpora_table([{"name": "a", "train": 3}], source="synthetic")
    assert table["source"].to_list() == ["synthetic"]
