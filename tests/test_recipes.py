"""Recipes: by name, with changes or complete, and what of them counts for a job."""

from pathlib import Path

import pytest

from tests.grids import jobs_of
from transfer.inputs import InputError
from transfer.methods import EQUAL, HARD, PROPORTIONAL, Fixed, Soft, Temperature
from transfer.recipes import RECIPES, Recipe, resolved


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_has_both_stages(loaded, name: str):
    assert len(jobs_of(loaded(recipe=name, stages="[refine, fine-tune]", seeds="1"))) == 11 + 4 + 12 + 4


def resolve(value, lines=None) -> tuple:
    numbers, name = resolved(value, path=Path("g.yaml"), lines=lines or {("recipe",): 5})
    return Recipe.model_validate(numbers), name


@pytest.mark.parametrize("name", RECIPES)
def test_a_named_recipe_is_complete(name: str):
    assert resolve(name) == (RECIPES[name], name)
    assert resolve({"base": name}) == (RECIPES[name], name)


def test_a_changed_recipe_says_so_and_keeps_the_other_numbers():
    recipe, name = resolve({"base": "paper", "epochs": 3, "fine_tune": {"epochs": 2}})
    paper = RECIPES["paper"]
    assert name == "paper with changes"
    assert (recipe.epochs, recipe.lr) == (3, paper.lr)
    assert recipe.fine_tune is not None
    assert paper.fine_tune is not None
    assert (recipe.fine_tune.epochs, recipe.fine_tune.lr) == (2, paper.fine_tune.lr)


def test_numbers_of_ones_own_have_no_name_of_ours():
    assert resolve({"lr": 0.1, "epochs": 1, "batch_size": 2})[1] == "own"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("qick", r"g\.yaml line 5: unknown recipe 'qick'; did you mean 'quick'\?"),
        ({"base": "papr"}, "unknown recipe 'papr'; did you mean 'paper'"),
        ([1], "'recipe' should be a name"),
    ],
)
def test_what_is_no_recipe_is_one_message(value, told: str):
    with pytest.raises(InputError, match=told):
        resolve(value)


def test_a_corpus_without_partner_has_the_same_recipe_under_every_way_to_mix_weigh_and_tie():
    plain = RECIPES["quick"]
    mixed = plain.model_copy(
        update={
            "mix": Temperature(method="temperature", temperature=5),
            "weigh": Fixed(method="fixed", weights={"a": 2.0}),
            "share": Soft(method="soft", penalty=0.1),
        }
    )
    assert mixed.of(["a"]) == plain.of(["a"]) == plain
    pair = mixed.of(["a", "b"])
    assert (pair.mix, pair.share) == (mixed.mix, mixed.share)


def test_fixed_weights_of_other_corpora_are_no_part_of_a_job():
    recipe = RECIPES["quick"].model_copy(
        update={"weigh": Fixed(method="fixed", weights={"a": 2.0, "c": 3.0})}
    )
    assert recipe.of(["a", "b"]).weigh == Fixed(method="fixed", weights={"a": 2.0})
    assert recipe.of(["b", "d"]).weigh == EQUAL


def test_fine_tuning_trains_all_layers_with_its_own_rate_and_epochs():
    recipe = RECIPES["quick"].model_copy(update={"share": Soft(method="soft", penalty=0.1)})
    third = recipe.of_stage_3
    assert recipe.fine_tune is not None
    assert (third.lr, third.epochs) == (recipe.fine_tune.lr, recipe.fine_tune.epochs)
    assert (third.share, third.mix, third.weigh, third.fine_tune) == (HARD, PROPORTIONAL, EQUAL, None)
