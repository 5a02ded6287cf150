"""C++ passes of a training step on a CPU; without a compiler, torch's operations.

``passes.cpp`` is compiled once for a machine (``library``), called through ``passes``, and serves the layers
of BERT's kin (``layers``), the optimizer and clipping. The numbers are torch's, but for rounding.
"""
