"""Forecasts of a grid's time and disk space, from finished jobs or from timed training steps."""

import functools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transfer.encoders import EncoderFiles
    from transfer.jobs import Job
    from transfer.records import JobResult

# Seconds of a run besides its jobs, on two CPU cores of which nothing else had one: Ray and its first workers
# start, and a report is made of so many jobs.
START, REPORT, REPORT_PER_JOB = 10.0, 6.0, 0.01
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
    """Seconds until all jobs of ``todo`` (their costs) are done; ``notes`` say how far running ones are."""
    rest = dict(todo)
    rest |= {id_: todo[id_] * (1 - _share(note)) for id_, note in notes.items() if id_ in todo}
    return speed.seconds(together(rest.values(), at_once=at_once))


def together(jobs: Iterable[float], *, at_once: int) -> float:
    """The time of jobs that run at once on so many workers: their share of all, at least the longest."""
    jobs = list(jobs)
    return max(sum(jobs) / max(1, at_once), max(jobs)) if jobs else 0.0


def _share(note: Mapping[str, Any]) -> float:
    return note["epoch"] / note["epochs"]


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


def about(seconds: float) -> str:
    """A duration that is an estimate: ``about 40 s``, or ``under 1 s``."""
    return duration(seconds) if seconds < 1 else f"about {duration(seconds)}"


def size(number: float) -> str:
    """For people: ``under 1 MiB``, ``14 MiB``, ``3.2 GiB``.

    >>> [size(n) for n in (1000, 15_000_000, 3.4e9)]
    ['under 1 MiB', '14 MiB', '3.2 GiB']
    """
    mib = number / 2**20
    return "under 1 MiB" if mib < 1 else f"{mib:.0f} MiB" if mib < 1000 else f"{mib / 1024:.1f} GiB"
