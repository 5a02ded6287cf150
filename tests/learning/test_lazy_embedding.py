"""Word-piece rows that move only when they are read: the numbers are those of plain training."""

import copy

import pytest
import torch
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_

from transfer.learning.lazy_embedding import Words, whole_table
from transfer.learning.optimizer import DecoupledAdamax, schedule_of, shrink_to
from transfer.recipes import Recipe

SIZE, WIDTH, STEPS = 60, 8, 300
RECIPE = Recipe(lr=0.01, epochs=1, batch_size=4, weight_decay=0.1, clip=0.5)


def trained(*, lazy: bool, dtype: torch.dtype, settle_each: int = 100, tiny: bool = False):
    """A table after 300 steps with clipping and schedule, and the optimizer."""
    generator = torch.Generator().manual_seed(4)
    whole = torch.randn(SIZE, WIDTH, generator=generator, dtype=torch.float64).to(dtype)
    words = Words(whole, range(5, 50), lazy=lazy)
    other = torch.nn.Parameter(torch.ones(WIDTH, dtype=dtype))
    groups = [{"params": [words.weight], "decay": 0.1}, {"params": [other], "decay": 0.0}]
    optimizer = DecoupledAdamax(groups, lr=RECIPE.lr, words=words)
    schedule = schedule_of(optimizer, RECIPE, steps=STEPS)
    for step in range(STEPS):
        # some rows are seen often, some once in a hundred steps, some never
        drawn = (torch.rand(6, generator=generator) ** 4 * 40).long() + 5
        rows, ids = torch.unique(drawn, return_inverse=True)
        words.open(rows)
        target = torch.randn(6, WIDTH, generator=generator, dtype=torch.float64).to(dtype)
        loss = F.mse_loss(words(ids) * other, target) * (1e-9 if tiny else 1.0)
        loss.backward()
        read = [words.read] if lazy else []
        if lazy:
            optimizer.step(shrink=shrink_to(RECIPE.clip, [words.weight, other, *read]))
        else:
            clip_grad_norm_([words.weight, other], RECIPE.clip)
            optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if (step + 1) % settle_each == 0:
            optimizer.settle()
    optimizer.settle()
    return words, optimizer, whole


@pytest.mark.parametrize("tiny", [False, True], ids=["", "gradients below epsilon"])
@pytest.mark.parametrize("settle_each", [37, 300])
def test_lazy_equals_dense_after_300_steps_with_clipping_and_schedule(settle_each: int, tiny: bool):
    lazy, lazy_optimizer, _ = trained(lazy=True, dtype=torch.float64, settle_each=settle_each, tiny=tiny)
    dense, dense_optimizer, whole = trained(lazy=False, dtype=torch.float64, tiny=tiny)
    assert (dense.weight - whole[5:50]).abs().max() > 1e-4  # something was learnt
    torch.testing.assert_close(lazy.weight, dense.weight, rtol=1e-9, atol=1e-12)
    for key in ("mean", "maximum"):
        one, other = (o.state[w.weight][key] for o, w in ((lazy_optimizer, lazy), (dense_optimizer, dense)))
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-15)


def test_in_single_precision_the_difference_is_rounding():
    lazy, _, _ = trained(lazy=True, dtype=torch.float32)
    dense, _, _ = trained(lazy=False, dtype=torch.float32)
    exact, _, _ = trained(lazy=False, dtype=torch.float64)
    size = exact.weight.norm()
    assert (lazy.weight - dense.weight).norm() / size < 1e-6
    # a row that is moved once is nearer the truth than one that is rounded at each step
    assert (lazy.weight - exact.weight).norm() <= (dense.weight - exact.weight).norm() * 1.5


@pytest.mark.parametrize("lazy", [True, False])
def test_a_row_that_no_text_uses_is_shrunk_by_decay_alone(lazy: bool):
    words, _, whole = trained(lazy=lazy, dtype=torch.float64)
    table = whole_table(whole, words, weight=words.weight.detach(), shrunk=words.shrunk)
    assert torch.equal(table[5:50], words.weight.detach())
    plain = torch.nn.Parameter(whole.clone())
    optimizer = DecoupledAdamax([{"params": [plain], "decay": 0.1}], lr=RECIPE.lr)
    schedule = schedule_of(optimizer, RECIPE, steps=STEPS)
    for _ in range(STEPS):
        plain.grad = torch.zeros_like(plain)
        optimizer.step()
        schedule.step()
    torch.testing.assert_close(table[50:], plain.detach()[50:], rtol=1e-10, atol=0)
    assert (table[50:] / whole[50:]).max() < 0.9


def test_a_state_that_is_loaded_goes_on_as_if_it_had_never_stopped():
    words, optimizer, _ = trained(lazy=True, dtype=torch.float64)
    again = Words(torch.zeros(SIZE, WIDTH, dtype=torch.float64), range(5, 50))
    again.load_state_dict(words.state_dict())
    other = torch.nn.Parameter(torch.ones(WIDTH, dtype=torch.float64))
    groups = [{"params": [again.weight], "decay": 0.1}, {"params": [other], "decay": 0.0}]
    resumed = DecoupledAdamax(groups, lr=RECIPE.lr, words=again)
    saved = copy.deepcopy(optimizer.state_dict())
    resumed.load_state_dict({"state": saved["state"], "param_groups": saved["param_groups"]})
    for each in (words, again):
        each.open(torch.tensor([6, 9, 40]))
        each.read.grad = torch.ones_like(each.read)
    optimizer.param_groups[0]["lr"] = resumed.param_groups[0]["lr"] = 0.01
    for one in (optimizer, resumed):
        one.step()
        one.settle()
    assert torch.equal(words.weight, again.weight)
