"""The networks of "Deep Residual Learning for Image Recognition" (He et al., 2015).

`build` and its companions load Keras on first use, so that asking for help stays quick.
"""

from zoo.specs import Network, Spec, find, names

__all__ = ["Network", "Spec", "build", "build_network", "features", "find", "names"]

_LAZY = {"build": "zoo.resnet", "build_network": "zoo.resnet", "features": "zoo.resnet"}


def __getattr__(name):
    if name not in _LAZY:
        raise AttributeError(f"module 'zoo' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(_LAZY[name]), name)
