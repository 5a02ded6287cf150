"""Fixtures shared by the tests of learning."""

from pathlib import Path

import pytest
import torch

from transfer.learning import kernels, machine
from transfer.learning.native import library
from transfer.learning.worker_data import Site


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


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch):
    """Pretend that this machine has no C++ compiler."""
    monkeypatch.setattr(library, "found", lambda: (None, "torch (no C++ compiler)"))
