"""The grid on Ray Tune: one trial a job, actors reused. The only module that imports ray."""

import contextlib
import logging
import os
import shutil
import signal
import socket
import tempfile
import threading
import time
import uuid
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
from ray._private import ray_constants
from ray.exceptions import GetTimeoutError, NodeDiedError, RayError
from ray.tune.search import Searcher
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from transfer import __version__
from transfer.claims import Taken
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.learning.machine import limit_gpu_memory
from transfer.learning.run import Run
from transfer.learning.worker_data import Site
from transfer.records import JobResult
from transfer.scheduling.loggers import Logs, callback_of, curves_of
from transfer.scheduling.preflight import lacks, refusal
from transfer.scheduling.work import LOOK, Work, last_line

# Tune keeps a copy of its own state on disk for resuming; ours is the store
SECONDS_BETWEEN_TUNE_SNAPSHOTS = "3600"
# reading all corpora of a grid over a slow network folder, after a worker was started
SECONDS_TO_LOOK = 300
SECONDS_TO_CONNECT = 10


class JobTrainable(tune.Trainable):
    """A worker process: runs one job after another, keeping what they share in memory."""

    # the parameters beside the config are those of tune.with_parameters below
    def setup(  # type: ignore[override]
        self, config: dict[str, Any], *, run: Run, site: Site, threads: int, gpus: float, curves: bool
    ) -> None:
        self._config, self._run, self._site, self._curves = config, run, site, curves
        self._gpus = gpus
        self._told: list[dict[str, Any]] = []  # what is still to be told of the job, its end last
        torch.set_num_threads(threads)

    def step(self) -> dict[str, Any]:
        self._told = self._told or self._done()
        return self._told.pop(0)

    def _done(self) -> list[dict[str, Any]]:
        job = Job.model_validate_json(self._config["job"])
        limit_gpu_memory(1.0 if self._config["alone"] else self._gpus)
        try:
            result = self._run(job, self._site, keep_encoder=self._config["keep_encoder"])
        except Taken:
            return [{"done": True, "ok": False, "taken": True}]
        ok = result.status == "done"
        # of a job that is done the result stands in the store; of a failed one perhaps not
        end = {"done": True, "ok": ok, "failed": "" if ok else result.model_dump_json()}
        told = curves_of(result) if self._curves else []
        return [*({"ok": False, "curves": epoch} for epoch in told), end]

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
        return {
            "job": job.model_dump_json(),
            "keep_encoder": self._work.keeps_encoder(job),
            "alone": self._work.runs_alone(job),
        }

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


def run_on_ray(
    work: Work,
    *,
    workers: int,
    threads: int,
    gpus_per_job: float,
    address: str | None,
    logs: Logs | None = None,
) -> None:
    """Empties the queue on the workers of this machine, or of the Ray cluster at ``address``.

    On this machine: ``workers`` jobs at a time, ``threads`` CPU cores each, Ray on loopback and
    ended when the jobs are. ``gpus_per_job`` is a job's share of a GPU, and below 1 of its memory too.
    A worker that dies is replaced and its job tried once more. ``logs``: who else is told of the
    learning curves.
    """
    # a worker that dies is told of in the job's record; Tune would show its own traceback
    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    scratch = Path(tempfile.mkdtemp(prefix="transfer-tune-"))
    os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = SECONDS_BETWEEN_TUNE_SNAPSHOTS
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    with _signals_kept():
        if address is None:
            with _loopback_only():
                ray.init(
                    address="local",  # whatever RAY_ADDRESS says
                    num_cpus=workers * threads,
                    include_dashboard=False,
                    object_store_memory=256 * 2**20,
                    _node_ip_address="127.0.0.1",
                    **quiet,
                )
        else:
            _join(address, **quiet)
    try:
        if address is not None:
            _look_at_nodes(work)
        # what all jobs share goes to a worker once, and not into each trial
        shared = {"run": work.run, "site": work.site, "threads": threads, "gpus": gpus_per_job}
        shared["curves"] = logs is not None
        trainable = tune.with_parameters(JobTrainable, **shared)
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
                callbacks=[callback_of(logs)] if logs else None,
            ),
        )
        tuner.fit()
    finally:
        ray.shutdown()
        shutil.rmtree(scratch, ignore_errors=True)


def _join(address: str, **quiet: Any) -> None:
    if address.startswith("ray://"):
        raise InputError(
            f"--address {address}: a run is started on a machine of the cluster, with --address auto, or "
            "as a Ray job (ray job submit -- transfer run-grid …); see docs/cluster.md"
        )
    try:
        if address != "auto":
            # Ray itself would try for minutes
            host, _, port = address.rpartition(":")
            socket.create_connection((host, int(port)), timeout=SECONDS_TO_CONNECT).close()
        ray.init(address=address, **quiet)
    except (ConnectionError, ValueError, RuntimeError, OSError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"--address {address}: no Ray cluster can be joined there from this machine ({reason}); "
            "ray start --head starts one, ray start --address=HEAD:6379 adds this machine to it; "
            "where it asks for a token: RAY_AUTH_MODE=token, and ~/.ray/auth_token of its first machine"
        ) from None


def _look_at_nodes(work: Work) -> None:
    """Raises InputError naming every node that could not run the grid's jobs, before any is sent there."""
    token = f"tmp/seen-{uuid.uuid4().hex}"
    work.store.files.write(token, b"")
    nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes() if node["Alive"]}
    everything = work.everything()
    look: Any = ray.remote(num_cpus=0, max_retries=0)(lacks)  # type: ignore[call-overload]
    asked = {
        node: look.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(
            everything, work.site, token=token, version=__version__
        )
        for node in nodes
    }
    lacking: dict[str, list[str]] = {}
    try:
        for node, answer in asked.items():
            try:
                what = ray.get(answer, timeout=SECONDS_TO_LOOK)
            except GetTimeoutError:
                what = [f"did not answer within {SECONDS_TO_LOOK} seconds"]
            except NodeDiedError:
                continue  # it left; nodes may
            except RayError as error:
                what = [f"cannot import transfer {__version__} ({last_line(str(error))})"]
            if what:
                lacking[f"{nodes[node]} (node {node[:8]})"] = what
    finally:
        work.store.files.remove(token)
    if lacking:
        raise refusal(lacking, len(nodes))


@contextlib.contextmanager
def _loopback_only() -> Iterator[None]:
    """Has a Ray that is started listen on 127.0.0.1 and nowhere else.

    Asked for that address, Ray puts the machine's own in its place and listens on all interfaces, but where
    it takes itself for one that makes no clusters, as on Windows; its processes take that from the
    environment.
    """
    name, before = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", ray_constants.ENABLE_RAY_CLUSTER
    ray_constants.ENABLE_RAY_CLUSTER, os.environ[name] = False, "0"
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = before
        del os.environ[name]


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
