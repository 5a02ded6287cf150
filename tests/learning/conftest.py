"""Tests of learning run on one thread: what is tiny only gets slower with more."""

from pathlib import Path

import pytest
import torch

from transfer.learning.run import Site


@pytest.fixture(autouse=True)
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def site(tmp_path: Path, tiny_corpora: Path, tiny_encoder: Path) -> Site:
    return Site(store=tmp_path / "store", corpora=str(tiny_corpora), encoder=tiny_encoder)
