"""One job of an external trainer: its folder is written, its process runs, its predictions are scored."""

import functools
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from transfer import __version__, corpora
from transfer.corpora import Corpus, Limit
from transfer.corpora.base import Example
from transfer.external import External, TrainerFailed
from transfer.files import Folder
from transfer.inputs import InputError
from transfer.jobs import Job, Trained
from transfer.learning.worker_data import Site
from transfer.metrics import measure_of, why_undefined
from transfer.records import JobResult, Score
from transfer.store import Store
from transfer.trainers.answers import dev_scores_of, history_of, no_more_than, predictions_of
from transfer.trainers.folder import CorpusFile, JobFile, kept_of, seed_of, write_rows
from transfer.trainers.process import before_last_line, command_of, run


@functools.lru_cache(maxsize=64)
def _corpus(where: str, name: str, limit: Limit) -> Corpus:
    return corpora.load_one(where, name, limit=limit)


def _planned(trained: Trained, site: Site) -> Corpus:
    """A corpus of a job. Raises ValueError if it is not the one that the grid was planned with."""
    where, limit = site.corpora, site.limit_of(trained.name)
    corpus = _corpus(where, trained.name, limit)
    if corpus.fingerprint != trained.fingerprint:  # this process may have read it before it changed
        _corpus.cache_clear()
        corpus = _corpus(where, trained.name, limit)
    if corpus.fingerprint != trained.fingerprint:
        raise ValueError(
            f"the corpus '{trained.name}' changed since the grid was planned; run the grid again"
        )
    return corpus


def perform(job: Job, site: Site, *, began: float, source: str, keep_encoder: bool = False) -> JobResult:
    """Run a job with its external trainer, score its predictions and store the result.

    Raises TrainerFailed if the process ends badly or its answers cannot be used; there is no score then.
    """
    assert job.trainer is not None
    assert not keep_encoder, "no job starts from the encoder of an external trainer"
    trainer, store = job.trainer, Store(site.store)
    sets = {c.name: _planned(c, site) for c in job.corpora}
    _as_planned(trainer, site.home)
    with store.files.scratch() as folder:
        out, log = folder.resolve() / "out", folder / "log.txt"
        out.mkdir()
        file = _write_folder(job, site, sets, folder.resolve() / "in", _checkpoint(store, job.id, folder))
        before = _digest(file.parent)
        command = command_of(trainer.python, trainer.command, job=file, out=out)
        seconds = trainer.hours and trainer.hours * 3600
        run(command, folder=site.home, log=log, threads=torch.get_num_threads(), seconds=seconds)
        try:
            if _digest(file.parent) != before:
                raise InputError("the trainer changed the files of its job; it should write below {out} only")
            no_more_than(out, job.names)
            predicted = {name: predictions_of(out, c.card, c.test) for name, c in sets.items()}
            dev, history = dev_scores_of(out, job.names), history_of(out, job.names)
            scores, rows = _scored(sets, predicted, dev)
        except InputError as error:
            raise TrainerFailed(before_last_line(log, str(error).replace(f"{out}{os.sep}", ""))) from None
    result = JobResult(
        id=job.id, job=job, status="done", scores=scores, history=history,
        train_items={name: len(_train(job, sets, name)) for name in sets},
        seconds=time.perf_counter() - began, ended=time.time(), source=source,
        notes=tuple(
            f"the {s.split} score of {s.corpus} is undefined: {s.undefined}" for s in scores if s.undefined
        ),
        provenance={"transfer": __version__, "trainer": trainer.name},
    )  # fmt: skip
    store.put(result, predictions=pd.DataFrame(rows))
    return result


def _as_planned(trainer: External, home: Path) -> None:
    """Raise ValueError if a file of the trainer is not what it was when the grid was planned."""
    now = trainer.with_digests(home).digests
    for name, digest in trainer.digests.items():
        if now.get(name) != digest:
            raise ValueError(
                f"{home / name} changed since the grid was planned, so this would be another job; "
                "run the grid again"
            )


def _checkpoint(store: Store, job_id: str, scratch: Path) -> Path:
    """The folder that outlives an interrupted job; one that does not if the store is in a bucket."""
    if isinstance(store.files, Folder):
        return (store.files.where / "checkpoints" / job_id).resolve()
    return scratch.resolve() / "checkpoint"


def _scored(
    sets: Mapping[str, Corpus], predicted: Mapping[str, Sequence[Any]], dev: Mapping[str, float]
) -> tuple[tuple[Score, ...], list[dict[str, Any]]]:
    """The scores of all corpora, and the rows of ``Store.put``."""
    scores: list[Score] = []
    rows: list[dict[str, Any]] = []
    for name, corpus in sets.items():
        if name in dev:
            scores.append(_score(corpus, "dev", dev[name], ""))
        gold = [example.gold for example in corpus.test]
        card, answers = corpus.card, predicted[name]
        undefined = why_undefined(card.metric, gold, answers, negative=card.negative)
        value = math.nan if undefined else measure_of(card.metric, negative=card.negative)(gold, answers)
        scores.append(_score(corpus, "test", value, undefined))
        rows += [
            {"corpus": name, "id": e.id, "doc": e.doc, "gold": json.dumps(e.gold), "predicted": json.dumps(p)}
            for e, p in zip(corpus.test, answers, strict=True)
        ]
    return tuple(scores), rows


def _train(job: Job, sets: Mapping[str, Corpus], name: str) -> Sequence[Example]:
    """The training examples of a corpus in a job."""
    left_out = sets.get(job.left_out or "") if name != job.left_out else None
    return kept_of(sets[name].drawn(job.arm_seed), left_out)


def _write_folder(job: Job, site: Site, sets: Mapping[str, Corpus], folder: Path, checkpoint: Path) -> Path:
    """Write everything that the trainer reads; the path of ``job.json``."""
    assert job.trainer is not None
    folder.mkdir()
    found = []
    for name, corpus in sets.items():
        card, home = corpus.card, folder / "corpora" / name
        found.append(
            CorpusFile(
                name=name, kind=card.kind, metric=card.metric, pair=card.pair, negative=card.negative,
                labels=list(card.tags or card.labels),
                range=None if card.range is None else list(card.range),
                seed=seed_of(name, job.seed), extra_examples=job.extra_examples,
                train=write_rows(home / "train.jsonl", _train(job, sets, name), card, gold=True),
                dev=write_rows(home / "dev.jsonl", corpus.dev, card, gold=True),
                test=write_rows(home / "test.jsonl", corpus.test, card, gold=False),
            )
        )  # fmt: skip
    checkpoint.mkdir(parents=True, exist_ok=True)
    told = JobFile(
        id=job.id, seed=job.seed, corpora=found, settings=dict(job.trainer.settings),
        checkpoint=str(checkpoint), threads=torch.get_num_threads(),
        gpus=site.gpus or torch.cuda.device_count(),
    )  # fmt: skip
    path = folder / "job.json"
    path.write_text(told.model_dump_json(indent=1), encoding="utf-8")
    return path


def _digest(folder: Path) -> dict[str, tuple[int, int]]:
    """Size and time of change of every file, enough to notice that a trainer wrote to its input."""
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def _score(corpus: Corpus, split: Any, value: float, undefined: str) -> Score:
    if not undefined and not math.isfinite(value):
        raise InputError(f"the {split} score of {corpus.name} is {value}, not a number")
    return Score(
        corpus=corpus.name,
        split=split,
        metric=corpus.card.metric,
        value=None if undefined else value,
        items=len(corpus.split(split)),
        undefined=undefined,
    )
