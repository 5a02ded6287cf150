"""Which text tasks, trained together, help which, and which harm which."""

__version__ = "0.1.0"
