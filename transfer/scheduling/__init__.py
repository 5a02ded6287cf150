"""Which job runs when and where: the queue, and the executors that empty it."""

from transfer.scheduling.queue import JobQueue

__all__ = ["JobQueue"]
