"""Parity: single-task training here and by the Hugging Face `Trainer`, on real corpora.

Same encoder, examples, sequences, batch size, optimizer, learning rate, schedule, epochs and choice
of the epoch on dev; what differs is everything this project wrote: packing, attention, dropout masks,
the vocabulary cut, the loop. Prints test scores by seed, the difference of the means and its Welch 95 %
interval. Agreement is an interval that holds 0; one that is wide says how little was asked of it.

    make bench-parity CORPORA=DIR

For a corpus of each kind with the recipe of the studies, wide enough to show 2 points (hours on two cores):

    python bench/parity.py --corpora DIR --recipe small --seeds 5 --names chemprot bc5cdr-chemical stsb ade
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy import stats
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
    set_seed,
)

from transfer import corpora, encoders
from transfer.corpora import Corpus, Limit
from transfer.encoders import EncoderFiles
from transfer.jobs import Encoder, Job, Trained
from transfer.learning.encoder import tokenizer_of
from transfer.learning.optimizer import optimizer_of, schedule_of
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.recipes import RECIPES, Recipe
from transfer.tasks import Item, Task, task_of

NOT_READ = -100


def ours(
    corpus: Corpus, recipe: Recipe, files: EncoderFiles, *, where: str, limit: Limit, seed: int
) -> float:
    """The test score of one single-task job of this project."""
    with tempfile.TemporaryDirectory() as store:
        job = Job(
            stage="refine",
            corpora=(Trained(name=corpus.name, fingerprint=corpus.fingerprint),),
            seed=seed,
            recipe=recipe,
            encoder=Encoder(name="minilm-l6"),
            encoder_fingerprint=files.fingerprint,
        )
        limits = {corpus.name: limit}
        result = run(job, Site(store=Path(store), corpora=where, limits=limits, encoder=files.folder))
    if result.status != "done":
        raise RuntimeError(result.error)
    value = next(s.value for s in result.scores if s.split == "test")
    assert value is not None, "the score of a whole test split is defined"
    return value


def theirs(corpus: Corpus, recipe: Recipe, files: EncoderFiles, *, seed: int) -> float:
    """The test score of a Hugging Face `Trainer` run on the same sequences."""
    task, tokenizer = task_of(corpus.card), tokenizer_of(files.folder)
    items = {
        split: task.encode(corpus.split(split), tokenizer, max_length=recipe.max_length)
        for split in ("train", "dev", "test")
    }
    set_seed(seed)
    kind, collator = (
        (AutoModelForSequenceClassification, DataCollatorWithPadding(tokenizer))
        if task.pooled
        else (AutoModelForTokenClassification, DataCollatorForTokenClassification(tokenizer))
    )
    model = kind.from_pretrained(files.folder, num_labels=task.outputs, dtype=torch.float32)
    optimizer = optimizer_of(model, recipe)
    steps = recipe.epochs * -(-len(items["train"]) // recipe.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                output_dir=folder,
                num_train_epochs=recipe.epochs,
                per_device_train_batch_size=recipe.batch_size,
                per_device_eval_batch_size=64,
                max_grad_norm=recipe.clip,
                eval_strategy="epoch",
                save_strategy="epoch",
                save_total_limit=1,
                load_best_model_at_end=True,
                metric_for_best_model="score",
                greater_is_better=True,
                seed=seed,
                report_to=[],
                disable_tqdm=True,
                logging_strategy="no",
                use_cpu=not torch.cuda.is_available(),
            ),
            data_collator=collator,
            train_dataset=_rows(items["train"], task),  # type: ignore[arg-type]
            eval_dataset=_rows(items["dev"], task),  # type: ignore[arg-type]
            optimizers=(optimizer, schedule_of(optimizer, recipe, steps=steps)),
            compute_metrics=lambda output: {
                "score": _score(output.predictions, items["dev"], task, corpus, "dev")
            },
        )
        trainer.train()
        trainer.compute_metrics = None  # it would hold test's predictions against dev
        predicted = trainer.predict(_rows(items["test"], task)).predictions  # type: ignore[arg-type]
    return _score(predicted, items["test"], task, corpus, "test")


def _rows(items: Sequence[Item], task: Task) -> list[dict[str, Any]]:
    rows = []
    for item in items:
        row: dict[str, Any] = {"input_ids": list(item.ids), "token_type_ids": list(item.types)}
        row["attention_mask"] = [1] * len(item.ids)
        if task.pooled:
            row["labels"] = item.targets[0]
        else:
            row["labels"] = [NOT_READ] * len(item.ids)
            for place, target in zip(item.read, item.targets, strict=True):
                row["labels"][place] = target
        rows.append(row)
    return rows


def _score(logits: Any, items: Sequence[Item], task: Task, corpus: Corpus, split: Any) -> float:
    examples = corpus.split(split)
    values: list[list[Any]] = [[] for _ in examples]
    for row, item in zip(torch.as_tensor(np.asarray(logits)), items, strict=True):
        values[item.example] += task.decode(row.unsqueeze(0) if task.pooled else row[item.read])
    return task.score(
        [e.gold for e in examples], [task.join(v, e) for v, e in zip(values, examples, strict=True)]
    )


def welch(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    """The difference of two means and its 95 % interval, variances not assumed equal (Welch 1947)."""
    test = stats.ttest_ind(a, b, equal_var=False)
    interval = test.confidence_interval(0.95)
    return float(np.mean(a) - np.mean(b)), float(interval.low), float(interval.high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--corpora", required=True, help="the folder of prepared corpora")
    parser.add_argument("--names", nargs="+", default=["chemprot", "bc5cdr-chemical"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--train", type=int, default=1500)
    parser.add_argument("--dev", type=int, default=300)
    parser.add_argument("--test", type=int, default=1500)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--recipe", choices=RECIPES, help="in place of epochs, rate and batch size, in fp32")
    chosen = parser.parse_args()
    limit = Limit(train=chosen.train, dev=chosen.dev, test=chosen.test)
    recipe = Recipe(lr=chosen.lr, epochs=chosen.epochs, batch_size=chosen.batch_size)
    if chosen.recipe:
        recipe = RECIPES[chosen.recipe].model_copy(update={"precision": "fp32", "fine_tune": None})
    files = encoders.locate("minilm-l6")
    print(f"minilm-l6, {recipe.epochs} epochs, batch {recipe.batch_size}, lr {recipe.lr:g}, fp32; {limit}")
    print("test scores in points; difference: transfer minus Trainer", flush=True)
    for name in chosen.names:
        corpus = corpora.load_one(chosen.corpora, name, limit=limit)
        scores: dict[str, list[float]] = {"transfer": [], "Trainer": []}
        for seed in range(chosen.seeds):
            where = chosen.corpora
            scores["transfer"].append(100 * ours(corpus, recipe, files, where=where, limit=limit, seed=seed))
            scores["Trainer"].append(100 * theirs(corpus, recipe, files, seed=seed))
            print(
                f"  {name} seed {seed}: " + ", ".join(f"{k} {v[-1]:.1f}" for k, v in scores.items()),
                flush=True,
            )
        for who, values in scores.items():
            print(f"{name} {corpus.card.metric} {who}: {np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}")
        difference, low, high = welch(scores["transfer"], scores["Trainer"])
        verdict = "within seed noise" if low <= 0 <= high else "DIFFERENT"
        if low == high:
            verdict = "no score varies over the seeds, so this says nothing"
        print(f"{name}: difference {difference:+.1f} (95 % {low:+.1f} to {high:+.1f}), {verdict}", flush=True)


if __name__ == "__main__":
    main()
