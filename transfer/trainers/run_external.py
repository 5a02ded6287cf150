"""One job of an external trainer: its folder is written, its process runs, its predictions are scored."""

import functools
import json
import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from transfer import __version__, corpora
from transfer.corpora import Corpus, Limit
from transfer.external import External
from transfer.inputs import InputError
from transfer.jobs import Job, Trained
from transfer.metrics import measure_of, why_undefined
from transfer.records import JobResult, Score
from transfer.store import Store
from transfer.trainers.answers import dev_scores_of, history_of, predictions_of
from transfer.trainers.folder import CorpusFile, JobFile, kept_of, seed_of, write_rows
from transfer.trainers.process import TrainerFailed, command_of, run


@functools.lru_cache(maxsize=64)
def _corpus(where: str, name: str, limit: Limit) -> Corpus:
    return corpora.load_one(where, name, limit=limit)


def _planned(trained: Trained, where: str, limit: Limit) -> Corpus:
    """A corpus of a job. Raises ValueError if it is not the one that the grid was planned with."""
    corpus = _corpus(where, trained.name, limit)
    if corpus.fingerprint != trained.fingerprint:  # this process may have read it before it changed
        _corpus.cache_clear()
        corpus = _corpus(where, trained.name, limit)
    if corpus.fingerprint != trained.fingerprint:
        raise ValueError(
            f"the corpus '{trained.name}' changed since the grid was planned; run the grid again"
        )
    return corpus


def run_external(
    job: Job,
    trainer: External,
    *,
    store: Store,
    where: str,
    limits: Mapping[str, Limit],
    home: Path,
    threads: int,
    gpus: float = 0.0,
) -> tuple[JobResult, pd.DataFrame]:
    """The result of a job and its predictions (see ``Store.put``).

    ``where`` and ``limits`` name the corpora, ``home`` is the folder of the grid's file, where the trainer
    starts. Raises TrainerFailed if the process ends badly, InputError if its answers are not usable; there is
    no score then.
    """
    began = time.perf_counter()
    sets = {c.name: _planned(c, where, limits.get(c.name, Limit())) for c in job.corpora}
    checkpoint = store.root / "checkpoints" / job.id
    with store.files.scratch() as folder:
        out = folder / "out"
        out.mkdir()
        file = _write_folder(job, trainer, sets, folder / "in", checkpoint, threads=threads, gpus=gpus)
        before = _digest(folder / "in")
        command = command_of(trainer.python, trainer.command, job=file, out=out)
        seconds = trainer.hours and trainer.hours * 3600
        run(command, folder=home, log=folder / "log.txt", threads=threads, seconds=seconds)
        if _digest(folder / "in") != before:
            raise TrainerFailed("the trainer changed the files of its job; it should write below {out} alone")
        predicted = {name: predictions_of(out, c.card, c.test) for name, c in sets.items()}
        dev, history = dev_scores_of(out, job.names), history_of(out, job.names)
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
    notes = tuple(
        f"the {s.split} score of {s.corpus} is undefined: {s.undefined}" for s in scores if s.undefined
    )
    result = JobResult(
        id=job.id, job=job, status="done", scores=tuple(scores), history=history,
        train_items={name: len(kept_of(c, None)) for name, c in sets.items()},
        seconds=time.perf_counter() - began, ended=time.time(),
        source=corpora.SYNTHETIC if where == corpora.SYNTHETIC else "prepared",
        notes=notes,
        provenance={"transfer": __version__, "trainer": trainer.name},
    )  # fmt: skip
    return result, pd.DataFrame(rows)


def _write_folder(
    job: Job,
    trainer: External,
    sets: Mapping[str, Corpus],
    folder: Path,
    checkpoint: Path,
    *,
    threads: int,
    gpus: float,
) -> Path:
    folder.mkdir()
    left_out = sets.get(job.left_out or "")
    found = []
    for name, whole in sets.items():
        corpus, card, home = whole.drawn(job.arm_seed), whole.card, folder / "corpora" / name
        train = kept_of(corpus, left_out if name != job.left_out else None)
        found.append(
            CorpusFile(
                name=name, kind=card.kind, metric=card.metric, pair=card.pair, negative=card.negative,
                labels=list(card.tags or card.labels),
                range=None if card.range is None else list(card.range),
                seed=seed_of(name, job.seed), extra_examples=job.extra_examples,
                train=write_rows(home / "train.jsonl", train, card, gold=True),
                dev=write_rows(home / "dev.jsonl", corpus.dev, card, gold=True),
                test=write_rows(home / "test.jsonl", corpus.test, card, gold=False),
            )
        )  # fmt: skip
    checkpoint.mkdir(parents=True, exist_ok=True)
    told = JobFile(
        id=job.id, seed=job.seed, corpora=found, settings=dict(trainer.settings), checkpoint=str(checkpoint),
        threads=threads, gpus=gpus,
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
