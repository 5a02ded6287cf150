"""Attention over packed sequences, which stand one behind the other in a single row.

No padding anywhere but inside attention: the function registered here keeps neighbours apart.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AttentionInterface
from transformers.masking_utils import AttentionMaskInterface

from transfer.learning import kernels, machine
from transfer.learning.dropout import Noise

ATTENTION = "transfer_packed"
GROUPS = (1, 2, 4)


@dataclass(frozen=True)
class Group:
    """Neighbouring sequences of like length, padded to ``length`` for attention only."""

    start: int  # row in the padded layout
    count: int
    length: int
    bias: Tensor | None  # [count, 1, 1, length], 0 or -inf; None where nothing is padded


@dataclass(frozen=True)
class Packing:
    """Where the sequences of a packed row stand, and how attention pads them in groups.

    ``pad`` [padded rows] and ``unpad`` [total] lead from the packed row to the padded layout and
    back; both are None where no group needs padding. ``bounds`` [sequences + 1] int32, where sequences
    begin and end, and ``longest`` are for kernels that need no padding.
    """

    groups: tuple[Group, ...]
    pad: Tensor | None
    unpad: Tensor | None
    bounds: Tensor
    longest: int

    def to(self, device: torch.device) -> "Packing":
        """The same on a device."""
        return Packing(
            groups=tuple(replace(g, bias=None if g.bias is None else g.bias.to(device)) for g in self.groups),
            pad=None if self.pad is None else self.pad.to(device),
            unpad=None if self.unpad is None else self.unpad.to(device),
            bounds=self.bounds.to(device),
            longest=self.longest,
        )

    @staticmethod
    def of(lengths: Sequence[int]) -> "Packing":
        """The packing of sequences with these ``lengths``, which should be sorted to waste little.

        As few groups (1, 2 or 4) as keep attention's work within 1.3 times that without padding:
        more groups pad less, but each costs a dozen calls in every layer.
        """
        bounds = next(
            bounds
            for groups in GROUPS
            if _work(lengths, bounds := _bounds(len(lengths), groups)) <= 1.3 * sum(n * n for n in lengths)
            or groups == GROUPS[-1]
        )
        sizes = np.asarray(lengths)
        starts = np.cumsum([0, *sizes[:-1]])
        made, pad, unpad, rows = [], [], [], 0
        for low, high in itertools.pairwise(bounds):
            if low == high:
                continue
            size, longest = sizes[low:high, None], int(sizes[low:high].max())
            at = np.arange(longest)
            real = at < size
            bias = torch.zeros(high - low, 1, 1, longest)
            bias.view(high - low, longest)[torch.from_numpy(~real)] = float("-inf")
            made.append((rows, high - low, longest, bias))
            # any token of the sequence will do as padding: its weight is 0 and it is dropped
            pad.append((starts[low:high, None] + np.where(real, at, 0)).ravel())
            unpad.append(rows + np.flatnonzero(real))
            rows += (high - low) * longest
        tight = rows == sizes.sum()
        return Packing(
            groups=tuple(Group(s, c, n, None if (b == 0).all() else b) for s, c, n, b in made),
            pad=None if tight else torch.from_numpy(np.concatenate(pad)),
            unpad=None if tight else torch.from_numpy(np.concatenate(unpad)),
            bounds=torch.from_numpy(np.cumsum([0, *lengths], dtype=np.int32)),
            longest=max(lengths),
        )


def _bounds(count: int, groups: int) -> list[int]:
    return [round(i * count / groups) for i in range(groups + 1)]


def _work(lengths: Sequence[int], bounds: Sequence[int]) -> int:
    """Entries of all attention matrices when each group is padded to its longest."""
    return sum(
        (high - low) * max(lengths[low:high]) ** 2 for low, high in itertools.pairwise(bounds) if high > low
    )


class _Pad(torch.autograd.Function):
    """Packed rows to padded rows by ``index``; ``back`` leads back. Padding has no gradient."""

    @staticmethod
    def forward(ctx, rows: Tensor, index: Tensor, back: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(back)
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        (back,) = ctx.saved_tensors
        return grad.index_select(0, back), None, None


class _Unpad(torch.autograd.Function):
    """Padded rows to packed rows by ``index``; the gradient of padding is 0."""

    @staticmethod
    def forward(ctx, rows: Tensor, index: Tensor) -> Tensor:  # type: ignore[override]
        ctx.save_for_backward(index)
        ctx.rows = rows.shape[0]
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        (index,) = ctx.saved_tensors
        padded = grad.new_zeros(ctx.rows, *grad.shape[1:])
        return padded.index_copy_(0, index, grad), None


class _Dropped(torch.autograd.Function):
    """Attention of packed rows with dropout, group by group: autograd's numbers in a third of its passes."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        packing: Packing,
        biases: Sequence[Tensor | None],
        scale: float,
        dropout: float,
        noise: Noise,
    ) -> Tensor:
        rows = (query, key, value)
        padded = [x if packing.pad is None else x.index_select(0, packing.pad) for x in rows]
        mixed = torch.empty_like(padded[2])
        kept: list[Tensor] = []
        for group, bias in zip(packing.groups, biases, strict=True):
            q, k, v = (_heads(x, group).flatten(0, 1) for x in padded)
            scores = torch.baddbmm(q[:, :, :1], q, k.mT, beta=0, alpha=scale)
            if bias is not None:
                scores.view(group.count, -1, *scores.shape[1:]).add_(bias)
            weights = torch.softmax(scores, dim=-1, dtype=torch.promote_types(scores.dtype, torch.float32))
            mask = noise.mask(weights, dropout)
            out = torch.bmm((weights * mask).to(v.dtype), v)
            _heads(mixed, group).copy_(out.view(group.count, -1, *out.shape[1:]))
            kept += [q, k, v, weights, mask]
        ctx.save_for_backward(*kept)
        ctx.packing, ctx.scale = packing, scale
        return mixed if packing.unpad is None else mixed.index_select(0, packing.unpad)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        packing, scale = ctx.packing, ctx.scale
        if packing.unpad is not None:
            padded = grad.new_zeros(len(packing.pad), *grad.shape[1:])
            grad = padded.index_copy_(0, packing.unpad, grad)
        grads = [torch.empty_like(grad) for _ in range(3)]
        for i, group in enumerate(packing.groups):
            q, k, v, weights, mask = ctx.saved_tensors[5 * i : 5 * i + 5]
            out = _heads(grad, group).flatten(0, 1)
            dropped = (weights * mask).to(v.dtype)
            back = torch.bmm(out, v.mT).to(weights.dtype).mul_(mask)
            scores = torch.ops.aten._softmax_backward_data(back, weights, -1, weights.dtype).to(q.dtype)
            found = (
                torch.baddbmm(q, scores, k, beta=0, alpha=scale),
                torch.baddbmm(k, scores.mT, q, beta=0, alpha=scale),
                torch.bmm(dropped.mT, out),
            )
            for whole, own in zip(grads, found, strict=True):
                _heads(whole, group).copy_(own.view(group.count, -1, *own.shape[1:]))
        if packing.unpad is not None:
            grads = [x.index_select(0, packing.unpad) for x in grads]
        return (*grads, *[None] * 5)


def _heads(rows: Tensor, group: Group) -> Tensor:
    """A group's part of padded rows [rows, heads, width], as [count, heads, length, width]."""
    own = rows.narrow(0, group.start, group.count * group.length)
    return own.unflatten(0, (group.count, group.length)).transpose(1, 2)


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    packing: Packing | None = None,
    noise: Noise | None = None,
    **_,
) -> tuple[Tensor, None]:
    """Attention within each sequence of a packed row.

    ``query``, ``key``, ``value``: [1, heads, total, width]. Returns [1, total, heads, width]. A token sees
    those that are fewer than ``sliding_window`` tokens away. ``dropout`` draws its masks from ``noise``; on a
    GPU from the device's generator, which ``noise`` has seeded, and a kernel without padding does all
    where one serves.
    Raises ValueError without a ``packing``, since neighbours would then see each other.
    """
    if packing is None:
        raise ValueError(f"the attention '{ATTENTION}' needs the packing of its row")
    if dropout and noise is None:
        raise ValueError(f"the attention '{ATTENTION}' needs the noise of its dropout")
    rows = [x[0].transpose(0, 1) for x in (query, key, value)]
    unpadded = kernels.attend(
        rows, packing.bounds, packing.longest,
        scale=scaling, dropout=dropout, sliding_window=sliding_window, training=module.training,
    )  # fmt: skip
    if unpadded is not None:
        return unpadded.unsqueeze(0), None
    biases = [_bias(group, sliding_window, value) for group in packing.groups]
    if dropout and noise is not None and not machine.on_gpu(value):
        scale = scaling or value.shape[-1] ** -0.5
        return _Dropped.apply(*rows, packing, biases, scale, dropout, noise).unsqueeze(0), None
    if packing.pad is not None and packing.unpad is not None:
        rows = [_Pad.apply(x, packing.pad, packing.unpad) for x in rows]
    parts = (x.split([group.count * group.length for group in packing.groups]) for x in rows)
    outputs = []
    for group, bias, *own in zip(packing.groups, biases, *parts, strict=True):
        q, k, v = (x.unflatten(0, (group.count, group.length)).transpose(1, 2) for x in own)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout, scale=scaling)
        outputs.append(mixed.transpose(1, 2).flatten(0, 1))
    out = torch.cat(outputs)
    if packing.unpad is not None:
        out = _Unpad.apply(out, packing.unpad)
    return out.unsqueeze(0), None  # type: ignore[union-attr]


def _bias(group: Group, sliding_window: int | None, like: Tensor) -> Tensor | None:
    """What is added to the scores of a group, [count or 1, 1, length or 1, length]; None where nothing is."""
    bias = group.bias
    if sliding_window is not None and group.length > sliding_window:
        at = torch.arange(group.length, device=like.device)
        far = (at[:, None] - at).abs() >= sliding_window
        # not -inf: a row of padding that sees nothing at all would be NaN, and its gradient too
        window = torch.zeros(1, 1, group.length, group.length, device=like.device).masked_fill_(far, -1e9)
        bias = window if bias is None else bias + window
    return None if bias is None else bias.to(like.dtype)


AttentionInterface.register(ATTENTION, packed_attention)
# the packing keeps sequences apart, a mask would only be built to be ignored
AttentionMaskInterface.register(ATTENTION, lambda *_, **__: None)
