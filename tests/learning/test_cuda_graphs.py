"""Rows filled up for CUDA graphs change no number. The capture is a fake: no GPU is needed or was seen.

The fake keeps inputs, outputs and gradients in memory of its own, as a captured graph does: what is not
copied into it stays as it was when it was captured, and what is not taken out in time is written over.
"""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from tests.families import write_family
from tests.learning.test_families import TASK, model_of
from tests.learning.test_kernels import fake
from transfer.corpora.base import Card
from transfer.learning import cuda_graphs as graphs
from transfer.learning import kernels
from transfer.learning import run as running
from transfer.learning import worker_data as at
from transfer.learning.batches import MiniBatch, mini_batch
from transfer.learning.cuda_graphs import Filled, Graphs, Shape
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert
from transfer.learning.optimizer import optimizer_of
from transfer.learning.run import run
from transfer.recipes import Recipe
from transfer.tasks import Item, task_of

TAGGER = task_of(Card(name="t", kind="tagging", metric="span_f1", entities=("Sign",)))
PACKED = ["bert", "distilbert", "electra", "modernbert", "roberta", "xlm-roberta"]
SIZE = 8


class _Replay(torch.autograd.Function):
    """A captured call: on static inputs, to static outputs and static gradients."""

    @staticmethod
    def forward(ctx, captured, *inputs: Tensor) -> Tensor:
        ctx.captured = captured
        return captured.forward(inputs)

    @staticmethod
    def backward(ctx, grad: Tensor):  # type: ignore[override]
        return None, *ctx.captured.backward(grad)


class Captured:
    """A fake of what ``torch.cuda.make_graphed_callables`` makes of a module."""

    def __init__(self, call: torch.nn.Module, sample: tuple[Tensor, ...]) -> None:
        self.call, self.inputs, self.weights = call, sample, tuple(call.parameters())
        self.plain = call.forward
        self.run()
        self.output = self.out.detach().clone()
        self.grad = torch.empty_like(self.output)
        self.grads = [torch.zeros_like(x) if x.requires_grad else None for x in (*sample, *self.weights)]

    def run(self) -> None:
        with torch.enable_grad():
            self.out = self.plain(*self.inputs)

    def __call__(self, *inputs: Tensor) -> Tensor:
        return _Replay.apply(self, *inputs, *self.weights)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        for own, new in zip(self.inputs, inputs, strict=False):
            assert own.shape == new.shape
            assert own.dtype == new.dtype
            own.detach().copy_(new)
        self.run()
        self.output.copy_(self.out.detach())
        return self.output.detach()

    def backward(self, grad: Tensor) -> list[Tensor | None]:
        self.grad.copy_(grad)
        wanted = [x for x in (*self.inputs, *self.weights) if x.requires_grad]
        found = iter(torch.autograd.grad(self.out, wanted, self.grad, allow_unused=True))
        given: list[Tensor | None] = []
        for own in self.grads:
            new = None if own is None else next(found)
            if own is not None and new is not None:
                own.copy_(new)
            given.append(None if new is None or own is None else own.detach())
        return given


@pytest.fixture
def captured(monkeypatch) -> list[Captured]:
    """The graphs that were made, all of them fakes."""
    made: list[Captured] = []

    def fake(call: Any, sample: tuple[Tensor, ...], **how: Any) -> Captured:
        assert how == {"allow_unused_input": True, "pool": "a pool"}
        made.append(Captured(call, sample))
        return made[-1]

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", fake)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "a pool")
    return made


def batches(task=TASK, *, count: int = 8, most: int = 30, pieces: int | None = None) -> list[MiniBatch]:
    """Mini-batches of 8 sequences of 2 to ``most`` pieces, the last of fewer; taggers read every second."""
    generator = torch.Generator().manual_seed(3)
    made = []
    for number in range(count):
        items = []
        for i in range(SIZE if number < count - 1 else 3):
            length = int(torch.randint(2, most, (), generator=generator))
            ids = torch.randint(5, 60, (length,), generator=generator).tolist()
            read = [0] if task.pooled else list(range(0, length, 2))
            targets = [int(x) for x in torch.randint(3, (len(read),), generator=generator)]
            items.append(Item(i, 0, ids, [int(at > length // 2) for at in range(length)], read, targets))
        made.append(mini_batch("c", task, items, seed=(number,), pieces=pieces))
    return made


def learner(folder: Path, task=TASK, *, lazy: bool = False) -> MTBert:
    model = model_of(folder)
    if task is not TASK:
        recipe = Recipe(lr=1e-3, epochs=1, batch_size=SIZE, dropout=0.0)
        model = MTBert(model.encoder, {"c": task}, noise=model.noise, recipe=recipe, seed=3)
    model.use_words(Words(model.words.weight.detach(), range(2, 62), lazy=lazy))
    return model.train()


def graphed(model: MTBert, own: list[MiniBatch]) -> MTBert:
    model.graphs = Graphs(model.encoder, {"c": own}, batch_size=SIZE, noise=model.noise, bf16=False)
    return model


def steps(model: MTBert, own: list[MiniBatch]) -> list[dict[str, Tensor]]:
    """Trains a step on each mini-batch; the losses and gradients on the way, at last the weights."""
    optimizer = optimizer_of(model, Recipe(lr=1e-3, epochs=1, batch_size=SIZE))
    found = []
    for batch in own:
        loss = model.backward(batch)
        grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        found.append({"loss": loss, **grads})
        optimizer.step()
        optimizer.zero_grad()
    optimizer.settle()
    return [*found, {name: p.detach().clone() for name, p in model.named_parameters()}]


def same(found: list[dict[str, Tensor]], expected: list[dict[str, Tensor]]) -> None:
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.keys() == theirs.keys()
        for name, value in theirs.items():
            torch.testing.assert_close(ours[name], value, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("task", [TASK, TAGGER], ids=["texts", "tokens"])
@pytest.mark.parametrize("family", PACKED)
def test_filling_changes_no_loss_no_gradient_and_no_step(family: str, task, tmp_path: Path, captured):
    folder = write_family(tmp_path / family, family)
    own = batches(task)
    own = [*own, *reversed(own)]
    expected = steps(learner(folder, task), own)
    model = graphed(learner(folder, task), own[:8])
    same(steps(model, own), expected)
    assert model.graphs is not None
    assert model.graphs.told() == {"cuda graphs": f"{len(captured)} shapes, 8 of 8 mini-batches"}
    assert 1 <= len(captured) <= 2, "several mini-batches go through one graph"


@pytest.mark.parametrize("lazy", [False, True])
def test_the_rows_of_the_words_have_their_gradients(lazy: bool, tiny_encoder: Path, captured):
    own = batches()
    expected = steps(learner(tiny_encoder, lazy=lazy), own)
    same(steps(graphed(learner(tiny_encoder, lazy=lazy), own), own), expected)
    assert captured


def test_scores_are_equal(tiny_encoder: Path, captured):
    own = batches(most=60)
    plain, filled = learner(tiny_encoder), learner(tiny_encoder)
    graphed(filled, own)
    with torch.no_grad():
        for batch in own:
            (row,) = batch.parts
            torch.testing.assert_close(filled(row), plain(row), atol=1e-5, rtol=1e-5)
    assert captured
    filled.graphs = None
    expected = filled.eval()(own[0].parts[0])
    graphed(filled, own).train().eval()
    assert torch.equal(filled(own[0].parts[0]), expected)
    assert filled.graphs is not None
    assert filled.graphs.told() == {"cuda graphs": "0 shapes, 8 of 8 mini-batches"}


def test_what_nothing_reads_may_be_anything(tiny_encoder: Path, captured):
    """Other word pieces in the filler sequences: not a bit of what is read changes."""
    own = batches()
    model = graphed(learner(tiny_encoder), own)
    (row,) = own[0].parts
    first = model(row)
    assert model.graphs is not None
    filled = model.graphs._filled[id(row)]
    assert filled.shape.pieces > row.pieces
    filled.ids[:, row.pieces :] = 3
    filled.rest[1][:, row.pieces :] = 7  # positions
    assert torch.equal(model(row), first)


def test_a_shape_follows_from_the_row_alone():
    one, other = batches()[0].parts[0], batches(most=100)[0].parts[0]
    assert Shape.of(one, SIZE) == Shape(sequences=16, longest=32, pieces=256, read=8)
    shape = Shape.of(other, SIZE)
    assert shape.pieces % 256 == 0
    assert 0 <= shape.pieces - other.pieces < 256
    assert 0 <= shape.longest - other.packing.longest < 32
    filled = Filled.of(other, shape)
    sizes = filled.rest[2].diff()
    assert (len(sizes), int(sizes.sum())) == (shape.sequences, shape.pieces)
    assert int(sizes.max()) <= shape.longest
    assert filled.rest[0].shape == filled.ids.shape == (1, shape.pieces)


def test_a_row_that_is_full_already(tiny_encoder: Path, captured):
    items = [Item(i, 0, [7 + i] * 32, [0] * 32, [0], [i % 3]) for i in range(SIZE)]
    own = [mini_batch("c", TASK, items, seed=(0,), pieces=None)]
    assert own[0].pieces == 256
    same(steps(graphed(learner(tiny_encoder), own), own), steps(learner(tiny_encoder), own))
    assert captured


@pytest.mark.usefixtures("fake_gpu")
def test_a_filled_row_through_a_kernel_without_padding(tmp_path: Path, captured, monkeypatch):
    """The kernel, a fake, is told where each row's own sequences end. In bf16, with and without a window."""
    fake(monkeypatch)
    folder, own = write_family(tmp_path / "modernbert", "modernbert"), batches()
    found = []
    for filled in (False, True):
        model = learner(folder)
        model.bf16 = True
        if filled:
            model.graphs = Graphs(model.encoder, {"c": own}, batch_size=SIZE, noise=model.noise, bf16=True)
        for batch in own:
            model.zero_grad()
            model.backward(batch)
            grads = [p.grad.flatten() for p in model.encoder.parameters() if p.grad is not None]
            found.append(torch.cat(grads))
    assert captured
    assert kernels.taken() == {"attention": "training: fake 1.0"}
    for plain, replayed in zip(found[: len(own)], found[len(own) :], strict=True):
        assert (replayed - plain).norm() < 0.02 * plain.norm()


def test_rare_shapes_go_eagerly(tiny_encoder: Path, captured, monkeypatch):
    monkeypatch.setattr(graphs, "MOST", 1)
    own = [*batches(count=5), *batches(count=2, most=100)]
    model = graphed(learner(tiny_encoder), own)
    same(steps(model, own), steps(learner(tiny_encoder), own))
    assert len(captured) == 1
    assert model.graphs is not None
    assert model.graphs.told()["cuda graphs"].startswith("1 shapes, ")


def test_a_mini_batch_in_parts_goes_eagerly(tiny_encoder: Path, captured):
    """Its gradients are added up, but a graph writes them where it wrote the last ones."""
    own = batches(pieces=60)[:-1]
    assert all(len(batch.parts) > 1 for batch in own)
    same(steps(graphed(learner(tiny_encoder), own), own), steps(learner(tiny_encoder), own))
    assert captured == []


def test_what_cannot_be_captured_runs(tiny_encoder: Path, monkeypatch):
    def refuses(*_: Any, **__: Any):
        raise RuntimeError("operation not permitted when stream is capturing")

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", refuses)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "a pool")
    own = batches(count=3)
    model = graphed(learner(tiny_encoder), own)
    same(steps(model, own), steps(learner(tiny_encoder), own))
    assert model.graphs is not None
    assert model.graphs.told() == {"cuda graphs": "not captured (RuntimeError)"}


def test_a_capture_without_memory_says_so(tiny_encoder: Path, monkeypatch):
    def full(*_: Any, **__: Any):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "make_graphed_callables", full)
    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: "a pool")
    own = batches(count=2)
    with pytest.raises(torch.OutOfMemoryError):
        graphed(learner(tiny_encoder), own).backward(own[0])


@pytest.mark.usefixtures("fake_gpu")
def test_capturing_draws_nothing_from_the_mini_batch(tiny_encoder: Path, captured):
    own = batches()
    model = model_of(tiny_encoder, dropout=0.5)
    model.use_words(Words(model.words.weight.detach(), range(2, 62), lazy=False))
    graphed(model.train(), own)
    losses = [model.backward(batch).item() for batch in (own[0], own[1], own[0])]
    assert captured
    assert losses[0] == losses[2] != losses[1]


def test_a_job_with_graphs_has_the_scores_of_one_without(site, captured, monkeypatch):
    from tests.learning.jobs import QUICK, job_of
    from tests.learning.test_run import scores

    monkeypatch.setattr(at, "TRAINING_PIECES", None)  # a GPU takes a mini-batch whole
    at.forget()
    job = job_of(site, "rel", "ner", recipe=QUICK.model_copy(update={"dropout": 0.0}))
    plain = run(job, site)
    monkeypatch.setattr(graphs.torch.cuda, "is_available", lambda: False)
    asked = site.model_copy(update={"store": Path(f"{site.store}-2"), "cuda_graphs": True})
    without = run(job, asked)
    assert captured == []
    assert set(without.provenance) == set(plain.provenance), "without a GPU it does nothing"
    made = lambda model, own, *, batch_size: Graphs(  # noqa: E731
        model.encoder, own, batch_size=batch_size, noise=model.noise, bf16=model.bf16
    )
    monkeypatch.setattr(running, "graphs_of", made)
    replayed = run(job, asked.model_copy(update={"store": Path(f"{site.store}-3")}))
    at.forget()
    assert replayed.status == "done", replayed.error
    assert captured
    assert scores(replayed) == scores(plain)
    for ours, theirs in zip(replayed.history, plain.history, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-5)
    assert replayed.provenance["cuda graphs"].endswith(" of 6 mini-batches")
