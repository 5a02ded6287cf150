"""Dropout masks: the right probability, and a stream that belongs to the mini-batch."""

import pytest
import torch
from torch import nn

from transfer.learning.dropout import Dropout, Noise, use_noise


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_mask_drops_with_its_probability_and_keeps_the_mean(p: float):
    noise = Noise()
    noise.seed([1, 2, 3])
    mask = noise.mask(torch.empty(1000, 1001), p)
    dropped = (mask == 0).double().mean().item()
    # four standard deviations of a share of a million independent draws
    assert abs(dropped - p) < 4 * (p * (1 - p) / mask.numel()) ** 0.5 + 1 / 65536
    assert abs(mask.double().mean().item() - 1) < 0.01
    assert len(mask.unique()) == 2


def test_neighbouring_elements_of_one_draw_are_independent():
    noise = Noise()
    noise.seed([7])
    fields = (noise.mask(torch.empty(400_000, 4), 0.5) > 0).double()
    correlation = torch.corrcoef(fields.T) - torch.eye(4)
    assert correlation.abs().max() < 0.01


def test_the_stream_follows_from_the_seed_alone():
    first, second = Noise(), Noise()
    like = torch.empty(33, 7)
    second.mask(like, 0.3)  # what was drawn before does not matter
    first.seed([5, 6])
    second.seed([5, 6])
    a, b = first.mask(like, 0.1), second.mask(like, 0.1)
    assert torch.equal(a, b)
    second.seed([5, 7])
    assert not torch.equal(a, second.mask(like, 0.1))


def test_dropout_is_the_identity_outside_training():
    layer = Dropout(0.5, Noise())
    x = torch.randn(4, 5)
    assert layer.eval()(x) is x
    assert not torch.equal(layer.train()(x), x)


def test_every_torch_dropout_of_a_model_is_replaced():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.2), nn.Sequential(nn.Dropout(0.4)))
    use_noise(model, Noise())
    assert [m.p for m in model.modules() if isinstance(m, Dropout)] == [0.2, 0.4]
    assert not [m for m in model.modules() if isinstance(m, nn.Dropout)]
