"""Whom to tell how far a report is: of what, how many are done, of how many."""

from collections.abc import Callable

Watch = Callable[[str, int, int], None]


def nobody(what: str, done: int, of: int) -> None:
    """Ignore the progress of a report."""
