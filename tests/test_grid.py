"""From a grid file to jobs: what is counted, what makes a job another one, what is refused."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transfer import expansion
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.recipes import RECIPES

TASKS = ("clinicalsts", "i2b2-2010-re", "mednli", "shareclefe")
PRINTS = {name: f"print of {name}" for name in (*TASKS, "new")}
TEXT = """\
name: g
corpora: synthetic
tasks: [clinicalsts, i2b2-2010-re, mednli, shareclefe]
encoder: minilm-l6
recipe: quick
jobs: [single, pairs, all]
stages: [refine]
seeds: 3
"""
names = st.from_regex(r"[a-z][a-z0-9._-]{0,8}", fullmatch=True)


@pytest.fixture
def loaded(tmp_path: Path):
    """``loaded(recipe="paper")``: the grid of TEXT with those lines in the place of its own."""

    def load(*overrides: str, **lines: str | None) -> Grid:
        text = [line for line in TEXT.splitlines() if line.partition(":")[0] not in lines]
        text += [f"{key}: {value}" for key, value in lines.items() if value is not None]
        path = tmp_path / "g.yaml"
        path.write_text("\n".join(text) + "\n")
        return Grid.load(path, overrides=overrides)

    return load


def jobs_of(grid: Grid, encoder_fingerprint: str = "e") -> tuple[Job, ...]:
    return expansion.jobs_of(grid, PRINTS, encoder_fingerprint=encoder_fingerprint)


def ids(grid: Grid) -> set[str]:
    return {job.id for job in jobs_of(grid)}


def grid_of(tasks, **change) -> Grid:
    recipe = {"lr": 1e-3, "epochs": 1, "batch_size": 2}
    return Grid.model_validate(
        {"name": "g", "tasks": tasks, "encoder": "e", "recipe": recipe, "seeds": 1, **change}
    )


def test_four_tasks_three_seeds(loaded):
    jobs = jobs_of(loaded())
    assert len(jobs) == 3 * (4 + 6 + 1)
    assert len({job.id for job in jobs}) == len(jobs)
    for seed in range(3):
        sizes = [len(job.names) for job in jobs if job.seed == seed]
        assert sorted(sizes) == [1] * 4 + [2] * 6 + [4]
    assert all(job.stage == "refine" and job.parent is None for job in jobs)


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


def test_fine_tuning_children(loaded):
    jobs = jobs_of(loaded(stages="[refine, fine-tune]", seeds="1", recipe="paper"))
    children = [job for job in jobs if job.parent]
    assert len(jobs) - len(children) == 11
    assert len(children) == 4 * 1 + 6 * 2 + 4
    for child in children:
        assert child.stage == "fine-tune"
        assert child.parent in jobs[: jobs.index(child)], "parents come first"
        assert child.group == child.parent.names
        assert len(child.names) == 1
        assert child.names[0] in child.parent.names
        assert (child.recipe.lr, child.recipe.epochs) == (1e-5, 10)
        assert (child.parent.recipe.lr, child.parent.recipe.epochs) == (5e-5, 100)
    assert {(c.group, c.names[0]) for c in children} == {(g, t) for g in loaded().groups() for t in g}


def test_refinement_is_the_same_job_with_and_without_fine_tuning(loaded):
    assert ids(loaded()) < ids(loaded(stages="[refine, fine-tune]"))


@given(st.permutations(TASKS), st.permutations(["single", "pairs", "all"]))
def test_ids_do_not_depend_on_the_order_of_tasks(tasks, families):
    assert ids(grid_of(tasks, jobs=families)) == ids(grid_of(TASKS))


def test_whom_an_encoder_stands_for_is_no_part_of_any_identity(loaded):
    grid = loaded(stands_for="biobert")
    assert grid.stands_for == "biobert"
    assert (grid.id, ids(grid)) == (loaded().id, ids(loaded()))


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_both_stages(loaded, name: str):
    assert len(jobs_of(loaded(recipe=name, stages="[refine, fine-tune]", seeds="1"))) == 11 + 4 + 12 + 4


def test_ids_do_not_depend_on_names(loaded):
    same = ids(loaded())
    assert ids(loaded(name="other")) == same
    assert ids(loaded(encoder="some/where/else")) == same
    assert ids(loaded(recipe="{base: quick}")) == same
    quick = RECIPES["quick"]
    numbers = f"{{lr: {quick.lr}, epochs: {quick.epochs}, batch_size: {quick.batch_size}}}"
    assert ids(loaded(recipe=numbers)) == same
    assert ids(loaded(corpora="a/folder")) == same
    assert ids(loaded(smallest_effect="1.0")) == same


def test_a_known_id_stays(loaded):
    """A change here makes every stored result a stranger: raise PROTOCOL only with a reason."""
    recipe = "{lr: 0.0005, epochs: 5, batch_size: 32}"
    (job,) = jobs_of(loaded(jobs="[[mednli]]", seeds="1", recipe=recipe))
    assert job.id == "5492f486344aa676"


@pytest.mark.parametrize(
    "key",
    ["lr", "epochs", "batch_size", "max_length", "warmup", "weight_decay", "clip", "dropout"],
)
def test_ids_depend_on_every_number(loaded, key: str):
    old = loaded().recipe.model_dump()[key]
    changed = loaded(recipe=f"{{base: quick, {key}: {old * 2 or 1}}}")
    assert not ids(changed) & ids(loaded())


def test_ids_depend_on_every_number_of_fine_tuning(loaded):
    def children(recipe: str) -> set[str]:
        return {job.id for job in jobs_of(loaded(stages="[refine, fine-tune]", recipe=recipe)) if job.parent}

    first = children("{base: quick, fine_tune: {lr: 0.1, epochs: 1}}")
    assert not first & children("{base: quick, fine_tune: {lr: 0.2, epochs: 1}}")
    assert not first & children("{base: quick, fine_tune: {lr: 0.1, epochs: 2}}")
    assert not first & children("{base: quick, dropout: 0.2, fine_tune: {lr: 0.1, epochs: 1}}")


def test_ids_depend_on_seed_layers_and_fingerprints(loaded):
    same = ids(loaded())
    assert not ids(loaded(seeds="[3, 4]")) & same
    assert not ids(loaded(encoder="{name: minilm-l6, layers: 2}")) & same
    assert not {job.id for job in jobs_of(loaded(), "another encoder")} & same
    other = expansion.jobs_of(loaded(), {**PRINTS, "mednli": "changed"}, encoder_fingerprint="e")
    assert {job.names for job in other if job.id in same} == {
        g for g in loaded().groups() if "mednli" not in g
    }


def test_the_id_of_a_child_depends_on_its_parent(loaded):
    jobs = jobs_of(loaded(stages="[refine, fine-tune]", seeds="1"))
    of_mednli = [job for job in jobs if job.parent and job.names == ("mednli",)]
    assert len({job.id for job in of_mednli}) == len(of_mednli) == 5


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
        ({"recipe": "3"}, "line 8: 'recipe' should be a name (paper, quick, sound)"),
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


def test_a_job_is_read_as_it_was_written(loaded):
    for job in jobs_of(loaded(stages="[refine, fine-tune]", seeds="1")):
        again = Job.model_validate_json(job.model_dump_json())
        assert again == job
        assert again.id == job.id


def test_labels_for_people(loaded):
    jobs = jobs_of(loaded(jobs="[[mednli, shareclefe]]", stages="[refine, fine-tune]", seeds="1"))
    assert [job.label for job in jobs] == [
        "refine mednli+shareclefe seed 0",
        "fine-tune mednli+shareclefe -> mednli seed 0",
        "fine-tune mednli+shareclefe -> shareclefe seed 0",
    ]


def test_the_null_control_adds_single_jobs_of_other_seeds_and_changes_no_other():
    plain = grid_of(["a", "b"], seeds=2)
    control = grid_of(["a", "b"], seeds=2, controls=["null"])
    fingerprints = dict.fromkeys(plain.tasks, "f")
    jobs, more = (expansion.jobs_of(g, fingerprints, encoder_fingerprint="e") for g in (plain, control))
    added = more[len(jobs) :]
    assert more[: len(jobs)] == jobs
    assert {(job.group, job.arm, job.arm_seed) for job in added} == {
        ((task,), "null", seed) for task in plain.tasks for seed in (0, 1)
    }
    assert {job.arm for job in jobs} == {"refine"}
    assert plain.id != control.id


def test_the_same_steps_control_is_one_job_for_all_partners_of_a_size():
    grid = grid_of(["a", "b", "c"], seeds=2, controls=["same-steps"], jobs=["single", "pairs"])
    sizes = {"a": 30, "b": 20, "c": 20}
    jobs = expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e", train_items=sizes)
    assert sorted((j.label, j.extra_examples) for j in jobs if j.arm != "refine" and j.seed == 0) == [
        ("same-steps 20 control a seed 0", 20),
        ("same-steps 20 control b seed 0", 20),
        ("same-steps 20 control c seed 0", 20),
        ("same-steps 30 control b seed 0", 30),
        ("same-steps 30 control c seed 0", 30),
    ]
    assert len({job.id for job in jobs}) == len(jobs) == 2 * (6 + 5)


def test_the_left_out_control_has_a_job_where_text_is_shared():
    grid = grid_of(["a", "b", "c"], seeds=2, controls=["left-out"], jobs=["single", ["a", "b"]])
    shared = {("a", "b"), ("a", "a"), ("c", "b")}  # the last is no edge of the grid
    jobs = expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e", shared=shared)
    added = [job for job in jobs if job.arm != "refine"]
    assert [(job.names, job.arm, job.targets, job.seed) for job in added] == [
        (("a", "b"), "left-out b", ("b",), seed) for seed in (0, 1)
    ]
    assert not {job.id for job in added} & {job.id for job in jobs if job.arm == "refine"}


def test_rates_to_tune_are_single_jobs_that_other_grids_share():
    grid = grid_of(
        ["a", "b"], seeds=2, tune={"lr": [0.1, 0.2]}, recipe={"lr": 0.1, "epochs": 1, "batch_size": 2}
    )
    jobs = expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e")
    added = [job for job in jobs if job.arm != "refine"]
    assert [(job.names, job.arm, job.seed) for job in added] == [
        ((task,), "tuned 0.2", seed) for seed in (0, 1) for task in ("a", "b")
    ]
    other = grid_of(["a", "b"], seeds=2, recipe={"lr": 0.2, "epochs": 1, "batch_size": 2})
    same = expansion.jobs_of(other, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e")
    assert {job.id for job in added} <= {job.id for job in same}
    assert Job.model_validate_json(added[0].model_dump_json()) == added[0]


def test_adaptive_seeds_have_their_controls_in_the_first_seeds():
    grid = grid_of(["a", "b"], seeds={"first": 3, "most": 5}, controls=["null", "same-steps"])
    sizes = {"a": 30, "b": 20}
    jobs = expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e", train_items=sizes)
    assert {job.arm_seed for job in jobs if job.arm != "refine"} == {0, 1, 2}


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
