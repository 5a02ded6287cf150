"""Where this process computes, and with what."""

import platform

import torch
import transformers

from transfer import __version__


def device() -> torch.device:
    """The GPU where this process sees one; an executor that gives a job none hides them."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def provenance() -> dict[str, str]:
    """The versions, the device and the threads that a result was made with."""
    return {
        "transfer": __version__,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "python": platform.python_version(),
        "device": torch.cuda.get_device_name() if device().type == "cuda" else "cpu",
        "threads": str(torch.get_num_threads()),
    }
