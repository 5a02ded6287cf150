"""Attention on a GPU without padding: kernels for packed rows, each looked at once before it is used.

A kernel serves on a device only after it gave there, on a small random example, the numbers of attention
within each sequence by itself, forward and backward; for dropout also masks that follow from the device's
generator, which every mini-batch seeds. Where it does not import, raises or differs, attention pads.
"""

import functools
import importlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from transfer.learning import machine

PADDED = "padded"
# the example: sequences of these lengths, HEADS heads; agreed is a distance of TOLERANCE of the whole
LENGTHS, HEADS, WINDOW, DROPOUT = (3, 40, 17, 1), 4, 5, 0.25
TOLERANCE = 0.02  # a product in bf16 rounds to 0.004


@dataclass(frozen=True)
class Kernel:
    """Attention within each sequence of packed rows.

    ``attend(query, key, value, bounds, longest, scale=, dropout=, window=)``: rows [total, heads, width] in
    bf16 to the same shape. ``bounds`` [sequences + 1] int32: where they begin and end; ``window``: how far
    a token sees to its left and right, -1 without bound. ``drops``: whether it has dropout.
    """

    name: str
    drops: bool
    attend: Callable[..., Tensor]


def _flash_attn() -> Kernel:
    module: Any = importlib.import_module("flash_attn")

    def attend(
        query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int,
        *, scale: float | None, dropout: float, window: tuple[int, int],
    ) -> Tensor:  # fmt: skip
        return module.flash_attn_varlen_func(
            query, key, value, bounds, bounds, longest, longest,
            dropout_p=dropout, softmax_scale=scale, window_size=window,
        )  # fmt: skip

    return Kernel(f"flash-attn {module.__version__}", True, attend)


def _torch_varlen() -> Kernel:
    module: Any = importlib.import_module("torch.nn.attention.varlen")

    def attend(
        query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int,
        *, scale: float | None, dropout: float, window: tuple[int, int],
    ) -> Tensor:  # fmt: skip
        assert not dropout
        return module.varlen_attn(
            query, key, value, bounds, bounds, longest, longest, scale=scale, window_size=window
        )

    return Kernel("torch varlen", False, attend)


# the first that fits is taken
KERNELS: dict[str, Callable[[], Kernel]] = {"flash-attn": _flash_attn, "torch varlen": _torch_varlen}

_taken: dict[str, dict[str, None]] = {}


def attend(
    rows: Sequence[Tensor],
    bounds: Tensor,
    longest: int,
    *,
    scale: float | None,
    dropout: float,
    sliding_window: int | None,
    training: bool,
) -> Tensor | None:
    """Query, key and value [total, heads, width] through the best kernel; None where attention is to pad."""
    value = rows[2]
    if not machine.on_gpu(value):
        return None
    whole = sliding_window is None or longest <= sliding_window
    kernel, name = _best(value.dtype, value.device, value.shape[-1], not whole, dropout > 0)
    _taken.setdefault("training" if training else "evaluation", {})[name] = None
    if kernel is None:
        return None
    reach = -1 if whole or sliding_window is None else sliding_window - 1
    query, key = (x.to(value.dtype) for x in rows[:2])  # rotary positions leave them in fp32
    return kernel.attend(
        query, key, value, bounds, longest, scale=scale, dropout=dropout, window=(reach, reach)
    )


def forget() -> None:
    """From here on ``taken`` begins anew."""
    _taken.clear()


def taken() -> dict[str, str]:
    """Attention kernels used on a GPU since ``forget``, for a result's provenance."""
    if not _taken:
        return {}
    return {"attention": "; ".join(f"{when}: {' and '.join(names)}" for when, names in _taken.items())}


@functools.cache
def _best(
    dtype: torch.dtype, device: torch.device, width: int, windowed: bool, drops: bool
) -> tuple[Kernel | None, str]:
    """The kernel to take and its name, or that attention pads and why."""
    if dtype != torch.bfloat16:
        return None, f"{PADDED} ({str(dtype).removeprefix('torch.')})"
    why = []
    for name, load in KERNELS.items():
        try:
            kernel = load()
            fault = _fault(kernel, device, width, windowed=windowed, drops=drops)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # whatever a kernel says where it does not fit: attention can pad
            fault = f"raises {type(error).__name__}"
        else:
            if not fault:
                return kernel, kernel.name
        why.append(f"{name} {fault}")
    return None, f"{PADDED} ({', '.join(why)})"


def _fault(kernel: Kernel, device: torch.device, width: int, *, windowed: bool, drops: bool) -> str:
    """Fault of a kernel on the example; empty if there is none."""
    if drops and not kernel.drops:
        return "has no dropout"
    generator = torch.Generator().manual_seed(0)
    query, key, value, grad = (
        torch.randn(sum(LENGTHS), HEADS, width, generator=generator).to(device, torch.bfloat16)
        for _ in range(4)
    )
    scale, reach = 1.5 * width**-0.5, WINDOW - 1 if windowed else -1
    bounds = torch.tensor([0, *LENGTHS]).cumsum(0).to(device, torch.int32)

    def found(seed: int, dropout: float) -> list[Tensor]:
        torch.manual_seed(seed)
        rows = [x.detach().requires_grad_() for x in (query, key, value)]
        how: Mapping[str, Any] = {"scale": scale, "dropout": dropout, "window": (reach, reach)}
        out = kernel.attend(*rows, bounds, max(LENGTHS), **how)
        return [out.detach(), *torch.autograd.grad(out, rows, grad if not dropout else out.detach())]

    with ExitStack() as inside:
        # a mini-batch is under way: its masks go on as if nothing had been drawn
        inside.enter_context(torch.random.fork_rng(devices=[device] if device.type == "cuda" else []))
        inside.enter_context(torch.enable_grad())
        inside.enter_context(torch.autocast(device.type, enabled=False))
        rows = [x.float().requires_grad_() for x in (query, key, value)]
        out = _one_by_one(*rows, scale=scale, window=WINDOW if windowed else None)
        expected = [out, *torch.autograd.grad(out, rows, grad.float())]
        if not all(map(_near, found(1, 0.0), expected)):
            return "gives other numbers"
        if not drops:
            return ""
        first, again, other = (found(seed, DROPOUT) for seed in (1, 1, 2))
        if not torch.equal(first[0], again[0]) or torch.equal(first[0], other[0]):
            return "has masks of no mini-batch"
        # linear in the values: with itself as the gradient, the output's square comes back from them
        square = first[0].float().square().sum()
        if not _near((first[3].float() * value.float()).sum(), square):
            return "has other masks backward"
    return ""


def _one_by_one(query: Tensor, key: Tensor, value: Tensor, *, scale: float, window: int | None) -> Tensor:
    outputs = []
    for q, k, v in zip(*(x.transpose(0, 1).split(LENGTHS, dim=1) for x in (query, key, value)), strict=True):
        at = torch.arange(q.shape[1], device=q.device)
        seen = None if window is None else (at[:, None] - at).abs() < window
        outputs.append(F.scaled_dot_product_attention(q, k, v, attn_mask=seen, scale=scale))
    return torch.cat(outputs, dim=1).transpose(0, 1)


def _near(found: Tensor, expected: Tensor) -> bool:
    return bool((found.float() - expected).norm() <= TOLERANCE * expected.norm())
