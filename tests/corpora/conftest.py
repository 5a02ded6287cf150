"""Folders of real files that the readers are tested on."""

import os
from pathlib import Path

import pytest


def _shared(name: str) -> Path:
    folder = Path(os.environ.get("TRANSFER_CORPORA", "../shared/corpora/prepared")).parent.parent / name
    if not folder.is_dir():
        pytest.skip(f"no {folder}; it is found beside the folder that TRANSFER_CORPORA names")
    return folder


@pytest.fixture(scope="session")
def cases() -> Path:
    """The folder of small files that were once read wrongly."""
    return _shared("cases")


@pytest.fixture(scope="session")
def raw() -> Path:
    """The folder of corpora as they were released."""
    return _shared("corpora/raw")
