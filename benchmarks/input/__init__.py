"""Input pipelines alone, beside the usual ones: `python -m benchmarks.input`."""
