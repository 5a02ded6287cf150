"""Learning curves for other tools, through Ray Tune's own callbacks: TensorBoard, MLflow, Weights & Biases.

A run of the tool is a job of the grid, named as the job is, with the loss and the dev score of each corpus
by epoch, and at the end its test scores. The curves are told when the job has ended, all of its epochs at
once, also those from before an interruption.
"""

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.logger import LoggerCallback

from transfer.arms import Group
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.records import JobResult

# the package that each tool needs beside Ray
PACKAGES = {"tensorboard": "tensorboardX", "mlflow": "mlflow", "wandb": "wandb"}


@dataclass(frozen=True)
class Logs:
    """Which tool is told, where its files go, and what the grid is called there."""

    to: str
    folder: Path
    grid: str

    def __post_init__(self) -> None:
        package = PACKAGES[self.to]
        if importlib.util.find_spec(package) is None:
            raise InputError(
                f"--log-to {self.to}: the package {package} is not installed here; pip install {package}"
            )


@dataclass(frozen=True)
class Shown:
    """A trial as the tools see it: a job's name, its readable parameters, and a folder for its files."""

    trial_id: str
    name: str = field(compare=False)
    config: dict[str, Any] = field(compare=False)
    local_path: str = field(compare=False)
    experiment_dir_name: str = field(compare=False)

    @property
    def evaluated_params(self) -> dict[str, Any]:
        return self.config

    def init_local_path(self) -> None:
        Path(self.local_path).mkdir(parents=True, exist_ok=True)

    def __str__(self) -> str:
        return self.name


class Curves(Callback):
    """One of Ray's loggers, shown jobs instead of trials and curves instead of Tune's own figures."""

    def __init__(self, logger: LoggerCallback, logs: Logs) -> None:
        self._logger, self._logs = logger, logs
        self._shown: dict[str, Shown] = {}

    # Tune copies its callbacks into its snapshots; they hold open files
    def __getstate__(self) -> dict[str, Any]:
        return {}

    def setup(self, *args: Any, **info: Any) -> None:
        self._logger.setup(*args, **info)

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        shown = shown_of(trial.trial_id, Job.model_validate_json(trial.config["job"]), self._logs)
        shown.init_local_path()
        self._shown[trial.trial_id] = shown
        self._logger.log_trial_start(shown)  # type: ignore[arg-type]

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        if told := result.get("curves"):
            self._logger.log_trial_result(iteration, self._shown[trial.trial_id], told)  # type: ignore[arg-type]

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self._logger.log_trial_end(self._shown[trial.trial_id])  # type: ignore[arg-type]

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        if trial.trial_id in self._shown:  # it may have died before it started
            self._logger.log_trial_end(self._shown[trial.trial_id], failed=True)  # type: ignore[arg-type]

    def on_experiment_end(self, trials: list[Any], **info: Any) -> None:
        self._logger.on_experiment_end(trials, **info)


def callback_of(logs: Logs) -> Curves:
    """Ray's callback for the tool. Nothing leaves this machine unless the environment of the user says so."""
    if logs.to == "tensorboard":
        from ray.tune.logger import TBXLoggerCallback

        return Curves(TBXLoggerCallback(), logs)
    if logs.to == "mlflow":
        from ray.air.integrations.mlflow import MLflowLoggerCallback

        logs.folder.mkdir(parents=True, exist_ok=True)
        here = f"sqlite:///{logs.folder.resolve() / 'mlflow.db'}"
        uri = os.environ.get("MLFLOW_TRACKING_URI", here)
        return Curves(MLflowLoggerCallback(tracking_uri=uri, experiment_name=logs.grid), logs)
    from ray.air.integrations.wandb import WandbLoggerCallback

    # Ray looks here, its logging process at what it is given
    mode = os.environ.setdefault("WANDB_MODE", "offline")
    return Curves(WandbLoggerCallback(project=logs.grid, group=logs.grid, mode=mode), logs)


def shown_of(trial_id: str, job: Job, logs: Logs) -> Shown:
    name = f"{job.label} {job.id[:6]}".replace(" ", "-").replace("->", "to")
    config = {
        "stage": str(job.arm),
        "corpora": str(Group(job.group)),
        "seed": job.arm_seed,
        "encoder": Path(job.encoder.name).name,
        **job.recipe.model_dump(exclude={"fine_tune"}),
    }
    return Shown(trial_id, name, config, str(logs.folder.resolve() / logs.grid / name), logs.grid)


def curves_of(result: JobResult) -> list[dict[str, Any]]:
    """Values that trackers receive for a job, epoch by epoch, with the test scores in the last."""
    told: list[dict[str, Any]] = [
        {"training_iteration": epoch.epoch, "loss": dict(epoch.loss), "dev": _defined(epoch.dev)}
        for epoch in result.history
    ]
    if told:
        told[-1]["test"] = _defined({s.corpus: s.value for s in result.scores if s.split == "test"})
    return told


def _defined(scores: Mapping[str, float | None]) -> dict[str, float]:
    return {name: score for name, score in scores.items() if score is not None}
