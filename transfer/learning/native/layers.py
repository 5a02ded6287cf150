"""The parts of a BERT layer, with the native passes in them.

Each is the class of transformers with another ``forward``: where the native passes do not fit (no library, a
GPU, bf16, adapters in the place of linear layers) it is the one that was there. Large products are torch's.
"""

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers.activations import GELUActivation

from transfer.learning import machine
from transfer.learning.attention import Packing
from transfer.learning.dropout import Dropout, Noise, kept_share
from transfer.learning.native import library, passes
from transfer.learning.native.passes import Places


def use_native(layer: nn.Module) -> None:
    """Use the native passes in a layer of BERT, ELECTRA, RoBERTa or XLM-RoBERTa."""
    for path, form in PARTS.items():
        part = layer.get_submodule(path)
        # parameters, names and hooks stay as they are
        part.__class__ = _with(form, type(part))


@functools.cache
def _with(form: type, kind: type) -> type:
    return type(f"Native{kind.__name__}", (form, kind), {})


class _Attention(nn.Module):
    """Query, key, value and attention."""

    query: nn.Linear
    key: nn.Linear
    value: nn.Linear
    dropout: Dropout
    num_attention_heads: int
    scaling: float

    def forward(
        self, hidden_states: Tensor, *more: Any,
        packing: Packing | None = None, noise: Noise | None = None, **named: Any,
    ) -> Any:  # fmt: skip
        linear = self.query, self.key, self.value
        if packing is None or not _fits(hidden_states, *linear):
            return super().forward(hidden_states, *more, packing=packing, noise=noise, **named)
        weights = [x for each in linear for x in (each.weight, each.bias)]
        places = places_of(packing, self.num_attention_heads)
        how = _Attending(places, self.scaling, _share(self), noise, torch.is_grad_enabled())
        return _Attended.apply(hidden_states, *weights, how), None


class _Residual(nn.Module):
    """Linear layer, dropout, residual, LayerNorm."""

    dense: nn.Linear
    dropout: Dropout
    LayerNorm: nn.LayerNorm

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        plain = type(self.LayerNorm) is nn.LayerNorm and self.LayerNorm.bias is not None
        if not plain or not _fits(hidden_states, self.dense) or input_tensor.dtype != torch.float32:
            return super().forward(hidden_states, input_tensor)
        norm = self.LayerNorm
        return _Added.apply(
            hidden_states, self.dense.weight, self.dense.bias, input_tensor, norm.weight, norm.bias,
            _Adding(norm.eps, _share(self), self.dropout.noise),
        )  # fmt: skip


class _Intermediate(nn.Module):
    """Linear layer and GELU."""

    dense: nn.Linear
    intermediate_act_fn: nn.Module

    def forward(self, hidden_states: Tensor) -> Tensor:
        if type(self.intermediate_act_fn) is not GELUActivation or not _fits(hidden_states, self.dense):
            return super().forward(hidden_states)
        return _Activated.apply(hidden_states, self.dense.weight, self.dense.bias)


PARTS = {
    "attention.self": _Attention,
    "attention.output": _Residual,
    "intermediate": _Intermediate,
    "output": _Residual,
}


def _fits(x: Tensor, *linear: nn.Module) -> bool:
    return (
        not machine.on_gpu(x)
        and x.dtype == torch.float32
        and not torch.is_autocast_enabled("cpu")
        and all(type(each) is nn.Linear and each.bias is not None for each in linear)
        and library.found()[0] is not None
    )


def _share(part: Any) -> float:
    return part.dropout.p if part.training else 0.0


@functools.lru_cache(maxsize=2)
def places_of(packing: Packing, heads: int) -> Places:
    """The layers of a model ask one after the other, so one packing is enough to remember.

    Bits are drawn as the padded form draws them: for each group [count, heads, length, length], four at once.
    """
    drawn_at, sides, draws = [], [], 0
    for group in packing.groups:
        size = heads * group.length**2
        drawn_at += [draws + i * size for i in range(group.count)]
        sides += [group.length] * group.count
        draws += -(-group.count * size // 4) * 4
    lengths = packing.bounds.diff().long()
    ends = (heads * lengths * ((lengths + 15) // 16 * 16)).cumsum(0)
    return Places(
        heads=heads,
        bounds=packing.bounds,
        drawn_at=torch.tensor(drawn_at),
        sides=torch.tensor(sides, dtype=torch.int32),
        kept_at=torch.cat((torch.zeros(1, dtype=torch.long), ends[:-1])),
        draws=draws,
        kept=int(ends[-1]),
        longest=packing.longest,
    )


class _Attending(NamedTuple):
    """Settings of an attention that are not differentiated; ``keep``: a backward pass will follow."""

    places: Places
    scale: float
    share: float
    noise: Noise | None
    keep: bool


class _Attended(torch.autograd.Function):
    """Attention of x [..., width] through the linear layers of query, key and value."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx,
        x: Tensor,
        q: Tensor,
        of_q: Tensor,
        k: Tensor,
        of_k: Tensor,
        v: Tensor,
        of_v: Tensor,
        how: _Attending,
    ) -> Tensor:
        rows, weight, bias = _rows(x), torch.cat((q, k, v)), torch.cat((of_q, of_k, of_v))
        mapped = torch.mm(rows, weight.t())
        bits, dropped = _drawn(how.noise, how.places.draws, how.share)
        out, kept = passes.attend(
            mapped, bias, bits, how.places, scale=how.scale, dropped=dropped, keep=how.keep
        )
        if kept is not None:
            ctx.save_for_backward(rows, mapped, weight, bias, kept)
            ctx.shape, ctx.places = x.shape, how.places
            ctx.factors = {"scale": how.scale, "factor": dropped[1]}
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        rows, mapped, weight, bias, kept = ctx.saved_tensors
        found = passes.attend_back(_rows(grad), mapped, bias, kept, ctx.places, **ctx.factors)
        of_x, of_weight = _of_linear(ctx, found, rows, weight, wanted=any(ctx.needs_input_grad[1:7:2]))
        parts = [None] * 3 if of_weight is None else of_weight.chunk(3), found.sum(0).chunk(3)
        return of_x, *(x for pair in zip(*parts, strict=True) for x in pair), None


class _Activated(torch.autograd.Function):
    """GELU of a linear layer of x [..., width]."""

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:  # type: ignore[override]
        rows = _rows(x)
        out, slope = passes.gelu(torch.mm(rows, weight.t()), bias)
        ctx.save_for_backward(rows, weight, slope)
        ctx.shape = x.shape
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        rows, weight, slope = ctx.saved_tensors
        found, of_bias = passes.gelu_back(_rows(grad), slope)
        return (*_of_linear(ctx, found, rows, weight, wanted=ctx.needs_input_grad[1]), of_bias)


class _Adding(NamedTuple):
    """Settings of dropout and LayerNorm that are not differentiated."""

    eps: float
    share: float
    noise: Noise


class _Added(torch.autograd.Function):
    """LayerNorm of residual + dropout of a linear layer of x [..., inputs]; all else [..., width]."""

    @staticmethod
    def forward(  # type: ignore[override]
        ctx,
        x: Tensor,
        weight: Tensor,
        bias: Tensor,
        residual: Tensor,
        norm: Tensor,
        shift: Tensor,
        how: _Adding,
    ) -> Tensor:
        rows = _rows(x)
        mapped = torch.mm(rows, weight.t())
        bits, dropped = _drawn(how.noise, mapped.numel(), how.share)
        out, normed, spread = passes.add_and_norm(
            mapped, bias, bits, _rows(residual), norm, shift, dropped=dropped, eps=how.eps
        )
        ctx.save_for_backward(rows, weight, normed, spread, norm, bits)
        ctx.shape, ctx.dropped = x.shape, dropped
        return out.view_as(residual)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        rows, weight, normed, spread, norm, bits = ctx.saved_tensors
        of_residual, of_mapped, sums = passes.add_and_norm_back(
            _rows(grad), normed, spread, norm, bits, dropped=ctx.dropped
        )
        of_x, of_weight = _of_linear(ctx, of_mapped, rows, weight, wanted=ctx.needs_input_grad[1])
        return of_x, of_weight, sums[0], of_residual.view_as(grad), sums[1], sums[2], None


def _of_linear(
    ctx: Any, grad: Tensor, rows: Tensor, weight: Tensor, *, wanted: bool
) -> tuple[Tensor | None, Tensor | None]:
    """The gradients of a linear layer's input, of ``ctx.shape``, and of its weight where that is wanted."""
    of_x = torch.mm(grad, weight).view(ctx.shape) if ctx.needs_input_grad[0] else None
    return of_x, torch.mm(grad.t(), rows) if wanted else None


def _drawn(noise: Noise | None, count: int, share: float) -> tuple[Tensor | None, tuple[int, float]]:
    if not share:
        return None, (0, 1.0)
    assert noise is not None, "dropout needs noise"
    return noise.bits(count), kept_share(share)


def _rows(x: Tensor) -> Tensor:
    return x.reshape(-1, x.shape[-1]).contiguous()
