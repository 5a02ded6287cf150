"""Expansion of grids into jobs: how many, in which order, and which jobs the controls add."""

from tests.grids import grid_of, ids, jobs_of
from transfer import expansion
from transfer.jobs import Job


def test_four_tasks_three_seeds(loaded):
    jobs = jobs_of(loaded())
    assert len(jobs) == 3 * (4 + 6 + 1)
    assert len({job.id for job in jobs}) == len(jobs)
    for seed in range(3):
        sizes = [len(job.names) for job in jobs if job.seed == seed]
        assert sorted(sizes) == [1] * 4 + [2] * 6 + [4]
    assert all(job.stage == "refine" and job.parent is None for job in jobs)


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


def test_the_null_control_adds_single_jobs_of_other_seeds_and_changes_no_other():
    plain = grid_of(["a", "b"], seeds=2)
    control = grid_of(["a", "b"], seeds=2, controls=["null"])
    fingerprints = dict.fromkeys(plain.tasks, "f")
    jobs, more = (expansion.jobs_of(g, fingerprints, encoder_fingerprint="e") for g in (plain, control))
    added = more[len(jobs) :]
    assert more[: len(jobs)] == jobs
    assert {(job.group, str(job.arm), job.arm_seed) for job in added} == {
        ((task,), "null", seed) for task in plain.tasks for seed in (0, 1)
    }
    assert {str(job.arm) for job in jobs} == {"refine"}
    assert plain.id != control.id


def test_the_same_steps_control_is_one_job_for_all_partners_of_a_size():
    grid = grid_of(["a", "b", "c"], seeds=2, controls=["same-steps"], jobs=["single", "pairs"])
    sizes = {"a": 30, "b": 20, "c": 20}
    jobs = expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e", train_items=sizes)
    assert sorted((j.label, j.extra_examples) for j in jobs if str(j.arm) != "refine" and j.seed == 0) == [
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
    added = [job for job in jobs if str(job.arm) != "refine"]
    assert [(job.names, str(job.arm), job.targets, job.seed) for job in added] == [
        (("a", "b"), "left-out b", ("b",), seed) for seed in (0, 1)
    ]
    assert not {job.id for job in added} & {job.id for job in jobs if str(job.arm) == "refine"}


def test_rates_to_tune_are_single_jobs_that_other_grids_share():
    grid = grid_of(
        ["a", "b"], seeds=2, tune={"lr": [0.1, 0.2]}, recipe={"lr": 0.1, "epochs": 1, "batch_size": 2}
    )
    jobs = expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e")
    added = [job for job in jobs if str(job.arm) != "refine"]
    assert [(job.names, str(job.arm), job.seed) for job in added] == [
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
    assert {job.arm_seed for job in jobs if str(job.arm) != "refine"} == {0, 1, 2}
