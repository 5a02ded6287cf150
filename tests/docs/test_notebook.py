"""The notebook of docs/ runs from its first cell to its last, and shows what it says."""

import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "docs" / "study.ipynb"


@pytest.fixture(scope="module")
def cells() -> list[nbformat.NotebookNode]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PYTHONPATH", os.pathsep.join([str(NOTEBOOK.parents[1]), os.environ.get("PYTHONPATH", "")])
        )
        book = nbformat.read(NOTEBOOK, as_version=4)
        NotebookClient(book, timeout=250, resources={"metadata": {"path": NOTEBOOK.parent}}).execute()
    return [cell for cell in book.cells if cell.cell_type == "code"]


def shown(cells, source: str, form: str) -> str:
    (cell,) = [cell for cell in cells if source in cell.source]
    return cell.outputs[-1]["data"][form]


def test_every_cell_shows_something(cells):
    assert [cell.source for cell in cells if not cell.outputs] == []


@pytest.mark.parametrize("figure", ["graph_figure", "forest_figure", "seeds_figure"])
def test_figures_show_themselves(cells, figure: str):
    assert "<svg" in shown(cells, figure, "image/svg+xml")


def test_advice_shows_itself(cells):
    assert "Train mednli with" in shown(cells, 'recommend("mednli")', "text/markdown")
    assert "| model | task |" in shown(cells, "group(2)", "text/markdown")
    assert "improves" in shown(cells, "study.edges[", "text/html")


def test_a_grid_runs_and_tells_of_its_progress(cells):
    (cell,) = [cell for cell in cells if "run_grid(" in cell.source]
    told = "".join(
        output.text for output in cell.outputs if output.output_type == "stream" and output.name == "stdout"
    )
    assert told.splitlines() == [
        "refine clinicalsts+mednli seed 0: done",
        "refine clinicalsts seed 0: done",
        "refine mednli seed 0: done",
    ]
    assert "2 tasks" in cell.outputs[-1]["data"]["text/plain"]


def test_the_stored_notebook_holds_no_outputs():
    book = nbformat.read(NOTEBOOK, as_version=4)
    assert [cell for cell in book.cells if cell.get("outputs")] == []
