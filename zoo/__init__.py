"""The networks of "Deep Residual Learning for Image Recognition" (He et al., 2015).

`build`, `load` and their companions bring Keras on first use, so that `import zoo`, and asking a
program for help, stay quick. Beside them `import zoo` lets Keras know our layers, whichever of the
two comes first: `keras.models.load_model` opens files that hold them.
"""

from zoo import registration
from zoo.specs import Network, Spec, find, names

__all__ = ["Network", "Spec", "build", "build_network", "features", "find", "load", "names"]

_LAZY = {
    "build": "zoo.resnet",
    "build_network": "zoo.resnet",
    "features": "zoo.resnet",
    "load": "zoo.archive",
}

registration.register()


def __getattr__(name):
    import importlib
    import sys

    if name not in _LAZY:
        raise AttributeError(
            f"module 'zoo' has no attribute {name!r}: expected one of {', '.join(__all__)}",
            name=name,
            obj=sys.modules[__name__],  # both for Python's own "Did you mean: 'build'?"
        )
    return getattr(importlib.import_module(_LAZY[name]), name)


def __dir__():
    return sorted({*globals(), *__all__})
