"""Statistics: from the store's scores to gains, verdicts, the numbers of the graph, and tables.

Imports no torch, transformers, ray or matplotlib; ``transfer.reporting`` draws and writes.
"""
