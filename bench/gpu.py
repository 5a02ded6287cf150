"""A step on a GPU: BERT-base in bf16 beside a padded loop and the `Trainer`, and several jobs on one GPU.

BERT-base by its configuration, with random weights: how long a step takes does not depend on what they are.
Batch 32, mean lengths of 40 and 128 word pieces, dropout 0.1 everywhere. The limit is the bf16 product of
two large matrices, the counting of useful work that of bench/step.py. Then one, two and four jobs at a time,
each in a process of its own with its share of the memory: examples of all together. Where there is no GPU it
says so and measures nothing.

    python bench/gpu.py [--rounds 5] [--cuda-graphs]
    python bench/gpu.py --device cpu --tiny        to try this file without a GPU; its figures say nothing
"""

import argparse
import multiprocessing
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from step import Ours, Setting, medians, peak
from transformers import AutoModel, BertConfig
from transformers.utils import logging

from transfer import encoders
from transfer.corpora.base import Card
from transfer.learning import encoder, kernels
from transfer.learning.machine import limit_gpu_memory
from transfer.recipes import Recipe
from transfer.tasks import Item, Task, task_of

CARD = Card(name="random", kind="classification", metric="accuracy", labels=tuple("abcde"))
TOGETHER = (1, 2, 4)
LONGEST = 600  # seconds until a process that says nothing is given up


@dataclass(frozen=True)
class Size:
    """Sizes of the measured model, batches and runs."""

    encoder: dict[str, int]
    lengths: tuple[int, ...]
    steps: int
    held: int
    side: int
    products: int


WHOLE = Size({}, (40, 128), steps=50, held=2048, side=8192, products=20)
TINY = Size(
    {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64},
    (10, 20), steps=2, held=64, side=256, products=4,
)  # fmt: skip


def items(task: Task, count: int, mean: int) -> list[Item]:
    """Random sequences of half to one and a half times the mean length, each read at its first token."""
    rng = np.random.default_rng(mean)
    lengths = rng.integers(mean // 2, mean + mean // 2 + 1, count)
    labels = rng.integers(task.outputs, size=count)
    return [
        Item(i, 0, rng.integers(1000, 30_000, n).tolist(), [0] * int(n), [0], [int(label)])
        for i, (n, label) in enumerate(zip(lengths, labels, strict=True))
    ]


def written(folder: Path, size: Size) -> Path:
    """An encoder with random weights, and a tokenizer of as many word pieces."""
    tokenizer = encoder.tokenizer_of(encoders.locate("minilm-l6").folder)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    AutoModel.from_config(BertConfig(vocab_size=len(tokenizer), **size.encoder)).save_pretrained(folder)  # type: ignore[arg-type]
    return folder


def _job(setting: Setting, size: Size, mean: int, jobs: int, barrier: Any, told: Any) -> None:
    """One of several jobs at a time, in a process of its own; tells its examples per second."""
    limit_gpu_memory(1 / jobs)
    torch.set_num_threads(1)
    task = task_of(CARD)
    train = items(task, setting.steps * setting.recipe.batch_size, mean)
    ours = Ours(task, train, train[:1], setting)
    ours.train()  # not counted
    barrier.wait(timeout=LONGEST)
    told.put(len(train) / ours.train())


def together(setting: Setting, size: Size, mean: int, jobs: int) -> float:
    """Examples per second of so many jobs at a time, all together."""
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(jobs), context.Queue()
    arguments = (setting, size, mean, jobs, barrier, told)
    processes = [context.Process(target=_job, args=arguments, daemon=True) for _ in range(jobs)]
    for process in processes:
        process.start()
    speeds = [told.get(timeout=LONGEST) for _ in processes]
    for process in processes:
        process.join()
    return sum(speeds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--cuda-graphs", action="store_true", help="training from CUDA graphs")
    parser.add_argument("--tiny", action="store_true", help="a tiny encoder, to try this file")
    arguments = parser.parse_args()
    if arguments.device == "cuda" and not torch.cuda.is_available():
        print("no GPU here: nothing was measured")
        return
    torch.set_num_threads(1)  # of the host, which only launches
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    device, size = torch.device(arguments.device), TINY if arguments.tiny else WHOLE
    named = torch.cuda.get_device_name() if device.type == "cuda" else "a CPU, which this is not meant for"
    recipe = Recipe(lr=5e-5, epochs=1, batch_size=32, max_length=512, precision="bf16")
    print(f"{named}, torch {torch.__version__}, batch 32, bf16, medians of {arguments.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(written(Path(folder), size), recipe, device, size.steps, arguments.cuda_graphs)
        alone(setting, size, arguments.rounds)
        side_by_side(setting, size)


def alone(setting: Setting, size: Size, rounds: int) -> None:
    """Prints the table of one job beside its peers."""
    header = (
        "| pieces/example | peak TFLOP/s | training, of peak | loop | Trainer | evaluation, of peak "
        "| ms/step | examples/s | x loop | x Trainer | evaluation x Trainer |"
    )
    print(header, "|---:" * 11 + "|", sep="\n", flush=True)
    task = task_of(CARD)
    for mean in size.lengths:
        kernels.forget()
        train = items(task, setting.steps * setting.recipe.batch_size, mean)
        held = items(task, size.held, mean)
        most = lambda: peak(setting, size.side, size.products)  # noqa: E731
        m = medians(task, train, held, setting, rounds=rounds, limit=most)
        print(
            f"| {m['pieces']:.0f} | {m['peak'] / 1000:.1f} | {m['share']:.2f} | {m['loop share']:.2f} "
            f"| {m['trainer share']:.2f} | {m['evaluation share']:.2f} | {m['ms/step']:.2f} "
            f"| {m['examples/s']:.0f} | {m['x loop']:.2f} | {m['x trainer']:.2f} | {m['x prediction']:.2f} |",
            flush=True,
        )
    for attention in kernels.taken().values():
        print(f"attention: {attention}")


def side_by_side(setting: Setting, size: Size) -> None:
    """Prints the table of several jobs at a time."""
    header = "".join(f" examples/s of {jobs} together |" for jobs in TOGETHER)
    print(f"| pieces/example |{header}", "|---:" * (1 + len(TOGETHER)) + "|", sep="\n", flush=True)
    setting = replace(setting, steps=4 * setting.steps)  # so long that all of them run at once
    for mean in size.lengths:
        speeds = [together(setting, size, mean, jobs) for jobs in TOGETHER]
        print(f"| {mean} |" + "".join(f" {speed:.0f} |" for speed in speeds), flush=True)


if __name__ == "__main__":
    main()
