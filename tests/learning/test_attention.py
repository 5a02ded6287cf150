"""Packed attention: what it pads, and what it refuses."""

from pathlib import Path

import pytest
import torch

from transfer.learning import encoder
from transfer.learning.attention import Packing, packed_attention
from transfer.learning.dropout import Noise


def test_packing_of_equal_lengths_pads_nothing():
    packing = Packing.of([7] * 8)
    assert packing.pad is None
    assert all(group.bias is None for group in packing.groups)


def test_attention_without_packing_is_refused(tiny_encoder: Path):
    model = encoder.load(tiny_encoder, layers=None, dropout=0.0, noise=Noise()).eval()
    with pytest.raises(ValueError, match="packing"):
        model(input_ids=torch.tensor([[2, 7, 3]]))


def test_dropout_without_noise_is_refused():
    """Its masks would belong to no mini-batch."""
    row = torch.zeros(1, 1, 4, 2)
    with pytest.raises(ValueError, match="noise"):
        packed_attention(torch.nn.Module(), row, row, row, None, dropout=0.1, packing=Packing.of([4]))


@pytest.mark.parametrize("dropout", [0.0, 1e-9])
@pytest.mark.parametrize("lengths", [(3, 12), (12, 12), (2, 3, 30)])
def test_a_window_leaves_no_nan_where_padding_sees_nothing(dropout: float, lengths: tuple[int, ...]):
    generator = torch.Generator().manual_seed(2)
    rows = [torch.randn(1, 2, sum(lengths), 4, generator=generator, requires_grad=True) for _ in range(3)]
    out, _ = packed_attention(
        torch.nn.Module(), *rows, None,
        dropout=dropout, sliding_window=3, packing=Packing.of(lengths), noise=Noise(),
    )  # fmt: skip
    out.square().sum().backward()
    assert all(torch.isfinite(row.grad).all() for row in rows)
    at = torch.cat([torch.arange(n) for n in lengths])
    of = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    seen = ((at[:, None] - at).abs() < 3) & (of[:, None] == of)
    expected = torch.nn.functional.scaled_dot_product_attention(*rows, attn_mask=seen).transpose(1, 2)
    torch.testing.assert_close(out, expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("lengths", [(7, 7, 7), (2, 3, 30), (3, 5, 8, 9, 12, 14, 15, 40)])
@pytest.mark.parametrize("window", [None, 4])
def test_dropout_gives_the_numbers_of_plain_operations(lengths: tuple[int, ...], window: int | None):
    """Outputs and gradients, in double precision, with the masks that the noise gives group by group."""
    packing, generator = Packing.of(lengths), torch.Generator().manual_seed(4)
    shape = 1, 2, sum(lengths), 4
    rows = [torch.randn(shape, generator=generator, dtype=torch.double).requires_grad_() for _ in range(3)]
    grad = torch.randn(1, sum(lengths), 2, 4, generator=generator, dtype=torch.double)
    noise = Noise()

    noise.seed([1, 2])
    out, _ = packed_attention(
        torch.nn.Module(), *rows, None, scaling=0.7,
        dropout=0.3, sliding_window=window, packing=packing, noise=noise,
    )  # fmt: skip
    found = [out, *torch.autograd.grad(out, rows, grad)]

    noise.seed([1, 2])
    own, first = [], 0
    starts = torch.tensor([0, *lengths]).cumsum(0).tolist()
    for group in packing.groups:
        masks = noise.mask(torch.empty(group.count, 2, group.length, group.length), 0.3).double()
        for i in range(group.count):
            here = slice(starts[first + i], starts[first + i + 1])
            q, k, v = (x[0, :, here] for x in rows)
            n = q.shape[1]
            scores = 0.7 * (q @ k.mT)
            if window is not None:
                at = torch.arange(n)
                scores = scores.masked_fill((at[:, None] - at).abs() >= window, float("-inf"))
            own.append((scores.softmax(-1) * masks[i, :, :n, :n]) @ v)
        first += group.count
    plain = torch.cat(own, dim=1).transpose(0, 1).unsqueeze(0)
    for ours, theirs in zip(found, [plain, *torch.autograd.grad(plain, rows, grad)], strict=True):
        torch.testing.assert_close(ours, theirs)
