"""How cost grows with the networks, and how soon programs start: `python -m benchmarks.growth`."""
