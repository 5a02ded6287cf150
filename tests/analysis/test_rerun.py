"""The grid and command in a report define the same jobs again."""

import pytest
import yaml

from transfer.analysis.rerun import rerun
from transfer.grid import Grid
from transfer.records import GridRecord

GRID = """\
name: g
corpora: {corpora}
tasks: [b, a]
encoder: {{name: /home/ann/models/bert, layers: 2}}
recipe: {recipe}
jobs: [single, pairs, [a, b]]
seeds: {seeds}
limit: {{train: 100}}
"""


def record(tmp_path, *, corpora="synthetic", recipe="quick", seeds="3", overrides=()):
    file = tmp_path / "g.yaml"
    file.write_text(GRID.format(corpora=corpora, recipe=recipe, seeds=seeds))
    grid = Grid.load(file, overrides=overrides)
    source = "synthetic" if corpora == "synthetic" else "prepared"
    return GridRecord(
        grid=grid, recipe_name=grid.recipe_name, overrides=overrides, source=source, corpora=(), jobs=()
    )


@pytest.mark.parametrize("seeds", ["3", "[5, 7]", "{first: 3, most: 10, hours: 2}"])
@pytest.mark.parametrize(
    "recipe", ["quick", "{base: paper, epochs: 3}", "{lr: 0.1, epochs: 2, batch_size: 4}"]
)
def test_the_file_asks_for_the_same_grid(recipe, seeds, tmp_path):
    known = record(tmp_path, recipe=recipe, seeds=seeds, overrides=("smallest_effect=1.5", "recipe.epochs=2"))
    made = rerun(known)
    assert made.command == "transfer run-grid g.yaml"
    again = tmp_path / made.file_name
    again.write_text(made.grid.replace("…/bert", "/home/ann/models/bert"))
    grid = Grid.load(again)
    assert grid == known.grid
    assert grid.id == known.grid.id
    assert grid.recipe_name == known.recipe_name


def test_no_path_of_a_machine_is_told_and_corpora_are_asked_for(tmp_path):
    made = rerun(record(tmp_path, corpora="/home/ann/corpora"))
    assert made.command == "transfer run-grid g.yaml --corpora DIR"
    assert "/home/ann" not in made.grid
    assert "corpora" not in yaml.safe_load(made.grid)
