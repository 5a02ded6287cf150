"""BERT's layers with native passes: the numbers, masks and gradients of the layers that were there."""

from pathlib import Path

import pytest
import torch
from torch import nn

from tests.families import write_family
from tests.learning.test_families import TASK, items
from transfer.encoders import FAMILIES
from transfer.learning import encoder
from transfer.learning.attention import Packing
from transfer.learning.batches import collate, mini_batch
from transfer.learning.dropout import Noise, kept_share
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert
from transfer.learning.native import library, passes
from transfer.learning.native.layers import PARTS, places_of
from transfer.recipes import Recipe

pytestmark = pytest.mark.skipif(library.found()[0] is None, reason=library.found()[1])
NATIVE = sorted(name for name, family in FAMILIES.items() if family.native)


@pytest.fixture(scope="module", params=NATIVE)
def family(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_family(tmp_path_factory.mktemp(request.param), request.param)


def model_of(folder: Path, *, dropout: float = 0.3, precision: str = "fp32") -> MTBert:
    noise = Noise()
    recipe = Recipe(lr=1e-3, epochs=1, batch_size=8, dropout=dropout, precision=precision)
    loaded = encoder.load(folder, layers=None, dropout=dropout, noise=noise)
    model = MTBert(loaded, {"c": TASK}, noise=noise, recipe=recipe, seed=3)
    model.use_words(Words(model.words.weight.detach(), range(2, 62), lazy=False))
    return model.train()


@pytest.fixture
def called(monkeypatch) -> list[str]:
    """The names of the native passes, as they are called."""
    names: list[str] = []
    plain = passes._call
    monkeypatch.setattr(passes, "_call", lambda name, *more: names.append(name) or plain(name, *more))
    return names


def gradients(model: MTBert, pieces: int | None = None) -> tuple[float, dict[str, torch.Tensor]]:
    loss = model.backward(mini_batch("c", TASK, items(), seed=(1, 2), pieces=pieces))
    return loss.item(), {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("pieces", [None, 40], ids=["one part", "several"])
def test_a_step_has_the_numbers_of_torch(family: Path, dropout: float, pieces: int | None, called, request):
    loss, found = gradients(model_of(family, dropout=dropout), pieces)
    times = 1 if pieces is None else 3
    assert called.count("attend_back") == called.count("gelu_back") == 3 * times
    assert called.count("add_and_norm_back") == 6 * times
    request.getfixturevalue("no_library")
    called.clear()
    plain_loss, expected = gradients(model_of(family, dropout=dropout), pieces)
    assert not called
    assert loss == pytest.approx(plain_loss, rel=1e-6)
    assert found.keys() == expected.keys()
    for name, grad in found.items():
        torch.testing.assert_close(grad, expected[name], atol=1e-6, rtol=1e-4, msg=name)


@torch.no_grad()
def test_predictions_are_those_of_torch_and_keep_nothing(family: Path, called, monkeypatch, request):
    kept = []
    plain = passes.attend
    monkeypatch.setattr(passes, "attend", lambda *a, **k: kept.append(k["keep"]) or plain(*a, **k))
    model, batch = model_of(family).eval(), collate("c", TASK, items())
    found = model(batch)
    assert kept == [False] * 3
    request.getfixturevalue("no_library")
    torch.testing.assert_close(found, model(batch), atol=1e-6, rtol=1e-5)


def test_frozen_layers_have_no_gradients(family: Path, request):
    def frozen() -> MTBert:
        model = model_of(family)
        for part in (encoder.layers_of(model.encoder)[0], encoder.layers_of(model.encoder)[2].attention):
            part.requires_grad_(False)
        return model

    _, found = gradients(frozen())
    assert not [name for name in found if ".layer.0." in name or ".layer.2.attention." in name]
    request.getfixturevalue("no_library")
    _, expected = gradients(frozen())
    assert found.keys() == expected.keys()
    for name, grad in found.items():
        torch.testing.assert_close(grad, expected[name], atol=1e-6, rtol=1e-4, msg=name)


def test_names_and_classes_stay(family: Path):
    layer = encoder.layers_of(encoder.load(family, layers=None, dropout=0.1, noise=Noise()))[0]
    for path in PARTS:
        part = layer.get_submodule(path)
        (plain,) = (k for k in type(part).__mro__ if k.__module__.startswith("transformers.models"))
        assert isinstance(part, plain)
    assert not [name for name in layer.state_dict() if "native" in name.lower()]


def test_where_they_do_not_fit_the_layers_are_those_that_were_there(family: Path, called):
    model = model_of(family, precision="bf16")
    gradients(model)
    assert not called, "in bf16"
    model = model_of(family)
    for layer in encoder.layers_of(model.encoder):
        layer.attention.self.query = nn.Sequential(layer.attention.self.query)  # as adapters wrap it
        layer.intermediate.intermediate_act_fn = nn.ReLU()
    gradients(model)
    assert set(called) == {"add_and_norm", "add_and_norm_back"}


def test_the_seed_alone_decides_not_the_number_of_threads(family: Path):
    found = []
    before = torch.get_num_threads()
    for threads in (1, 2, 2):
        torch.set_num_threads(threads)
        found.append(gradients(model_of(family)))
    torch.set_num_threads(before)
    (_, one), (_, two), (_, again) = found
    for name, grad in one.items():
        torch.testing.assert_close(grad, two[name], atol=1e-6, rtol=1e-4)
        assert torch.equal(two[name], again[name]), name


def test_no_bit_is_used_twice_and_all_are_drawn():
    packing = collate("c", TASK, items()).packing
    assert len(packing.groups) > 1
    heads = 4
    places = places_of(packing, heads)
    used = torch.zeros(places.draws, dtype=torch.long)
    for at, side in zip(places.drawn_at.tolist(), places.sides.tolist(), strict=True):
        used[at : at + heads * side**2] += 1
    assert used.max() == 1
    assert (used == 0).sum() <= 3 * len(packing.groups)  # four come from a draw
    sizes = heads * packing.bounds.diff() * ((packing.bounds.diff() + 15) // 16 * 16)
    assert torch.equal(places.kept_at, sizes.cumsum(0) - sizes)
    assert places.kept == sizes.sum()


@pytest.mark.parametrize("heads", [1, 3])
@pytest.mark.parametrize("width", [5, 32])
@pytest.mark.parametrize("share", [0.0, 0.4])
@pytest.mark.parametrize("size", [1.0, 12.0], ids=["ordinary", "scores that e to their power overflows"])
def test_attention_within_sequences(heads: int, width: int, share: float, size: float):
    """Beside softmax in double precision, with the masks that the padded form would draw."""
    lengths = (1, 2, 5, 5, 9, 15, 16, 17, 40)
    packing, generator = Packing.of(lengths), torch.Generator().manual_seed(5)
    rows = size * torch.randn(sum(lengths), 3 * heads * width, generator=generator)
    bias = torch.randn(3 * heads * width, generator=generator)
    grad = torch.randn(sum(lengths), heads * width, generator=generator)
    noise, places = Noise(), places_of(packing, heads)
    noise.seed([1])
    bits = noise.bits(places.draws) if share else None
    dropped = kept_share(share)
    out, weights = passes.attend(rows, bias, bits, places, scale=0.5, dropped=dropped, keep=True)
    assert weights is not None
    found = passes.attend_back(grad, rows.clone(), bias, weights, places, scale=0.5, factor=dropped[1])

    noise.seed([1])
    slow = rows.double().requires_grad_()
    shapes = [(group.count, heads, group.length, group.length) for group in packing.groups]
    masks = [m for s in shapes for m in (noise.mask(torch.empty(s), share) if share else torch.ones(s))]
    expected = []
    for part, mask in zip((slow + bias.double()).split(lengths), masks, strict=True):
        q, k, v = (x.unflatten(1, (heads, width)).transpose(0, 1) for x in part.chunk(3, dim=1))
        weights = (0.5 * q @ k.mT).softmax(-1) * mask[:, : len(part), : len(part)]
        expected.append((weights @ v).transpose(0, 1).flatten(1))
    exact = torch.cat(expected)
    torch.testing.assert_close(out.double(), exact, atol=1e-5 * size**2, rtol=1e-3)
    of_rows = torch.autograd.grad(exact, slow, grad.double())[0]
    torch.testing.assert_close(found.double(), of_rows, atol=5e-5 * size**2, rtol=1e-3)
