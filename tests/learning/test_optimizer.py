"""Adamax with decoupled decay, and the schedule."""

import pytest
import torch
from torch import nn
from torch.nn.utils import clip_grad_norm_

from transfer.learning import optimizer as optimizing
from transfer.learning.optimizer import DecoupledAdamax, optimizer_of, schedule_of, shrink_to
from transfer.recipes import Recipe

RECIPE = Recipe(lr=0.01, epochs=1, batch_size=4)


def stepped(optimizer: torch.optim.Optimizer, parameter: nn.Parameter, steps: int = 5) -> torch.Tensor:
    for step in range(steps):
        parameter.grad = torch.linspace(-1, 1, parameter.numel()).view_as(parameter) * (step + 1)
        optimizer.step()
    return parameter.detach().clone()


def test_without_decay_it_is_torch_adamax():
    ours, theirs = (nn.Parameter(torch.linspace(0.5, 2, 6).view(2, 3)) for _ in range(2))
    a = stepped(DecoupledAdamax([{"params": [ours], "decay": 0.0}], lr=0.01), ours)
    b = stepped(torch.optim.Adamax([theirs], lr=0.01, eps=1e-6), theirs)
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("form", ["_one_by_one", "_native", "_foreach"])
@pytest.mark.parametrize("most", [0.5, 1e9], ids=["clipped", "not reached"])
def test_a_shrunk_step_is_that_of_clipped_gradients(form: str, most: float, monkeypatch):
    monkeypatch.setattr(optimizing, "_form", lambda _: getattr(optimizing, form))
    ours, theirs = ([nn.Parameter(torch.linspace(0.5, 2, n).view(2, -1)) for n in (6, 10)] for _ in range(2))
    optimizers = [DecoupledAdamax([{"params": own, "decay": 0.1}], lr=0.01) for own in (ours, theirs)]
    for step in range(5):
        for own in (ours, theirs):
            for p in own:
                p.grad = torch.linspace(-1, 1, p.numel()).view_as(p) * (step + 1)
        optimizers[0].step(shrink=shrink_to(most, ours))
        clip_grad_norm_(theirs, most)
        optimizers[1].step()
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, atol=1e-7, rtol=1e-6)


@pytest.mark.parametrize("form", ["_native", "_foreach"])
def test_each_form_gives_the_same_numbers(form: str, monkeypatch):
    ours, theirs = (nn.Parameter(torch.linspace(0.5, 2, 6).view(2, 3)) for _ in range(2))
    monkeypatch.setattr(optimizing, "_form", lambda _: optimizing._one_by_one)
    a = stepped(DecoupledAdamax([{"params": [ours], "decay": 0.1}], lr=0.01), ours)
    monkeypatch.setattr(optimizing, "_form", lambda _: getattr(optimizing, form))
    b = stepped(DecoupledAdamax([{"params": [theirs], "decay": 0.1}], lr=0.01), theirs)
    torch.testing.assert_close(a, b)


def test_decay_shrinks_the_weights_and_stays_out_of_the_gradient():
    parameter = nn.Parameter(torch.full((2, 2), 3.0))
    optimizer = DecoupledAdamax([{"params": [parameter], "decay": 0.1}], lr=0.5)
    parameter.grad = torch.zeros(2, 2)
    optimizer.step()
    torch.testing.assert_close(parameter.detach(), torch.full((2, 2), 3.0 * (1 - 0.5 * 0.1)))
    assert optimizer.state[parameter]["mean"].abs().sum() == 0


def test_a_head_that_a_mini_batch_does_not_use_is_left_alone():
    used, other = nn.Parameter(torch.ones(2, 2)), nn.Parameter(torch.ones(2, 2))
    optimizer = DecoupledAdamax([{"params": [used, other], "decay": 0.1}], lr=0.5)
    used.grad = torch.ones(2, 2)
    optimizer.step()
    assert torch.equal(other, torch.ones(2, 2))
    assert not torch.equal(used, torch.ones(2, 2))


def test_biases_and_layer_norms_do_not_decay():
    model = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3))
    decayed, others = optimizer_of(model, RECIPE).param_groups
    assert [p.shape for p in decayed["params"]] == [(3, 3)]
    assert len(others["params"]) == 3
    assert (decayed["decay"], others["decay"]) == (0.01, 0.0)


def test_the_rate_rises_over_a_tenth_and_falls_to_zero():
    parameter = nn.Parameter(torch.ones(1, 1))
    optimizer = DecoupledAdamax([{"params": [parameter], "decay": 0.0}], lr=1.0)
    schedule = schedule_of(optimizer, RECIPE, steps=20)
    rates = []
    for _ in range(20):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    assert max(rates) == 1.0
    assert rates.index(1.0) == 2
    assert rates[2:] == sorted(rates[2:], reverse=True)
    assert schedule.get_last_lr()[0] == 0.0
