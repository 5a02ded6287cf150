"""Compiling ``passes.cpp`` for this machine, once, and loading it."""

import ctypes
import functools
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

SOURCE = Path(__file__).with_name("passes.cpp")
FLAGS = ("-std=c++17", "-O3", "-march=native", "-fno-math-errno", "-fopenmp", "-fPIC", "-shared")
# else compilers keep to half of what a register of AVX-512 holds
X86 = ("-mprefer-vector-width=512",) if platform.machine() in ("x86_64", "AMD64") else ()
SECONDS = 120  # it takes two


class NotCompiled(Exception):
    """The native library could not be compiled; the message says why."""


@functools.cache
def found() -> tuple[ctypes.CDLL | None, str]:
    """The library and how it was made, or None and why there is none: then torch's operations are taken.

    Compiled where the user keeps caches, under a name that says with what and for which processor; a process
    that is killed leaves no half of one.
    """
    try:
        compiler, version = _compiler()
        return ctypes.CDLL(str(_compiled(compiler, version))), f"C++ ({version})"
    except (NotCompiled, OSError) as error:
        return None, f"torch ({error})"


def _compiler() -> tuple[str, str]:
    named = os.environ.get("CXX", "").split()
    program = next(
        (path for name in (*named[:1], "c++", "g++", "clang++") if (path := shutil.which(name))), None
    )
    if program is None:
        raise NotCompiled("no C++ compiler")
    told = _run([program, "--version"]).stdout.splitlines()
    return program, told[0].strip() if told else Path(program).name


def _compiled(compiler: str, version: str) -> Path:
    flags = [*FLAGS, *X86, *_openmp()]
    made_of = [SOURCE.read_text(encoding="utf-8"), version, *flags, _processor()]
    name = f"passes-{hashlib.sha256(chr(0).join(made_of).encode()).hexdigest()[:16]}.so"
    try:
        folder = _caches() / "transfer"
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / name).exists():
            return folder / name
        part = Path(tempfile.mkdtemp(dir=folder))
    except (OSError, RuntimeError):  # no home, or not to be written to
        folder = part = Path(tempfile.mkdtemp(prefix="transfer-"))
    try:
        made = _run([compiler, str(SOURCE), "-o", str(part / name), *flags])
        if made.returncode:
            raise NotCompiled(f"{version} does not compile it: {_first_error(made.stderr)}")
        return (part / name).replace(folder / name)
    finally:
        if part != folder:
            shutil.rmtree(part, ignore_errors=True)


def _caches() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _openmp() -> list[str]:
    """torch's own OpenMP, which has its threads already: a second one's would wait for the same cores."""
    own = Path(torch.__file__).parent
    libraries = [*own.glob("lib/libgomp*.so*"), *own.parent.glob("torch.libs/libgomp*.so*")]
    return [str(min(libraries)), "-Wl,--as-needed"] if libraries else []


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return "".join(sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))}))


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise NotCompiled(f"{command[0]} took more than {SECONDS} s") from error


def _first_error(told: str) -> str:
    lines = told.strip().splitlines()
    return next((line for line in lines if "error" in line), lines[0] if lines else "no reason given").strip()
