"""Sources of variation that a report says its intervals cover."""

from transfer.reporting.coverage_sentence import covered
from transfer.reporting.html_report import report_html
from transfer.reporting.markdown_report import report_md

NAMES = ("one", "two", "three")


def corpora(**pools: int) -> list[dict]:
    return [
        {"name": name, "kind": "tagging", "metric": "span_f1", "domain": "", "licence": "", "citation": "",
         "train": 400, "dev": 200, "test": 300} | ({"pool": pools[name]} if name in pools else {})
        for name in NAMES
    ]  # fmt: skip


def test_fixed_training_sets_are_said_not_to_be_covered(simulated):
    said = covered(simulated(NAMES))
    assert "two sources of variation, seeds and test items" in said
    assert "no interval covers the choice of the training set" in said


def test_resampled_training_sets_are_covered_and_fixed_ones_named(simulated):
    said = covered(simulated(NAMES, corpora=corpora(one=5000, three=410)))
    assert "three sources of variation, seeds, test items and training samples" in said
    assert "(one 400 of 5,000, three 400 of 410)" in said
    assert said.endswith("The training sets of two are fixed and not covered.")
    everywhere = covered(simulated(NAMES, corpora=corpora(one=500, two=500, three=500)))
    assert "fixed" not in everywhere


def test_both_forms_of_a_report_say_it(simulated):
    found = simulated(NAMES, corpora=corpora(one=5000))
    assert covered(found) in report_md(found)
    assert covered(found) in report_html(found)
