"""Settings of an execution: the executor, jobs at a time, and the share of a GPU."""

import contextlib
import enum
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transfer.inputs import InputError, did_you_mean

if TYPE_CHECKING:
    from transfer.learning.worker_data import Site
    from transfer.planning import Expanded
    from transfer.scheduling.loggers import Logs
    from transfer.scheduling.work import Work
    from transfer.store import Store

# a worker on a small encoder was seen to hold 1.5; larger encoders hold more
GIB_PER_WORKER = 3


class Executor(enum.StrEnum):
    """Executor of jobs: Ray in parallel, or this process one by one."""

    ray = "ray"
    inline = "inline"


class Tracker(enum.StrEnum):
    """Tool that receives the learning curves."""

    tensorboard = "tensorboard"
    mlflow = "mlflow"
    wandb = "wandb"


@dataclass(frozen=True)
class Execution:
    """Executor, workers and GPUs of a run. Raises InputError for settings that only Ray can follow.

    ``workers`` None: one per core, limited by memory. ``address`` names an existing Ray cluster.
    ``gpus_per_job`` is a job's share of a GPU and, below 1, of its memory.
    """

    executor: str = Executor.ray
    workers: int | None = None
    gpus_per_job: float = 0.0
    address: str | None = None
    checkpoint_seconds: float = 10.0
    cuda_graphs: bool = False
    log_to: str | None = None
    log_dir: Path = Path("logs")

    def __post_init__(self) -> None:
        for name, known in (self.executor, Executor), (self.log_to or "wandb", Tracker):
            if name not in list(known):
                raise InputError(f"{known.__name__.lower()} '{name}' is unknown{did_you_mean(name, known)}")
        asked = {
            "--workers": (self.workers or 1) > 1,
            "--gpus-per-job": self.gpus_per_job > 0,
            "--address": self.address,
            "--log-to": self.log_to,
        }
        for option, is_asked in asked.items():
            if is_asked and self.executor == Executor.inline:
                raise InputError(f"{option} works through Ray; leave --executor inline out")

    @property
    def at_once(self) -> int:
        """Jobs at a time."""
        return 1 if self.executor == Executor.inline else self.workers or workers_that_fit(self.gpus_per_job)

    @property
    def on_cpu_here(self) -> bool:
        """Whether jobs compute on this machine's CPU; one that runs inline sees a GPU where there is one."""
        if self.executor == Executor.inline:
            from transfer.learning.machine import device

            return device().type == "cpu"
        return not (self.address or self.gpus_per_job)

    def logs(self, grid: str) -> "Logs | None":
        """The tracker for learning curves. Raises InputError if Ray or the tool's package is missing."""
        if self.log_to is None:
            return None
        with _ray_needed():
            from transfer.scheduling.loggers import Logs
        return Logs(str(self.log_to), self.log_dir, grid)

    def site(self, store: "Store", expanded: "Expanded", *, keep: frozenset[str] = frozenset()) -> "Site":
        """The places that workers read from and write to; ``keep``: jobs whose models are kept."""
        from transfer.learning.worker_data import Site

        grid = expanded.grid
        return Site(
            store=store.files.where,
            corpora="synthetic" if grid.corpora == "synthetic" else str(Path(str(grid.corpora)).resolve()),
            limits={name: grid.limit_of(name) for name in grid.tasks},
            encoder=expanded.encoder.folder.resolve() if expanded.encoder else Path(),
            home=expanded.file.path.resolve().parent,
            gpus=self.gpus_per_job,
            checkpoint_seconds=self.checkpoint_seconds,
            run=uuid.uuid4().hex,
            grid=grid.id,
            keep=keep,
            cuda_graphs=self.cuda_graphs,
        )

    def empty(self, work: "Work", logs: "Logs | None" = None) -> None:
        """Run all jobs of the queue."""
        from transfer.scheduling.resources import cores

        if self.executor == Executor.inline:
            from transfer.scheduling.inline import run_inline

            run_inline(work, threads=cores())
            return
        with _ray_needed():
            from transfer.scheduling.cluster import run_on_ray
        run_on_ray(
            work,
            workers=self.at_once,
            threads=max(1, cores() // self.at_once),
            gpus_per_job=self.gpus_per_job,
            address=self.address,
            logs=logs,
        )


@contextlib.contextmanager
def _ray_needed() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] != "ray":
            raise
        raise InputError("ray is not installed here; use --executor inline") from None


def workers_that_fit(gpus_per_job: float) -> int:
    """One worker per core, limited by memory. On GPUs, which Ray counts, only cores limit the number."""
    from transfer.scheduling import resources

    used = resources.memory()
    fit = int(used[1] / GIB_PER_WORKER) if used and not gpus_per_job else resources.cores()
    return max(1, min(resources.cores(), fit))
