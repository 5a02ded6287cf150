"""How long and how much disk: measured where something was measured, else a guess that says so."""

import functools
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from transfer.cli.resources import cores

if TYPE_CHECKING:
    from transfer.encoders import EncoderFiles
    from transfer.grid import Encoder, Job
    from transfer.store import JobResult

# useful arithmetic beside a large matrix product's, as measured for small and larger batches and encoders
SHARE_OF_PEAK = (0.15, 0.9)
# seconds of one core that a job takes besides: loading the encoder, building heads, writing
BESIDES = (0.5, 3.0)
BF16_GAIN = 2.0  # at most, of a job whose products gain more
PIECES_PER_WORD = 1.4
SLOWER = 0.8  # bf16 products beside fp32 ones: below that they are made up of others


@dataclass(frozen=True)
class Speed:
    """Words trained on in a second of one worker (see ``planning.costs``), by jobs that are done."""

    words: float

    @staticmethod
    def of(results: Iterable["JobResult"], cost: Mapping[str, float]) -> "Speed | None":
        """None where nothing is done to measure from."""
        done = [r for r in results if r.status == "done" and r.id in cost and r.seconds > 0]
        return Speed(sum(cost[r.id] for r in done) / sum(r.seconds for r in done)) if done else None

    def seconds(self, cost: float) -> float:
        return cost / self.words


def left(
    todo: Mapping[str, float], notes: Mapping[str, Mapping[str, Any]], speed: Speed, *, at_once: int
) -> float:
    """Seconds until all is done: what is left of the jobs' cost over the workers, at least the longest's."""
    rest = dict(todo)
    rest |= {id_: todo[id_] * (1 - _share(note)) for id_, note in notes.items() if id_ in todo}
    if not rest:
        return 0.0
    return speed.seconds(max(sum(rest.values()) / max(1, at_once), max(rest.values())))


def _share(note: Mapping[str, Any]) -> float:
    return note["epoch"] / note["epochs"]


def guess(jobs: Sequence["Job"], cost: Mapping[str, float], files: "EncoderFiles") -> tuple[float, float]:
    """From how many to how many seconds the jobs take on all cores, free of other work; none was ever run.

    Two floating-point operations a weight and word piece forward, four backward, at the share of a
    matrix product's speed that training was seen to reach; the product is timed here and now.
    """
    config = json.loads((files.folder / "config.json").read_text(encoding="utf-8"))
    peak = _peak()
    fast, slow = (seconds * len(jobs) / cores() for seconds in BESIDES)
    for job in jobs:
        gain = bf16_gain() if job.recipe.precision == "bf16" else 1.0
        operations = 6 * _weights(config, job.encoder) * PIECES_PER_WORD * cost[job.id]
        slow += operations / (peak * SHARE_OF_PEAK[0] * min(1.0, gain))
        fast += operations / (peak * SHARE_OF_PEAK[1] * min(BF16_GAIN, gain))
    return fast, slow


def _weights(config: Mapping[str, Any], encoder: "Encoder") -> int:
    """The encoder's weights without the embeddings, which cost a look-up."""
    width, inner = int(config["hidden_size"]), int(config["intermediate_size"])
    layers = encoder.layers or int(config["num_hidden_layers"])
    return layers * (4 * width**2 + 2 * width * inner)


def _peak() -> float:
    """Floating-point operations a second of fp32 matrix products on all cores, the best of a few."""
    import numpy as np

    a = np.ones((1024, 1024), dtype=np.float32)
    return 2 * 1024**3 * cores() / min(_timed(lambda: np.dot(a, a)) for _ in range(5))


@functools.cache
def bf16_gain() -> float:
    """How many times as fast as in fp32 matrix products are in bf16 here; 0.2 was seen on a CPU without."""
    import torch

    took, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)  # several wait for one another, and waiting looks like work
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.ones(512, 512, dtype=dtype)
        took.append(min(_timed(lambda a=a: torch.mm(a, a)) for _ in range(5)))
    torch.set_num_threads(threads)
    return took[0] / took[1]


def _timed(work: Callable[[], object]) -> float:
    """Seconds that the cores worked, so that other programs beside it do not count."""
    began = time.process_time()
    work()
    return time.process_time() - began


def without_bf16(precision: str, *, instead: str) -> str | None:
    """What to tell of a ``precision`` that this CPU is slow in; ``instead``: the option that mends it."""
    if precision != "bf16" or bf16_gain() > SLOWER:
        return None
    return (
        "this processor has no bf16 arithmetic: matrix products in bf16 took "
        f"{1 / bf16_gain():.1f} times as long as in fp32 just now; {instead} is quicker on it"
    )


def families(jobs: Sequence["Job"], cost: Mapping[str, float]) -> dict[str, tuple[int, float]]:
    """The number of jobs of each family, and their share of the cost of all; in the order of the jobs.

    Single-task runs whose seed no larger group of the corpus has are a family of their own.
    """
    matched = {
        (name, job.seed) for job in jobs for name in job.group if len(job.group) > 1 and job.arm == job.stage
    }
    grouped = {name for name, _ in matched}

    def family(job: "Job") -> str:
        if job.arm != job.stage:
            return f"{job.arm.split()[0]} control"
        if job.parent:
            return "fine-tuning"
        if len(job.group) == 1:
            further = job.group[0] in grouped and (job.group[0], job.seed) not in matched
            return "single, further seeds" if further else "single"
        return "pairs" if len(job.group) == 2 else "larger groups"

    found: dict[str, tuple[int, float]] = {}
    whole = sum(cost[job.id] for job in jobs)
    for job in jobs:
        count, share = found.get(family(job), (0, 0.0))
        found[family(job)] = count + 1, share + cost[job.id] / whole
    return found


def disk(jobs: Sequence["Job"], items: Mapping[str, int]) -> float:
    """About how many bytes the jobs' results take, by the sizes of files of this form.

    ``items``: the test items of each corpus. Encoders that are kept for a while for fine-tuning are not
    in it.
    """
    total = 0.0
    for job in jobs:
        names = job.names
        total += 3000 + 150 * job.recipe.epochs * len(names) + 5000 + 40 * sum(items[n] for n in names)
    return total


def models(jobs: Sequence["Job"], files: "EncoderFiles") -> float:
    """At most how many bytes the kept models of ``jobs`` take: each corpus may choose an epoch of its own."""
    encoder = sum(path.stat().st_size for path in files.folder.glob("*.safetensors"))
    return float(encoder * sum(len(job.names) for job in jobs))


def duration(seconds: float) -> str:
    """For people: ``40 s``, ``6 min``, ``2 h 10 min``, ``3 days 4 h``.

    >>> [duration(s) for s in (0.4, 40, 350, 7800, 273600)]
    ['under 1 s', '40 s', '6 min', '2 h 10 min', '3 days 4 h']
    """
    if seconds < 1:
        return "under 1 s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min"
    days, hours = divmod(hours, 24)
    return f"{days} days {hours} h"


def size(number: float) -> str:
    """For people: ``under 1 MiB``, ``14 MiB``, ``3.2 GiB``.

    >>> [size(n) for n in (1000, 15_000_000, 3.4e9)]
    ['under 1 MiB', '14 MiB', '3.2 GiB']
    """
    mib = number / 2**20
    return "under 1 MiB" if mib < 1 else f"{mib:.0f} MiB" if mib < 1000 else f"{mib / 1024:.1f} GiB"
