"""Device, memory and versions of this process."""

import contextlib
import ctypes
import gc
import platform
from pathlib import Path

import torch
import transformers

from transfer import __version__
from transfer.learning.native import library


def device() -> torch.device:
    """The GPU where this process sees one; an executor that gives a job none hides them."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def on_gpu(x: torch.Tensor) -> bool:
    """Whether a tensor is on a GPU: what is drawn and how attention is computed differ there."""
    return x.is_cuda


def limit_gpu_memory(share: float) -> None:
    """Limit this process to a fraction of its GPU's memory (from 1 on: all); more raises OutOfMemoryError.

    Without a GPU it does nothing.
    """
    if share and torch.cuda.is_available():
        torch.cuda.set_per_process_memory_fraction(min(1.0, float(share)))


def give_back_memory() -> None:
    """Return unused memory that the C library keeps: rows of ever other shapes leave it in pieces.

    Where the library cannot (it is glibc that can), it does nothing.
    """
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def clear_up() -> None:
    """Between jobs: frees what only holds itself, as graphs do, and gives it back; a GPU's memory, too.

    Without it what a worker on MiniLM holds between jobs grew by 20 MB a job.
    """
    gc.collect()
    give_back_memory()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def provenance() -> dict[str, str]:
    """The versions, the device and the threads of a result; on a CPU also how passes are computed."""
    on_cpu = device().type == "cpu"
    return {
        "transfer": __version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "device": "cpu" if on_cpu else torch.cuda.get_device_name(),
        "threads": str(torch.get_num_threads()),
    } | ({"passes": library.found()[1]} if on_cpu else {})


def forget_peak() -> None:
    """From here on ``peak_memory`` counts anew."""
    if device().type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    with contextlib.suppress(OSError):  # another system than Linux, or not allowed
        Path("/proc/self/clear_refs").write_text("5")


def peak_memory() -> int | None:
    """The most that was in use at a time (bytes): of the GPU, else of this process; None where unknown."""
    if device().type == "cuda":
        return torch.cuda.max_memory_allocated()
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
