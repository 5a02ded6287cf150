"""The grid on Ray Tune: one trial a job, actors reused. The only module that imports ray."""

import contextlib
import logging
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# before ray is imported: nothing is reported home, and Ctrl-C reaches the caller
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"
os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"
os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # its boxes; progress is told by the caller
os.environ["TUNE_WARN_SLOW_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S"] = "1000000"

import ray
import torch
from ray import tune
from ray.tune.search import Searcher

from transfer.claims import Taken
from transfer.grid import Job
from transfer.learning.run import Run, Site
from transfer.scheduling.work import LOOK, Work
from transfer.store import JobResult

# Tune keeps a copy of its own state on disk for resuming; ours is the store
SECONDS_BETWEEN_TUNE_SNAPSHOTS = "3600"


class JobTrainable(tune.Trainable):
    """A worker process: runs one job after another, keeping what they share in memory."""

    # the parameters beside the config are those of tune.with_parameters below
    def setup(  # type: ignore[override]
        self, config: dict[str, Any], *, run: Run, site: Site, threads: int
    ) -> None:
        self._config, self._run, self._site = config, run, site
        torch.set_num_threads(threads)

    def step(self) -> dict[str, Any]:
        job = Job.model_validate_json(self._config["job"])
        try:
            result = self._run(job, self._site, keep_encoder=self._config["keep_encoder"])
        except Taken:
            return {"done": True, "ok": False, "taken": True}
        ok = result.status == "done"
        # of a job that is done the result stands in the store; of a failed one perhaps not
        return {"done": True, "ok": ok, "failed": "" if ok else result.model_dump_json()}

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        self._config = new_config
        return True

    # a job's state is its result in the store; Tune has nothing to save
    def save_checkpoint(self, checkpoint_dir: str) -> None:
        return None

    def load_checkpoint(self, checkpoint: Any) -> None:
        return None


class GridSearcher(Searcher):
    """The queue as a Tune search algorithm: answers None ("not ready") while a parent runs."""

    def __init__(self, work: Work) -> None:
        super().__init__(metric="ok", mode="max")
        self._work = work
        self._jobs: dict[str, Job] = {}

    def suggest(self, trial_id: str) -> Any:
        job = self._work.next()
        if job is None:
            if self._work.waits:
                time.sleep(LOOK)  # another run has what is left; Tune itself would ask at once again
            return Searcher.FINISHED if self._work.over else None
        self._jobs[trial_id] = job
        return {"job": job.model_dump_json(), "keep_encoder": self._work.keeps_encoder(job)}

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        job = self._jobs.pop(trial_id)
        if error:
            self._work.ended(job, died="its worker process died twice (out of memory?)")
        elif result and result.get("taken"):
            self._work.taken(job)
        elif result and result.get("failed"):
            self._work.ended(job, JobResult.model_validate_json(result["failed"]))
        else:
            self._work.ended(job)

    # Tune saves and copies its searcher; what is done and what is not stands in the store
    def __getstate__(self) -> dict[str, Any]:
        return {}

    def save(self, checkpoint_path: str) -> None:
        return None

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("run the grid again: the store knows what is done")


def run_on_ray(work: Work, *, workers: int, threads: int, gpus_per_job: float, address: str | None) -> None:
    """Empties the queue on the workers of this machine, or of the Ray cluster at ``address``.

    On this machine: ``workers`` jobs at a time, ``threads`` CPU cores each, Ray on loopback and
    ended when the jobs are. A worker that dies is replaced and its job tried once more.
    """
    scratch = Path(tempfile.mkdtemp(prefix="transfer-tune-"))
    os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = SECONDS_BETWEEN_TUNE_SNAPSHOTS
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    with _signals_kept():
        if address is None:
            ray.init(
                address="local",  # whatever RAY_ADDRESS says
                num_cpus=workers * threads,
                include_dashboard=False,
                object_store_memory=256 * 2**20,
                _node_ip_address="127.0.0.1",
                **quiet,
            )
        else:
            ray.init(address=address, **quiet)
    try:
        # what all jobs share goes to a worker once, and not into each trial
        trainable = tune.with_parameters(JobTrainable, run=work.run, site=work.site, threads=threads)
        tuner = tune.Tuner(
            tune.with_resources(trainable, {"cpu": threads, "gpu": gpus_per_job}),
            tune_config=tune.TuneConfig(
                search_alg=GridSearcher(work),
                num_samples=-1,
                max_concurrent_trials=workers if address is None else None,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="grid",
                storage_path=str(scratch),
                verbose=0,
                failure_config=tune.FailureConfig(max_failures=1),
            ),
        )
        tuner.fit()
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


@contextlib.contextmanager
def _signals_kept() -> Iterator[None]:
    """Gives Ctrl-C and SIGTERM back to whom they belong: Ray has its own ends for a process that it is in."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)
