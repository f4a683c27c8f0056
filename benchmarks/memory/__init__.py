"""The most memory that each task takes, ours and the peers': `python -m benchmarks.memory`."""
