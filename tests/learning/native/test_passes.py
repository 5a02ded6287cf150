"""Each native pass beside torch's operations."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from transfer.learning.dropout import Noise, kept_share
from transfer.learning.native import library, passes

pytestmark = pytest.mark.skipif(library.found()[0] is None, reason=library.found()[1])

SHAPES = [(1, 1), (3, 5), (7, 16), (40, 33), (130, 384)]


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"], autouse=True)
def threads(request: pytest.FixtureRequest):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def randn(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)) * scale


def exact(x: Tensor) -> Tensor:
    return x.double().detach().requires_grad_()


@pytest.mark.parametrize("shape", SHAPES)
def test_gelu_and_its_gradients(shape: tuple[int, int]):
    x, bias, grad = randn(*shape, scale=3), randn(shape[1], seed=1), randn(*shape, seed=2)
    slow, slow_bias = exact(x), exact(bias)
    expected = F.gelu(slow + slow_bias)
    of_x, of_bias = torch.autograd.grad(expected, (slow, slow_bias), grad.double())
    out, slope = passes.gelu(x.clone(), bias)
    found, sums = passes.gelu_back(grad, slope)
    torch.testing.assert_close(out.double(), expected, atol=2e-6, rtol=1e-6)
    torch.testing.assert_close(found.double(), of_x, atol=2e-6, rtol=1e-6)
    torch.testing.assert_close(sums.double(), of_bias, atol=1e-5, rtol=1e-5)


def test_gelu_far_out():
    x = torch.tensor([[-1e4, -40.0, -9.0, -0.0, 0.0, 9.0, 40.0, 1e4, float("nan")]])
    out, slope = passes.gelu(x.clone(), torch.zeros(9))
    torch.testing.assert_close(out, F.gelu(x), atol=1e-6, rtol=1e-6, equal_nan=True)
    torch.testing.assert_close(slope[0, :8], torch.tensor([0, 0, 0, 0.5, 0.5, 1, 1, 1]), atol=1e-6, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("share", [0.0, 0.3])
def test_dropout_residual_and_norm(shape: tuple[int, int], share: float):
    x, residual, grad = (randn(*shape, seed=i) for i in range(3))
    bias, weight, shift = (randn(shape[1], seed=3 + i) for i in range(3))
    noise, dropped = Noise(), kept_share(share)
    noise.seed([1])
    mask = noise.mask(x, share) if share else torch.ones(shape)
    noise.seed([1])
    bits = noise.bits(x.numel()) if share else None

    inputs = [exact(each) for each in (residual, x, bias, weight, shift)]
    summed = inputs[0] + (inputs[1] + inputs[2]) * mask
    expected = F.layer_norm(summed, shape[1:], inputs[3], inputs[4], eps=1e-5)
    slow = torch.autograd.grad(expected, inputs, grad.double())

    how = {"dropped": dropped}
    out, normed, spread = passes.add_and_norm(x.clone(), bias, bits, residual, weight, shift, eps=1e-5, **how)
    torch.testing.assert_close(out.double(), expected, atol=1e-5, rtol=1e-5)
    of_residual, of_x, sums = passes.add_and_norm_back(grad, normed, spread, weight, bits, **how)
    # a row of one element is all mean: its spread is that of eps, and rounding is as large as anything
    close = {"atol": 2e-3 if shape[1] == 1 else 2e-5, "rtol": 1e-4}
    for one, other in zip((of_residual, of_x, *sums), slow, strict=True):
        torch.testing.assert_close(one.double(), other, **close)


@pytest.mark.parametrize("count", [1, 15, 4096, 50_001])
def test_the_sum_of_squares(count: int):
    x = randn(count)
    assert passes.sum_of_squares(x) == pytest.approx(float(x.double().square().sum()), rel=1e-6)


def test_what_was_kept_for_the_way_back_serves_once():
    """Its memory holds the gradient from then on: torch must know, or a second way back went wrong unseen."""
    out, slope = passes.gelu(randn(3, 4), torch.zeros(4))
    kept = (slope * torch.ones(3, 4, requires_grad=True)).sum()  # keeps the slope for its own way back
    passes.gelu_back(out, slope)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        kept.backward()
