"""A finished grid from Python: its tables, graph, figures and advice, from the store and from a report."""

import dataclasses
import math
import shutil
import subprocess
import sys
from pathlib import Path

import networkx as nx
import pandas as pd
import pytest

from transfer import Study
from transfer.inputs import InputError

STUDIES = Path(__file__).parents[1] / "studies"


@pytest.fixture(scope="module")
def study(tiny_run) -> Study:
    return Study.open(tiny_run.grid, store=tiny_run.store)


@pytest.fixture(scope="module")
def committed() -> Study:
    return Study.open(STUDIES / "clinical_pairs")


def test_the_store_and_the_report_of_a_grid_are_the_same_study(study: Study, tiny_run):
    read = Study.open(tiny_run.out / "tiny")
    assert (read.name, read.tasks, read.data_source) == ("tiny", ("sim", "rel", "ner"), "prepared")
    for field in dataclasses.fields(study):
        ours, theirs = getattr(study, field.name), getattr(read, field.name)
        if isinstance(ours, pd.DataFrame):
            pd.testing.assert_frame_equal(ours, theirs, check_dtype=False, check_exact=True)
        elif field.name not in ("options", "evidence"):
            assert ours == theirs, field.name
    assert study.group(2).sentences() == read.group(2).sentences()
    for target in study.tasks:
        one, two = study.recommend(target), read.recommend(target)
        assert one.sentences() == two.sentences()
        assert one.items_held_out
        pd.testing.assert_frame_equal(one.table, two.table, check_exact=True)
    assert nx.utils.graphs_equal(study.graph, read.graph)
    assert study.graph_figure().svg == read.graph_figure().svg


def test_a_study_of_the_store_has_the_columns_of_the_controls(study: Study):
    assert {"gain_same_steps", "verdict_tuned", "standing_left_out"} <= set(study.edges)


def test_a_saved_study_without_single_runs_to_match_keeps_both_variances(study: Study, tmp_path: Path):
    """A table of edges has their sum alone."""
    further = study.options[0].estimate._replace(unmatched=1e-4, unmatched_degrees=3, weight=0.7)
    option = study.options[0]._replace(estimate=further)
    dataclasses.replace(study, options=(option,)).save(tmp_path)
    assert Study.load(tmp_path).options[0].estimate == further


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda text: text[:-20], "is no study of this version"),
        (lambda text: text.replace('"format": 1', '"format": 2', 1), "format: Input should be 1"),
        (lambda text: text.replace('"se_items"', '"se_itens"', 1), "columns are not those of its order"),
        (lambda text: text.replace('"settings": {', '"setings": {', 1), "the table settings is missing"),
    ],
)
def test_a_study_that_was_edited_is_one_message(study: Study, tmp_path: Path, change, what: str):
    path = study.save(tmp_path)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InputError, match=what):
        Study.open(tmp_path)


def test_edges_and_graph_say_the_same(committed: Study):
    assert isinstance(committed.graph, nx.DiGraph)
    assert list(committed.graph.nodes) == list(committed.tasks)
    assert committed.graph.number_of_edges() == len(committed.edges) == 12
    row = committed.edges.set_index(["source", "target"]).loc[("mednli", "shareclefe")]
    edge = committed.graph.edges["mednli", "shareclefe"]
    assert edge["verdict"] == row["verdict"] == "improves"
    assert edge["gain"] == pytest.approx(row["gain"], abs=1e-5)  # the graph has five decimals


def test_a_stage_or_label_that_reads_like_nothing_is_kept(committed: Study):
    null = Study.open(STUDIES / "public_clinical_pairs")
    assert "null" in set(null.results["stage"]), "the null control's stage is the word, not a missing value"
    assert (null.results["error"] == "").all()
    assert committed.stages == ("refine",)


@pytest.mark.parametrize("figure", ["graph_figure", "forest_figure", "seeds_figure"])
def test_figures_show_themselves_and_synthetic_ones_say_so(committed: Study, figure: str, tmp_path: Path):
    drawn = getattr(committed, figure)()
    assert drawn._repr_svg_().lstrip().startswith("<?xml")
    assert "<svg" in drawn.svg
    assert drawn.svg == getattr(committed, figure)().svg
    assert drawn.save(tmp_path / "figure.svg").read_text(encoding="utf-8") == drawn.svg
    assert "SYNTHETIC DATA" in drawn.svg, "the picture's text may be paths; its title is not"


def test_grids_stand_side_by_side(committed: Study):
    real = Study.open(STUDIES / "public_clinical_pairs")
    drawn = committed.panels_figure(real)
    assert drawn.svg == committed.panels_figure(real).svg
    assert "SYNTHETIC DATA: transfer graphs of clinical_pairs and public_clinical_pairs" in drawn.svg
    both = committed.panels(real)
    assert list(both.table["grid"].unique()) == ["clinical_pairs", "public_clinical_pairs"]
    assert len(both.table) == len(committed.edges) + len(real.edges)
    assert both.caption.count("SYNTHETIC DATA") == 1
    with pytest.raises(InputError, match="two of the grids are named 'clinical_pairs'"):
        committed.panels(committed)


def test_advice_shows_itself_as_markdown(committed: Study):
    text = committed.recommend("mednli")._repr_markdown_()
    assert "Train mednli with " in text
    assert "| shareclefe |" in text
    assert "SYNTHETIC DATA" in text
    text = committed.group(2)._repr_markdown_()
    assert "2 models" in text
    assert "| mednli |" in text
    assert "SYNTHETIC DATA" in text


def test_what_is_wrong_is_named(committed: Study, tmp_path: Path, tiny_grid: Path):
    with pytest.raises(InputError, match="unknown task 'mednly' in clinical_pairs; did you mean 'mednli'"):
        committed.recommend("mednly")
    with pytest.raises(InputError, match="in the stage 'fine-tune'; known: refine"):
        committed.group(2, stage="fine-tune")
    with pytest.raises(InputError, match=r"results\.csv is missing"):
        Study.open(tmp_path)
    with pytest.raises(InputError, match="never run into this store"):
        Study.open(tiny_grid, store=tmp_path / "runs")
    with pytest.raises(InputError, match="no such file"):
        Study.open(tmp_path / "nothing.yaml")


def test_a_study_without_gains_opens_and_advises_nothing(committed: Study, tmp_path: Path):
    for name in ("results", "edges", "table_groups", "table_corpora"):
        table = pd.read_csv(STUDIES / "clinical_pairs" / f"{name}.csv")
        if name in ("edges", "table_groups"):
            table = table.iloc[:0]
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    empty = Study.open(tmp_path)
    assert "edges: none" in repr(empty)
    with pytest.raises(InputError, match="no gain was measured"):
        empty.recommend("mednli")


def test_advice_on_runs_that_did_not_learn_says_so(committed: Study, tmp_path: Path):
    for name in ("results", "edges", "table_groups", "table_corpora"):
        table = pd.read_csv(STUDIES / "clinical_pairs" / f"{name}.csv")
        if name == "edges":
            here = (table["source"] == "shareclefe") & (table["target"] == "mednli")
            table["flag"] = here.map({True: "mednli alone: seed 0: did not learn", False: ""})
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    flagged, told = Study.open(tmp_path), "at face value: shareclefe → mednli. "
    for advice in (flagged.recommend("mednli"), flagged.group(2)):
        assert told in advice.sentences()[-1]
    # the committed report has a flag of its own: clinicalsts reads a wrong cue with shareclefe
    for advice in (flagged.recommend("clinicalsts"), committed.recommend("mednli")):
        assert "at face value" not in " ".join(advice.sentences())


def test_importing_is_light_and_the_study_needs_no_torch():
    code = (
        "import sys, transfer; "
        "assert not {'pandas', 'torch', 'scipy', 'pydantic'} & set(sys.modules), 'import transfer is heavy'; "
        "from transfer import Study; "
        f"s = Study.open({str(STUDIES / 'clinical_pairs')!r}); s.recommend('mednli'); s.group(2); s.graph; "
        "assert not {'torch', 'transformers', 'ray', 'matplotlib'} & set(sys.modules), 'a study is heavy'"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def test_an_unknown_name_of_the_package_is_an_ordinary_error():
    import transfer

    with pytest.raises(AttributeError, match="has no attribute 'Stady'"):
        _ = transfer.Stady


def test_recommend_on_the_command_line(transfer):
    code, shown, _ = transfer("recommend", "mednli", "--from", STUDIES / "clinical_pairs")
    assert code == 0
    assert "SYNTHETIC DATA" in shown
    assert "Train mednli with " in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_group_on_the_command_line(transfer, tiny_run):
    code, shown, _ = transfer("group", tiny_run.grid, "--models", 2, "--store", tiny_run.store)
    assert code == 0
    assert {"sim", "rel", "ner"} <= set(shown.split())
    assert "SYNTHETIC" not in shown


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["recommend", "mednly", "--from", STUDIES / "clinical_pairs"], "did you mean 'mednli'?"),
        (["recommend", "mednli", "--from", STUDIES], "results.csv is missing"),
        (["group", STUDIES / "clinical_pairs", "--models", 0], "should be 1 or more"),
        (["group", "nowhere.yaml", "--models", 1], "nowhere.yaml: no such file"),
    ],
)
def test_wrong_input_is_one_message_and_exit_2(transfer, arguments: list, what: str):
    code, _, err = transfer(*arguments)
    assert code == 2
    assert len(err.strip().splitlines()) == 1
    assert what in err


def test_a_gain_without_spread_is_shown_as_that(tmp_path: Path):
    report = Path(shutil.copytree(STUDIES / "public_clinical_pairs", tmp_path / "report"))
    edges = pd.read_csv(report / "edges.csv")
    flat = (edges["source"] == "stsb") & (edges["target"] == "nli4ct")
    unknown = ["ci_low", "ci_high", "p", "p_adjusted", "detectable", "detectable_10_seeds"]
    edges.loc[flat, unknown] = math.nan
    edges.loc[flat, ["gain", "se_seeds", "se_items", "df_seeds"]] = [0.0, 0.0, 0.0, 4.0]
    edges.to_csv(report / "edges.csv", index=False)
    table = Study.open(report).recommend("nli4ct").table.set_index("partners")
    assert math.isnan(table.loc["stsb", "low"]), "its gains do not vary; nothing is known of the spread"
