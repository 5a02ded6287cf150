"""Jobs: what makes one another job, what it is called, and which scores are asked of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.grids import PRINTS, TASKS, grid_of, ids, jobs_of
from transfer import expansion
from transfer.jobs import NULL_SEEDS, Encoder, Job, Trained
from transfer.recipes import RECIPES


@given(st.permutations(TASKS), st.permutations(["single", "pairs", "all"]))
def test_ids_do_not_depend_on_the_order_of_tasks(tasks, families):
    assert ids(grid_of(tasks, jobs=families)) == ids(grid_of(TASKS))


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


def job(*names: str, **change) -> Job:
    given = {
        "stage": "refine",
        "corpora": tuple(Trained(name=name, fingerprint=f"print of {name}") for name in names),
        "seed": 4,
        "recipe": RECIPES["quick"],
        "encoder": Encoder(name="e"),
        "encoder_fingerprint": "e",
    }
    return Job(**given | change)


@pytest.mark.parametrize(
    ("made", "arm", "targets"),
    [
        (job("a", "b"), "refine", ("a", "b")),
        (job("a", seed=NULL_SEEDS + 4), "null", ("a",)),
        (job("a", tuned=True), "tuned 0.002", ("a",)),
        (job("a", extra_examples=300), "same-steps 300", ("a",)),
        (job("a", "b", left_out="b"), "left-out b", ("b",)),
        (job("a", stage="fine-tune", parent=job("a", "b")), "fine-tune", ("a",)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_arm_has_a_name_and_targets_and_is_paired_by_its_seed(made: Job, arm: str, targets: tuple):
    assert (str(made.arm), made.targets, made.arm_seed) == (arm, targets, 4)


def test_a_job_is_another_one_for_each_control_and_the_same_one_for_a_tuned_rate():
    plain = job("a", "b")
    others = [job("a", "b", left_out="a"), job("a", "b", left_out="b"), job("a", "b", teachers=(job("a"),))]
    assert len({plain.id, *(other.id for other in others)}) == 4
    assert job("a", extra_examples=1).id != job("a").id == job("a", tuned=True).id


def test_group_and_parents_of_a_child_and_of_a_pupil():
    parent, teachers = job("b", "a"), (job("a"), job("b"))
    child = job("a", stage="fine-tune", parent=parent)
    assert parent.names == ("a", "b"), "in one order, however they were written"
    assert (child.group, child.parents) == (("a", "b"), (parent,))
    assert job("a", "b", teachers=teachers).parents == teachers


@pytest.mark.parametrize("wrong", [{"left_out": "c"}, {"extra_examples": 3}, {"extra_examples": -1}])
def test_a_control_that_makes_no_sense_is_no_job(wrong: dict):
    with pytest.raises(ValidationError):
        job("a", "b", **wrong)
