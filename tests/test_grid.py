"""A grid file: its groups, its identity, its ``--set`` overrides, and what is refused."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.grids import TASKS, TEXT, grid_of, ids, jobs_of
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.recipes import RECIPES

names = st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True)


@given(st.lists(names, min_size=1, max_size=7, unique=True))
def test_pairs_of_n_tasks(tasks):
    groups = grid_of(tasks, jobs=["pairs"]).groups()
    assert set(groups) == {tuple(sorted(pair)) for pair in itertools.combinations(tasks, 2)}
    assert len(groups) == len(tasks) * (len(tasks) - 1) // 2


def test_leave_one_out(loaded):
    groups = loaded(jobs="[leave-one-out]").groups()
    assert set(groups) == {tuple(t for t in TASKS if t != left) for left in TASKS}


def test_explicit_groups_and_duplicates(loaded):
    grid = loaded(jobs="[[mednli, clinicalsts], [clinicalsts, mednli], [mednli], single]")
    assert grid.groups() == (*((t,) for t in TASKS), ("clinicalsts", "mednli"))


def test_with_two_tasks_all_is_the_pair():
    assert grid_of(["a", "b"]).groups() == (("a",), ("b",), ("a", "b"))


def test_whom_an_encoder_stands_for_is_no_part_of_any_identity(loaded):
    grid = loaded(stands_for="biobert")
    assert grid.stands_for == "biobert"
    assert (grid.id, ids(grid)) == (loaded().id, ids(loaded()))


def test_seeds_as_a_number_or_a_list(loaded):
    assert loaded(seeds="3").seeds == (0, 1, 2)
    assert loaded(seeds="[7, 3]").seeds == (7, 3)
    assert ids(loaded(seeds="3")) == ids(loaded(seeds="[2, 0, 1]"))


@pytest.mark.parametrize("seeds", ["0", "-1", "[]", "[1, 1]", "[-1]", "true", "many", "1.5"])
def test_wrong_seeds(loaded, seeds: str):
    with pytest.raises(InputError, match=r"g\.yaml line 8: 'seeds"):
        loaded(seeds=seeds)


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ({"sedes": "3"}, "line 9: unknown key 'sedes'; did you mean 'seeds'?"),
        ({"seeds": None, "sedes": "3"}, "line 8: unknown key 'sedes'; did you mean 'seeds'?"),
        ({"tasks": None}, "the key 'tasks' is missing"),
        ({"recipe": "qick"}, "line 8: unknown recipe 'qick'; did you mean 'quick'?"),
        ({"recipe": "{base: papr}"}, "line 8: unknown recipe 'papr'; did you mean 'paper'?"),
        ({"recipe": "{base: quick, epoch: 3}"}, "line 8: unknown key 'recipe.epoch'; did you mean 'epochs'?"),
        ({"recipe": "{base: quick, lr: fast}"}, "line 8: 'recipe.lr' should be a number, not 'fast'"),
        ({"recipe": "{base: quick, lr: -1}"}, "line 8: 'recipe.lr': "),
        ({"recipe": "{base: quick, lr: .inf}"}, "line 8: 'recipe.lr' should be a number, not inf"),
        ({"recipe": "{base: quick, lr: .nan}"}, "line 8: 'recipe.lr' should be a number, not nan"),
        ({"recipe": "{lr: 0.1, epochs: 2}"}, "the key 'recipe.batch_size' is missing"),
        ({"recipe": "3"}, "line 8: 'recipe' should be a name (paper, quick, small, sound)"),
        (
            {"jobs": "[single, pair]"},
            "line 8: 'jobs': unknown jobs 'pair' (a group is a list of tasks); did you mean 'pairs'?",
        ),
        ({"jobs": "[[mednli, shareclef]]"}, "'shareclef' is not among the tasks; did you mean 'shareclefe'?"),
        ({"jobs": "single"}, "line 8: 'jobs"),
        ({"tasks": "[mednli, mednli]"}, "line 8: 'tasks': the task 'mednli' is listed twice"),
        ({"tasks": "[]"}, "line 8: 'tasks"),
        ({"tasks": "[../mednli]"}, "line 8: 'tasks"),
        ({"stages": "[refin]"}, "line 8: 'stages.0' should be 'refine' or 'fine-tune', not 'refin'"),
        ({"stages": "[fine-tune]"}, "line 8: 'stages': should be [refine] or [refine, fine-tune]"),
        (
            {"stages": "[refine, fine-tune]", "recipe": "{lr: 0.1, epochs: 2, batch_size: 4}"},
            "the recipe has no 'fine_tune' part",
        ),
        ({"encoder": "{name: minilm-l6, layer: 3}"}, "unknown key 'encoder.layer'; did you mean 'layers'?"),
        ({"encoder": "{name: minilm-l6, layers: 0}"}, "line 8: 'encoder.layers': "),
        ({"limit": "{trian: 5}"}, "line 9: unknown key 'limit.trian'; did you mean 'train'?"),
        ({"name": "a/b"}, "line 8: 'name' should be letters, digits"),
    ],
)
def test_a_wrong_grid_is_named_with_line_and_mend(loaded, lines: dict, what: str):
    with pytest.raises(InputError) as caught:
        loaded(**lines)
    assert "g.yaml" in str(caught.value)
    assert what in str(caught.value)


def test_set_reaches_every_key(loaded):
    grid = loaded("seeds=[5]", "recipe.epochs=7", "recipe.lr=1e-3", "encoder.layers=2", "limit.train=10")
    assert grid.seeds == (5,)
    assert (grid.recipe.epochs, grid.recipe.lr, grid.recipe.batch_size) == (
        7,
        1e-3,
        RECIPES["quick"].batch_size,
    )
    assert grid.recipe_name == "quick with changes"
    assert (grid.encoder.name, grid.encoder.layers) == ("minilm-l6", 2)
    assert grid.limit.train == 10


def test_set_a_whole_list_or_name(loaded):
    grid = loaded("tasks=[mednli, shareclefe]", "recipe=paper", "recipe.epochs=2")
    assert grid.tasks == ("mednli", "shareclefe")
    assert (grid.recipe.lr, grid.recipe.epochs) == (5e-5, 2)


def test_set_one_number_of_fine_tuning_leaves_the_other(loaded):
    grid = loaded("recipe.fine_tune.epochs=9")
    assert grid.recipe.fine_tune is not None
    before = RECIPES["quick"].fine_tune
    assert before is not None
    assert (grid.recipe.fine_tune.epochs, grid.recipe.fine_tune.lr) == (9, before.lr)


@pytest.mark.parametrize(
    ("override", "what"),
    [
        ("recipe.epochs", "should be key=value"),
        ("=3", "should be key=value"),
        ("recipe.epoch=3", "unknown key 'recipe.epoch'; did you mean 'epochs'?"),
        ("recipes.epochs=3", "unknown key 'recipes'; did you mean 'recipe'?"),
        ("seeds.first=3", "'seeds' has no keys of its own"),
        ("seeds=[1", "is not valid YAML"),
        ("name=2026-13-45", "is not valid YAML"),
        ("seeds=many", "'seeds"),
    ],
)
def test_a_wrong_set_is_named(loaded, override: str, what: str):
    with pytest.raises(InputError) as caught:
        loaded(override)
    assert what in str(caught.value)


def test_a_folder_of_corpora_is_relative_to_the_file_or_the_command(loaded, tmp_path: Path):
    assert loaded(corpora=None).corpora is None
    path = tmp_path / "g.yaml"
    path.write_text(TEXT.replace("synthetic", "../data"))
    assert Grid.load(path).corpora == str(tmp_path / "../data")
    assert Grid.load(path, corpora="here").corpora == "here"
    assert Grid.load(path, overrides=["corpora=synthetic"]).corpora == "synthetic"


def test_a_grids_id_follows_what_is_asked_and_not_the_folder(loaded):
    same = loaded().id
    assert loaded("recipe.epochs=7").id != same
    assert loaded(seeds="2").id != same
    assert loaded(corpora=None).id != same, "synthetic or not is asked"
    assert loaded("corpora=a").id == loaded("corpora=b").id


def kept(grid: Grid) -> set[str]:
    jobs = jobs_of(grid)
    ids_kept = grid.kept(jobs)
    return {job.label for job in jobs if job.id in ids_kept}


def test_keeping_models_makes_no_other_jobs_and_no_other_grid(loaded):
    plain, keeping = loaded(), loaded(keep="[single, [mednli, shareclefe]]")
    assert (plain.id, ids(plain)) == (keeping.id, ids(keeping))
    assert kept(plain) == set()


def test_which_models_are_kept(loaded):
    stages = {"stages": "[refine, fine-tune]", "jobs": "[single, pairs]", "controls": "[null]"}
    assert len(kept(loaded(keep="models", **stages))) == len(jobs_of(loaded(**stages)))
    single = kept(loaded(keep="single", **stages))
    assert len(single) == 3 * 4 * 2
    assert not any("null" in label or "+" in label for label in single)
    pair = kept(loaded(keep="[[shareclefe, mednli]]", **stages))
    assert pair == {
        f"{label} seed {seed}"
        for seed in range(3)
        for label in (
            "refine mednli+shareclefe",
            "fine-tune mednli+shareclefe -> mednli",
            "fine-tune mednli+shareclefe -> shareclefe",
        )
    }


def test_a_single_model_is_kept_by_its_jobs_id(loaded):
    job = jobs_of(loaded())[7]
    assert kept(loaded(keep=f"['{job.id[:8]}']")) == {job.label}
    with pytest.raises(InputError, match="keep: no job of the grid 'g' has the id 'abcdef0123456789'"):
        kept(loaded(keep="[abcdef0123456789]"))


@pytest.mark.parametrize(
    ("keep", "what"),
    [
        ("singel", "line 9.*unknown models 'singel'.*did you mean 'single'"),
        ("[[mednli, mednly]]", "keep: 'mednly' is not among the tasks; did you mean 'mednli'"),
        ("[1234567890123456]", "stands in quotes"),
    ],
)
def test_wrong_models_to_keep(loaded, keep: str, what: str):
    with pytest.raises(InputError, match=what):
        loaded(keep=keep)
