"""``--set``: what is wrong with it is said of the option, and not of a line of the file."""

from pathlib import Path

import pytest

from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.overrides import override


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("seed=3", "--set seed=3: unknown key 'seed'; did you mean 'seeds'?"),
        ("seeds=0", "--set seeds=0: 'seeds': the number of seeds should be 1 to 1000"),
        ("recipe=quik", "--set recipe=quik: unknown recipe 'quik'; did you mean 'quick'?"),
        ("recipe.base=quik", "--set recipe.base=quik: unknown recipe 'quik'; did you mean 'quick'?"),
        ("recipe.epochs=-1", "--set recipe.epochs=-1: 'recipe.epochs'"),
        ("limit={tran: 3}", "--set limit={tran: 3}: unknown key 'limit.tran'; did you mean 'train'?"),
        ("recipe_name=x", "--set recipe_name=x: unknown key 'recipe_name'"),
    ],
)
def test_a_mistake_names_the_option(tiny_grid: Path, change: str, told: str):
    with pytest.raises(InputError) as error:
        Grid.load(tiny_grid, overrides=["smallest_effect=1", change])
    assert str(error.value).startswith(told)


def test_a_mistake_of_the_file_names_its_line(tiny_grid: Path):
    tiny_grid.write_text(tiny_grid.read_text().replace('"epochs": 2', '"epochs": 0'))
    with pytest.raises(InputError, match=r"tiny\.yaml line \d+: 'recipe\.epochs'"):
        Grid.load(tiny_grid, overrides=["seeds=1"])
    assert Grid.load(tiny_grid, overrides=["recipe.epochs=1"]).recipe.epochs == 1


def test_a_corpus_that_is_not_there_names_the_option(transfer, tiny_grid: Path, tmp_path: Path):
    code, _, err = transfer("plan", tiny_grid, "--set", "tasks=[sim, rle]", "--store", tmp_path)
    assert code == 2
    assert err.startswith("error: --set tasks=[sim, rle]: ")
    assert "did you mean 'rel'" in err


def test_a_folder_in_place_of_a_grid_says_what_is_wanted(transfer, tmp_path: Path):
    code, _, err = transfer("status", tmp_path)
    assert (code, err) == (2, f"error: {tmp_path}: is a folder; give the YAML file of a grid\n")


def test_later_options_win_and_lines_below_a_replaced_key_are_gone():
    data = {"limit": {"train": 1}}
    places: dict[tuple, int | str] = {("limit",): 1, ("limit", "train"): 1}
    override(data, "limit={train: 5}", places)
    override(data, "limit.dev=2", places)
    assert data == {"limit": {"train": 5, "dev": 2}}
    assert places == {("limit",): "--set limit={train: 5}", ("limit", "dev"): "--set limit.dev=2"}
