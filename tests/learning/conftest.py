"""Tests of learning run on one thread: what is tiny only gets slower with more."""

from pathlib import Path

import pytest
import torch

from transfer.learning import kernels, machine
from transfer.learning.site import Site


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def site(tmp_path: Path, tiny_corpora: Path, tiny_encoder: Path) -> Site:
    return Site(store=tmp_path / "store", corpora=str(tiny_corpora), encoder=tiny_encoder)


@pytest.fixture
def fake_gpu(monkeypatch: pytest.MonkeyPatch):
    """The CPU in the part of a GPU: its generator is the device's, kernels are what a test puts there."""
    monkeypatch.setattr(machine, "on_gpu", lambda x: True)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "manual_seed", torch.manual_seed)
    kernels._best.cache_clear()
    kernels.forget()
    yield
    kernels._best.cache_clear()
    kernels.forget()
