"""Training: data in, run directory out. `train`, `evaluate` and `predict` do what programs do.

They bring TensorFlow on first use. The programs `trainers.evaluate` and `trainers.predict` are for
`python -m` alone: importing one as a module would take the function's place.
"""

import importlib

__all__ = ["evaluate", "predict", "train"]


def __getattr__(name):
    if name not in __all__:
        raise AttributeError(
            f"module 'trainers' has no attribute {name!r}: expected one of {', '.join(__all__)}"
        )
    return getattr(importlib.import_module("trainers.run.door"), name)


def __dir__():
    return sorted({*globals(), *__all__})
