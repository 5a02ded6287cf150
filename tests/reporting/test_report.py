"""The report: complete, true to its frames, marked when synthetic, the same at every writing."""

import json
import math
import re
import subprocess
import sys
from itertools import combinations

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from transfer.analysis import gains
from transfer.analysis.evidence import Cell
from transfer.analysis.setup import MIXED, Setup
from transfer.analysis.study import Study
from transfer.reporting import sentences
from transfer.reporting.report import write_report

NAMES = ["mednli", "shareclefe", "ddi2013"]
FILES = {
    "results.csv", "edges.csv", "table_groups.csv", "table_scores.csv", "table_scores.md",
    "table_corpora.csv", "table_corpora.md", "table_edges.md", "table_edges.tex", "table_scores.tex",
    "report.md", "report.html", "study.json", "graph.graphml", "graph.json",
    *(f"{stem}.{form}" for stem in ("graph", "gains", "forest", "seeds") for form in ("svg", "png", "pdf")),
}  # fmt: skip


def frame(source="synthetic"):
    rng = np.random.default_rng(1)
    rows = []
    for size in (1, 2, 3):
        for group in combinations(sorted(NAMES), size):
            for seed in range(3):
                for target in group:
                    helped = 0.02 * (target == "shareclefe" and "mednli" in group)
                    for split in ("dev", "test"):
                        rows.append(
                            {
                                "job": f"{'+'.join(group)}-{seed}", "stage": "refine",
                                "corpora": "+".join(group), "target": target, "split": split,
                                "metric": "f1", "seed": seed, "status": "done", "error": "",
                                "value": 0.7 + helped + 0.0003 * rng.normal(), "epoch": 2,
                                "items": 100, "train_items": 500, "steps": 60, "seconds": 1.5,
                                "source": source, "encoder": "minilm-l6", "recipe": "quick",
                            }
                        )  # fmt: skip
    return pd.DataFrame(rows)


def write(table, out, source="synthetic", **other):
    corpora = [
        {"name": n, "kind": "tagging", "metric": "span F1", "domain": "clinical | notes",
         "licence": "free", "citation": "me 2020", "train": 500, "dev": 100, "test": 100}
        for n in NAMES
    ]  # fmt: skip
    options = {"title": "three", "corpora": corpora, "settings": {"encoder": "/home/ann/bert"},
               "smallest_effect": 0.005, "source": source}  # fmt: skip
    return write_report(Study.of_frame(table, Setup(**(options | other))), out=out)


def test_writes_every_file_and_all_say_synthetic(tmp_path):
    paths = write(frame(), tmp_path / "r")
    assert {path.name for path in paths} == FILES
    assert {path.name for path in (tmp_path / "r").iterdir()} == FILES
    assert paths[-1].name == "report.html"
    for path in paths:
        if path.suffix == ".csv":
            table = pd.read_csv(path)
            column = "data_source" if path.name in ("edges.csv", "table_groups.csv") else "source"
            assert column in table
            assert set(table[column]) == {"synthetic"}
        elif path.suffix == ".graphml":
            assert nx.read_graphml(path).graph["data_source"] == "synthetic"
        elif path.name == "study.json":
            assert json.loads(path.read_text())["source"] == "synthetic"
        elif path.name == "graph.json":
            assert json.loads(path.read_text())["graph"]["data_source"] == "synthetic"
        else:
            assert b"SYNTHETIC DATA" in path.read_bytes(), path.name


def test_what_an_earlier_report_left_is_removed_and_a_persons_own_file_stays(tmp_path):
    for name in ("table_missing.csv", "graph_fine-tune.svg", "my notes.md"):
        (tmp_path / name).write_text("old")
    write(frame(), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, "my notes.md"}


def test_prepared_data_is_not_called_synthetic(tmp_path):
    for path in write(frame("prepared"), tmp_path, "prepared"):
        text = path.read_bytes().lower()
        # the page's own style has a class of that name
        text = re.sub(rb"<(style|script)>.*?</\1>", b"", text, flags=re.S)
        assert b"synthetic" not in text, path.name


def test_the_sentences_are_true_to_the_edges(tmp_path):
    write(frame(), tmp_path)
    edges = pd.read_csv(tmp_path / "edges.csv").set_index(["source", "target"])
    edge = edges.loc[("mednli", "shareclefe")]
    assert edge["verdict"] == "improves"
    page = (tmp_path / "report.md").read_text()
    assert (
        f"- mednli → shareclefe: {100 * edge['gain']:+.1f} points (95% CI "
        f"[{100 * edge['ci_low_selected']:.1f}, {100 * edge['ci_high_selected']:.1f}], 3 seeds), improves\n"
        in page
    )
    assert "clinical \\| notes" in page


def test_equal_frames_give_equal_bytes(tmp_path):
    first = write(frame(), tmp_path / "one")
    second = write(frame().sample(frac=1, random_state=3), tmp_path / "two")
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


def test_failed_and_absent_scores_are_named_without_paths(tmp_path):
    table = frame()
    broken = (table["corpora"] == "mednli+shareclefe") & (table["seed"] == 1)
    table.loc[broken, ["status", "value", "error"]] = ["failed", math.nan, "no /home/ann/x.pt"]
    write(table, tmp_path, expected=[Cell("refine", "mednli", "mednli", 7)])
    lost = pd.read_csv(tmp_path / "table_missing.csv", keep_default_na=False)
    assert lost["state"].to_list() == ["absent", "failed", "failed"]
    assert lost["seed"].to_list() == [7, 1, 1]
    page = (tmp_path / "report.md").read_text()
    assert "**3 scores are missing; they are listed below. None was imputed.**" in page
    for path in tmp_path.iterdir():
        assert b"/home/ann" not in path.read_bytes(), path.name


@pytest.mark.parametrize("kept", ["single", "failed", "nothing"])
def test_a_grid_without_edges_still_has_a_report(kept, tmp_path):
    table = frame()
    if kept == "single":
        table = table[table["corpora"] == table["target"]]
    elif kept == "failed":
        table = table.assign(status="failed", value=math.nan, error="out of memory")
    else:
        table = table.iloc[:0]
    more = {"table_missing.csv"} if kept == "failed" else set()
    assert {path.name for path in write(table, tmp_path)} == FILES | more
    page = (tmp_path / "report.md").read_text()
    assert "No edge could be measured" in page
    assert ("No job has a result" in page) == (kept != "single")
    assert pd.read_csv(tmp_path / "edges.csv").empty


def test_two_stages_have_two_graphs(tmp_path):
    both = pd.concat([frame(), frame().assign(stage="fine-tune", job="f")])
    names = {path.name for path in write(both, tmp_path)}
    assert names > {"graph.svg", "graph_fine-tune.svg", "gains_fine-tune.png"}
    assert "## Answer, fine-tune" in (tmp_path / "report.md").read_text()


def test_a_wrong_source_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="holds synthetic results"):
        write(frame(), tmp_path / "r", "prepared")
    with pytest.raises(ValueError, match="unknown source 'real'"):
        write(frame(), tmp_path / "r", "real")
    assert not (tmp_path / "r").exists()


def test_importing_the_report_loads_neither_matplotlib_nor_torch():
    code = (
        "import sys, transfer.reporting.report; "
        "print({'matplotlib', 'torch', 'transformers', 'ray', 'statsmodels'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_of_very_many_edges_the_answer_says_the_largest_and_how_many_more(simulated):
    edges = simulated(8).edges
    some = pd.concat([edges] * 3, ignore_index=True).assign(verdict="inconclusive")
    some["gain"] = [(-1) ** n * n / 1000 for n in range(len(some))]
    (said,) = sentences.answer(some, smallest_effect=0.005, items={}).verdicts
    assert len(said.lines) == sentences.MOST_NAMED + 1
    assert f"{100 * some['gain'].iloc[-1]:+.1f} points" in said.lines[0]
    assert said.lines[-1] == f"{len(some) - sentences.MOST_NAMED} more in the table of edges below"


def test_what_a_test_split_can_show_is_said_of_each_target_that_is_open(tmp_path):
    noisy = frame()
    rng = np.random.default_rng(3)
    noisy["value"] += np.where(noisy["target"] == "mednli", 0.03 * rng.normal(size=len(noisy)), 0)
    write(noisy, tmp_path)
    edges = pd.read_csv(tmp_path / "edges.csv")
    open_ = edges[(edges["target"] == "mednli") & (edges["verdict"] == "inconclusive")]
    now, later = (
        100 * open_.nsmallest(1, "detectable_10_seeds")[c].iloc[0]
        for c in ("detectable", "detectable_10_seeds")
    )
    line = f"mednli: {now:.1f} points on 100 test items with 3 seeds, {later:.1f} with 10"
    assert line in (tmp_path / "report.md").read_text()
    assert line in (tmp_path / "report.html").read_text()


def test_with_one_seed_nothing_is_said_of_what_a_test_split_can_show():
    edges = gains.edges(gains.seed_gains(frame().query("seed == 0")), smallest_effect=0.005)
    found = sentences.answer(edges, smallest_effect=0.005, items=dict.fromkeys(NAMES, 21))
    assert found.reach == ()
    (open_,) = found.verdicts
    assert all(line.endswith("; one seed has no variance") for line in open_.lines)


def test_an_edge_without_a_gain_is_said_to_be_undefined_and_why():
    edge = {"source": "mednli", "target": "shareclefe", "stage": "refine", "gain": math.nan,
            "ci_low": math.nan, "ci_high": math.nan, "seeds": 0, "verdict": "inconclusive",
            "detectable": math.nan, "detectable_10_seeds": math.nan,
            "flag": "shareclefe alone: seed 0: no mention"}  # fmt: skip
    found = sentences.answer(pd.DataFrame([edge]), smallest_effect=0.005, items={"shareclefe": 3})
    assert found.verdicts[0].lines == (
        "mednli → shareclefe: undefined gain, inconclusive; shareclefe alone: seed 0: no mention",
    )


def test_results_of_mixed_versions_are_named(tmp_path):
    write(frame(), tmp_path, settings={MIXED: "torch 2.11.0 (3 jobs), torch 2.13.0 (30 jobs)"})
    said = "The jobs ran with different versions: torch 2.11.0 (3 jobs), torch 2.13.0 (30 jobs)."
    assert said in (tmp_path / "report.md").read_text()
    assert said in (tmp_path / "report.html").read_text()


def test_a_claim_that_longer_training_explains_is_told(tmp_path):
    pairs = frame()
    alone = pairs[pairs["corpora"] == pairs["target"]]
    value = alone["value"] + 0.02 + 1e-3 * alone["seed"]
    longer = alone.assign(stage="same-steps 500", value=value, job=alone["job"] + "-longer")
    write(pd.concat([pairs, longer]), tmp_path, controls=["same-steps"])
    text = (tmp_path / "report.md").read_text()
    assert "0 of 1 claims stand, 1 reduced by this control:" in text
    edges = pd.read_csv(tmp_path / "edges.csv").set_index(["source", "target"])
    edge = edges.loc[("mednli", "shareclefe")]
    assert edge["verdict"] == "improves"
    assert abs(edge["gain_same_steps"]) < 0.005
    held = f"{100 * edge['gain_same_steps']:+.1f} points (95% CI ["
    assert f"improves; {held}" in text
    # the answer itself says so, for those who read no further
    first = text[text.index("## Answer") : text.index("![")]
    assert f"improves; the same-steps control explains the gain: {held}" in first
    page = (tmp_path / "report.html").read_text()
    assert "the same-steps control explains the gain: " in page
    assert page.index('href="#controls"') < page.index('<section id="controls"')
    assert (tmp_path / "table_same_steps.csv").is_file()
