"""Methods as a grid names them: how they are read, what does not go together, and which jobs follow."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.families import write_family
from transfer import expansion
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.learning import encoder, sharing
from transfer.methods import MIXING, SHARING, WEIGHING, Lora, Soft, Top
from transfer.recipes import Recipe

RECIPE = {"lr": 1e-3, "epochs": 2, "batch_size": 8}


def grid_of(tmp_path: Path, *, recipe: dict[str, Any], **changed: Any) -> Grid:
    text = {"name": "g", "tasks": ["a", "b", "c"], "encoder": "e", "seeds": 2, "jobs": ["single", "pairs"]}
    path = tmp_path / "g.yaml"
    path.write_text(yaml.safe_dump(text | {"recipe": {"base": "quick", **recipe}} | changed))
    return Grid.load(path)


def jobs_of(grid: Grid):
    return expansion.jobs_of(grid, dict.fromkeys("abc", "f"), encoder_fingerprint="e")


@pytest.mark.parametrize(
    ("key", "written", "shown"),
    [
        ("share", "lora", "lora 8, alpha 16, adapters shared"),
        ("share", {"lora": 4}, "lora 4, alpha 16, adapters shared"),
        ("share", {"lora": {"rank": 4, "adapters": "task"}}, "lora 4, alpha 16, adapters task"),
        ("share", {"top": 2}, "top 2"),
        ("mix", "annealed", "annealed 5"),
        ("mix", {"temperature": 3}, "temperature 3"),
        ("weigh", {"fixed": {"a": 2}}, "fixed a 2"),
    ],
)
def test_a_method_is_a_name_or_a_name_with_its_numbers(key: str, written: Any, shown: str):
    recipe = Recipe.model_validate(RECIPE | {key: written})
    assert str(getattr(recipe, key)) == shown
    assert Recipe.model_validate(recipe.model_dump(mode="json")) == recipe


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ({"share": "sfot"}, "did you mean 'soft'"),
        ({"share": "soft"}, "'soft' needs its penalty"),
        ({"share": {"lora": {"rnak": 2}}}, "did you mean 'rank'"),
        ({"share": {"heads": 3}}, "'heads' has no number of its own"),
        ({"share": {"lora": 2, "top": 1}}, "should be one method"),
        ({"share": {"top": 0}}, "greater than or equal to 1"),
        ({"mix": {"temperature": 0.5}}, "greater than or equal to 1"),
        ({"weigh": "pcgrad"}, "mix: uniform"),
        ({"weigh": "upgrad", "mix": "uniform", "share": {"soft": 1}}, "weights of its own"),
        ({"weigh": {"fixed": {"d": 2}}}, "'d' is not among the tasks"),
        ({"weigh": {"fixed": {"a": 0}}}, "greater than 0"),
    ],
)
def test_what_cannot_be_is_one_message(tmp_path: Path, recipe: dict[str, Any], said: str):
    with pytest.raises(InputError) as refused:
        grid_of(tmp_path, recipe=recipe)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("share", [{"soft": 1.0}, {"lora": {"adapters": "task"}}])
@pytest.mark.parametrize("asked", [{"stages": ["refine", "fine-tune"]}, {"keep": "models"}])
def test_what_needs_one_encoder_is_refused_where_none_comes_out(tmp_path: Path, share: dict, asked: dict):
    with pytest.raises(InputError, match="no one encoder comes out"):
        grid_of(tmp_path, recipe={"share": share}, **asked)


def test_more_layers_than_there_are_cannot_train(tmp_path: Path):
    with pytest.raises(
        InputError, match="top: 2' freezes none of the encoder's 2 layers; write top: 1 or less"
    ):
        grid_of(tmp_path, recipe={"share": {"top": 2}}, encoder={"name": "e", "layers": 2})


def test_methods_that_do_not_fit_an_encoder_are_refused_with_what_would(tmp_path: Path, tiny_encoder: Path):
    bert = encoder.check(tiny_encoder, layers=None)
    with pytest.raises(InputError, match="freezes none of the encoder's 2 layers"):
        sharing.check(Top(method="top", layers=2), bert, corpora=2, memory=None)
    with pytest.raises(InputError, match="no linear layer 'q_lin'; it has dense, key, query, value"):
        sharing.check(Lora(method="lora", modules=("q_lin",)), bert, corpora=2, memory=None)
    each = sum(p.numel() for p in bert.parameters()) * 20
    soft = Soft(method="soft", penalty=1.0)
    sharing.check(soft, bert, corpora=3, memory=3 * each)
    with pytest.raises(InputError, match=r"an encoder for each of 16 corpora.*groups of up to 3 fit"):
        sharing.check(soft, bert, corpora=16, memory=3.5 * each)


@pytest.mark.parametrize("family", ["distilbert", "modernbert", "deberta", "deberta-v2", "roberta"])
def test_every_family_has_the_layers_that_adapters_are_put_on(tmp_path: Path, family: str):
    folder = write_family(tmp_path, family)
    sharing.check(Lora(method="lora"), encoder.check(folder, layers=None), corpora=2, memory=None)


def test_the_jobs_of_a_corpus_alone_are_shared_by_the_grids_of_methods(tmp_path: Path):
    def alone(**recipe: Any) -> set[str]:
        return {job.id for job in jobs_of(grid_of(tmp_path, recipe=recipe)) if len(job.names) == 1}

    plain = alone()
    assert len(plain) == 6
    for recipe in ({"mix": "uniform"}, {"weigh": "uncertainty"}, {"share": {"soft": 5}}, {"share": "distil"}):
        assert alone(**recipe) == plain
    assert not alone(share="lora") & plain


def test_pairs_are_other_jobs_under_every_method(tmp_path: Path):
    recipes = [{"share": way} for way in ("heads", {"top": 1}, "lora", {"soft": 1}, "distil")]
    recipes += [{"mix": way} for way in ("uniform", {"temperature": 2}, "annealed")]
    recipes += [{"weigh": way} for way in ({"fixed": {"a": 2, "b": 3, "c": 4}}, "uncertainty")]
    recipes += [{"mix": "uniform", "weigh": way} for way in ("pcgrad", "cagrad", "upgrad")]
    assert {key for r in recipes for key in r} == {"share", "mix", "weigh"}
    assert len(recipes) == len(SHARING) + len(MIXING) + len(WEIGHING) - 3
    ids = [
        {job.id for job in jobs_of(grid_of(tmp_path, recipe=r)) if len(job.names) == 2}
        for r in [{}, *recipes]
    ]
    assert len(set.union(*ids)) == sum(map(len, ids))


def test_a_grid_without_methods_keeps_the_ids_that_it_had(tmp_path: Path):
    """Ids as they were before there were methods: results that are kept stay what they are."""
    grid = grid_of(tmp_path, recipe={})
    named = grid_of(tmp_path, recipe={"share": "hard", "mix": "proportional", "weigh": "equal"})
    assert [j.id for j in jobs_of(grid)] == [j.id for j in jobs_of(named)]
    assert grid.id == named.id
    assert "share" not in grid.recipe.model_dump(exclude_defaults=True)


def test_pupils_come_after_their_teachers_and_teachers_are_jobs_of_the_grid(tmp_path: Path):
    jobs = jobs_of(grid_of(tmp_path, recipe={"share": "distil"}, jobs=[["a", "b"]]))
    assert [job.names for job in jobs] == [("a",), ("b",), ("a", "b")] * 2
    teachers, pupil = jobs[:2], jobs[2]
    assert pupil.parents == teachers
    assert pupil.model_copy(update={"teachers": ()}).id != pupil.id


def test_weights_of_corpora_that_are_not_there_change_no_job(tmp_path: Path):
    one, other = (
        {
            job.id
            for job in jobs_of(grid_of(tmp_path, recipe={"weigh": {"fixed": w}}))
            if job.names == ("a", "b")
        }
        for w in ({"a": 2.0, "c": 3.0}, {"a": 2.0, "c": 7.0})
    )
    assert one == other


def test_a_limit_of_a_corpus_s_own(tmp_path: Path):
    grid = grid_of(tmp_path, recipe={}, limit={"train": 200, "dev": 50}, limits={"b": {"train": 400}})
    assert grid.limit_of("a") == grid.limit
    assert grid.limit_of("b").model_dump(exclude_none=True) == {"train": 400, "dev": 50}
    with pytest.raises(InputError, match="did you mean"):
        grid_of(tmp_path, recipe={}, tasks=["alpha", "b"], limits={"alhpa": {"train": 1}})
