"""A machine with GPUs, measured: `python -m benchmarks.gpu`."""
