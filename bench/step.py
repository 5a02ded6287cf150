"""A step: training and evaluation beside a Hugging Face `Trainer`, a plain padded loop, and the matrix peak.

Same encoder, sequences, batch size and precision (fp32), dropout 0.1 everywhere; the `Trainer` with its own
optimizer. Useful work is 6 (training) or 2 (evaluation) x the encoder's matrix weights x real word pieces;
the limit is the fp32 product of two 2048 x 2048 matrices. All are measured in turn, round by round; the
table shows medians of the rounds' ratios.

    make bench-step CORPORA=DIR        (python bench/step.py --corpora DIR [--rounds 5] [--threads 2])
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn.utils import clip_grad_norm_
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from transfer import corpora, encoders
from transfer.corpora import Limit
from transfer.learning import encoder
from transfer.learning.batches import TRAINING_PIECES, evaluation_batches, training_batches
from transfer.learning.cuda_graphs import graphs_of
from transfer.learning.dropout import Noise
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert
from transfer.learning.optimizer import optimizer_of, schedule_of, shrink_to
from transfer.recipes import Recipe
from transfer.tasks import Item, Task, task_of

CORPORA = ("chemprot", "bc5cdr-chemical", "stsb")
RECIPE = Recipe(lr=5e-5, epochs=1, batch_size=32)
CPU = torch.device("cpu")
STEPS, EVALUATED = 3, 256  # in a round: the padded peers take seconds for a step
SIDE, PRODUCTS = 2048, 6
NOT_READ = -100


@dataclass(frozen=True)
class Setting:
    """The encoder's folder, the recipe and the device of a measurement, and the steps of a round.

    ``graphs``: whether a GPU replays training's encoder from CUDA graphs.
    """

    folder: Path
    recipe: Recipe = RECIPE
    device: torch.device = CPU
    steps: int = STEPS
    graphs: bool = False

    def now(self) -> float:
        """Seconds, when all that was begun is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()


def peak(setting: Setting, side: int = SIDE, products: int = PRODUCTS) -> float:
    """Matrix products in the precision of the recipe, GFLOP/s."""
    dtype = torch.bfloat16 if setting.recipe.precision == "bf16" else torch.float32
    a, b = (torch.randn(side, side, device=setting.device, dtype=dtype) for _ in range(2))
    torch.mm(a, b)
    began = setting.now()
    for _ in range(products):
        torch.mm(a, b)
    return products * 2 * side**3 / (setting.now() - began) / 1e9


class Ours:
    """This project's training step and evaluation."""

    def __init__(self, task: Task, train: Sequence[Item], held: Sequence[Item], setting: Setting) -> None:
        noise, name, recipe, device = Noise(), task.card.name, setting.recipe, setting.device
        self.setting, on_cpu = setting, device.type == "cpu"
        loaded = encoder.load(setting.folder, layers=None, dropout=recipe.dropout, noise=noise)
        self.model = MTBert(loaded, {name: task}, noise=noise, recipe=recipe, seed=0)
        used = {i for items in (train, held) for item in items for i in item.ids}
        self.model.use_words(Words(self.model.words.weight.detach(), used, lazy=on_cpu))
        self.model.to(device)
        self.weights = sum(w.numel() for w in self.model.encoder.encoder.parameters() if w.ndim > 1)
        pieces = TRAINING_PIECES if on_cpu else None
        batches = training_batches(name, task, train, batch_size=recipe.batch_size, seed=0, pieces=pieces)
        self.batches = [batch.to(device) for batch in batches]
        self.held = [batch.to(device) for batch in evaluation_batches(name, task, held)]
        if setting.graphs:
            own = {name: self.batches}
            self.model.graphs = graphs_of(self.model, own, batch_size=recipe.batch_size)
        self.optimizer = optimizer_of(self.model, recipe)
        self.schedule = schedule_of(self.optimizer, recipe, steps=100_000)

    def train(self) -> float:
        """Seconds of a round's steps."""
        self.model.train()
        began = self.setting.now()
        for batch in self.batches:
            self.model.backward(batch)
            self.optimizer.step(shrink=shrink_to(self.setting.recipe.clip, self.model.leaves()))
            self.schedule.step()
            self.optimizer.zero_grad()
        took = self.setting.now() - began
        self.optimizer.settle()
        return took

    @torch.no_grad()
    def evaluate(self) -> float:
        """Seconds of one pass over the held-out sequences."""
        self.model.eval()
        began = self.setting.now()
        for batch in self.held:
            self.model(batch)
        return self.setting.now() - began


class Padded:
    """A transformers model, its mini-batches padded to their longest: plain loop, and the `Trainer`."""

    def __init__(self, task: Task, train: Sequence[Item], held: Sequence[Item], setting: Setting) -> None:
        self.setting, self.bf16 = setting, setting.recipe.precision == "bf16"
        tokenizer = encoder.tokenizer_of(setting.folder)
        kind, collator = (
            (AutoModelForSequenceClassification, DataCollatorWithPadding(tokenizer))
            if task.pooled
            else (AutoModelForTokenClassification, DataCollatorForTokenClassification(tokenizer))
        )
        self.model = kind.from_pretrained(setting.folder, num_labels=task.outputs, dtype=torch.float32)
        self.model.to(setting.device)
        self.collator: Any = collator
        self.rows, self.held = [_row(i, task) for i in train], [_row(i, task) for i in held]
        # batches as a data loader would hand them over; collated outside the plain loop's clock
        size = setting.recipe.batch_size
        batches = [collator(self.rows[at : at + size]) for at in range(0, len(self.rows), size)]
        self.batches = [{key: x.to(setting.device) for key, x in batch.items()} for batch in batches]
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=setting.recipe.lr, fused=True)
        self.folder = tempfile.TemporaryDirectory()

    def loop(self) -> float:
        """Seconds of a round's steps of a plain loop."""
        self.model.train()
        began = self.setting.now()
        for batch in self.batches:
            with torch.autocast(self.setting.device.type, torch.bfloat16, enabled=self.bf16):
                loss = self.model(**batch).loss
            loss.backward()
            clip_grad_norm_(self.model.parameters(), self.setting.recipe.clip)
            self.optimizer.step()
            self.optimizer.zero_grad()
        return self.setting.now() - began

    def trainer(self) -> float:
        """Seconds of a round's steps of the `Trainer`, by its own count."""
        result = self._trainer().train()
        return float(result.metrics["train_runtime"])

    def evaluate(self) -> float:
        """Seconds of the `Trainer`'s prediction of the held-out sequences."""
        return float(self._trainer().predict(self.held).metrics["test_runtime"])  # type: ignore[arg-type,index]

    def _trainer(self) -> Trainer:
        trainer = Trainer(
            model=self.model,
            args=TrainingArguments(
                output_dir=self.folder.name,
                max_steps=self.setting.steps,
                per_device_train_batch_size=self.setting.recipe.batch_size,
                per_device_eval_batch_size=64,
                learning_rate=self.setting.recipe.lr,
                max_grad_norm=self.setting.recipe.clip,
                bf16=self.bf16,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                use_cpu=self.setting.device.type == "cpu",
            ),
            data_collator=self.collator,
            train_dataset=self.rows,  # type: ignore[arg-type]
        )
        trainer.remove_callback(PrinterCallback)
        return trainer


def _row(item: Item, task: Task) -> dict[str, Any]:
    row: dict[str, Any] = {"input_ids": list(item.ids), "token_type_ids": list(item.types)}
    row["attention_mask"] = [1] * len(item.ids)
    row["labels"] = item.targets[0]
    if not task.pooled:
        row["labels"] = [NOT_READ] * len(item.ids)
        for place, target in zip(item.read, item.targets, strict=True):
            row["labels"][place] = target
    return row


def measured(name: str, where: str, rounds: int) -> dict[str, float]:
    """The medians over ``rounds`` for one corpus."""
    torch.manual_seed(0)
    setting = Setting(encoders.locate("minilm-l6").folder)
    corpus = corpora.load_one(where, name, limit=Limit(train=2000, dev=10, test=EVALUATED))
    task, tokenizer = task_of(corpus.card), encoder.tokenizer_of(setting.folder)
    train = task.encode(corpus.train, tokenizer, max_length=RECIPE.max_length)[: STEPS * RECIPE.batch_size]
    held = task.encode(corpus.test, tokenizer, max_length=RECIPE.max_length)
    return medians(task, train, held, setting, rounds=rounds, limit=lambda: peak(setting))


def medians(
    task: Task,
    train: Sequence[Item],
    held: Sequence[Item],
    setting: Setting,
    *,
    rounds: int,
    limit: Callable[[], float],
) -> dict[str, float]:
    """Both ways in turn, beside the ``limit`` (GFLOP/s); the medians over ``rounds``."""
    ours, padded = Ours(task, train, held, setting), Padded(task, train, held, setting)
    timed: dict[str, Callable[[], float]] = {
        "ours": ours.train,
        "loop": padded.loop,
        "trainer": padded.trainer,
        "evaluation": ours.evaluate,
        "prediction": padded.evaluate,
    }
    for each in timed.values():  # not counted
        each()
    pieces, held_pieces = (sum(len(i.ids) for i in items) for items in (train, held))
    found: list[dict[str, float]] = []
    for _ in range(rounds):
        most = limit()
        took = {key: each() for key, each in timed.items()}
        most = (most + limit()) / 2
        work = 6 * ours.weights * pieces / 1e9
        found.append(
            {
                "peak": most,
                "share": work / took["ours"] / most,
                "loop share": work / took["loop"] / most,
                "trainer share": work / took["trainer"] / most,
                "evaluation share": 2 * ours.weights * held_pieces / 1e9 / took["evaluation"] / most,
                "examples/s": len(train) / took["ours"],
                "ms/step": 1000 * took["ours"] / setting.steps,
                "x loop": took["loop"] / took["ours"],
                "x trainer": took["trainer"] / took["ours"],
                "x prediction": took["prediction"] / took["evaluation"],
                "pieces": pieces / len(train),
            }
        )
    return {key: statistics.median(row[key] for row in found) for key in found[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", required=True, help="the folder of prepared corpora")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(f"{arguments.threads} threads, batch {RECIPE.batch_size}, medians of {arguments.rounds} rounds")
    header = (
        "| corpus | pieces/example | peak GFLOP/s | training, of peak | loop | Trainer | evaluation, of peak "
        "| examples/s | x loop | x Trainer | evaluation x Trainer |"
    )
    print(header, "|---" + "|---:" * 10 + "|", sep="\n", flush=True)
    for name in CORPORA:
        m = measured(name, arguments.corpora, arguments.rounds)
        print(
            f"| {name} | {m['pieces']:.0f} | {m['peak']:.0f} | {m['share']:.2f} | {m['loop share']:.2f} "
            f"| {m['trainer share']:.2f} | {m['evaluation share']:.2f} | {m['examples/s']:.0f} "
            f"| {m['x loop']:.2f} | {m['x trainer']:.2f} | {m['x prediction']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
