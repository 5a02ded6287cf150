"""Further seeds of the single-task runs, and the identities that new keys of a grid must not change."""

import hashlib
import json
from pathlib import Path

import pytest

from transfer import corpora, expansion
from transfer.corpora.base import Limit
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.jobs import NULL_SEEDS, Job

ROOT = Path(__file__).parents[1]
# what the grids of the repository were when this file was written, before there were these keys
KNOWN = json.loads((ROOT / "tests/assets/ids-85d84a7.json").read_text(encoding="utf-8"))
RECIPE = {"lr": 1e-3, "epochs": 1, "batch_size": 2, "fine_tune": {"lr": 1e-3, "epochs": 1}}


def grid_of(**change) -> Grid:
    given = {"name": "g", "tasks": ["a", "b", "c"], "encoder": "e", "recipe": RECIPE, "seeds": 3, **change}
    return Grid.model_validate(given)


def jobs_of(grid: Grid) -> tuple[Job, ...]:
    prints = {name: hashlib.sha256(name.encode()).hexdigest()[:16] for name in grid.tasks}
    items = {name: 100 + 10 * i for i, name in enumerate(grid.tasks)}
    shared = {(grid.tasks[0], grid.tasks[-1])}
    return expansion.jobs_of(grid, prints, encoder_fingerprint="e", train_items=items, shared=shared)


def seeds_of(grid: Grid) -> dict[tuple[str, ...], list[int]]:
    found: dict[tuple[str, ...], list[int]] = {}
    for job in jobs_of(grid):
        if str(job.arm) == "refine":
            found.setdefault(job.group, []).append(job.seed)
    return found


@pytest.mark.parametrize("file", sorted(KNOWN["grids"]))
def test_the_grids_of_the_repository_have_the_ids_that_they_had(file: str):
    grid = Grid.load(ROOT / file)
    ids = [job.id for job in jobs_of(grid)]
    digest = hashlib.sha256("\n".join(ids).encode()).hexdigest()[:16]
    assert {"grid": grid.id, "jobs": len(ids), "digest": digest} == KNOWN["grids"][file]


@pytest.mark.parametrize("what", sorted(KNOWN["fingerprints"]))
def test_corpora_have_the_fingerprints_that_they_had(what: str):
    name, _, limited = what.partition(" ")
    limit = Limit(train=120, dev=60, test=120) if limited == "limited" else None
    assert corpora.load_one("synthetic", name, limit=limit).fingerprint == KNOWN["fingerprints"][what]


@pytest.mark.parametrize(
    ("seeds", "pairs", "singles"),
    [
        (3, [0, 1, 2], [0, 1, 2, 3, 4, 5]),
        ([7, 3], [7, 3], [7, 3, 8, 9]),
        ({"first": 3, "most": 4, "start": 20}, [20, 21, 22, 23], [*range(20, 28)]),
    ],
)
def test_single_task_runs_have_a_multiple_of_the_seeds(seeds, pairs, singles):
    found = seeds_of(grid_of(seeds=seeds, single_seeds="2x"))
    assert found["a",] == found["b",] == found["c",] == singles
    assert found["a", "b"] == found["a", "b", "c"] == pairs
    assert seeds_of(grid_of(seeds=seeds))["a",] == pairs


def test_further_single_task_runs_are_the_jobs_of_a_grid_with_more_seeds():
    more = {job.id for job in jobs_of(grid_of(seeds=6))}
    ids = [job.id for job in jobs_of(grid_of(single_seeds="2x"))]
    assert set(ids) < more
    assert len(set(ids)) == len(ids)


def test_only_refinement_of_corpora_that_share_a_group_has_further_seeds():
    asked = {"stages": ["refine", "fine-tune"], "jobs": ["single", ["a", "b"]], "controls": ["null"]}
    jobs, before = (jobs_of(grid_of(**asked, single_seeds=many)) for many in ("3x", "1x"))
    further = [job for job in jobs if job not in before]
    assert [(job.label) for job in further] == [
        f"refine {name} seed {seed}" for seed in range(3, 9) for name in ("a", "b")
    ]
    assert all(job in jobs for job in before)
    assert not [job for job in jobs_of(grid_of(jobs=["single"], single_seeds="2x")) if job.seed > 2]


@pytest.mark.parametrize("value", ["2", "0x", "10x", "x", "1.5x", 2, 2.0, None, [3, 4], True])
def test_anything_but_a_multiple_is_refused(value):
    with pytest.raises(ValueError, match=r"1x to 9x, as in 2x"):
        grid_of(single_seeds=value)


def test_further_seeds_stay_clear_of_the_null_controls():
    with pytest.raises(ValueError, match="single_seeds: the seeds that it adds should be below"):
        grid_of(seeds=[NULL_SEEDS - 2], single_seeds="3x")
    assert grid_of(seeds=[NULL_SEEDS - 2], single_seeds="2x")


def test_a_grid_with_further_seeds_is_another_grid():
    assert grid_of(single_seeds="1x").id == grid_of().id
    assert len({grid_of(single_seeds=f"{n}x").id for n in range(1, 10)}) == 9


def test_the_message_names_file_and_line(tmp_path: Path):
    path = tmp_path / "g.yaml"
    text = "name: g\ntasks: [a]\nencoder: e\nrecipe: quick\nseeds: 3\nsingle_seeds: 6\n"
    path.write_text(text)
    with pytest.raises(InputError, match=r"g\.yaml line 6: 'single_seeds': should be a multiple .* not 6"):
        Grid.load(path)


def test_a_grid_says_whether_train_is_resampled_only_where_it_is():
    limit = {"train": 5, "dev": 4}
    plain = grid_of(limit=limit)
    assert grid_of(limit=limit | {"resample": False}).id == plain.id
    assert grid_of(limit=limit | {"resample": True}).id != plain.id
    own = {"a": {"train": 3}}
    assert grid_of(limit=limit, limits={"a": own["a"] | {"resample": False}}).id == (
        grid_of(limit=limit, limits=own).id
    )


def test_a_corpus_overrides_whether_its_train_is_resampled():
    grid = grid_of(limit={"train": 5, "resample": True}, limits={"a": {"resample": False}, "b": {"train": 9}})
    limits = {name: grid.limit_of(name) for name in "abc"}
    assert limits == {
        "a": Limit(train=5, resample=False),
        "b": Limit(train=9, resample=True),
        "c": Limit(train=5, resample=True),
    }
    assert grid.id != grid_of(limit={"train": 5, "resample": True}, limits={"b": {"train": 9}}).id


def test_resampling_needs_to_know_how_many():
    with pytest.raises(ValueError, match="'resample' needs 'train' beside it"):
        grid_of(limit={"dev": 10, "resample": True})
    assert grid_of(limit={"resample": True}, limits={"a": {"train": 9}})
