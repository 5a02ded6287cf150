"""Find out which text tasks help each other when trained together, which hurt, and how sure we can be.

``run_grid`` runs a grid and returns its ``Study``; ``Study.open`` opens a finished one.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transfer.experiment import run_grid
    from transfer.grid import Grid
    from transfer.study import Study

__version__ = "0.1.0"
__all__ = ["Grid", "Study", "__version__", "run_grid"]

_HOMES = {"Grid": "transfer.grid", "Study": "transfer.study", "run_grid": "transfer.experiment"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:  # they need pandas and scipy, which no command's help should wait for
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
