"""For the readers of official releases: fixtures to damage, and the releases themselves where they are."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES, Reading, unwatched
from transfer.inputs import InputError

ASSETS = Path(__file__).parents[2] / "assets" / "releases"


@pytest.fixture
def release(tmp_path: Path) -> Callable[[str], Path]:
    """``release("chemprot")`` is a copy of a fixture that a test may damage."""

    def copy(fixture: str) -> Path:
        return Path(shutil.copytree(ASSETS / fixture, tmp_path / fixture))

    return copy


@pytest.fixture(scope="session")
def reading() -> Callable[[str, Path], Reading]:
    """``reading("chemprot", folder)`` reads a release."""
    return lambda name, raw: RELEASES[name].read(raw, unwatched)


@pytest.fixture(scope="session")
def refusal(reading: Callable[[str, Path], Reading]) -> Callable[[str, Path], str]:
    """The message with which a release is refused."""

    def message(name: str, raw: Path) -> str:
        with pytest.raises(InputError) as caught:
            reading(name, raw)
        assert str(raw) in str(caught.value)
        return str(caught.value)

    return message


@pytest.fixture(scope="session")
def real_release() -> Callable[[str], Path]:
    """``real_release("chemprot")`` is the release itself; the test is skipped where it is absent."""

    def folder(name: str) -> Path:
        place = Path(os.environ.get("TRANSFER_RELEASES", "../shared/corpora/raw")) / name
        if not place.is_dir():
            pytest.skip(f"no release at {place}; name the folder of releases in TRANSFER_RELEASES")
        return place

    return folder


def change(path: Path, old: str, new: str) -> None:
    """Replaces the first ``old`` of a file, which must be there."""
    text = path.read_bytes().decode("utf-8")
    assert old in text
    path.write_bytes(text.replace(old, new, 1).encode("utf-8"))


@pytest.fixture(name="change", scope="session")
def _change() -> Callable[[Path, str, str], None]:
    return change
