"""The section on stages: true to its tables, in page and Markdown alike, only where there is a stage 3."""

import pytest

from tests.analysis.test_stages import GROUP, frame_of, planted
from transfer.analysis import stages
from transfer.analysis.setup import Setup
from transfer.analysis.stages import contrasts, means
from transfer.analysis.study import Study
from transfer.reporting.html_report import report_html
from transfer.reporting.markdown_report import report_md
from transfer.reporting.paste_tables import to_paste
from transfer.reporting.report import _csv
from transfer.reporting.stage_sentences import contrasts_in_points, section, winner

BOTH = ("refine", "fine-tune")


def said(scores, **other):
    """The sentence of target a."""
    frame = frame_of(scores)
    table = contrasts(frame, smallest_effect=0.005)
    return winner(means(frame).to_dict("records")[0], table, smallest_effect=0.005, **other)


def test_a_winner_beyond_doubt_and_one_that_cannot_be_told_read_unlike():
    clear = said(planted(0.0, 0.01, 0.02, 0.06))
    assert clear.startswith("a: refinement + fine-tuning 65.4, the highest; over refinement +4.1 points")
    assert clear.endswith("So it is better than refinement, single trained longer and single.")
    assert "points (95% CI [" in clear
    assert ", 5 seeds, on more epochs), improves" in clear
    unsure = said(planted(0.0, 0.0, 0.0, 0.0, noise=0.02))
    assert "So it is not shown to differ from" in unsure
    assert "(minimum detectable effect " in unsure
    same = said(planted(0.0, 0.03, 0.0, 0.0305, noise=0.0003))
    assert "is within 0.5 points of single trained longer" in same
    assert "no effect" in same


def test_a_contrast_is_turned_with_its_ends_where_the_other_arm_wins():
    scores = planted(0.0, 0.05, 0.0, 0.0)
    frame = frame_of(scores)
    table = contrasts(frame, smallest_effect=0.005).set_index(["arm", "against"])
    row = table.loc[(stages.FINE_TUNING, stages.LONGER)]
    assert row["verdict"] == "harms"
    low, high = -100 * row["ci_high_selected"], -100 * row["ci_low_selected"]
    told = f"+{-100 * row['gain']:.1f} points (95% CI [{low:.1f}, {high:.1f}], 5 seeds), improves"
    assert f"over refinement + fine-tuning {told}" in said(scores)


def test_what_is_missing_is_said_and_no_winner_is_made_up():
    scores = planted(0.0, 0.01, 0.02, 0.06)
    scores["fine-tune", GROUP, "a"] = [float("nan")] * 5
    text = said(scores)
    assert text.startswith("a: refinement 6")
    assert "over refinement + fine-tuning not measured" in text
    assert "Missing: fine-tuning: seed 0 failed" in text
    assert "is not compared with refinement + fine-tuning" in text
    nothing = {arm: [float("nan")] * 5 for arm in scores}
    assert "no arm is named" in said(nothing)
    tied = {arm: [0.5, 0.6] for arm in scores}
    assert "equally high" in said(tied)


def test_one_seed_shows_no_interval():
    text = said(planted(0.0, 0.1, 0.2, 0.3, seeds=1))
    assert "(no interval, 1 seed" in text
    assert "improves" not in text
    assert "So it is not shown to differ from" in text


def test_the_section_is_in_page_markdown_and_files(simulated):
    found = simulated(3, stages=BOTH)
    part = section(found)
    page, markdown = report_html(found), report_md(found)
    assert "\n## Stages\n" in markdown
    assert '<section id="arms"' in page
    for line in (part.text, part.rules, *part.tallies, *part.winners):
        assert line in markdown
        assert line.replace("-", "−") in page.replace("-", "−").replace("&#39;", "'")
    assert len(part.winners) == 3
    assert [line.split(":")[0] for line in part.winners] == found.order
    counted = [
        sum(int(word) for word in tally.split("): ")[1].split() if word.isdigit()) for tally in part.tallies
    ]
    assert counted == [3] * 6
    assert {"table_stages.csv", "table_stage_means.csv"} <= set(_csv(found))
    assert "synthetic" in _csv(found)["table_stages.csv"].splitlines()[1]
    assert to_paste(found)["table_stages.md"].startswith("> **SYNTHETIC DATA.**")
    assert not to_paste(simulated(3, stages=BOTH, source="prepared"))["table_stages.md"].startswith(">")


def test_a_report_without_stage_3_says_nothing_of_stages(simulated):
    found = simulated(3)
    assert section(found) is None
    assert "Stages" not in report_md(found)
    assert 'id="arms"' not in report_html(found)
    assert not [name for name in (*_csv(found), *to_paste(found)) if "stage" in name]


def test_a_grid_without_pairs_says_where_its_answer_is(simulated):
    found = simulated(3, stages=BOTH)
    groups = found.results[found.results["corpora"].str.count(r"\+") != 1]
    rows = found.corpora.drop(columns="baseline").to_dict("records")
    setup = Setup(title="t", corpora=rows, smallest_effect=0.005, source="synthetic")
    few = Study.of_frame(groups, setup)
    assert "this grid compares stages, below" in report_md(few)
    assert "this grid compares stages, below" in report_html(few)


@pytest.mark.parametrize("lost", [False, True])
def test_the_table_has_a_column_of_what_is_missing_where_something_is(lost):
    scores = planted(0.0, 0.01, 0.02, 0.06)
    if lost:
        scores["refine", GROUP, "a"][1] = float("nan")
    shown = contrasts_in_points(contrasts(frame_of(scores), smallest_effect=0.005))
    assert ("missing" in shown) == lost
