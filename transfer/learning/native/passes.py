"""The functions of ``passes.cpp``, on tensors: fp32, contiguous, on a CPU.

Dropout comes as ``bits`` (see ``Noise.bits``), where a value below a threshold drops, and as (threshold,
factor of what stays); ``bits`` None is no dropout.
"""

import ctypes
import functools
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from transfer.learning.native import library

POINTER, INT, SMALL, FLOAT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int32, ctypes.c_float

SIGNATURES: dict[str, tuple[Any, ...]] = {
    "attend": (*[POINTER] * 9, *[INT] * 5, FLOAT, SMALL, FLOAT, SMALL),
    "attend_back": (*[POINTER] * 6, *[INT] * 4, FLOAT, FLOAT, SMALL),
    "gelu": (*[POINTER] * 3, INT, INT, SMALL),
    "gelu_back": (*[POINTER] * 3, INT, INT, SMALL),
    "add_and_norm": (*[POINTER] * 8, INT, INT, SMALL, FLOAT, FLOAT, SMALL),
    "add_and_norm_back": (*[POINTER] * 7, INT, INT, SMALL, FLOAT, SMALL),
    "adamax": (*[POINTER] * 4, INT, *[FLOAT] * 6, SMALL),
    "sum_of_squares": (POINTER, INT, SMALL),
}


@dataclass(frozen=True, eq=False)
class Places:
    """Positions of the sequences of a packed row, for attention of ``heads`` heads.

    ``bounds`` [sequences + 1] int32; ``drawn_at`` [sequences] int64 and ``sides`` [sequences] int32: where a
    sequence's bits begin, [heads, side, side]; ``kept_at`` [sequences] int64: where its weights begin,
    [heads, length, length made up to 16]. ``draws`` bits and ``kept`` weights in all.
    """

    heads: int
    bounds: Tensor
    drawn_at: Tensor
    sides: Tensor
    kept_at: Tensor
    draws: int
    kept: int
    longest: int


@functools.cache
def _functions() -> Any:
    found, _ = library.found()
    assert found is not None
    for name, signature in SIGNATURES.items():
        function = getattr(found, name)
        function.argtypes, function.restype = signature, None
    found.sum_of_squares.restype = ctypes.c_double
    return found


def _call(name: str, *arguments: Tensor | float | None) -> Any:
    given = [_pointer(x) if isinstance(x, Tensor) else x for x in arguments]
    return getattr(_functions(), name)(*given, torch.get_num_threads())


def _pointer(x: Tensor) -> int:
    assert x.is_contiguous()
    assert x.device.type == "cpu"
    return x.data_ptr()


def _taken(x: Tensor) -> Tensor:
    """Mark the saved tensor as overwritten, so that a second backward pass raises."""
    torch.autograd.graph.increment_version(x)
    return x


def attend(
    rows: Tensor, bias: Tensor, bits: Tensor | None, places: Places,
    *, scale: float, dropped: tuple[int, float], keep: bool,
) -> tuple[Tensor, Tensor | None]:  # fmt: skip
    """Attention within each sequence; ``rows`` [total, 3 x heads x width]: query, key, value, less ``bias``.

    Returns [total, heads x width] and, to ``keep`` for the way back, the weights before dropout.
    """
    total, heads = len(rows), places.heads
    out = rows.new_empty(total, rows.shape[1] // 3)
    weights = rows.new_empty(places.kept) if keep else None
    threshold, factor = dropped if bits is not None else (0, 1.0)
    _call(
        "attend", rows, bias, bits,
        places.bounds, places.drawn_at, places.sides, places.kept_at, out, weights,
        len(places.sides), heads, out.shape[1] // heads, places.longest, places.draws,
        scale, threshold, factor,
    )  # fmt: skip
    return out, weights


def attend_back(
    grad: Tensor, rows: Tensor, bias: Tensor, weights: Tensor, places: Places, *, scale: float, factor: float
) -> Tensor:
    """The gradient of ``rows`` from that of what ``attend`` gave; it takes the place of ``rows``."""
    _call(
        "attend_back", grad, rows, bias, weights, places.bounds, places.kept_at,
        len(places.sides), places.heads, grad.shape[1] // places.heads, places.longest, scale, factor,
    )  # fmt: skip
    return _taken(rows)


def gelu(x: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """GELU (erf) of x + bias [rows, width], and its derivative, which takes the place of ``x``."""
    out = torch.empty_like(x)
    _call("gelu", x, bias, out, *x.shape)
    return out, x


def gelu_back(grad: Tensor, slope: Tensor) -> tuple[Tensor, Tensor]:
    """The gradients of x [rows, width], which takes the place of ``slope``, and of its bias [width]."""
    sums = grad.new_zeros(torch.get_num_threads(), grad.shape[1])
    _call("gelu_back", grad, slope, sums, *grad.shape)
    return _taken(slope), sums.sum(0)


def add_and_norm(
    x: Tensor, bias: Tensor, bits: Tensor | None, residual: Tensor, weight: Tensor, shift: Tensor,
    *, dropped: tuple[int, float], eps: float,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """LayerNorm (``weight``, ``shift``) of residual + dropout(x + bias), all [rows, width].

    Returns it, and for the way back what is normed, which takes the place of ``x``, and by what [rows].
    """
    spread, out = x.new_empty(len(x)), torch.empty_like(x)
    _call("add_and_norm", x, bias, bits, residual, weight, shift, spread, out, *x.shape, *dropped, eps)
    return out, x, spread


def add_and_norm_back(
    grad: Tensor,
    normed: Tensor,
    spread: Tensor,
    weight: Tensor,
    bits: Tensor | None,
    *,
    dropped: tuple[int, float],
) -> tuple[Tensor, Tensor, Tensor]:
    """The gradients of residual, which takes the place of ``normed``, and of x, both [rows, width].

    Third, [3, width], come those of bias, weight and shift.
    """
    of_x, sums = torch.empty_like(grad), grad.new_zeros(torch.get_num_threads(), 3, grad.shape[1])
    _call("add_and_norm_back", grad, normed, spread, weight, bits, of_x, sums, *grad.shape, *dropped)
    return _taken(normed), of_x, sums.sum(0)


def adamax(
    weight: Tensor, grad: Tensor, moments: tuple[Tensor, Tensor],
    *, shrink: float, betas: tuple[float, float], eps: float, keep: float, rate: float,
) -> None:  # fmt: skip
    """One step of ``DecoupledAdamax`` in place: gradients times ``shrink``, weights times ``keep`` first.

    ``moments``: the running mean and maximum of the gradients.
    """
    _call("adamax", weight, grad, *moments, weight.numel(), shrink, *betas, eps, keep, rate)


def sum_of_squares(x: Tensor) -> float:
    """Sum of squares of all elements, blocks of 4,096 in single precision and their sum in double."""
    return _call("sum_of_squares", x, x.numel())
