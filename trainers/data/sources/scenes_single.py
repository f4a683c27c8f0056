"""Scenes with one handwritten digit, which is their class: for who learns to localise it later."""

from trainers.data import boxes, sources
from trainers.data.boxes import single


def load(name, split, *, data_dir=None, seed: int = 0) -> sources.Source:
    """(96, 96, 3) uint8, 12,000 and 300 of them: `boxes.scenes`."""
    return single.classified(boxes.load(name, split, seed=seed))
