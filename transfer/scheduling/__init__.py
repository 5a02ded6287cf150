"""Which job runs when and where: the queue, the executors that empty it, and what they need of a machine."""
