"""Grids for the tests of the ground floor, and their jobs."""

from transfer import expansion
from transfer.grid import Grid
from transfer.jobs import Job

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


def jobs_of(grid: Grid, encoder_fingerprint: str = "e") -> tuple[Job, ...]:
    return expansion.jobs_of(grid, PRINTS, encoder_fingerprint=encoder_fingerprint)


def ids(grid: Grid) -> set[str]:
    return {job.id for job in jobs_of(grid)}


def grid_of(tasks, **change) -> Grid:
    recipe = {"lr": 1e-3, "epochs": 1, "batch_size": 2}
    return Grid.model_validate(
        {"name": "g", "tasks": tasks, "encoder": "e", "recipe": recipe, "seeds": 1, **change}
    )
