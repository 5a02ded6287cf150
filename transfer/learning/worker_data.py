"""Data of a worker: the site that it reads from, and its caches from one job to the next.

A corpus is read and tokenised once for all jobs; its rows are collated once for those that see the same
ones, as far as memory goes.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cachetools import LRUCache, cached
from pydantic import BaseModel, ConfigDict

from transfer import corpora
from transfer.corpora import Corpus, Limit
from transfer.corpora.base import Split
from transfer.corpora.overlap import apart
from transfer.jobs import Job, Trained
from transfer.learning import encoder
from transfer.learning.batches import TRAINING_PIECES, evaluation_batches, training_batches
from transfer.learning.machine import device
from transfer.tasks import Item, Task, task_of

# Of collated rows a worker keeps so many word pieces, of 50 to 60 bytes, those that were used last: each seed
# has rows of its own, and those of a grid's seeds must not pile up.
KEPT_PIECES = 4_000_000
# Encoded training samples that a worker keeps, in word pieces; corpora that are not resampled are kept whole.
SAMPLED_PIECES = 1_000_000


class Site(BaseModel):
    """Locations of what jobs name: the store, the corpora, the encoder's files.

    ``checkpoint_seconds``: the least time between two checkpoints of a job; 0 makes one each epoch.
    ``run`` names the run for its claims on jobs, ``grid`` the record that a worker must see in the store.
    ``keep`` are the ids of the jobs whose models are kept. ``cuda_graphs``: a GPU replays training's encoder
    from graphs. ``home``, the folder of the grid's file, is where an external trainer starts, and ``gpus``
    its share of a GPU; it has no ``encoder``.
    """

    model_config = ConfigDict(frozen=True)

    store: Path
    corpora: str
    limits: dict[str, Limit] = {}
    encoder: Path = Path()
    home: Path = Path()
    gpus: float = 0.0
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
    """A corpus with the job's training sample, its task, its encoded splits, and the word pieces in them."""

    corpus: Corpus
    task: Task
    items: Mapping[Split, list[Item]]
    pieces: frozenset[int]


class RowSource(NamedTuple):
    """Origin of a job's rows of one corpus: equal sources give equal sequences.

    ``draw`` is the seed of the training sample; None where all seeds train on the same examples.
    """

    name: str
    where: str
    limit: Limit
    encoder: Path
    max_length: int
    draw: int | None


def _source(name: str, job: Job, site: Site) -> RowSource:
    """A corpus as a job sees it.

    A null control's job has the training sample of the run that it is compared with, as both arms of an
    edge have.
    """
    limit = site.limit_of(name)
    draw = None if _corpus(name, site.corpora, limit).sample is None else job.arm_seed
    return RowSource(name, site.corpora, limit, site.encoder, job.recipe.max_length, draw)


def ready_of(trained: Trained, job: Job, site: Site) -> Ready:
    """A corpus of a job. Raises ValueError where it is not the one that the grid was planned with."""
    ready = _encoded(_source(trained.name, job, site))
    if ready.corpus.fingerprint != trained.fingerprint:
        # a process that outlives a plan may have kept the files as they were before
        forget()
        ready = _encoded(_source(trained.name, job, site))
    if ready.corpus.fingerprint != trained.fingerprint:
        raise ValueError(
            f"the corpus '{trained.name}' changed since the grid was planned "
            f"(fingerprint {ready.corpus.fingerprint}, planned {trained.fingerprint}); run the grid again"
        )
    return ready


def cut(name: str, split: Split, *, job: Job, site: Site) -> list[Any]:
    """Mini-batches of train, rows of dev or test: all on the device of the job, so that no step waits."""
    source = _source(name, job, site)
    if split != "train":
        batches = _cut_once(source._replace(draw=None), split, 0, 0, None)
    else:
        apart_from = None
        if job.left_out is not None and job.left_out != name:
            apart_from = (job.left_out, site.limit_of(job.left_out))
        batches = _cut_once(source, split, job.recipe.batch_size, job.seed, apart_from)
    return [batch.to(device()) for batch in batches]


@functools.lru_cache(maxsize=64)
def _corpus(name: str, where: str, limit: Limit) -> Corpus:
    """A corpus, read once for all jobs of a worker."""
    return corpora.load_one(where, name, limit=limit)


@functools.lru_cache(maxsize=64)
def _held_out(source: RowSource) -> dict[Split, list[Item]]:
    """The sequences of dev and test, encoded once for all training samples."""
    return _items(_corpus(*source[:3]), source, ("dev", "test"))


def _items(corpus: Corpus, source: RowSource, splits: Iterable[Split]) -> dict[Split, list[Item]]:
    task, tokenizer = task_of(corpus.card), encoder.tokenizer_of(source.encoder)
    return {s: task.encode(corpus.split(s), tokenizer, max_length=source.max_length) for s in splits}


def _encoded(source: RowSource) -> Ready:
    """A corpus and its sequences; kept for a worker's next jobs."""
    return _whole(source) if source.draw is None else _sampled(source)


@functools.lru_cache(maxsize=64)
def _whole(source: RowSource) -> Ready:
    return _encode(_corpus(*source[:3]), source)


@cached(LRUCache(SAMPLED_PIECES, getsizeof=lambda ready: sum(len(item.ids) for item in ready.items["train"])))
def _sampled(source: RowSource) -> Ready:
    assert source.draw is not None
    return _encode(_corpus(*source[:3]).drawn(source.draw), source)


def _encode(corpus: Corpus, source: RowSource) -> Ready:
    items = _items(corpus, source, ("train",)) | _held_out(source._replace(draw=None))
    pieces = frozenset(i for own in items.values() for item in own for i in item.ids)
    return Ready(corpus, task_of(corpus.card), items, pieces)


@cached(LRUCache(KEPT_PIECES, getsizeof=lambda batches: sum(batch.pieces for batch in batches)))
def _cut_once(
    source: RowSource, split: Split, size: int, seed: int, left_out: tuple[str, Limit] | None
) -> tuple[Any, ...]:
    """The collated rows of a split; once for all jobs of a worker that see the same ones."""
    if split != "train":
        task = task_of(_corpus(*source[:3]).card)
        return tuple(evaluation_batches(source.name, task, _held_out(source)[split]))
    ready = _encoded(source)
    items = ready.items[split]
    if left_out:
        name, limit = left_out
        kept = set(apart(ready.corpus, _corpus(name, source.where, limit)))
        items = [item for item in items if item.example in kept]
    # a GPU has the memory for a whole mini-batch, and is the faster the larger its work
    pieces = TRAINING_PIECES if device().type == "cpu" else None
    return tuple(training_batches(source.name, ready.task, items, batch_size=size, seed=seed, pieces=pieces))


def forget() -> None:
    """Clear the caches, because a corpus changed under the same name."""
    for each in (_corpus, _held_out, _whole, _sampled, _cut_once):
        each.cache_clear()
