"""Artifacts in their runtimes, loaded and asked: `python -m benchmarks.serving`."""
