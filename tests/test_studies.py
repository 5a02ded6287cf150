"""The grids of the committed studies say what their plans say."""

from pathlib import Path

import pytest

from transfer.expansion import jobs_of
from transfer.grid import Grid

FOLDER = Path(__file__).parent.parent / "grids" / "studies"
TASKS = ("bc5cdr-disease", "bc5cdr-chemical", "ddi2013", "chemprot")


def _jobs(name: str):
    grid = Grid.load(FOLDER / f"{name}.yaml")
    fingerprints = dict.fromkeys(grid.tasks, "f")
    return jobs_of(grid, fingerprints, encoder_fingerprint="e", train_items=dict.fromkeys(grid.tasks, 400))


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_seed_of_a_study_draws_its_own_training_examples(path: Path):
    """Intervals of the studies cover the draw of the training sample."""
    grid = Grid.load(path)
    assert all(grid.limit_of(task).resample for task in grid.tasks)


def test_stage_3_of_study_a_starts_from_the_jobs_of_study_a():
    """A store that has one grid's stage 2 has the other's: nothing is trained twice."""
    whole = {job.id for job in _jobs("figure2_right")}
    shared = [job for job in _jobs("figure2_right_stages") if job.stage == "refine"]
    assert len(shared) == 5 * (len(TASKS) + 1)
    assert {job.id for job in shared} <= whole


def test_the_atlas_has_all_pairs_of_twelve_corpora():
    """66 pairs with each of the first three seeds, and one same-steps control per target and seed."""
    jobs = [job for job in _jobs("atlas") if job.arm_seed < 3]
    assert len([job for job in jobs if len(job.names) == 2]) == 66 * 3
    assert len([job for job in jobs if str(job.arm) == "same-steps 400"]) == 12 * 3


def test_the_seed_that_chose_the_recipe_is_in_no_study():
    """The recipe was chosen on training samples that no study draws."""
    chosen = set(Grid.load(FOLDER / "small_recipe.yaml").seed_numbers)
    for name in ("atlas", "figure2_right", "figure2_right_stages"):
        assert not chosen & set(Grid.load(FOLDER / f"{name}.yaml").single_seeds_at())
