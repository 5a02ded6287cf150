"""A worker's site: where it finds what jobs name, and what it keeps of that from one job to the next.

A corpus is read and tokenised once for all jobs; its rows are collated once for those that see the same
ones, as far as memory goes.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cachetools import LRUCache, cached
from pydantic import BaseModel, ConfigDict

from transfer import corpora
from transfer.corpora import Corpus, Limit
from transfer.corpora.base import SPLITS, Split, apart
from transfer.grid import Job, Trained
from transfer.learning import encoder
from transfer.learning.batches import TRAINING_PIECES, evaluation_batches, training_batches
from transfer.learning.machine import device
from transfer.tasks import Item, Task, task_of

# Of collated rows a worker keeps so many word pieces, of 50 to 60 bytes, those that were used last: each seed
# has rows of its own, and those of a grid's seeds must not pile up.
KEPT_PIECES = 4_000_000


class Site(BaseModel):
    """Where a worker finds what jobs name: the store, the corpora, the encoder's files.

    ``checkpoint_seconds``: the least time between two checkpoints of a job; 0 makes one each epoch.
    ``run`` names the run for its claims on jobs, ``grid`` the record that a worker must see in the store.
    ``keep`` are the ids of the jobs whose models are kept. ``cuda_graphs``: a GPU replays training's encoder
    from graphs.
    """

    model_config = ConfigDict(frozen=True)

    store: Path
    corpora: str
    limits: dict[str, Limit] = {}
    encoder: Path
    checkpoint_seconds: float = 10.0
    run: str = ""
    grid: str = ""
    keep: frozenset[str] = frozenset()
    cuda_graphs: bool = False

    def limit_of(self, name: str) -> Limit:
        """A corpus's limit."""
        return self.limits.get(name, Limit())


@dataclass(frozen=True)
class Ready:
    """A corpus, its task, the encoder's sequences of each split, and the word pieces in them."""

    corpus: Corpus
    task: Task
    items: Mapping[str, list[Item]]
    pieces: frozenset[int]


def ready_of(trained: Trained, job: Job, site: Site) -> Ready:
    """A corpus of a job. Raises ValueError where it is not the one that the grid was planned with."""
    limit = site.limit_of(trained.name)
    ready = _encoded(trained.name, site.corpora, limit, site.encoder, job.recipe.max_length)
    if ready.corpus.fingerprint != trained.fingerprint:
        raise ValueError(
            f"the corpus '{trained.name}' changed since the grid was planned "
            f"(fingerprint {ready.corpus.fingerprint}, planned {trained.fingerprint}); run the grid again"
        )
    return ready


def cut(name: str, split: Split, *, job: Job, site: Site) -> list[Any]:
    """Mini-batches of train, rows of dev or test: all on the device of the job, so that no step waits."""
    of = (name, site.corpora, site.limit_of(name), site.encoder, job.recipe.max_length, split)
    if split != "train":
        batches = _cut_once(*of, 0, 0, None)
    else:
        apart_from = None
        if job.left_out is not None and job.left_out != name:
            apart_from = (job.left_out, site.limit_of(job.left_out))
        batches = _cut_once(*of, job.recipe.batch_size, job.seed, apart_from)
    return [batch.to(device()) for batch in batches]


@functools.lru_cache(maxsize=64)
def _encoded(name: str, where: str, limit: Limit, encoder_folder: Path, max_length: int) -> Ready:
    """A corpus and its sequences; once for all jobs of a worker."""
    corpus = corpora.load_one(where, name, limit=limit)
    task, tokenizer = task_of(corpus.card), encoder.tokenizer_of(encoder_folder)
    items = {split: task.encode(corpus.split(split), tokenizer, max_length=max_length) for split in SPLITS}
    return Ready(
        corpus, task, items, frozenset(i for own in items.values() for item in own for i in item.ids)
    )


@cached(LRUCache(KEPT_PIECES, getsizeof=lambda batches: sum(batch.pieces for batch in batches)))
def _cut_once(
    name: str,
    where: str,
    limit: Limit,
    folder: Path,
    max_length: int,
    split: Split,
    size: int,
    seed: int,
    left_out: tuple[str, Limit] | None,
) -> tuple[Any, ...]:
    """The collated rows of a split; once for all jobs of a worker that see the same ones."""
    ready = _encoded(name, where, limit, folder, max_length)
    items = ready.items[split]
    if split != "train":
        return tuple(evaluation_batches(name, ready.task, items))
    if left_out:
        target = _encoded(left_out[0], where, left_out[1], folder, max_length)
        kept = set(apart(ready.corpus, target.corpus))
        items = [item for item in items if item.example in kept]
    # a GPU has the memory for a whole mini-batch, and is the faster the larger its work
    pieces = TRAINING_PIECES if device().type == "cpu" else None
    return tuple(training_batches(name, ready.task, items, batch_size=size, seed=seed, pieces=pieces))


def forget() -> None:
    """Reads and collates everything anew from here on: where a corpus changed under the same name."""
    for each in (_encoded, _cut_once):
        each.cache_clear()
