"""Training: data in, run directory out. `train`, `evaluate` and `predict` do what programs do.

They bring TensorFlow on first use. The programs `trainers.evaluate` and `trainers.predict` are for
`python -m` alone: importing one as a module would take the function's place.
"""

import importlib

__all__ = ["evaluate", "predict", "train"]

_LAZY = dict.fromkeys(__all__, "trainers.run.door")


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(
            f"module 'trainers' has no attribute {name!r}: expected one of {', '.join(__all__)}"
        )
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__():
    return sorted({*globals(), *__all__})
