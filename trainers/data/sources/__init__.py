"""Where images come from: a Source is found by name, each kind of set has its own module."""

from trainers.data.sources.source import (
    BUILT_IN,
    KNOWN,
    SPLITS,
    DataError,
    Source,
    in_memory,
    lacks_validation,
    load,
)

__all__ = [
    "BUILT_IN",
    "KNOWN",
    "SPLITS",
    "DataError",
    "Source",
    "in_memory",
    "lacks_validation",
    "load",
]
