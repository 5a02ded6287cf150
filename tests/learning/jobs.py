"""One way to make a job of a worker's corpora, for every test that runs one."""

from typing import Any

from transfer import corpora, encoders
from transfer.jobs import Encoder, Job, Trained
from transfer.learning.worker_data import Site
from transfer.recipes import Recipe

QUICK = Recipe(lr=3e-3, epochs=3, batch_size=8)


def job_of(
    site: Site, *names: str, seed: int = 0, recipe: Recipe = QUICK, parent: Job | None = None, **changed: Any
) -> Job:
    """A job on corpora of the site; ``changed`` are numbers of its recipe."""
    loaded = [corpora.load_one(site.corpora, name, limit=site.limit_of(name)) for name in names]
    return Job(
        stage="fine-tune" if parent else "refine",
        corpora=tuple(Trained(name=c.name, fingerprint=c.fingerprint) for c in loaded),
        seed=seed,
        recipe=recipe.model_copy(update=changed),
        encoder=Encoder(name=str(site.encoder)),
        encoder_fingerprint=encoders.locate(str(site.encoder)).fingerprint,
        parent=parent,
    )
