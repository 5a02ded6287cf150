"""The picture of a comparison: every edge under every method, no text on another."""

from itertools import combinations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from transfer.reporting import figures
from transfer.reporting.comparison_picture import MOST_MARKS, picture
from transfer.reporting.comparison_report import ComparisonReport

TASKS = ["clinicalsts", "i2b2-2010-re", "mednli", "shareclefe", "bc5cdr-chemical", "bc5cdr-disease",
         "ddi2013", "drug-drug-interactions-ddi-2013-medline-and-drugbank"]  # fmt: skip


def compared(world, methods, tasks, **settings):
    study = world(len(methods), tasks=tasks)
    return ComparisonReport(
        tuple(
            study.method(name, gain=0.01 * place, kept=False, **settings)
            for place, name in enumerate(methods)
        )
    )


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize(("count", "methods"), [(2, 2), (4, 5), (8, 2), (3, 8)])
@pytest.mark.parametrize("source", ["prepared", "synthetic"])
def test_every_edge_is_there_and_no_text_lies_on_another_or_is_cut(world, count, methods, source):
    names = [f"a-method-with-a-long-name-{n}" for n in range(methods)]
    found = compared(world, names, TASKS[-count:], source=source)
    figure = figures.draw_comparison(found.picture, caption=found.caption, source=source)
    said = texts(figure)
    for _, row in found.table.iterrows():
        assert said.count(f"{row['source']} → {row['target']}") == 1
    assert set(names) <= set(said)
    assert (figures.BANNER in said) == (source == "synthetic")
    gains, apart = figure.axes[1:]
    assert len(gains.collections) == len(apart.collections)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    labels = [t for axes in figure.axes for t in axes.texts]
    labels += [t for axes in (gains, apart) for t in axes.get_xticklabels()]
    boxes = [(t.get_text(), t.get_window_extent(canvas.get_renderer())) for t in labels if t.get_text()]
    width, height = canvas.get_width_height()
    for text, box in boxes:
        assert min(box.x0, box.y0) >= 0, text
        assert box.x1 <= width, text
        assert box.y1 <= height, text
    for (one, a), (other, b) in combinations(boxes, 2):
        across, up = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across <= 1 or up <= 2, (one, other)


def test_marks_tell_the_numbers_of_the_table(world):
    found = compared(world, ["hard", "soft", "lora"], ["a", "b", "c"])
    shown = found.picture
    assert shown.methods == ("hard", "soft", "lora")
    assert len(shown.rows) == 6
    rows = found.table.set_index(["source", "target", "method"])
    for line in shown.rows:
        edge = line.label.split(" → ")
        assert [mark.method for mark in line.marks] == [0, 1, 2]
        for mark in line.marks[1:]:
            row = rows.loc[(*edge, shown.methods[mark.method])]
            assert mark.gain == 100 * row["gain"]
            assert mark.difference == 100 * row["difference"]
            assert mark.flip == row["flip"]
            assert mark.decided == (row["difference_verdict"] in ("larger", "smaller"))
            assert line.marks[0].gain == 100 * row["base_gain"]


def test_a_flip_is_ringed_and_named(world):
    study = world(1)
    found = ComparisonReport((study.method("hard", gain={("a", "b"): 0.05}), study.method("soft")))
    flips = list(found.table.loc[found.table["flip"] != "", "flip"])
    figure = figures.draw_comparison(found.picture, caption="c", source="prepared")
    assert sum(text.endswith("claim lost") for text in texts(figure)) == flips.count("claim lost") == 1
    rings = [line for line in figure.axes[1].lines if line.get_markersize() == 9]
    flipped = found.table.loc[found.table["flip"] != "", "gain"]
    assert [float(ring.get_xdata()[0]) for ring in rings] == (100 * flipped).tolist()


def test_of_very_many_edges_those_that_flip_or_differ_come_first_and_the_rest_is_told(world):
    found = compared(world, ["hard", "soft"], [f"t{n:02d}" for n in range(13)])
    table = found.table.assign(flip="", difference_verdict="inconclusive")
    table.loc[[3, 150], "flip"] = "claim lost"
    shown = picture(table, found.names)
    assert sum(len(line.marks) for line in shown.rows) == MOST_MARKS
    labels = {line.label for line in shown.rows}
    for place in (3, 150):
        assert f"{table.loc[place, 'source']} → {table.loc[place, 'target']}" in labels
    assert "132 of 156 edges" in shown.note
    assert "compare.csv has every edge" in shown.note
    assert not compared(world, ["hard", "soft"], ["a", "b"]).picture.note
