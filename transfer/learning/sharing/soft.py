"""Soft sharing: an encoder for each corpus, tied by a penalty on the distance of their weights."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from transfer.learning.batches import Batch, MiniBatch
from transfer.learning.dropout import Noise
from transfer.learning.mtbert import MTBert, MultiTask
from transfer.learning.optimizer import optimizer_of, schedule_of
from transfer.recipes import Recipe


class Tied(MultiTask):
    """A model for each corpus, and the penalty λ/2 Σ |w - m|², m being the mean of all models' weights.

    For two that is λ/4 of their squared distance (Duong et al. 2015). The step of a mini-batch moves its
    corpus's model, with that corpus's own optimizer and schedule; then the penalty takes an implicit step:
    every model is drawn to the mean by a share ηλ / (1 + ηλ) of its distance, η being the recipe's learning
    rate. At λ = 0 each model is trained as it would be alone. As λ grows they become one, whose steps are a
    mean over corpora: hard sharing at a learning rate divided by their number.
    """

    def __init__(self, members: Mapping[str, MTBert], *, penalty: float, recipe: Recipe) -> None:
        super().__init__(noise=Noise(), recipe=recipe)
        self.tasks = {name: member.tasks[name] for name, member in members.items()}
        self.members = nn.ModuleList(members.values())
        self.place = {name: i for i, name in enumerate(members)}
        self.share = recipe.lr * penalty / (1 + recipe.lr * penalty)
        self.active = 0
        self.optimizers: list[Any] = []
        self._tied = list(zip(*(member.shared() for member in members.values()), strict=True))

    @property
    def member(self) -> MTBert:
        """The model whose mini-batch it was."""
        return self.members[self.active]  # type: ignore[return-value]

    def forward(self, batch: Batch) -> Tensor:
        return self.members[self.place[batch.corpus]](batch)

    def loss(self, batch: Batch) -> Tensor:
        return self.members[self.place[batch.corpus]].loss(batch)  # type: ignore[operator]

    def backward(self, batch: MiniBatch) -> Tensor:
        self.active = self.place[batch.corpus]
        return self.member.backward(batch)

    def leaves(self) -> list[Tensor]:
        return self.member.leaves()

    def optimization(self, recipe: Recipe, stream: Any) -> tuple[Any, Any]:
        self.optimizers = [optimizer_of(member, recipe) for member in self.members]
        schedules = [
            schedule_of(optimizer, recipe, steps=stream.own_steps(name))
            for name, optimizer in zip(self.place, self.optimizers, strict=True)
        ]
        return _Optimizers(self), _Schedules(self, schedules)

    @torch.no_grad()
    def tie(self) -> None:
        """After a step: every model is drawn to the mean of all."""
        for weights in self._tied if self.share else ():
            mean = torch.stack(weights).mean(dim=0)
            for w in weights:
                w.lerp_(mean, self.share)


class _Optimizers:
    """The optimizers of all models as the one that the loop and its checkpoint know."""

    def __init__(self, model: Tied) -> None:
        self._model = model

    @property
    def param_groups(self) -> list[dict]:
        return [group for optimizer in self._model.optimizers for group in optimizer.param_groups]

    def step(self, *, shrink: Tensor | None = None) -> None:
        self._model.optimizers[self._model.active].step(shrink=shrink)
        self._model.tie()

    def zero_grad(self) -> None:
        for optimizer in self._model.optimizers:
            optimizer.zero_grad()

    def settle(self) -> None:
        for optimizer in self._model.optimizers:
            optimizer.settle()

    def state_dict(self) -> dict[str, Any]:
        states: dict[int, Any] = {}
        for first, optimizer in zip(self._firsts, self._model.optimizers, strict=True):
            states |= {first + i: state for i, state in optimizer.state_dict()["state"].items()}
        return {"state": states, "param_groups": self.param_groups}

    def load_state_dict(self, kept: Mapping[str, Any]) -> None:
        for first, optimizer in zip(self._firsts, self._model.optimizers, strict=True):
            count = sum(len(group["params"]) for group in optimizer.param_groups)
            own = {i - first: s for i, s in kept["state"].items() if first <= i < first + count}
            optimizer.load_state_dict({"state": own, "param_groups": optimizer.state_dict()["param_groups"]})

    @property
    def _firsts(self) -> list[int]:
        """The number of each optimizer's first weight."""
        found, at = [], 0
        for optimizer in self._model.optimizers:
            found.append(at)
            at += sum(len(group["params"]) for group in optimizer.param_groups)
        return found


class _Schedules:
    """The schedules of all models; the one moves whose model did."""

    def __init__(self, model: Tied, schedules: list[Any]) -> None:
        self._model = model
        self._schedules = schedules

    def step(self) -> None:
        self._schedules[self._model.active].step()

    def state_dict(self) -> dict[str, Any]:
        return {f"{i}.{k}": v for i, s in enumerate(self._schedules) for k, v in s.state_dict().items()}

    def load_state_dict(self, kept: Mapping[str, Any]) -> None:
        for i, schedule in enumerate(self._schedules):
            own = {k.partition(".")[2]: v for k, v in kept.items() if k.partition(".")[0] == str(i)}
            schedule.load_state_dict(own)
