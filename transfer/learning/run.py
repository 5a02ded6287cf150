"""A worker's task: one job, from its record to its result in the store."""

import errno
import json
import socket
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from typing import Any, Literal, Protocol, Self

import pandas as pd
import torch
from safetensors.torch import load
from torch import Tensor

from transfer import corpora
from transfer.claims import Claims, Taken
from transfer.external import TrainerFailed
from transfer.jobs import Job
from transfer.learning import encoder, kept_models, kernels
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
from transfer.records import Epoch, JobResult, Score
from transfer.store import Store

# ways to share with which the encoder does the same for every mini-batch
GRAPHED = ("hard", "distil")


class Run(Protocol):
    """Function that a worker calls with a job: ``run``, or a substitute in a test or benchmark."""

    def __call__(self, job: Job, site: Site, *, keep_encoder: bool = False) -> JobResult: ...


class Perform(Protocol):
    """Function that trains, tests and stores a claimed job; ``began`` as of the performance counter."""

    def __call__(
        self, job: Job, site: Site, *, began: float, source: str, keep_encoder: bool
    ) -> JobResult: ...


def perform(job: Job, site: Site, *, began: float, source: str, keep_encoder: bool) -> JobResult:
    """Run a job with the built-in trainer."""
    return RunningJob.begin(job, site).finish(began=began, source=source, keep_encoder=keep_encoder)


def run(job: Job, site: Site, *, keep_encoder: bool = False, by: Perform | None = None) -> JobResult:
    """Run a job and store its result; an exception becomes a failed result with its traceback.

    ``by``: the trainer; by default the built-in one.

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
            return _stored(job, site, store, by or perform, keep_encoder=keep_encoder)
        finally:
            clear_up()


def _stored(job: Job, site: Site, store: Store, by: Perform, *, keep_encoder: bool) -> JobResult:
    began = time.perf_counter()
    source = corpora.SYNTHETIC if site.corpora == corpora.SYNTHETIC else "prepared"
    try:
        store.running(job.id, {"epoch": 0, "epochs": job.recipe.epochs})
        forget_peak()
        kernels.forget()
        return by(job, site, began=began, source=source, keep_encoder=keep_encoder)
    except Exception as error:  # recorded as what it is: the job failed, and the others go on
        # where in the code it was noticed that training diverged is of no use to anyone
        told = traceback.format_exc()
        if isinstance(error, Diverged):
            told = f"{error}; try a learning rate below {job.recipe.lr:g} (recipe.lr)"
        elif isinstance(error, TrainerFailed):
            told = str(error)
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
    """Cause of a failure where a retry may help: memory (of the CPU or a GPU), or a full disk."""
    told = str(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in told:
        return "memory"
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    # safetensors and pyarrow have errors of their own for what they could not write
    if full or "No space left on device" in told or "Disk quota exceeded" in told:
        return "disk"
    return ""


@dataclass(frozen=True)
class RunningJob:
    """A job between its record and its result: its corpora, its model, and its mini-batches."""

    job: Job
    site: Site
    store: Store
    ready: Mapping[str, Ready]
    model: MultiTask
    mixture: Mixture

    @classmethod
    def begin(cls, job: Job, site: Site) -> Self:
        """The job before its first step."""
        store = Store(site.store)
        ready = {trained.name: ready_of(trained, job, site) for trained in job.corpora}
        model = learner_of(materials_of(job, site, ready))
        model.to(device())
        mixture = Mixture(
            {name: cut(name, "train", job=job, site=site) for name in ready},
            seed=job.seed,
            epochs=job.recipe.epochs,
            extra=-(-job.extra_examples // job.recipe.batch_size),
            mix=job.recipe.mix,
            together=job.recipe.weigh.together and len(ready) > 1,
        )
        return cls(job, site, store, ready, model, mixture)

    def held(self, split: Literal["dev", "test"]) -> dict[str, Held]:
        """The examples of a split and their encoded rows, by corpus."""
        return {
            name: Held(name, r.corpus.split(split), cut(name, split, job=self.job, site=self.site))
            for name, r in self.ready.items()
        }

    def finish(self, *, began: float, source: str, keep_encoder: bool) -> JobResult:
        """Train, test and store the job. ``began`` is the time of the performance counter when it began."""
        job, model, mixture = self.job, self.model, self.mixture
        notes: list[str] = []
        best, history = self._train(notes)
        scores, predictions = self._test(best)
        notes += [
            f"the {s.split} score of {s.corpus} is undefined: {s.undefined}" for s in scores if s.undefined
        ]
        result = JobResult(
            id=job.id, job=job, status="done", scores=tuple(scores),
            chosen_epoch={name: best.epoch[name] for name in self.ready}, history=tuple(history),
            train_items={name: _examples(own) for name, own in mixture.batches.items()},
            steps=mixture.steps(job.recipe.epochs), seconds=time.perf_counter() - began, ended=time.time(),
            peak_memory=peak_memory(), source=source, notes=tuple(notes),
            provenance=provenance() | kernels.taken() | (model.graphs.told() if model.graphs else {}),
        )  # fmt: skip
        with self.store.files.scratch() as folder:
            shared = self._save_encoder(folder / "encoder", best) if keep_encoder else None
            keep_model = job.id in self.site.keep
            whole = self._save_model(folder / "model", best, result) if keep_model else None
            self.store.put(result, predictions=predictions, encoder=shared, model=whole)
        return result

    def _train(self, notes: list[str]) -> tuple[Best, list[Epoch]]:
        job, model = self.job, self.model
        if isinstance(model, Student):
            self._teach(model)
        if self.site.cuda_graphs and isinstance(model, MTBert) and job.recipe.share.method in GRAPHED:
            model.graphs = graphs_of(model, self.mixture.batches, batch_size=job.recipe.batch_size)
        return train(
            model,
            mixture=self.mixture,
            dev=self.held("dev"),
            recipe=job.recipe,
            checkpoint=Checkpoint(
                self.store,
                job.id,
                made_by={key: value for key, value in provenance().items() if key != "threads"},
                seconds=self.site.checkpoint_seconds,
                tell=notes.append,
            ),
            watch=self._note_progress,
        )

    def _teach(self, student: Student) -> None:
        for teacher in self.job.teachers:
            (name,) = teacher.names
            kept = load(self.store.encoder(teacher.id))
            if f"heads.{name}.weight" not in kept:  # a fresh head would teach noise
                raise ValueError(
                    f"the kept weights of the teacher {teacher.id} ({teacher.label}) have no head of it: an "
                    "earlier version wrote them; remove its folder 'encoder' in the store and run the grid "
                    "again"
                )
            begun = {key.replace(f"heads.{name}.", "heads.0."): w for key, w in kept.items()}
            materials = materials_of(teacher, self.site, {name: self.ready[name]})
            taught_by = replace(materials, begun=begun).learner(MTBert)
            student.learn_from(taught_by.to(device()), self.mixture.batches[name])

    def _note_progress(self, history: Sequence[Epoch]) -> None:
        """Tell ``status`` and the live view how far the job is."""
        last = history[-1]
        progress = {
            "epoch": last.epoch,
            "epochs": self.job.recipe.epochs,
            "loss": sum(last.loss.values()) / len(last.loss),
            "best": {name: _highest([epoch.dev[name] for epoch in history]) for name in last.dev},
        }
        self.store.running(self.job.id, progress)

    def _test(self, best: Best) -> tuple[list[Score], pd.DataFrame]:
        """Each corpus's dev and test score at its chosen epoch; test is scored here and only here."""
        held = self.held("test")
        scores: list[Score] = []
        rows: list[dict[str, Any]] = []
        for name, r in self.ready.items():
            self.model.load_state_dict(best.weights[best.epoch[name]])
            value, undefined, predicted = score(self.model, held[name])
            why = _why_no_dev(r) if isnan(best.score[name]) else ""
            scores.append(_score(r, "dev", best.score[name], why))
            scores.append(_score(r, "test", value, undefined))
            rows += [
                {
                    "corpus": name,
                    "id": e.id,
                    "doc": e.doc,
                    "gold": json.dumps(e.gold),
                    "predicted": json.dumps(p),
                }
                for e, p in zip(held[name].examples, predicted, strict=True)
            ]
        return scores, pd.DataFrame(rows)

    def _save_encoder(self, folder: Path, best: Best) -> Path:
        """Weights that child jobs start from: the shared ones, and the heads, which students learn from."""
        assert isinstance(self.model, MTBert)
        weights = best.weights[best.epoch[MEAN]]
        shared = kept_models.shared_of(self.model, weights, whole=self._first_table())
        for name, place in self.model.head_of.items():
            for part in ("weight", "bias"):
                shared[f"heads.{name}.{part}"] = weights[f"heads.{place}.{part}"]
        folder.mkdir(parents=True, exist_ok=True)
        kept_models.write_tensors(shared, folder / "model.safetensors")
        return folder

    def _save_model(self, folder: Path, best: Best, result: JobResult) -> Path:
        assert isinstance(self.model, MTBert)
        return kept_models.save(
            folder,
            self.model,
            best,
            {name: r.corpus for name, r in self.ready.items()},
            result,
            whole=self._first_table(),
            encoder=self.site.encoder,
        )

    def _first_table(self) -> Tensor:
        """The whole word-piece table that the job began with."""
        if self.job.parent is None:
            return encoder.table_of(self.site.encoder, self.job.encoder.layers)
        assert isinstance(self.model, MTBert)
        return load(self.store.encoder(self.job.parent.id))[words_name(self.model)]


def materials_of(job: Job, site: Site, ready: Mapping[str, Ready]) -> Materials:
    """The parts of a job's learner, with the weights of its parent where it has one."""
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


def _examples(batches: Sequence[MiniBatch]) -> int:
    """The number of examples in the mini-batches; a long sentence is several items."""
    return len({example for batch in batches for example, _, _ in batch.items})


def _highest(scores: Sequence[float | None]) -> float | None:
    return max((score for score in scores if score is not None), default=None)


def _score(ready: Ready, split: Literal["dev", "test"], value: float, undefined: str) -> Score:
    card, items = ready.corpus.card, len(ready.corpus.split(split))
    number = None if undefined else value
    return Score(
        corpus=card.name, split=split, metric=card.metric, value=number, items=items, undefined=undefined
    )


def _why_no_dev(ready: Ready) -> str:
    """Reason for a dev score that was undefined in every epoch, and what was done about it."""
    card = ready.corpus.card
    gold = Golds.of(card.metric, (e.gold for e in ready.corpus.dev), negative=card.negative)
    reason = gold.undefined or "constant predictions"
    return f"{reason}; undefined in every epoch, so the last one was chosen"
