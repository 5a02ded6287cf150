"""Output of a comparison: settings, sentences, the page and the files."""

import dataclasses
import io

import pandas as pd
import pytest

from transfer.analysis.comparison.methods import differing
from transfer.analysis.old_reports import correction_of
from transfer.analysis.tables import to_csv
from transfer.analysis.verdicts import corrected
from transfer.reporting.comparison_report import ComparisonReport


@pytest.fixture
def found(world):
    study = world(1)
    base = study.method("hard", gain={("a", "b"): 0.05, ("c", "a"): 0.015})
    return ComparisonReport((base, study.method("soft", gain={("c", "d"): 0.05, ("c", "a"): 0.008})))


def with_settings(comparison, *settings, **both):
    return ComparisonReport(
        tuple(
            dataclasses.replace(method, settings={**both, **own})
            for method, own in zip(comparison.methods, settings, strict=True)
        )
    )


def test_only_the_settings_that_differ_are_shown(found):
    shown = with_settings(found, {"share": "hard"}, {"share": "lora", "rank": "8"}, lr="0.001", seeds="0, 1")
    assert shown.settings.to_dict("records") == [
        {"setting": "share", "hard": "hard", "soft": "lora"},
        {"setting": "rank", "hard": "none", "soft": "8"},
    ]
    page = shown.markdown()
    assert "| share | hard | lora |" in page
    assert "lr" not in page
    assert "report's folder" not in page


def test_of_a_reports_folder_only_what_its_tables_tell_is_held_against_the_other(found):
    half = ComparisonReport((dataclasses.replace(found.methods[0], settings={"lr": "1"}), found.methods[1]))
    assert half.settings.to_dict("records") == [{"setting": "recipe", "hard": "hard", "soft": "soft"}]
    assert "A report's folder records only these settings" in half.markdown()


def test_other_data_are_a_warning_of_their_own(found):
    other = with_settings(found, {"data of a": "123", "data of e": "789"}, {"data of a": "456"})
    assert "The corpora differ (a)" in other.markdown()
    assert "data of e" not in other.markdown(), "a corpus that one grid has not is none that differs"
    assert "The corpora differ" not in found.markdown()


def test_the_answer_counts_flips_and_how_many_of_them_the_difference_backs(found):
    table, page = found.table, found.markdown()
    flips = int((table["flip"] != "").sum())
    backed = int(((table["flip"] != "") & table["difference_verdict"].isin(["larger", "smaller"])).sum())
    assert flips > backed == 2, "the simulation has a flip that is no finding"
    assert (
        f"{flips} of 12 verdicts flip. The gains themselves are shown to differ in {backed} of these" in page
    )
    assert "is no evidence that the method matters" in page
    assert "a → b: claim lost, improves → " in page
    assert "In 1 edge the gain is larger than under hard" in page
    assert "In 1 edge the gain is smaller than under hard" in page
    for _, row in table.iterrows():
        assert f"| {row['source']} | {row['target']} | f1 |" in page


def test_without_flips_and_differences_it_says_so(world):
    study = world(20)
    page = ComparisonReport(tuple(study.method(name) for name in ("hard", "soft"))).markdown()
    assert "No verdict of 12 edges flips." in page
    assert "In no edge is the difference of the gains both significant and at least 0.5 points." in page
    said = "the data cannot decide whether the gains differ by 0.5 points or more. The minimum detectable"
    assert said in page


def test_what_rests_on_seeds_alone_says_so_in_page_and_picture(world):
    study = world(21)
    kept, bare = study.method("hard"), study.method("soft", kept=False)
    for compared in (ComparisonReport((kept, bare)), ComparisonReport((bare, kept))):
        assert "with fixed test items" in compared.markdown()
        assert "with fixed test items" in compared.caption
    third = ComparisonReport((kept, study.method("lora"), bare))
    assert "both treated as random; those of soft paired by seed alone" in third.caption


def test_the_correction_of_a_report_is_read_off_its_p_values(found):
    edges = found.methods[0].edges
    for name in ("bh", "holm"):
        told = to_csv(edges.assign(p_adjusted=corrected(edges["p"].to_numpy(), name)))
        assert correction_of(pd.read_csv(io.StringIO(told))) == name
    assert correction_of(edges.assign(p_adjusted=edges["p"] / 2)) == ""


def test_files_are_whole_equal_for_equal_grids_and_marked_when_synthetic(world, tmp_path):
    def compared(source):
        study = world(22)
        return ComparisonReport(tuple(study.method(name, source=source) for name in ("hard", "soft", "lora")))

    first, again = (compared("synthetic").write(tmp_path / name) for name in ("first", "again"))
    assert [path.name for path in first] == [
        "compare.svg", "compare.png", "compare.pdf", "compare.csv", "compare_cost.csv", "compare.md",
    ]  # fmt: skip
    assert {path.parent for path in first} == {tmp_path / "first" / "hard+vs+soft+lora"}
    assert sorted(first[0].parent.iterdir()) == sorted(first)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in again]
    assert "SYNTHETIC DATA" in first[-1].read_text(encoding="utf-8")
    assert b"SYNTHETIC DATA: soft and lora against hard" in first[0].read_bytes()
    for table in first[3:5]:
        assert set(pd.read_csv(table)["data_source"]) == {"synthetic"}
    prepared = compared("prepared").write(tmp_path / "prepared")
    assert "SYNTHETIC" not in prepared[-1].read_text(encoding="utf-8")
    assert b"SYNTHETIC" not in prepared[0].read_bytes()
    pd.testing.assert_frame_equal(
        pd.read_csv(prepared[3]).astype({"flip": object}).fillna({"flip": ""}),
        compared("prepared").table, check_dtype=False, atol=1e-6, rtol=1e-3,
    )  # fmt: skip


def test_many_long_names_make_a_folder_that_can_be_made(world):
    study = world(23, tasks="ab")
    names = [f"{'a-long-name-of-a-grid-' * 2}{n}" for n in range(8)]
    assert ComparisonReport(tuple(study.method(name) for name in names)).folder == f"{names[0]}+vs+7-others"


def test_costs_that_were_not_recorded_are_said_to_be(found):
    base, other = found.methods
    bare = dataclasses.replace(other, results=other.results.drop(columns="seconds"))
    assert "| soft | 50 | not recorded |" in ComparisonReport((base, bare)).markdown()


def test_differing_settings_of_equal_methods_are_none(found):
    assert differing([found.methods[0]] * 2).empty
