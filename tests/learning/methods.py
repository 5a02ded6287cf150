"""Shared by the tests of methods: jobs, learners and mini-batches of two tiny corpora."""

from typing import Any

from tests.learning.jobs import job_of
from transfer.jobs import Job
from transfer.learning import run as running
from transfer.learning.batches import TRAINING_PIECES, MiniBatch, training_batches
from transfer.learning.mixing import Mixture
from transfer.learning.mtbert import MultiTask
from transfer.learning.run import run
from transfer.learning.sharing import Materials
from transfer.learning.train import train
from transfer.learning.worker_data import Site, ready_of
from transfer.recipes import Recipe
from transfer.records import JobResult

QUICK = {"lr": 3e-3, "epochs": 3, "batch_size": 8}
NAMES = ("rel", "ner")


def recipe(**changed: Any) -> Recipe:
    return Recipe.model_validate({**QUICK, **changed})


def joint(site: Site, *names: str, **changed: Any) -> Job:
    """A joint job; its teachers, where it has any, have run."""
    job = job_of(site, *names, recipe=recipe(**changed))
    if job.recipe.share.method != "distil":
        return job
    teachers = tuple(job_of(site, name, recipe=job.recipe.of([name])) for name in sorted(names))
    for teacher in teachers:
        assert run(teacher, site, keep_encoder=True).status == "done"
    return job.model_copy(update={"teachers": teachers})


def done(job: Job, site: Site) -> JobResult:
    result = run(job, site)
    assert result.status == "done", result.error
    return result


def materials(site: Site, *names: str, **changed: Any) -> Materials:
    job = job_of(site, *names, recipe=recipe(**changed))
    ready = {c.name: ready_of(c, job, site) for c in job.corpora}
    return running.materials_of(job, site, ready)


def batches(site: Site, name: str) -> list[MiniBatch]:
    job = job_of(site, name, recipe=recipe())
    ready = ready_of(job.corpora[0], job, site)
    items = ready.items["train"]
    return training_batches(name, ready.task, items, batch_size=8, seed=0, pieces=TRAINING_PIECES)


def trained(model: MultiTask, site: Site, **changed: Any) -> MultiTask:
    numbers = recipe(**changed)
    cut = {name: batches(site, name) for name in model.tasks}
    mixture = Mixture(cut, seed=0, epochs=numbers.epochs)
    train(model, mixture=mixture, dev=dict.fromkeys(cut), measure=lambda *_: 0.0, recipe=numbers)
    return model
