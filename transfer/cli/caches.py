"""Folders for the caches of libraries, on machines whose home folder cannot be written to."""

import atexit
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from pathlib import Path


def use_writable_folders() -> None:
    """Give matplotlib, compiled passes and Ray a temporary place if they cannot write below the home folder.

    A place that the user set is left alone if it works. The folder is removed when the program ends.
    """
    missing = [name for name, folder in FOLDERS.items() if not _writable(folder)]
    if missing:
        place = Path(tempfile.mkdtemp(prefix="transfer-caches-"))
        atexit.register(shutil.rmtree, place, ignore_errors=True)
        for name in missing:
            os.environ[name] = str(place / name.lower())
    if "RAY_AUTH_TOKEN" not in os.environ and not _writable(lambda: Path.home() / ".ray"):
        os.environ["RAY_AUTH_TOKEN"] = uuid.uuid4().hex  # else Ray writes one there for the cluster it starts


def _configuration() -> Path:
    base = os.environ.get("XDG_CONFIG_HOME")
    return Path(os.environ.get("MPLCONFIGDIR") or Path(base or Path.home() / ".config") / "matplotlib")


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


# by the variable that moves it
FOLDERS: dict[str, Callable[[], Path]] = {"MPLCONFIGDIR": _configuration, "XDG_CACHE_HOME": _cache}


def _writable(folder_of: Callable[[], Path]) -> bool:
    """Whether a file can be written in a folder, or in the nearest one above it that exists."""
    try:
        folder = folder_of()
        place = next(place for place in (folder, *folder.parents) if place.exists())
        with tempfile.TemporaryFile(dir=place):
            return True
    except (OSError, RuntimeError):  # RuntimeError: the user has no home folder
        return False
