"""Which text tasks, trained together, help which, and which harm which.

``Study`` opens a finished grid in a notebook; see ``transfer.study``.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transfer.study import Study

__version__ = "0.1.0"
__all__ = ["Study", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Study":  # it needs pandas and scipy, which nothing else here should wait for
        return importlib.import_module("transfer.study").Study
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
