"""Compiling for this machine: once, whole or not at all, and told where it cannot be."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from transfer.learning.native import library

SHOW_OPENMP = """
import pathlib
from transfer.learning.native import library
assert library.found()[0] is not None
lines = pathlib.Path("/proc/self/maps").read_text().splitlines()
print(*{line.split()[-1] for line in lines if "gomp" in line or "libomp" in line or "iomp" in line})
"""


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches" / "transfer"


def compiler_of(folder: Path, body: str) -> Path:
    """A fake C++ compiler, a shell script."""
    program = folder / "c++"
    program.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "fake 1.0"; exit; fi\n{body}\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def test_this_machine_compiles_it():
    """The library compiles here; otherwise the other tests would compare torch with torch."""
    found, told = library.found()
    if "no C++ compiler" in told:
        pytest.skip(told)
    assert found is not None, told
    assert told.startswith("C++ (")


def test_it_is_compiled_once_and_nothing_else_is_left(caches: Path, monkeypatch):
    if library.found()[0] is None:
        pytest.skip(library.found()[1])
    first, _ = library.found.__wrapped__()
    monkeypatch.setattr(library, "FLAGS", ("--no-such-flag",))
    assert library.found.__wrapped__()[0] is None, "other flags, another library"
    monkeypatch.undo()
    monkeypatch.setenv("XDG_CACHE_HOME", str(caches.parent))
    monkeypatch.setenv("PATH", f"{caches}:/usr/bin:/bin")
    (made,) = caches.iterdir()
    before = made.stat().st_mtime_ns
    second, _ = library.found.__wrapped__()
    assert made.stat().st_mtime_ns == before
    assert first is not None
    assert second is not None
    assert first._name == second._name == str(made)


def test_several_at_once_are_not_in_each_others_way(caches: Path):
    if library.found()[0] is None:
        pytest.skip(library.found()[1])
    told: list[str] = []
    threads = [threading.Thread(target=lambda: told.append(library.found.__wrapped__()[1])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [t.startswith("C++ (") for t in told] == [True] * 3
    assert len(list(caches.iterdir())) == 1


def test_without_a_compiler_it_says_so(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert library.found.__wrapped__() == (None, "torch (no C++ compiler)")


def test_a_compiler_that_fails_is_quoted_and_leaves_nothing(caches: Path, tmp_path: Path, monkeypatch):
    program = compiler_of(tmp_path, "echo note >&2; echo 'passes.cpp:1: error: no OpenMP here' >&2; exit 1")
    monkeypatch.setenv("CXX", str(program))
    found, told = library.found.__wrapped__()
    assert found is None
    assert told == "torch (fake 1.0 does not compile it: passes.cpp:1: error: no OpenMP here)"
    assert not list(caches.iterdir())


def test_what_cannot_be_loaded_is_not_taken(caches: Path, tmp_path: Path, monkeypatch):
    """A library without its OpenMP at run time falls back to torch."""
    program = compiler_of(tmp_path, 'while [ "$1" != -o ]; do shift; done; echo nonsense > "$2"')
    monkeypatch.setenv("CXX", str(program))
    found, told = library.found.__wrapped__()
    assert found is None
    assert told.startswith("torch (")
    assert ".so" in told


def test_a_compiler_that_hangs_is_given_up(caches: Path, tmp_path: Path, monkeypatch):
    program = compiler_of(tmp_path, "exec sleep 60")
    monkeypatch.setenv("CXX", str(program))
    monkeypatch.setattr(library, "SECONDS", 0.5)
    found, told = library.found.__wrapped__()
    assert found is None
    assert told == f"torch ({program} took more than 0.5 s)"
    assert not list(caches.iterdir())


def test_where_caches_cannot_be_kept_it_is_compiled_elsewhere(tmp_path: Path, monkeypatch):
    if library.found()[0] is None:
        pytest.skip(library.found()[1])
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    monkeypatch.setattr(library.tempfile, "tempdir", str(tmp_path))
    found, told = library.found.__wrapped__()
    assert found is not None, told
    assert Path(found._name).parent.parent == tmp_path


def test_its_threads_are_those_of_torch():
    """A second OpenMP would have threads of its own, and they would wait for the same cores."""
    if library.found()[0] is None:
        pytest.skip(library.found()[1])
    told = subprocess.run(
        [sys.executable, "-c", SHOW_OPENMP], capture_output=True, text=True, check=True, timeout=120
    ).stdout.split()
    assert len(told) == 1
    assert "/torch" in told[0]


def test_a_library_of_openmp_under_another_name_is_torchs_too(tmp_path: Path, monkeypatch):
    """Wheels may rename their OpenMP library."""
    own = tmp_path / "torch" / "lib" / "libgomp-a34b3233.so.1"
    own.parent.mkdir(parents=True)
    own.touch()
    monkeypatch.setattr(library.torch, "__file__", str(tmp_path / "torch" / "__init__.py"))
    assert library._openmp() == [str(own), "-Wl,--as-needed"]
    own.unlink()
    assert library._openmp() == []


def test_a_library_for_another_processor_is_another_one(caches: Path, monkeypatch):
    if library.found()[0] is None:
        pytest.skip(library.found()[1])
    library.found.__wrapped__()
    monkeypatch.setattr(library, "_processor", lambda: "flags : of another node with the same home")
    library.found.__wrapped__()
    assert len(list(caches.iterdir())) == 2
