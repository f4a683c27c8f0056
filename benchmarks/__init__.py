"""Timings beside named peers, taken in one run on one machine; never asserted in tests."""
