"""A few training steps of jobs that have not run, timed: what a forecast of their time rests on."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch

from transfer.corpora.base import SPLITS
from transfer.jobs import Job
from transfer.learning.batches import MiniBatch
from transfer.learning.machine import clear_up, device
from transfer.learning.optimizer import shrink_to
from transfer.learning.run import RunningJob
from transfer.learning.worker_data import Site, cut

STEPS = 5  # per corpus, of which the first is not counted
SECONDS = 10.0  # after that a corpus has as many steps as it has
FORWARD = 1 / 3  # of the time of a training step


@dataclass
class Rates:
    """Seconds of one worker with ``threads`` threads, measured on this machine, on one of ``gpus`` if any.

    ``once``: reading and encoding the corpora, and compiling. ``job``: loading the encoder for a job.
    ``step``: a training step of a corpus. ``steps``: how many a pass over its train split has, and
    ``held``: how many dev and test would have.
    """

    threads: int
    gpus: int
    once: float = 0.0
    job: float = 0.0
    step: dict[str, float] = field(default_factory=dict)
    steps: dict[str, int] = field(default_factory=dict)
    held: dict[str, dict[str, float]] = field(default_factory=dict)

    def seconds(self, job: Job) -> float:
        """The expected time of a job whose corpora were measured."""
        total, epochs = self.job, job.recipe.epochs
        for name in job.names:
            train = self.steps[name] + job.extra_examples / job.recipe.batch_size
            forward = FORWARD * (epochs * self.held[name]["dev"] + self.held[name]["test"])
            total += self.step[name] * (epochs * train + forward)
        return total


def probe(jobs: Sequence[Job], site: Site, *, threads: int) -> Rates:
    """Train a few mini-batches of every corpus of the jobs; nothing is kept.

    The jobs with the most corpora are taken, because they show what a method of joint training costs. Jobs
    that start from another job's weights are not; their corpora must be in other ones, too.
    """
    torch.set_num_threads(threads)
    rates = Rates(threads, torch.cuda.device_count())
    chosen = covering([job for job in jobs if not job.parents])
    for job in chosen:
        began = time.perf_counter()
        RunningJob.begin(job, site)
        between = time.perf_counter()
        running = RunningJob.begin(job, site)  # once more: the corpora are encoded now
        mixture = running.mixture
        rates.job = max(rates.job, time.perf_counter() - between)
        rates.once += max(0.0, between - began - rates.job)
        rates.step |= _step_times(running, seconds=SECONDS / len(chosen))
        for name, batches in mixture.batches.items():
            rates.steps[name] = len(batches)
            size = sum(batch.pieces for batch in batches) / len(batches)
            held = {split: cut(name, split, job=job, site=site) for split in SPLITS if split != "train"}
            rates.held[name] = {
                split: sum(batch.pieces for batch in own) / size for split, own in held.items()
            }
        clear_up()
    return rates


def covering(jobs: Sequence[Job]) -> list[Job]:
    """A few of the jobs that together have all of their corpora, those with the most new ones first."""
    chosen: list[Job] = []
    missing = {name for job in jobs for name in job.names}
    while missing:
        job = max(jobs, key=lambda job: (len(missing.intersection(job.names)), -len(job.names)))
        missing -= set(job.names)
        chosen.append(job)
    return chosen


def _step_times(running: RunningJob, *, seconds: float) -> dict[str, float]:
    """Seconds of a training step of each corpus: the median of a few, by pieces where there was no time."""
    model, mixture, recipe = running.model, running.mixture, running.job.recipe
    optimizer, schedule = model.optimization(recipe, mixture)
    took: dict[str, list[float]] = {name: [] for name in mixture.batches}
    model.train()
    end = time.perf_counter() + seconds
    for batch in mixture.epoch(1):
        if len(took[batch.corpus]) >= STEPS and not mixture.together:
            continue
        began = time.perf_counter()
        part = replace(batch, parts=batch.parts[:1])  # a large encoder takes seconds for each part
        model.backward(part)
        _wait()
        between = time.perf_counter()
        if batch.last:
            optimizer.step(shrink=shrink_to(recipe.clip, model.leaves()))
            schedule.step()
            optimizer.zero_grad()
            _wait()
        backward = (between - began) * batch.pieces / part.pieces
        took[batch.corpus].append(backward + time.perf_counter() - between)
        if time.perf_counter() > end or all(len(own) >= STEPS for own in took.values()):
            break
    return _medians(took, mixture.batches)


def _medians(took: dict[str, list[float]], batches: Mapping[str, Sequence[MiniBatch]]) -> dict[str, float]:
    size = {name: sum(batch.pieces for batch in own) / len(own) for name, own in batches.items()}
    known = {name: statistics.median(own[1:] or own) for name, own in took.items() if own}
    rate = sum(known.values()) / sum(size[name] for name in known)
    return {name: known.get(name, rate * size[name]) for name in took}


def _wait() -> None:
    if device().type == "cuda":
        torch.cuda.synchronize()
