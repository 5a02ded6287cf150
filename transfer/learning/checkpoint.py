"""Checkpoints of interrupted jobs: everything that the remaining epochs depend on.

<store>/checkpoints/<job id>/weights-<epoch>.safetensors    of the last epoch, and of those that dev chose
<store>/checkpoints/<job id>/optimizer-<epoch>.safetensors  the optimizer's tensors after that epoch
<store>/checkpoints/<job id>/state.json                     written last: what of these belongs together

There is no state of a random generator in it: the order of mini-batches and their dropout masks are
functions of seed, corpus, epoch and mini-batch. A job that goes on gives the numbers of one that was
never interrupted, on a CPU with as many threads bit for bit.
"""

import hashlib
import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from transfer.learning.best import Best
from transfer.records import Epoch
from transfer.store import Store

# what checkpoints may take of a job's time; an epoch that would cost more goes without one
SHARE = 0.05


class _State(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    made_by: dict[str, str]  # versions and device: other ones round differently, and a job begins anew
    history: tuple[Epoch, ...]
    best_epoch: dict[str, int]
    best_score: dict[str, float | None]  # None: undefined so far
    best_defined: int | None = None
    optimizer: dict[str, float]  # the numbers of its state, those that are no tensors
    schedule: dict[str, Any]
    rates: list[float]
    sha256: dict[str, str]


class Checkpoint:
    """The checkpoint of one job in a store.

    ``seconds``: at least so long lies between two of them, and 20 times as long as one took; 0 makes one
    after each epoch. ``tell`` receives a message where a checkpoint that is there cannot be used.
    """

    def __init__(
        self,
        store: Store,
        job_id: str,
        *,
        made_by: Mapping[str, str],
        seconds: float,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._home = f"checkpoints/{job_id}"
        self._made_by = dict(made_by)
        self._seconds = seconds
        self._tell = tell
        self._last, self._took = time.monotonic(), 0.0
        self._sha256: dict[str, str] = {}

    def save(
        self, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler, best: Best, history: list[Epoch]
    ) -> None:
        """After an epoch: keeps what the next ones need, if it is time to."""
        began = time.monotonic()
        if self._seconds and began - self._last < max(self._seconds, self._took / SHARE):
            return
        epoch = history[-1].epoch
        state = optimizer.state_dict()["state"]
        tensors = {f"{i}.{k}": v for i, s in state.items() for k, v in s.items() if isinstance(v, Tensor)}
        files = {f"weights-{e}.safetensors": weights for e, weights in best.weights.items()}
        files[f"weights-{epoch}.safetensors"] = model.state_dict()
        files[f"optimizer-{epoch}.safetensors"] = tensors
        for name, content in files.items():
            if name not in self._sha256:
                self._sha256[name] = self._write(name, content)
        self._sha256 = {name: self._sha256[name] for name in files}
        kept = _State(
            made_by=self._made_by,
            history=tuple(history),
            best_epoch=best.epoch,
            best_score={name: None if math.isnan(x) else x for name, x in best.score.items()},
            best_defined=best.defined,
            optimizer={
                f"{i}.{k}": v for i, s in state.items() for k, v in s.items() if not isinstance(v, Tensor)
            },
            schedule={k: v for k, v in schedule.state_dict().items() if isinstance(v, (int, float, list))},
            rates=[group["lr"] for group in optimizer.param_groups],
            sha256=self._sha256,
        )
        files_ = self._store.files
        files_.write(f"{self._home}/state.json", kept.model_dump_json().encode(), durable=True)
        for name in files_.names(self._home):
            if name not in self._sha256 and name != "state.json":
                files_.remove(f"{self._home}/{name}")
        self._last = time.monotonic()
        self._took = self._last - began

    def load(self, model: nn.Module, optimizer: Optimizer, schedule: LRScheduler) -> tuple[Best, list[Epoch]]:
        """Restore model, optimizer and schedule; return the chosen epochs and the history so far.

        Empty where there is no checkpoint. One that is damaged, or was made with other versions or on
        another device, is set aside and told of.
        """
        try:
            state = _State.model_validate_json(self._store.files.read(f"{self._home}/state.json"))
            if state.made_by != self._made_by:
                raise ValueError(f"made with {_difference(state.made_by, self._made_by)}")
            read = {name: self._read(name, digest) for name, digest in state.sha256.items()}
            epoch = state.history[-1].epoch
            device = next(model.parameters()).device
            numbers: dict[int, dict[str, Any]] = {}
            parts = {**state.optimizer, **read[f"optimizer-{epoch}.safetensors"]}
            for key, value in parts.items():
                index, _, name = key.partition(".")
                numbers.setdefault(int(index), {})[name] = value
            best = Best(
                dict(state.best_epoch),
                {name: math.nan if x is None else x for name, x in state.best_score.items()},
                {
                    e: {name: w.to(device) for name, w in read[f"weights-{e}.safetensors"].items()}
                    for e in sorted(set(state.best_epoch.values()))
                },
                # an earlier version kept no count, and its scores were all numbers
                len(state.history[-1].dev) if state.best_defined is None else state.best_defined,
            )
            weights = read[f"weights-{epoch}.safetensors"]
            # all of it is looked at before anything is changed: a job that begins anew begins as it was
            _fits(weights, numbers, state, model, optimizer)
            model.load_state_dict(weights)
            groups = optimizer.state_dict()["param_groups"]
            optimizer.load_state_dict({"state": numbers, "param_groups": groups})
            schedule.load_state_dict(state.schedule)
            for group, rate in zip(optimizer.param_groups, state.rates, strict=True):
                group["lr"] = rate
        except FileNotFoundError as error:
            if not self._store.files.exists(f"{self._home}/state.json"):
                return Best(), []
            return self._begin_anew(error)
        except (ValueError, KeyError, RuntimeError, SafetensorError) as error:
            return self._begin_anew(error)
        self._sha256 = dict(state.sha256)
        return best, list(state.history)

    def _begin_anew(self, error: Exception) -> tuple[Best, list[Epoch]]:
        aside = self._store.set_aside(self._home)
        reason = "it is damaged" if isinstance(error, ValidationError) else str(error).partition("\n")[0]
        self._tell(f"its checkpoint could not be used ({reason}); set aside in {aside}, the job began anew")
        return Best(), []

    def _write(self, name: str, tensors: Mapping[str, Tensor]) -> str:
        # a copy where a tensor is a view: what shares memory is not written
        whole = {k: t.detach().to("cpu", copy=_is_view(t)).contiguous() for k, t in tensors.items()}
        with self._store.files.scratch() as folder:
            file = folder / name
            save_file(whole, file)
            with file.open("rb") as opened:
                digest = hashlib.file_digest(opened, "sha256").hexdigest()
            self._store.files.put(file, f"{self._home}/{name}")
        return digest

    def _read(self, name: str, digest: str) -> dict[str, Tensor]:
        data = self._store.files.read(f"{self._home}/{name}")
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"{name} is not what was written")
        return load(data)


def _fits(
    weights: Mapping[str, Tensor],
    numbers: Mapping[int, Mapping[str, Any]],
    state: _State,
    model: nn.Module,
    optimizer: Optimizer,
) -> None:
    shapes = {name: w.shape for name, w in model.state_dict().items()}
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if (
        {name: w.shape for name, w in weights.items()} != shapes
        or not set(numbers) <= set(range(len(parameters)))
        or len(state.rates) != len(optimizer.param_groups)
    ):
        raise ValueError("it is of another model")


def _is_view(tensor: Tensor) -> bool:
    return tensor.untyped_storage().nbytes() != tensor.numel() * tensor.element_size()


def _difference(one: Mapping[str, str], other: Mapping[str, str]) -> str:
    return ", ".join(f"{key} {value}" for key, value in one.items() if other.get(key) != value)
