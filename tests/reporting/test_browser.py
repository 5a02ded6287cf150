"""The page in headless Chromium: what a person sees, points at, clicks and types."""

import base64
import csv
import dataclasses
import io
import itertools
import json
import math
import shutil
import time

import pytest

from transfer.analysis.tables import minus, points, to_csv
from transfer.reporting.gain_tables import CONTROL_HEADS
from transfer.reporting.html_report import report_html

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
from selenium.common.exceptions import StaleElementReferenceException  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select, WebDriverWait  # noqa: E402

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER),
    reason="chromium and chromedriver are not installed (Debian: apt-get install chromium chromium-driver)",
)
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--window-size=1280,900",
)  # fmt: skip


@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    browser.set_script_timeout(180)  # axe on a large page, on a busy machine
    yield browser
    browser.quit()


@pytest.fixture(scope="module")
def eight(simulated):
    """Eight tasks, ten seeds."""
    return simulated(8, seeds=10)


@pytest.fixture(scope="module")
def eight_file(eight, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report_html(eight), encoding="utf-8")
    return file


@pytest.fixture
def page(chromium, eight_file):
    """The page of eight tasks, freshly opened."""
    return opened(chromium, eight_file)


def opened(chromium, file):
    chromium.get_log("browser")
    chromium.get_log("performance")
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    chromium.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    chromium.get(file.as_uri())
    return chromium


@pytest.fixture(scope="module")
def rows(eight):
    """The lines of edges.csv by source and target."""
    lines = csv.DictReader(io.StringIO(to_csv(eight.edges)))
    return {(line["source"], line["target"]): line for line in lines}


def find(page, css):
    return page.find_elements(By.CSS_SELECTOR, css)


def details(page):
    return find(page, ".details")[0].text


def read(row):
    """Gain and interval as the page writes them, from a line of edges.csv."""
    claimed = "_selected" if row["ci_low_selected"] else ""  # a claim's interval is the adjusted one
    gain, low, high = (float(row[key]) for key in ("gain", f"ci_low{claimed}", f"ci_high{claimed}"))
    return minus(points(gain, sign=True)), minus(f"[{points(low)}, {points(high)}]")


def check_is_told(page, row):
    gain, interval = read(row)
    told = details(page)
    for text in (
        f"{row['source']} → {row['target']}",
        f"{gain} points",
        interval,
        row["verdict"],
        row["seeds"],
    ):
        assert text in told
    assert f"{float(row['p_adjusted']):.2g}" in told


def point_at(page, element):
    """Moves the mouse onto the middle of an edge's line, or of anything else."""
    x, y = page.execute_script(
        """const e = arguments[0]; e.scrollIntoView({block: 'center'});
        const line = e.querySelector('.line');
        if (!line) { const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }
        const p = line.getPointAtLength(line.getTotalLength() / 2).matrixTransform(line.getScreenCTM());
        return [p.x, p.y];""",
        element,
    )
    actions = webdriver.ActionChains(page, duration=0)
    actions.w3c_actions.pointer_action.move_to_location(int(x), int(y))
    return actions


def test_opens_without_an_error_and_asks_for_nothing(page, eight_file, record_property):
    assert page.get_log("browser") == []
    asked = [json.loads(entry["message"])["message"] for entry in page.get_log("performance")]
    urls = {m["params"]["request"]["url"] for m in asked if m["method"] == "Network.requestWillBeSent"}
    assert {url for url in urls if not url.startswith("data:")} == {eight_file.as_uri()}
    seconds = page.execute_script("return performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000
    record_property("seconds_to_load", seconds)
    print(f"\n8 tasks, 10 seeds: {eight_file.stat().st_size / 1e6:.2f} MB, loaded in {seconds:.2f} s")
    assert page.title.startswith("SYNTHETIC DATA")
    assert len(find(page, ".graph .edge")) == 56
    assert len(find(page, ".graph .node")) == 8


def test_pointing_at_an_edge_tells_the_numbers_of_edges_csv(page, rows):
    largest = max(
        (row for row in rows.values() if row["verdict"] == "improves"), key=lambda r: float(r["gain"])
    )
    only(page, "improves")
    least(page, 100 * float(largest["gain"]) - 0.01)
    (edge,) = find(page, ".graph .edge")
    point_at(page, edge).perform()
    check_is_told(page, largest)
    point_at(page, find(page, "#graph-head")[0]).perform()
    assert "Point at an edge" in details(page)


def test_every_edge_tells_its_numbers_to_the_keyboard(page, rows):
    first = find(page, ".graph [role=listbox] [tabindex='0']")
    assert len(first) == 1
    page.execute_script("arguments[0].focus()", first[0])
    told = set()
    for _ in rows:
        lines = details(page).splitlines()
        source, target = lines[0].split(" → ")
        check_is_told(page, rows[source, target])
        told.add((source, target))
        page.switch_to.active_element.send_keys(Keys.ARROW_RIGHT)
    assert told == set(rows)
    page.switch_to.active_element.send_keys(Keys.ESCAPE)
    assert "Point at an edge" in details(page)


def only(page, *verdicts):
    for box in find(page, ".filters [name=verdict]"):
        if box.is_selected() != (box.get_attribute("value") in verdicts):
            box.click()


def least(page, value):
    box = find(page, ".filters [name=least]")[0]
    box.clear()
    box.send_keys(f"{value:.2f}")


@pytest.mark.parametrize("verdicts", [("improves",), ("harms", "no effect"), ("inconclusive",), ()])
def test_verdicts_are_filtered(verdicts, page, rows):
    only(page, *verdicts)
    wanted = {pair for pair, row in rows.items() if row["verdict"] in verdicts}
    check_shown(page, wanted, rows)


def test_small_effects_are_filtered_and_come_back(page, rows):
    least(page, 1.5)
    wanted = {pair for pair, row in rows.items() if abs(float(row["gain"])) >= 0.015}
    assert 0 < len(wanted) < len(rows)
    check_shown(page, wanted, rows)
    find(page, ".filters [type=reset]")[0].click()
    time.sleep(0.1)
    check_shown(page, set(rows), rows)


def check_shown(page, wanted, rows):
    labels = [edge.get_attribute("aria-label") for edge in find(page, ".graph .edge")]
    assert {tuple(label.split(":")[0].split(" to ")) for label in labels} == wanted
    assert f"{len(wanted)} of {len(rows)} edges shown." in find(page, ".shown")[0].text


@pytest.mark.parametrize("how", ["mouse", "keyboard"])
def test_a_task_names_its_partners_from_best_to_worst(how, page, rows):
    node = next(n for n in find(page, ".graph .node") if n.get_attribute("aria-label").startswith("mednli "))
    if how == "mouse":
        point_at(page, node).click().perform()
    else:
        page.execute_script("arguments[0].focus()", find(page, ".graph .node")[0])
        while page.switch_to.active_element != node:
            page.switch_to.active_element.send_keys(Keys.ARROW_DOWN)
        page.switch_to.active_element.send_keys(Keys.ENTER)
    assert node.get_attribute("aria-pressed") == "true"
    lists = find(page, ".details ul")
    for shown, end, other in ((lists[0], "target", "source"), (lists[1], "source", "target")):
        own = sorted((r for r in rows.values() if r[end] == "mednli"), key=lambda r: -float(r["gain"]))
        names = [name.text for name in shown.find_elements(By.CSS_SELECTOR, ".name")]
        assert names == [row[other] for row in own]
        amounts = [one.text for one in shown.find_elements(By.CSS_SELECTOR, ".amount")]
        assert amounts == ["{} {}".format(*read(row)) for row in own]
    # a partner leads to its edge
    lists[0].find_element(By.CSS_SELECTOR, "button").click()
    best = max((r for r in rows.values() if r["target"] == "mednli"), key=lambda r: float(r["gain"]))
    check_is_told(page, best)


def column(page, table, name):
    """A table's head with that name, and a function that reads its cells from above."""
    heads = find(page, f"#{table} thead th")
    place = next(i for i, h in enumerate(heads) if h.text.split("\n")[0].strip(" ↕↑↓") == name)

    def texts():
        return page.execute_script(
            """return [...document.querySelectorAll(arguments[0])]
            .map((row) => row.cells[arguments[1]].textContent)""",
            f"#{table} tbody tr",
            place,
        )

    return heads[place], texts


@pytest.mark.parametrize("name", ["gain", "p adjusted", "source", "verdict"])
def test_tables_are_sorted_by_a_click(name, page):
    head, texts = column(page, "edges-refine", name)
    number = name in ("gain", "p adjusted")
    for order in ("ascending", "descending"):
        head.find_element(By.TAG_NAME, "button").click()
        assert head.get_attribute("aria-sort") == order
        keys = [float(text.replace("−", "-")) if number else text.strip(" ▲▼=?") for text in texts()]
        assert keys == sorted(keys, reverse=order == "descending")
    assert len(find(page, "#edges-refine [aria-sort]")) == 1
    assert len(keys) == 56


def test_scores_are_sorted_by_their_mean_and_empty_cells_stay_last(page):
    head, texts = column(page, "scores-refine", "mednli")
    for sign in (1, -1):
        head.find_element(By.TAG_NAME, "button").click()
        *there, last = texts()
        assert last == ""
        means = [sign * float(text.split(" ±")[0]) for text in there]
        assert means == sorted(means)


def test_light_and_dark(page):
    def background():
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    def prefer(scheme):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [feature]})

    prefer("light")
    light = background()
    prefer("dark")
    dark = background()
    assert (light, dark) == ("rgb(255, 255, 255)", "rgb(20, 23, 28)")
    button = find(page, "#theme")[0]
    seen = {}
    for _ in range(3):
        button.click()
        seen[button.text] = background()
    assert seen == {"Theme: light": light, "Theme: dark": dark, "Theme: system": dark}


@pytest.mark.parametrize("width", [320, 375, 768])
def test_a_narrow_screen_has_no_sideways_scrolling(width, page):
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    time.sleep(0.2)
    assert page.execute_script("return document.documentElement.scrollWidth") == width
    assert page.execute_script("return document.querySelector('#edges .scroll').scrollWidth") > width - 40
    cut = page.execute_script(
        """const box = document.querySelector('.graph svg').getBoundingClientRect();
        return [...document.querySelectorAll('.graph text')].filter((t) => {
          const r = t.getBoundingClientRect();
          const rooms = [r.left - box.left, box.right - r.right, r.top - box.top, box.bottom - r.bottom];
          return Math.min(...rooms) < -1;
        }).map((t) => t.textContent)"""
    )
    assert cut == []


def overflow(page, css):
    """The number of pixels of an element's content that its width hides."""
    return page.execute_script(
        "const e = document.querySelector(arguments[0]); return e.scrollWidth - e.clientWidth", css
    )


def heads(page):
    return [
        page.execute_script("return arguments[0].textContent", head)
        for head in find(page, "#edges-refine th button")
        if head.is_displayed()
    ]


@pytest.mark.parametrize("controls", [0, 3])
def test_a_desktop_shows_all_columns_of_the_edges(controls, chromium, simulated, tmp_path):
    found = with_controls(simulated(8), controls)
    page = shown_at(1280, found, chromium, tmp_path)
    assert overflow(page, "#edges .scroll") == 0
    assert len(heads(page)) == 10 + controls
    assert find(page, ".columns summary")[0].text == f"Columns: {8 + controls} of {8 + controls} shown"
    box = page.execute_script("return document.querySelector('#edges .scroll').getBoundingClientRect().width")
    assert box > 1200, "the room that there is, is used"


def test_columns_that_do_not_fit_are_named_and_come_back(chromium, simulated, tmp_path):
    page = shown_at(960, with_controls(simulated(8), 3), chromium, tmp_path)
    assert overflow(page, "#edges .scroll") == 0
    before = heads(page)
    assert before[:5] == ["source", "target", "verdict", "gain", "95% CI"]
    assert find(page, ".columns summary")[0].text == f"Columns: {len(before) - 2} of 11 shown"
    assert len(before) < 13
    find(page, ".columns summary")[0].click()
    boxes = {box.text: box.find_element(By.TAG_NAME, "input") for box in find(page, ".columns label")}
    boxes["joint"].click()
    boxes["95% CI"].click()
    assert set(heads(page)) == (set(before) | {"joint"}) - {"95% CI"}
    assert not find(page, "#edges-refine td.plot")[0].is_displayed(), "goes with its interval"
    joint = [cell for cell in find(page, "#edges-refine tbody tr:first-child > *") if cell.is_displayed()]
    assert len(joint) == len(before)


def with_controls(found, count):
    names = list(CONTROL_HEADS)[:count]
    return dataclasses.replace(found, edges=found.edges.assign(**{f"gain_{n}": 0.01 for n in names}))


def shown_at(width, found, chromium, folder):
    file = folder / "report.html"
    file.write_text(report_html(found), encoding="utf-8")
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    opened(chromium, file)
    chromium.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    chromium.refresh()
    return chromium


def names_that_overlap(page):
    return page.execute_script(
        """const names = [...document.querySelectorAll('.graph .node text:not(.kind)')];
        const boxes = names.map((t) => [t.textContent, t.getBBox()]);
        const found = [];
        boxes.forEach(([a, p], i) => boxes.slice(i + 1).forEach(([b, q]) => {
          const x = Math.min(p.x + p.width, q.x + q.width) - Math.max(p.x, q.x);
          const y = Math.min(p.y + p.height, q.y + q.height) - Math.max(p.y, q.y);
          if (x > 2 && y > 2) found.push([a, b]);
        }));
        return found"""
    )


@pytest.mark.parametrize("count", [2, 4, 8])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_names_of_a_graph_do_not_cover_each_other(count, width, chromium, simulated, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report_html(simulated(count)), encoding="utf-8")
    page = opened(chromium, file)
    size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    time.sleep(0.2)
    assert len(find(page, ".graph .node")) == count
    assert names_that_overlap(page) == []


@pytest.fixture(scope="module")
def axe():
    """The script of axe-core."""
    core = pytest.importorskip("axe_core_python.base", reason="axe-core-python is not installed")
    return core.AXE_SCRIPT


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "content", ["two stages", "long names", pytest.param("thirteen tasks", marks=pytest.mark.slow)]
)
def test_axe_finds_no_violation(width, scheme, content, chromium, axe, axe_files):
    page = opened(chromium, axe_files[content])
    feature = {"name": "prefers-color-scheme", "value": scheme}
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": [feature]})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    page.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    # the faint mark over all of the page keeps axe from telling what lies behind a text
    page.execute_script("document.querySelectorAll('.watermark').forEach((mark) => mark.remove())")
    page.execute_script(axe)
    found = page.execute_async_script(
        """const rules = {'label-content-name-mismatch': {enabled: true}, 'p-as-heading': {enabled: true}};
        const done = arguments[arguments.length - 1];
        axe.run({rules}).then(done, (error) => done({violations: [{id: String(error), nodes: []}]}));"""
    )
    said = [
        (rule["id"], node["html"][:200], node["failureSummary"])
        for rule in found["violations"]
        for node in rule["nodes"] or [{"html": "", "failureSummary": ""}]
    ]
    assert said == []
    crashed = [rule["id"] for rule in found["incomplete"] if not rule["nodes"]]
    assert crashed == [], "rules that could not be applied"
    applied = {rule["id"]: len(rule["nodes"]) for rule in found["passes"]}
    assert applied["color-contrast"] > 100
    assert applied["label-content-name-mismatch"] >= 3


@pytest.fixture(scope="module")
def axe_files(simulated, tmp_path_factory):
    folder = tmp_path_factory.mktemp("axe")
    grids = {
        "two stages": simulated(3, stages=("refine", "fine-tune")),
        "thirteen tasks": simulated([f"corpus-{n:02d}" for n in range(13)], source="prepared"),
        "long names": simulated(["adverse-drug-events-in-discharge-summaries", "mednli", "ddi"]),
    }
    for name, found in grids.items():
        (folder / f"{name}.html").write_text(report_html(found), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in grids}


def test_headings_are_in_order_and_landmarks_are_there(page):
    levels = [int(head.tag_name[1]) for head in find(page, "h1, h2, h3, h4, h5, h6")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in itertools.pairwise(levels))
    for landmark in ("header", "nav", "main", "footer"):
        assert len(find(page, landmark)) == 1
    assert all(table.find_element(By.TAG_NAME, "caption").text for table in find(page, "table"))


def test_every_control_says_what_it_is_and_the_first_skips_to_the_answer(page):
    # what is folded away has no name until it is shown
    page.execute_script("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    for control in find(page, "button, input, select, a[href], summary, [tabindex='0']"):
        assert control.accessible_name.strip(), control.get_attribute("outerHTML")
    find(page, "body")[0].send_keys(Keys.TAB)
    first = page.switch_to.active_element
    assert first.text == "Skip to the answer"
    assert page.execute_script("return arguments[0].getBoundingClientRect().left >= 0", first)


def test_a_partner_stands_out(page):
    select = Select(find(page, "#seeds select")[0])
    select.select_by_visible_text("mednli")
    place = select.first_selected_option.get_attribute("value")
    lit = find(page, "#seeds figure .lit")
    assert len(lit) == 7
    assert all(f"partner-{place}" in path.get_attribute("class") for path in lit)
    assert len(find(page, "#seeds figure .dim")) == 49


def test_curves_show_dev_scores_or_losses(page):
    dev, loss = find(page, ".curves")
    assert (dev.is_displayed(), loss.is_displayed()) == (True, False)
    find(page, ".measure [value=loss]")[0].click()
    assert (dev.is_displayed(), loss.is_displayed()) == (False, True)
    # alone, all together and seven pairs
    assert len(loss.find_elements(By.CSS_SELECTOR, "figure:first-of-type .series")) == 9


def test_the_axis_near_zero_shows_the_band(page):
    widths = []
    for place in (0, 1):
        find(page, f".scale [value='{place}']")[0].click()
        bands = [find(page, f"#edges-refine tbody .ci.scale-{n} .band")[0] for n in (0, 1)]
        assert [band.is_displayed() for band in bands] == [place == 0, place == 1]
        widths.append(page.execute_script("return arguments[0].getBBox().width", bands[place]))
    assert widths[1] > 3 * widths[0]


def test_paper_has_graph_tables_and_mark_and_no_controls(page):
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    # the graph is drawn anew for another medium, and what was found a moment ago is then no longer there
    wait = WebDriverWait(page, 20, ignored_exceptions=[StaleElementReferenceException])
    for css in (".graph svg", "#edges-refine", "#scores-refine", ".watermark", ".banner"):
        assert wait.until(lambda page, css=css: find(page, css)[0].is_displayed()), css
    assert not [one for one in find(page, "nav, .filters, .details, #theme, select") if one.is_displayed()]
    # Chromium repeats a table's head on each page, but no button that has a box of its own
    button = find(page, "#edges-refine thead button")[0]
    assert button.value_of_css_property("display") == "contents"
    assert button.value_of_css_property("font-weight") == "600"
    pdf = page.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True})["data"]
    assert base64.b64decode(pdf).startswith(b"%PDF")


def test_a_stage_is_chosen(chromium, simulated, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report_html(simulated(3, stages=("refine", "fine-tune"))), encoding="utf-8")
    page = opened(chromium, file)
    for stage in ("refine", "fine-tune"):
        find(page, f"#stages [value={stage}]")[0].click()
        shown = [block for block in find(page, ".stage") if block.is_displayed()]
        assert {block.get_attribute("data-stage") for block in shown} == {stage}
        assert len(shown) == 5
        assert len(find(page, f"#graph [data-stage={stage}] .graph .edge")) == 6


def test_what_a_corpus_is_called_is_never_run(chromium, simulated, tmp_path):
    hostile = "</script><img src=x onerror=\"document.title='hit'\">"
    file = tmp_path / "report.html"
    file.write_text(report_html(simulated(["mednli", hostile], title=hostile)), encoding="utf-8")
    page = opened(chromium, file)
    for node in find(page, ".graph .node"):
        page.execute_script("arguments[0].dispatchEvent(new MouseEvent('click', {bubbles: true}))", node)
        assert details(page)
    page.execute_script(
        "document.querySelector('.edge').dispatchEvent(new MouseEvent('click', {bubbles: true}))"
    )
    assert hostile in details(page)
    assert find(page, "img") == []
    assert hostile in page.title
    assert page.get_log("browser") == []


def test_thirty_tasks_show_claimed_edges_at_first(chromium, simulated, tmp_path):
    found = simulated([f"corpus-{n:02d}" for n in range(30)], seeds=3)
    file = tmp_path / "report.html"
    file.write_text(report_html(found), encoding="utf-8")
    page = opened(chromium, file)
    claimed = found.edges["verdict"].isin(["improves", "harms"]).sum()
    assert 0 < claimed < 870
    assert len(find(page, ".graph .edge")) == claimed
    assert len(find(page, "#edges-refine tbody tr")) == 870
    places = [
        (float(c.get_attribute("cx")), float(c.get_attribute("cy"))) for c in find(page, ".node circle")
    ]
    # names stand along the radius: a line's height apart at its inner end, more further out
    assert min(math.dist(one, other) for one, other in itertools.pairwise(places)) > 16


def boxes_that_overlap(page):
    """Pairs of gain labels, names or nodes of the graph that share more than a pixel."""
    return page.execute_script(
        """const css = '.graph .gain, .graph .node text, .graph .node circle';
        const boxes = [...document.querySelectorAll(css)]
          .map((part) => [part.textContent || 'node', part.parentNode, part.getBoundingClientRect()]);
        const found = [];
        boxes.forEach(([a, own, p], i) => boxes.slice(i + 1).forEach(([b, other, q]) => {
          const x = Math.min(p.right, q.right) - Math.max(p.left, q.left);
          const y = Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top);
          const node = own.classList.contains('node') && own === other;
          if (x > 1 && y > 1 && !node) found.push([a, b, x, y]);
        }));
        return found"""
    )


@pytest.mark.parametrize("width", [390, 1280])
def test_the_labels_of_a_graph_cover_nothing(width, chromium, simulated, tmp_path):
    for count in range(3, 11):
        names = [f"corpus-{n:02d}" for n in range(count)]
        page = shown_at(width, simulated(names), chromium, tmp_path)
        assert boxes_that_overlap(page) == [], count
        labels, edges = find(page, ".graph .gain"), find(page, ".graph .edge")
        few = len(edges) <= (12 if width < 500 else 30)
        assert len(labels) == len(edges) if few else len(labels) >= 10, "all of few edges have their number"
