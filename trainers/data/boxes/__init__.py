"""Where pictures with boxes come from: a Source is found by name, each kind has its own module."""

from trainers.data.boxes.annotations import Annotations
from trainers.data.boxes.load import BUILT_IN, KNOWN, SPLITS, load

__all__ = ["BUILT_IN", "KNOWN", "SPLITS", "Annotations", "load"]
