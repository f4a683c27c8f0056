"""What docs/scale.md claims, measured at small scale: `python -m benchmarks.scale`."""
