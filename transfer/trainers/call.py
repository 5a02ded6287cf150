"""Calls a trainer that is a Python function: ``python -m transfer.trainers.call module:function JOB OUT``."""

import importlib
import sys
from pathlib import Path


def main() -> None:
    """Import the function and call it with the paths of the job's file and of its answers' folder."""
    name, job, out = sys.argv[1:]
    module, _, function = name.partition(":")
    getattr(importlib.import_module(module), function)(Path(job), Path(out))


if __name__ == "__main__":
    main()
