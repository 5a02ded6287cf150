"""Attention over packed sequences, which stand one behind the other in a single row.

No padding anywhere but inside attention: the function registered here keeps neighbours apart.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

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


@dataclass(frozen=True, eq=False)
class Packing:
    """Positions of the sequences of a packed row, and the groups that attention pads them in.

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


@dataclass(frozen=True)
class _ByHead:
    """Positions of the vectors of single heads: each is a row of its own, [total x heads, width].

    In the padded layout a group's rows are those of [count, heads, length]. ``pad`` [padded rows x heads] and
    ``unpad`` [total x heads] lead there and back; ``sizes`` are the groups' rows.
    """

    pad: Tensor
    unpad: Tensor
    sizes: tuple[int, ...]


@functools.lru_cache(maxsize=2)
def _by_head(packing: Packing, heads: int) -> _ByHead:
    """The layers of a model ask one after the other, so one packing is enough to remember."""
    head = torch.arange(heads)
    rows = sum(group.count * group.length for group in packing.groups)
    pad = torch.arange(rows) if packing.pad is None else packing.pad
    own, places = [], []
    for group in packing.groups:
        shape, size = (group.count, group.length), group.count * group.length
        own.append(
            (pad.narrow(0, group.start, size).view(*shape, 1) * heads + head).transpose(1, 2).flatten()
        )
        order = torch.arange(size * heads).view(group.count, heads, group.length)
        places.append((order.transpose(1, 2) + group.start * heads).reshape(size, heads))
    place = torch.cat(places)
    if packing.unpad is not None:
        place = place.index_select(0, packing.unpad)
    return _ByHead(torch.cat(own), place.flatten(), tuple(len(rows) for rows in own))


class _Dropped(torch.autograd.Function):
    """Attention of packed rows with dropout: autograd's numbers in a quarter of its passes."""

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
        heads, width = value.shape[1:]
        by_head = _by_head(packing, heads)
        # rotary positions leave query and key in fp32
        rows = [x.to(value.dtype).reshape(-1, width) for x in (query, key, value)]
        padded = [x.index_select(0, by_head.pad) for x in rows]
        mixed = torch.empty_like(padded[2])
        kept: list[Tensor] = []
        parts = (x.split(by_head.sizes) for x in (*padded, mixed))
        for group, bias, *own in zip(packing.groups, biases, *parts, strict=True):
            q, k, v, out = (x.view(-1, group.length, width) for x in own)
            scores = torch.bmm(q, k.mT).view(group.count, heads, group.length, group.length)
            scores = scores.mul_(scale) if bias is None else torch.add(bias, scores, alpha=scale)
            weights = torch.softmax(scores.flatten(0, 1), -1, dtype=_at_least_fp32(scores))
            mask = noise.mask(weights, dropout)
            torch.bmm((weights * mask).to(v.dtype), v, out=out)
            kept += [q, k, v, weights, mask]
        ctx.save_for_backward(*kept)
        ctx.by_head, ctx.scale = by_head, scale
        return mixed.index_select(0, by_head.unpad).view(-1, heads, width)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        by_head, width = ctx.by_head, grad.shape[-1]
        padded = grad.new_zeros(len(by_head.pad), width)
        padded.index_copy_(0, by_head.unpad, grad.reshape(-1, width))
        found = [torch.empty_like(padded) for _ in range(3)]
        for i, rows in enumerate(zip(*(x.split(by_head.sizes) for x in (padded, *found)), strict=True)):
            q, k, v, weights, mask = ctx.saved_tensors[5 * i : 5 * i + 5]
            out, of_q, of_k, of_v = (x.view(q.shape) for x in rows)
            torch.bmm((weights * mask).to(v.dtype).mT, out, out=of_v)
            back = torch.bmm(out, v.mT).to(weights.dtype).mul_(mask)
            scores = torch.ops.aten._softmax_backward_data(back, weights, -1, weights.dtype)
            scores = scores.mul_(ctx.scale).to(q.dtype)
            torch.bmm(scores, k, out=of_q)
            torch.bmm(scores.mT, q, out=of_k)
        grads = [x.index_select(0, by_head.unpad).view_as(grad) for x in found]
        return (*grads, *[None] * 5)


def _at_least_fp32(like: Tensor) -> torch.dtype:
    return torch.promote_types(like.dtype, torch.float32)


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **row: Any,
) -> tuple[Tensor, None]:
    """Attention within each sequence of a packed row, as transformers calls an attention interface.

    ``query``, ``key``, ``value``: [1, heads, total, width]. Returns [1, total, heads, width]. ``row`` has the
    ``packing`` of the row, the ``noise`` that dropout draws its masks from, and ``sliding_window``: a token
    sees those that are fewer tokens away. On a GPU dropout draws from the device's generator, which ``noise``
    has seeded, and a kernel without padding does all where one serves.
    Raises ValueError without a packing, since neighbors would then see each other.
    """
    packing: Packing | None = row.get("packing")
    noise: Noise | None = row.get("noise")
    sliding_window: int | None = row.get("sliding_window")
    if packing is None:
        raise ValueError(f"the attention '{ATTENTION}' needs the packing of its row")
    if dropout and noise is None:
        raise ValueError(f"the attention '{ATTENTION}' needs the noise of its dropout")
    rows = [x.squeeze(0).transpose(0, 1) for x in (query, key, value)]  # x[0] would copy on the way back
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
    """Additive mask of a group's scores, [count or 1, 1, length or 1, length]; None if none is needed."""
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
