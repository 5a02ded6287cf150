"""Attention without padding on a GPU, with fakes for its kernels: no GPU is needed, and none was seen.

What is tested is when a kernel is taken, what it is given and what becomes of its masks; not a kernel.
"""

import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.families import write_family
from tests.learning.test_families import LENGTHS, TASK, items
from transfer.learning import encoder, kernels
from transfer.learning.attention import Packing, packed_attention
from transfer.learning.batches import collate, mini_batch
from transfer.learning.dropout import Dropout, Noise
from transfer.learning.kernels import Kernel
from transfer.learning.mtbert import MTBert
from transfer.learning.run import run
from transfer.recipes import Recipe

PADS = {"flash-attn": lambda: importlib.import_module("no_such_kernel")}


def attended(
    query: Tensor, key: Tensor, value: Tensor, bounds: Tensor, longest: int, *, scale, dropout, window
) -> Tensor:
    """Reference for a kernel, in fp32, with masks from the default generator."""
    outputs = []
    assert query.dtype == key.dtype == value.dtype == torch.bfloat16
    assert bounds.dtype == torch.int32
    assert longest >= bounds.diff().max()
    for low, high in bounds.unfold(0, 2, 1).tolist():
        q, k, v = (x[low:high].transpose(0, 1).float() for x in (query, key, value))
        at = torch.arange(high - low)
        ahead = at[None, :] - at[:, None]
        left, right = (high if side < 0 else side for side in window)
        scores = (q @ k.transpose(1, 2) * scale).masked_fill((ahead < -left) | (ahead > right), float("-inf"))
        weights = torch.nn.functional.dropout(scores.softmax(-1), dropout)
        outputs.append((weights @ v).transpose(0, 1))
    return torch.cat(outputs).to(query.dtype)


def fake(monkeypatch, attend: Callable[..., Tensor] = attended, *, drops: bool = True) -> list[dict]:
    """Puts a fake in the place of all kernels; what it is called with after it was looked at."""
    calls: list[dict] = []

    def noted(*rows, **how):
        calls.append({"shape": tuple(rows[0].shape), "longest": rows[4], **how})
        return attend(*rows, **how)

    monkeypatch.setattr(kernels, "KERNELS", {"fake": lambda: Kernel("fake 1.0", drops, noted)})
    return calls


def rows_of(lengths=LENGTHS, *, dtype=torch.bfloat16, width: int = 8) -> list[Tensor]:
    generator = torch.Generator().manual_seed(2)
    return [
        torch.randn(1, 3, sum(lengths), width, generator=generator).to(dtype).requires_grad_()
        for _ in range(3)
    ]


def attention(rows: list[Tensor], *, dropout: float = 0.0, window: int | None = None, lengths=LENGTHS):
    noise = Noise()
    noise.seed([3])
    out, _ = packed_attention(
        torch.nn.Module(), *rows, None,
        scaling=0.4, dropout=dropout, sliding_window=window, packing=Packing.of(lengths), noise=noise,
    )  # fmt: skip
    return out


def numbers(rows: list[Tensor], **how) -> list[Tensor]:
    out = attention(rows, **how)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(4))
    return [out, *torch.autograd.grad((out * weights).sum(), rows)]


@pytest.mark.usefixtures("fake_gpu")
@pytest.mark.parametrize("window", [None, 3, 12, 500])
def test_a_kernel_gives_what_padding_gives(monkeypatch, window: int | None):
    monkeypatch.setattr(kernels, "KERNELS", PADS)
    padded = numbers(rows_of(), window=window)
    assert kernels.taken() == {"attention": "training: padded (flash-attn raises ModuleNotFoundError)"}
    kernels._best.cache_clear()
    kernels.forget()
    calls = fake(monkeypatch)
    found = numbers(rows_of(), window=window)
    assert kernels.taken() == {"attention": "training: fake 1.0"}
    for ours, theirs in zip(found, padded, strict=True):
        assert (ours - theirs).norm() < 0.01 * theirs.norm()
    reach = -1 if window in (None, 500) else window - 1
    assert calls[-1]["window"] == (reach, reach)
    assert calls[-1]["longest"] == max(LENGTHS)
    assert calls[-1]["shape"] == (sum(LENGTHS), 3, 8)


@pytest.mark.usefixtures("fake_gpu")
def test_a_kernel_is_looked_at_once(monkeypatch):
    calls = fake(monkeypatch)
    attention(rows_of())
    looked = len(calls)
    assert looked > 1
    attention(rows_of())
    attention(rows_of((4, 9)), lengths=(4, 9))
    assert len(calls) == looked + 2


def other_scale(*rows, scale, **how):
    return attended(*rows, scale=rows[0].shape[-1] ** -0.5, **how)


def short_window(*rows, window, **how):
    return attended(*rows, window=tuple(max(-1, side - 1) for side in window), **how)


def leaking(q, k, v, bounds, longest, **how):
    return attended(q, k, v, torch.tensor([0, len(q)], dtype=torch.int32), len(q), **how)


def without_gradient(*rows, **how):
    query, *others = rows
    return attended(query.detach(), *others, **how)


def halved_gradient(q, k, v, *rest, **how):
    return attended(q, k, v.detach() / 2 + v / 2, *rest, **how)


def nan(*rows, **how):
    return attended(*rows, **how) * float("nan")


def refuses(*_, **__):
    raise RuntimeError("FlashAttention only supports Ampere GPUs or newer")


@pytest.mark.usefixtures("fake_gpu")
@pytest.mark.parametrize(
    ("attend", "fault"),
    [
        (other_scale, "gives other numbers"),
        (short_window, "gives other numbers"),
        (leaking, "gives other numbers"),
        (without_gradient, "raises RuntimeError"),
        (halved_gradient, "gives other numbers"),
        (nan, "gives other numbers"),
        (refuses, "raises RuntimeError"),
    ],
)
def test_a_kernel_that_differs_is_not_taken(monkeypatch, attend: Callable[..., Tensor], fault: str):
    calls = fake(monkeypatch, attend)
    found = attention(rows_of(), window=5)
    assert kernels.taken() == {"attention": f"training: padded (fake {fault})"}
    assert len(calls) == 1, "once, on the example"
    plain = attention([x.float() for x in rows_of()], window=5)
    assert (found - plain).norm() < 0.01 * plain.norm()


def same_masks(*rows, **how):
    torch.manual_seed(0)
    return attended(*rows, **how)


def endless(generator=torch.Generator()):  # noqa: B008
    """Masks of a generator that no mini-batch seeds."""

    def attend(*rows, dropout, **how):
        if dropout:
            torch.manual_seed(int(torch.randint(2**40, (), generator=generator)))
        return attended(*rows, dropout=dropout, **how)

    return attend


def ignoring(*rows, dropout, **how):
    return attended(*rows, dropout=0.0, **how)


class _Redrawn(torch.autograd.Function):
    """Backward draws its masks anew."""

    @staticmethod
    def forward(ctx, how, bounds, *rows):
        ctx.how, ctx.bounds = how, bounds
        ctx.save_for_backward(*rows)
        return attended(*rows, bounds, int(bounds.diff().max()), **how)

    @staticmethod
    def backward(ctx, grad):
        with torch.enable_grad():
            rows = [x.detach().requires_grad_() for x in ctx.saved_tensors]
            out = attended(*rows, ctx.bounds, int(ctx.bounds.diff().max()), **ctx.how)
        return None, None, *torch.autograd.grad(out, rows, grad)


def redrawn(q, k, v, bounds, longest, **how):
    return _Redrawn.apply(how, bounds, q, k, v)


@pytest.mark.usefixtures("fake_gpu")
@pytest.mark.parametrize(
    ("attend", "fault"),
    [
        (same_masks, "has masks of no mini-batch"),
        (endless(), "has masks of no mini-batch"),
        (ignoring, "has masks of no mini-batch"),
        (redrawn, "has other masks backward"),
    ],
)
def test_a_kernel_whose_masks_are_not_those_of_the_mini_batch_does_not_train(
    monkeypatch, attend: Callable[..., Tensor], fault: str
):
    fake(monkeypatch, attend)
    attention(rows_of(), dropout=0.1)
    assert kernels.taken() == {"attention": f"training: padded (fake {fault})"}
    kernels.forget()
    attention(rows_of())
    assert kernels.taken() == {"attention": "training: fake 1.0"}, "without dropout it is right"


@pytest.mark.usefixtures("fake_gpu")
def test_a_kernel_without_dropout_evaluates(monkeypatch):
    fake(monkeypatch, drops=False)
    attention(rows_of(), dropout=0.1)
    model = torch.nn.Module().eval()
    packed_attention(model, *rows_of(), None, scaling=0.4, packing=Packing.of(LENGTHS))
    assert kernels.taken() == {
        "attention": "training: padded (fake has no dropout); evaluation: fake 1.0",
    }


@pytest.mark.usefixtures("fake_gpu")
def test_fp32_pads(monkeypatch):
    calls = fake(monkeypatch)
    attention(rows_of(dtype=torch.float32))
    assert kernels.taken() == {"attention": "training: padded (float32)"}
    assert calls == []


@pytest.mark.usefixtures("fake_gpu")
def test_a_look_that_runs_out_of_memory_says_so(monkeypatch):
    def full(*_, **__):
        raise torch.OutOfMemoryError("CUDA out of memory")

    fake(monkeypatch, full)
    with pytest.raises(torch.OutOfMemoryError):
        attention(rows_of())
    fake(monkeypatch)
    attention(rows_of())
    assert kernels.taken() == {"attention": "training: fake 1.0"}, "the next job looks again"


@pytest.mark.usefixtures("fake_gpu")
def test_looking_at_a_kernel_draws_nothing_from_the_mini_batch(monkeypatch):
    fake(monkeypatch)
    first = attention(rows_of(), dropout=0.1)
    assert torch.equal(first, attention(rows_of(), dropout=0.1)), "the second time it was known"


@pytest.mark.usefixtures("fake_gpu")
def test_padded_attention_drops_with_its_probability_and_from_the_seed(monkeypatch):
    monkeypatch.setattr(kernels, "KERNELS", PADS)
    lengths = (30,) * 20
    query, key, _ = (torch.zeros(1, 4, sum(lengths), 30) for _ in range(3))
    # uniform weights of 1/30 on values that name their token: the output shows the masks
    value = torch.eye(30).repeat(20, 1).expand(1, 4, -1, -1) * 30
    mask = attention([query, key, value], dropout=0.1, lengths=lengths)
    again = attention([query, key, value], dropout=0.1, lengths=lengths)
    assert torch.equal(mask, again)
    values = mask.unique()
    torch.testing.assert_close(values, torch.tensor([0.0, 1 / 0.9]), atol=1e-5, rtol=0)
    assert (mask == 0).double().mean().item() == pytest.approx(0.1, abs=0.005)


@pytest.mark.usefixtures("fake_gpu")
def test_dropout_of_layers_follows_from_the_seed_alone():
    noise = Noise()
    layer = Dropout(0.3, noise)
    x = torch.ones(200, 100)
    noise.seed([5, 6])
    first = layer(x)
    layer(x)
    noise.seed([5, 6])
    assert torch.equal(first, layer(x))
    assert not torch.equal(first, layer(x))
    assert (first == 0).double().mean().item() == pytest.approx(0.3, abs=0.02)
    assert first.mean().item() == pytest.approx(1, abs=0.03)


@pytest.mark.usefixtures("fake_gpu")
@pytest.mark.parametrize("name", ["bert", "distilbert", "electra", "modernbert", "roberta"])
def test_a_whole_encoder_through_a_kernel(name: str, tmp_path: Path, monkeypatch):
    """In bf16 as on a GPU; ModernBERT has layers with and without a window."""
    folder = write_family(tmp_path / name, name)
    losses, gradients = [], []
    for loaders in (PADS, None):
        kernels._best.cache_clear()
        kernels.forget()
        if loaders is None:
            calls = fake(monkeypatch)
        else:
            monkeypatch.setattr(kernels, "KERNELS", loaders)
        noise = Noise()
        recipe = Recipe(lr=1e-3, epochs=1, batch_size=8, dropout=0.0, precision="bf16")
        loaded = encoder.load(folder, layers=None, dropout=0.0, noise=noise)
        model = MTBert(loaded, {"c": TASK}, noise=noise, recipe=recipe, seed=3).train()
        model.encoder.get_input_embeddings().weight.requires_grad_(False)
        losses.append(model.loss(collate("c", TASK, items())))
        losses[-1].backward()
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    assert kernels.taken() == {"attention": "training: fake 1.0"}
    assert {call["window"] for call in calls} >= {(-1, -1)}
    assert ((4, 4) in {call["window"] for call in calls[-3:]}) == (name == "modernbert")
    assert losses[1].item() == pytest.approx(losses[0].item(), rel=0.02)
    assert (gradients[1] - gradients[0]).norm() < 0.05 * gradients[0].norm()


@pytest.mark.usefixtures("fake_gpu")
def test_a_mini_batch_meets_the_same_masks_whatever_came_before(tiny_encoder: Path, monkeypatch):
    fake(monkeypatch)
    noise = Noise()
    recipe = Recipe(lr=1e-3, epochs=1, batch_size=8, dropout=0.5, precision="bf16")
    loaded = encoder.load(tiny_encoder, layers=None, dropout=0.5, noise=noise)
    model = MTBert(loaded, {"c": TASK}, noise=noise, recipe=recipe, seed=3).train()
    one, other = (mini_batch("c", TASK, items(), seed=(seed,), pieces=None) for seed in (1, 2))
    losses = [model.backward(batch).item() for batch in (one, other, one)]
    assert losses[0] == losses[2] != losses[1]


def test_flash_attn_is_asked_by_its_own_names(monkeypatch):
    # the parameters of flash-attn 2.8
    def flash_attn_varlen_func(
        q, k, v, cu_seqlens_q, cu_seqlens_k, max_seqlen_q, max_seqlen_k, dropout_p=0.0, softmax_scale=None,
        causal=False, window_size=(-1, -1), softcap=0.0, alibi_slopes=None, deterministic=False,
        return_attn_probs=False, block_table=None,
    ):  # fmt: skip
        assert (q, k, v, cu_seqlens_q, cu_seqlens_k) == ("q", "k", "v", "bounds", "bounds")
        assert (max_seqlen_q, max_seqlen_k, dropout_p, softmax_scale) == (9, 9, 0.1, 0.5)
        assert (causal, window_size) == (False, (2, 2))
        return "attended"

    module = SimpleNamespace(flash_attn_varlen_func=flash_attn_varlen_func, __version__="2.8.3")
    monkeypatch.setitem(sys.modules, "flash_attn", module)
    kernel = kernels.KERNELS["flash-attn"]()
    assert (kernel.name, kernel.drops) == ("flash-attn 2.8.3", True)
    rows: tuple[Any, ...] = ("q", "k", "v", "bounds", 9)
    assert kernel.attend(*rows, scale=0.5, dropout=0.1, window=(2, 2)) == "attended"


def test_torch_is_asked_by_its_own_names(monkeypatch):
    module = importlib.import_module("torch.nn.attention.varlen")
    signature, asked = inspect.signature(module.varlen_attn), {}

    def varlen_attn(*rows, **how):
        asked.update(signature.bind(*rows, **how).arguments)
        return rows[0]

    monkeypatch.setattr(module, "varlen_attn", varlen_attn)
    kernel = kernels.KERNELS["torch varlen"]()
    rows: tuple[Any, ...] = ("q", "k", "v", "bounds", 9)
    kernel.attend(*rows, scale=0.5, dropout=0.0, window=(2, 2))
    assert asked == {
        "query": "q", "key": "k", "value": "v", "cu_seq_q": "bounds", "cu_seq_k": "bounds", "max_q": 9,
        "max_k": 9, "scale": 0.5, "window_size": (2, 2),
    }  # fmt: skip


@pytest.mark.usefixtures("fake_gpu")
def test_the_real_kernels_fall_back_where_there_is_no_gpu():
    """Nothing is faked but the device: torch's kernel refuses it, flash-attn is not installed or refuses."""
    attention(rows_of())
    (told,) = kernels.taken().values()
    assert told.startswith("training: padded (flash-attn raises ")
    assert ", torch varlen raises " in told


def test_on_a_cpu_nothing_is_looked_at_and_provenance_stays_as_it_is(site, monkeypatch):
    from tests.learning.jobs import job_of

    def looked():
        raise AssertionError("looked at on a CPU")

    monkeypatch.setattr(kernels, "KERNELS", {"fake": looked})
    result = run(job_of(site, "rel"), site)
    assert result.status == "done", result.error
    versions = {"transfer", "torch", "transformers", "python"}
    assert set(result.provenance) == versions | {"device", "threads", "passes"}


@pytest.mark.usefixtures("fake_gpu")
def test_a_result_says_how_attention_was_computed(site, monkeypatch):
    from tests.learning.jobs import QUICK, job_of

    fake(monkeypatch, drops=False)
    recipe = QUICK.model_copy(update={"precision": "bf16"})
    result = run(job_of(site, "rel", recipe=recipe), site)
    assert result.status == "done", result.error
    told = "training: padded (fake has no dropout); evaluation: fake 1.0"
    assert result.provenance["attention"] == told
