"""The report of a large grid: how long it takes, phase by phase, and how much memory it needs.

The store is a simulation: 30 corpora of 1,000 to 3,000 test items, every metric, some with documents, each
job's predictions drawn from how hard an item is and how good the job. It is written through the Store's own
interface; then the report is made from it in a process of its own.

    python bench/report.py [--corpora 30] [--seeds 10] [--keep DIR]
"""

import argparse
import itertools
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from transfer import expansion
from transfer.corpora.base import Card
from transfer.grid import Grid
from transfer.jobs import Job
from transfer.metrics import measure_of
from transfer.records import CorpusRecord, Epoch, GridRecord, JobResult, Score
from transfer.store import Store

LABELS = {"accuracy": ("yes", "no", "maybe"), "micro_f1": ("a", "b", "c", "d", "none"),
          "example_f1": ("u", "v", "w", "x", "y", "z")}  # fmt: skip
KINDS = {"accuracy": "classification", "micro_f1": "classification", "span_f1": "tagging",
         "pearson": "similarity", "example_f1": "multilabel"}  # fmt: skip
ENTITIES = ("Drug", "Sign")
ITEMS_IN_A_DOCUMENT = 8


@dataclass(frozen=True)
class Simulated:
    """A corpus's test split: of each item its gold value, and what a job may predict, best first."""

    card: Card
    ids: np.ndarray
    docs: np.ndarray
    gold: list
    options: list[list]  # of each item; a similarity has none
    hard: np.ndarray
    profit: np.ndarray


def simulated(number: int) -> Simulated:
    """The corpus of a number; it depends on nothing else."""
    metric = list(KINDS)[number % len(KINDS)]
    name = f"{metric.replace('_', '-')}-{number:02}"
    rng = np.random.default_rng([7, number])
    labels = LABELS.get(metric, ())
    card = Card(
        name=name, kind=KINDS[metric], metric=metric, labels=labels,  # type: ignore[arg-type]
        entities=ENTITIES if metric == "span_f1" else (),
        negative="none" if metric == "micro_f1" else None,
        range=(0, 5) if metric == "pearson" else None,
    )  # fmt: skip
    count = int(rng.integers(1000, 3001))
    gold, options = [], []
    for _ in range(count):
        if metric == "pearson":
            gold.append(float(rng.integers(0, 51)) / 10)
        elif metric == "span_f1":
            truth, said = _sentence(rng)
            gold.append(truth)
            options.append(said)
        elif metric == "example_f1":
            truth = [label for label in labels if rng.random() < 0.2]
            gold.append(truth)
            options.append([truth, [*truth[1:]], sorted({*truth, str(rng.choice(labels))}), []])
        else:
            others = rng.permutation(labels).tolist()
            gold.append(others[0])
            options.append(others)
    # every second corpus has documents; there are as many of each metric with and without
    documents = [f"{name}-{i // ITEMS_IN_A_DOCUMENT}" if number % 2 else "" for i in range(count)]
    return Simulated(
        card, np.array([f"{name}-{i}" for i in range(count)], dtype=object),
        np.array(documents, dtype=object), gold, options,
        rng.normal(size=count), 0.5 * rng.normal(size=(count, 8)),
    )  # fmt: skip


def _sentence(rng: np.random.Generator) -> tuple[list[str], list[list[str]]]:
    """The tags of a sentence and eight other ways to tag it: mentions missed, cut short, invented."""
    tags = ["O"] * int(rng.integers(8, 45))
    for _ in range(int(rng.integers(0, 4))):
        start, kind = int(rng.integers(0, len(tags) - 3)), rng.choice(ENTITIES)
        tags[start : start + 3] = [f"B-{kind}", f"I-{kind}", "O"]
    said = [tags]
    for _ in range(8):
        other = list(tags)
        place = int(rng.integers(0, len(tags)))
        if other[place] == "O":
            other[place] = f"B-{rng.choice(ENTITIES)}"
        else:
            other[place] = "O"
        said.append(other)
    return tags, said


def grid_of(count: int, seeds: int) -> Grid:
    return Grid.model_validate(
        {
            "name": "simulated",
            "corpora": "synthetic",
            "tasks": [simulated(number).card.name for number in range(count)],
            "encoder": "minilm-l6",
            "recipe": {"lr": 1e-3, "epochs": 8, "batch_size": 16},
            "jobs": ["single", "pairs", "all"],
            "seeds": seeds,
        }
    )


def fill(root: Path, count: int, seeds: int) -> GridRecord:
    """Writes the store, on all cores."""
    grid = grid_of(count, seeds)
    cards = [simulated(number) for number in range(count)]
    sizes = [{"train": 5000, "dev": 500, "test": len(c.gold)} for c in cards]
    record = GridRecord(
        grid=grid,
        recipe_name="quick",
        source="synthetic",
        corpora=tuple(
            CorpusRecord(card=c.card, fingerprint="0" * 16, items=size)
            for c, size in zip(cards, sizes, strict=True)
        ),
        jobs=expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "0" * 16), encoder_fingerprint="0" * 16),
    )
    Store(root).put_grid(record)
    with multiprocessing.Pool(initializer=_start, initargs=(root, count)) as pool:
        for _ in pool.imap_unordered(_put, record.jobs, chunksize=16):
            pass
    return record


_PLACE: tuple[Store, dict[str, "Texts"]]


@dataclass(frozen=True)
class Texts:
    """A corpus with its values as the store keeps them."""

    corpus: Simulated
    gold: np.ndarray
    options: np.ndarray  # [items, most options], as JSON
    parts: np.ndarray  # [items, most options, k]


def _start(root: Path, count: int) -> None:
    global _PLACE
    _PLACE = Store(root), {c.card.name: _texts(c) for c in (simulated(number) for number in range(count))}


def _texts(corpus: Simulated) -> Texts:
    gold = np.array([json.dumps(value) for value in corpus.gold], dtype=object)
    if not corpus.options:
        return Texts(corpus, gold, np.empty((0, 0), dtype=object), np.empty(0))
    most = max(len(said) for said in corpus.options)
    padded = [[*said, *[said[-1]] * (most - len(said))] for said in corpus.options]
    measure = measure_of(corpus.card.metric, negative=corpus.card.negative)
    parts = measure.parts([g for g in corpus.gold for _ in range(most)], [p for said in padded for p in said])
    options = np.array([[json.dumps(p) for p in said] for said in padded], dtype=object)
    return Texts(corpus, gold, options, parts.reshape(len(padded), most, -1))


def _put(job: Job) -> None:
    store, known = _PLACE
    rows, scores = [], []
    for name in job.names:
        texts = known[name]
        predicted, value = _predicted(texts, job)
        corpus = texts.corpus
        columns = {"id": corpus.ids, "doc": corpus.docs, "gold": texts.gold, "predicted": predicted}
        rows.append(pd.DataFrame({"corpus": name, **columns}))
        metric, count = corpus.card.metric, len(corpus.gold)
        for split in ("dev", "test"):
            scores.append(Score(corpus=name, split=split, metric=metric, value=value, items=count))
    loss = dict.fromkeys(job.names, 0.5)
    dev: dict[str, float | None] = dict.fromkeys(job.names, 0.5)
    epochs = tuple(Epoch(epoch=e, loss=loss, dev=dev, seconds=30) for e in range(job.recipe.epochs))
    result = JobResult(
        id=job.id, job=job, status="done", scores=tuple(scores), source="synthetic", history=epochs,
        chosen_epoch=dict.fromkeys(job.names, 5), train_items=dict.fromkeys(job.names, 5000), steps=2500,
        seconds=250.0, provenance={"transfer": "0", "torch": "0", "device": "none: a simulation"},
    )  # fmt: skip
    store.put(result, predictions=pd.concat(rows, ignore_index=True))


def _predicted(texts: Texts, job: Job) -> tuple[np.ndarray, float]:
    """Simulated predictions of a job for every test item (JSON), and its score."""
    corpus = texts.corpus
    rng = np.random.default_rng([zlib.crc32(corpus.card.name.encode()), int(job.id, 16) % 2**32])
    partners = [zlib.crc32(name.encode()) % 8 for name in job.names if name != corpus.card.name]
    helped = sum(0.15 * (p == 0) - 0.15 * (p == 1) for p in partners) / max(1, len(partners))
    skill = 0.8 + helped + 0.05 * rng.normal()
    own = corpus.profit[:, partners].mean(axis=1) * 0.2 if partners else 0.0
    margin = skill + own - corpus.hard + 0.4 * rng.normal(size=len(corpus.gold))
    if not corpus.options:
        said = np.array(corpus.gold) * 0.7 + 1 + np.minimum(margin, 0) * rng.choice([-1, 1], size=len(margin))
        measure = measure_of(corpus.card.metric)
        values = said.tolist()
        return np.array([json.dumps(v) for v in values], dtype=object), measure(corpus.gold, values)
    others = rng.integers(1, texts.options.shape[1], size=len(margin))
    chosen = np.where(margin > 0, 0, others)
    items = np.arange(len(chosen))
    measure = measure_of(corpus.card.metric, negative=corpus.card.negative)
    return texts.options[items, chosen], float(measure.value(texts.parts[items, chosen].sum(axis=0)))


def report(root: Path, out: Path, count: int, seeds: int) -> None:
    """Makes the report and prints how long each phase took (JSON); in a process of its own."""
    began, phases = time.perf_counter(), [("imports", 0.0)]

    def watch(what: str, done: int, of: int) -> None:
        if what != phases[-1][0]:
            phases.append((what, time.perf_counter() - began))

    from transfer.analysis.study import Study
    from transfer.reporting.report import write_report

    store = Store(root)
    study = Study.of(store, store.get_grid(grid_of(count, seeds)), watch=watch)
    write_report(study, out=out / study.title, watch=watch)
    phases.append(("end", time.perf_counter() - began))
    lengths = {a[0]: b[1] - a[1] for a, b in itertools.pairwise(phases)}
    print(json.dumps(lengths))


def timed(root: Path, count: int, seeds: int) -> tuple[float, float, dict[str, float]]:
    """Wall time (s) and peak memory (GB) of a fresh process that makes the report, and its phases (s)."""
    with tempfile.TemporaryDirectory(prefix="bench-") as out:
        choice = ["--corpora", str(count), "--seeds", str(seeds), "--keep", str(root), "--into", out]
        began = time.perf_counter()
        child = subprocess.Popen([sys.executable, __file__, *choice], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        phases = json.loads(child.stdout.read())
        _, status, usage = os.wait4(child.pid, 0)
        assert status == 0
        return time.perf_counter() - began, usage.ru_maxrss / 1e6, phases


def reading_alone(root: Path) -> float:
    """Seconds to read the bytes of every file of every job, the least that any report takes."""
    began = time.perf_counter()
    for path in (root / "jobs").glob("*/*"):
        path.read_bytes()
    return time.perf_counter() - began


def plainly(root: Path, record: GridRecord, every: int) -> float:
    """Seconds to read and measure every job by the plain definitions; each ``every``th is done."""
    store = Store(root)
    measures = {c.card.name: measure_of(c.card.metric, negative=c.card.negative) for c in record.corpora}
    jobs = record.jobs[::every]
    began = time.perf_counter()
    for job in jobs:
        for name, rows in store.predictions(job.id).groupby("corpus"):
            gold, said = (list(map(json.loads, rows[column])) for column in ("gold", "predicted"))
            measures[str(name)](gold, said)
    return (time.perf_counter() - began) * len(record.jobs) / len(jobs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--corpora", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--keep", type=Path, help="keep the simulated store here, or use what is here")
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)  # what the process that is timed does
    chosen = parser.parse_args()
    if chosen.into:
        report(chosen.keep, chosen.into, chosen.corpora, chosen.seeds)
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        root = chosen.keep or Path(folder)
        if not (root / "jobs").is_dir():
            print(f"simulating {chosen.corpora} corpora x {chosen.seeds} seeds", flush=True)
            fill(root, chosen.corpora, chosen.seeds)
        record = Store(root).get_grid(grid_of(chosen.corpora, chosen.seeds))
        alone = reading_alone(root)
        wall, peak, phases = timed(root, chosen.corpora, chosen.seeds)
        plain = plainly(root, record, max(1, len(record.jobs) // 100))
    print(f"a report of {len(record.jobs)} jobs: {wall:.1f} s, {peak:.2f} GB at most")
    for name, seconds in phases.items():
        print(f"  {name:26} {seconds:6.1f} s  {seconds / wall:5.0%}")
    print(f"reading the files' bytes alone {alone:.1f} s")
    print(f"reading and measuring by the plain definitions {plain:.0f} s (from a sample of 100 jobs)")


if __name__ == "__main__":
    main()
