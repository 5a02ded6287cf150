"""Cost of a grid's jobs: words trained on, time from the speed so far, shares by family, disk space."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transfer.encoders import EncoderFiles
from transfer.jobs import Job
from transfer.records import GridRecord, JobResult

WORDS = 20  # of an example whose words were not counted


def costs(record: GridRecord) -> dict[str, float]:
    """The cost of each job of a grid in words trained on; a word that is evaluated costs a third of that."""
    items = {c.card.name: c.items for c in record.corpora}
    words = {}
    for c in record.corpora:
        name = c.card.name
        words[name] = dict(c.words or {split: WORDS * size for split, size in c.items.items()})
        if c.words and c.pool:  # each seed draws a sample of the words that were counted
            words[name]["train"] = c.words["train"] * c.items["train"] / c.pool

    def cost(job: Job) -> float:
        longer = 1 + job.extra_examples / items[job.names[0]]["train"]  # of its one corpus
        return sum(
            job.recipe.epochs * (words[n]["train"] * longer + words[n]["dev"] / 3) + words[n]["test"] / 3
            for n in job.names
        )

    return {job.id: cost(job) for job in record.jobs}


@dataclass(frozen=True)
class Speed:
    """Words trained on per second and worker (see ``costs``), measured on finished jobs."""

    words: float

    @staticmethod
    def of(results: Iterable[JobResult], cost: Mapping[str, float]) -> "Speed | None":
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


def families(jobs: Sequence[Job], cost: Mapping[str, float]) -> dict[str, tuple[int, float]]:
    """The number of jobs of each family, and their share of the cost of all; in the order of the jobs.

    Single-task runs whose seed no larger group of the corpus has are a family of their own.
    """
    matched = {
        (name, job.seed) for job in jobs for name in job.group if len(job.group) > 1 and not job.arm.control
    }
    grouped = {name for name, _ in matched}

    def family(job: Job) -> str:
        if job.arm.control:
            return f"{job.arm.control} control"
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


def disk(jobs: Sequence[Job], items: Mapping[str, int]) -> float:
    """Approximate size of the jobs' results in bytes.

    ``items``: the test items of each corpus. Encoders that are kept for a while for fine-tuning are not
    in it.
    """
    total = 0.0
    for job in jobs:
        names = job.names
        total += 3000 + 150 * job.recipe.epochs * len(names) + 5000 + 40 * sum(items[n] for n in names)
    return total


def models(jobs: Sequence[Job], files: EncoderFiles | None) -> float:
    """Upper bound in bytes of the kept models of ``jobs``: each corpus may choose an epoch of its own."""
    if files is None:
        return 0.0
    encoder = sum(path.stat().st_size for path in files.folder.glob("*.safetensors"))
    return float(encoder * sum(len(job.names) for job in jobs))
