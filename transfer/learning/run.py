"""One job, from its record to its result in the store. What a worker does."""

import errno
import functools
import json
import socket
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd
import torch
from safetensors.torch import load
from torch import Tensor

from transfer import corpora
from transfer.claims import Claims, Taken
from transfer.grid import Job
from transfer.learning import encoder, kernels
from transfer.learning import kept_models as models
from transfer.learning.batches import MiniBatch
from transfer.learning.best import MEAN, Best
from transfer.learning.checkpoint import Checkpoint
from transfer.learning.cuda_graphs import graphs_of
from transfer.learning.evaluate import Diverged, Held, score
from transfer.learning.machine import clear_up, device, forget_peak, peak_memory, provenance
from transfer.learning.mixing import Mixture
from transfer.learning.mtbert import MTBert, MultiTask
from transfer.learning.sharing import Materials, Student, learner_of, words_name
from transfer.learning.train import train
from transfer.learning.worker_data import Ready, Site, cut, ready_of
from transfer.metrics import Golds
from transfer.store import Epoch, JobResult, Score, Store

# ways to share whose encoder does the same for every mini-batch
GRAPHED = ("hard", "distil")


class Run(Protocol):
    """What a worker does with a job: ``run``, or in a test or benchmark something else."""

    def __call__(self, job: Job, site: Site, *, keep_encoder: bool = False) -> JobResult: ...


def run(job: Job, site: Site, *, keep_encoder: bool = False) -> JobResult:
    """Runs a job and keeps its result; an exception becomes a failed result with its traceback.

    Raises Taken where another run has taken the job. ``keep_encoder`` keeps the encoder of the epoch with the
    best mean dev score for child jobs. Where the disk is full, or this machine does not see the store,
    the failed result may not be kept.
    """
    store = Store(site.store)
    if site.grid and not store.files.exists(f"grids/{site.grid}.json"):
        error = (
            f"a machine ({socket.gethostname()}) does not see the store {store.files.at('')} that the run "
            "was started with; it must be the same folder on all machines, or a bucket"
        )
        return JobResult(id=job.id, job=job, status="failed", source="", error=error, cause="place")
    claim = Claims(store.files, run=site.run).take(job.id)
    if claim is None:
        raise Taken(job.id)
    with claim:
        if store.has_all(job.id, encoder=keep_encoder, model=job.id in site.keep):
            return store.get(job.id)  # another run was quicker
        try:
            return _kept(job, site, store, keep_encoder=keep_encoder)
        finally:
            clear_up()


def _kept(job: Job, site: Site, store: Store, *, keep_encoder: bool) -> JobResult:
    began = time.perf_counter()
    source = corpora.SYNTHETIC if site.corpora == corpora.SYNTHETIC else "prepared"
    try:
        store.running(job.id, {"epoch": 0, "epochs": job.recipe.epochs})
        return _trained(job, site, store, source=source, began=began, keep_encoder=keep_encoder)
    except Exception as error:  # recorded as what it is: the job failed, and the others go on
        # where in the code it was noticed that training diverged is of no use to anyone
        told = traceback.format_exc()
        if isinstance(error, Diverged):
            told = f"{error}; try a learning rate below {job.recipe.lr:g} (recipe.lr)"
        failed = JobResult(
            id=job.id, job=job, status="failed", source=source, seconds=time.perf_counter() - began,
            ended=time.time(), provenance=provenance(), error=told, cause=cause_of(error),
        )  # fmt: skip
    try:
        store.put(failed)
    except OSError as error:
        if cause_of(error) != "disk":
            raise
        store.no_longer_running(job.id)
        return failed.model_copy(update={"cause": "disk", "error": failed.error + f"\n{error}"})
    return failed


def cause_of(error: BaseException) -> Literal["", "memory", "disk"]:
    """What a job failed of, where another try may help: memory (of the CPU or a GPU), or a full disk."""
    told = str(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in told:
        return "memory"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    # safetensors and pyarrow have errors of their own for what they could not write
    if full or "No space left on device" in told or "Disk quota exceeded" in told:
        return "disk"
    return ""


def begin(job: Job, site: Site) -> tuple[dict[str, Ready], MultiTask, Mixture]:
    """The corpora of a job, its model as it is before the first step, and its mini-batches."""
    ready = {trained.name: ready_of(trained, job, site) for trained in job.corpora}
    model = learner_of(_materials(job, site, ready))
    model.to(device())
    mixture = Mixture(
        {name: cut(name, "train", job=job, site=site) for name in ready},
        seed=job.seed,
        epochs=job.recipe.epochs,
        extra=-(-job.extra_examples // job.recipe.batch_size),
        mix=job.recipe.mix,
        together=job.recipe.weigh.together and len(ready) > 1,
    )
    return ready, model, mixture


def _trained(
    job: Job, site: Site, store: Store, *, source: str, began: float, keep_encoder: bool
) -> JobResult:
    forget_peak()
    kernels.forget()
    notes: list[str] = []
    ready, model, mixture = begin(job, site)
    rows = functools.partial(cut, job=job, site=site)
    if isinstance(model, Student):
        _teach(model, job, site, ready, mixture)
    if site.cuda_graphs and isinstance(model, MTBert) and job.recipe.share.method in GRAPHED:
        model.graphs = graphs_of(model, mixture.batches, batch_size=job.recipe.batch_size)
    best, history = train(
        model,
        mixture=mixture,
        dev={name: Held(name, r.corpus.dev, rows(name, "dev")) for name, r in ready.items()},
        recipe=job.recipe,
        checkpoint=Checkpoint(
            store,
            job.id,
            made_by={key: value for key, value in provenance().items() if key != "threads"},
            seconds=site.checkpoint_seconds,
            tell=notes.append,
        ),
        watch=_noting(store, job),
    )
    held = {name: Held(name, r.corpus.test, rows(name, "test")) for name, r in ready.items()}
    scores, predictions = _tested(model, best, ready, held)
    notes += [f"the {s.split} score of {s.corpus} is undefined: {s.undefined}" for s in scores if s.undefined]
    keep_model = job.id in site.keep
    result = JobResult(
        id=job.id, job=job, status="done", scores=tuple(scores),
        chosen_epoch={name: best.epoch[name] for name in ready}, history=tuple(history),
        train_items={name: _examples(own) for name, own in mixture.batches.items()},
        steps=mixture.steps(job.recipe.epochs), seconds=time.perf_counter() - began, ended=time.time(),
        peak_memory=peak_memory(), source=source, notes=tuple(notes),
        provenance=provenance() | kernels.taken() | (model.graphs.told() if model.graphs else {}),
    )  # fmt: skip
    with store.files.scratch() as folder:
        shared = _save_encoder(folder / "encoder", model, best, site, job) if keep_encoder else None
        whole = _save_model(folder / "model", model, best, site, ready, result) if keep_model else None
        store.put(result, predictions=predictions, encoder=shared, model=whole)
    return result


def _examples(batches: Sequence[MiniBatch]) -> int:
    """How many examples there are in the mini-batches; a long sentence is several items."""
    return len({example for batch in batches for example, _, _ in batch.items})


def _noting(store: Store, job: Job) -> Callable[[Sequence[Epoch]], None]:
    """What ``status`` and the live view see of a job as its epochs end."""

    def note(history: Sequence[Epoch]) -> None:
        last = history[-1]
        progress = {
            "epoch": last.epoch,
            "epochs": job.recipe.epochs,
            "loss": sum(last.loss.values()) / len(last.loss),
            "best": {name: _highest([epoch.dev[name] for epoch in history]) for name in last.dev},
        }
        store.running(job.id, progress)

    return note


def _highest(scores: Sequence[float | None]) -> float | None:
    return max((score for score in scores if score is not None), default=None)


def _materials(job: Job, site: Site, ready: Mapping[str, Ready]) -> Materials:
    begun = None
    if job.parent is not None:
        kept = load(Store(site.store).encoder(job.parent.id))
        begun = {name: w for name, w in kept.items() if not name.startswith("heads.")}
    return Materials(
        folder=site.encoder,
        layers=job.encoder.layers,
        tasks={name: r.task for name, r in ready.items()},
        recipe=job.recipe,
        seed=job.seed,
        pieces=set().union(*(r.pieces for r in ready.values())),
        begun=begun,
        # on a GPU a pass over the table takes no time worth saving
        lazy=device().type == "cpu",
    )


def _teach(model: Student, job: Job, site: Site, ready: Mapping[str, Ready], mixture: Mixture) -> None:
    for teacher in job.teachers:
        (name,) = teacher.names
        kept = load(Store(site.store).encoder(teacher.id))
        if f"heads.{name}.weight" not in kept:  # a fresh head would teach noise
            raise ValueError(
                f"the kept weights of the teacher {teacher.id} ({teacher.label}) have no head of it: an "
                "earlier version wrote them; remove its folder 'encoder' in the store and run the grid again"
            )
        begun = {key.replace(f"heads.{name}.", "heads.0."): w for key, w in kept.items()}
        materials = _materials(teacher, site, {name: ready[name]})
        taught_by = replace(materials, begun=begun).learner(MTBert)
        model.learn_from(taught_by.to(device()), mixture.batches[name])


def _tested(
    model: MultiTask, best: Best, ready: Mapping[str, Ready], tested: Mapping[str, Held]
) -> tuple[list[Score], pd.DataFrame]:
    """Each corpus's dev and test score at its chosen epoch; test is scored here and only here."""
    scores: list[Score] = []
    rows: list[dict[str, Any]] = []
    for name, r in ready.items():
        model.load_state_dict(best.weights[best.epoch[name]])
        held = tested[name]
        value, undefined, predicted = score(model, held)
        scores.append(_score(r, "dev", best.score[name], _why_no_dev(r) if isnan(best.score[name]) else ""))
        scores.append(_score(r, "test", value, undefined))
        rows += [
            {
                "corpus": name,
                "id": e.id,
                "doc": e.doc,
                "gold": json.dumps(e.gold),
                "predicted": json.dumps(p),
            }
            for e, p in zip(held.examples, predicted, strict=True)
        ]
    return scores, pd.DataFrame(rows)


def _score(ready: Ready, split: Literal["dev", "test"], value: float, undefined: str) -> Score:
    card, items = ready.corpus.card, len(ready.corpus.split(split))
    number = None if undefined else value
    return Score(
        corpus=card.name, split=split, metric=card.metric, value=number, items=items, undefined=undefined
    )


def _why_no_dev(ready: Ready) -> str:
    """Why the dev score was undefined in every epoch, and what was done about it."""
    card = ready.corpus.card
    gold = Golds.of(card.metric, (e.gold for e in ready.corpus.dev), negative=card.negative)
    reason = gold.undefined or "constant predictions"
    return f"{reason}; undefined in every epoch, so the last one was chosen"


def _save_encoder(folder: Path, model: MultiTask, best: Best, site: Site, job: Job) -> Path:
    """What children go on from: the shared weights, and the heads, which pupils learn from."""
    assert isinstance(model, MTBert)
    weights = best.weights[best.epoch[MEAN]]
    shared = models.shared_of(model, weights, whole=_first_table(model, site, job))
    for name, place in model.head_of.items():
        for part in ("weight", "bias"):
            shared[f"heads.{name}.{part}"] = weights[f"heads.{place}.{part}"]
    folder.mkdir(parents=True, exist_ok=True)
    models.write_tensors(shared, folder / "model.safetensors")
    return folder


def _save_model(
    folder: Path, model: MultiTask, best: Best, site: Site, ready: Mapping[str, Ready], result: JobResult
) -> Path:
    assert isinstance(model, MTBert)
    return models.save(
        folder,
        model,
        best,
        {name: r.corpus for name, r in ready.items()},
        result,
        whole=_first_table(model, site, result.job),
        encoder=site.encoder,
        max_length=result.job.recipe.max_length,
    )


def _first_table(model: MTBert, site: Site, job: Job) -> Tensor:
    """The whole word-piece table that the job began with."""
    if job.parent is None:
        return encoder.table_of(site.encoder, job.encoder.layers)
    return load(Store(site.store).encoder(job.parent.id))[words_name(model)]
