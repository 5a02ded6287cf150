"""The page's text: complete, closed to whatever a corpus is called, the same at every writing."""

import json
import re
from html.parser import HTMLParser

import pytest

from transfer.analysis.rerun import Rerun
from transfer.reporting import sentences
from transfer.reporting.html_report import report_html
from transfer.reporting.markdown_report import report_md

HOSTILE = "</script><img src=x onerror=document.title='hit'>"


class Page(HTMLParser):
    """Tags with their attributes, and the text between them."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.text = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)[1])


def test_the_sentences_are_those_of_the_markdown(simulated):
    found = simulated(4)
    said = sentences.answer(found.edges, smallest_effect=0.005, items={})
    lines = [line for verdict in said.verdicts for line in verdict.lines]
    assert len(lines) == 12
    page, markdown = "".join(Page(report_html(found)).text), report_md(found)
    for line in [said.tally, *lines, *sentences.protocol(found)]:
        assert line.replace("-", "−") in page.replace("-", "−")
        assert line in markdown


def test_the_graph_is_drawn_from_the_edges(simulated):
    found = simulated(4)
    edges = data_of(report_html(found))["stages"][0]["edges"]
    assert len(edges) == len(found.edges) == 12
    for drawn, edge in zip(edges, found.edges.to_dict("records"), strict=True):
        assert found.order[drawn["source"]] == edge["source"]
        assert found.order[drawn["target"]] == edge["target"]
        assert drawn["verdict"] == edge["verdict"]
        assert drawn["points"] == pytest.approx(100 * edge["gain"], abs=1e-4)
        assert drawn["gain"] == f"{100 * edge['gain']:+.1f}".replace("-", "−")


@pytest.mark.parametrize("where", ["corpus", "title", "setting", "error", "grid"])
def test_nothing_that_is_shown_becomes_markup(where, simulated):
    names = ["mednli", HOSTILE if where == "corpus" else "ddi2013"]
    other = {"title": HOSTILE} if where == "title" else {}
    if where == "setting":
        other = {"settings": {HOSTILE: HOSTILE}}
    if where == "grid":
        other = {"rerun": Rerun(f"transfer run-grid {HOSTILE}", HOSTILE, HOSTILE)}
    found = simulated(names, **other)
    if where == "error":
        found.missing.loc[0] = ["refine", "mednli", "mednli", 0, "failed", HOSTILE]
    page = Page(report_html(found))
    tags = [tag for tag, _ in page.tags]
    assert "img" not in tags
    assert tags.count("script") == 2
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert not [attributes for _, attributes in page.tags if "style" in attributes]
    assert HOSTILE in "".join(page.text) or where == "corpus"


def test_line_ends_of_unicode_and_ends_of_scripts_are_escaped_in_the_numbers(simulated):
    names = ["mednli", "a\u2028b\u2029c</script>&<!--"]
    page = report_html(simulated(names))
    block = re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.S)[1]
    assert not set("<>&\u2028\u2029") & set(block)
    assert data_of(page)["nodes"][1]["name"] == names[1]


def test_it_asks_nothing_of_the_network(simulated):
    page = Page(report_html(simulated(3)))
    assert not [a for _, a in page.tags for key in ("src", "srcset", "data", "action") if key in a]
    links = [a["href"] for _, a in page.tags if "href" in a]
    assert all(re.fullmatch(r"#[a-z]+|data:,|[\w-]+\.(csv|svg|graphml|json)", link) for link in links)
    policy = next(a["content"] for tag, a in page.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


def test_ids_are_unique_and_every_reference_has_its_end(simulated):
    page = Page(report_html(simulated(3, stages=("refine", "fine-tune"))))
    ids = [a["id"] for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    for _, a in page.tags:
        assert a.get("aria-labelledby") in {None, *ids}
        assert not a.get("href", "").startswith("#") or a["href"][1:] in ids


def test_synthetic_data_is_marked_and_prepared_data_is_not(simulated):
    marked = report_html(simulated(3))
    assert "<title>SYNTHETIC DATA: simulated" in marked
    assert marked.count("SYNTHETIC DATA") > 5
    plain = report_html(simulated(3, source="prepared"))
    shown = re.sub(r"<(style|script)>.*?</\1>", "", plain, flags=re.S).lower()
    assert "synthetic data" not in shown


def test_equal_findings_give_equal_bytes(simulated):
    assert report_html(simulated(3)) == report_html(simulated(3))


def test_a_page_of_eight_tasks_and_ten_seeds_is_small(simulated):
    assert len(report_html(simulated(8, seeds=10)).encode()) < 3_000_000


def test_a_grid_without_edges_has_a_page(simulated):
    found = simulated(["mednli"])
    page = "".join(Page(report_html(found)).text)
    assert "No edge could be measured" in page
    assert "Reproduce" in page
