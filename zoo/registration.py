"""Our layers in Keras' registry, without Keras being imported for it.

Keras 3.15 opens a file of a class that is not its own only if that class is registered: it looks
at a config's `module` for its sister packages alone. Registering is importing LAYERS, which
need Keras; so where Keras is not there yet, the import waits for the end of Keras' own.
"""

import contextlib
import importlib
import sys
import threading

KERAS, LAYERS = "keras", ("zoo.layers", "zoo.detection.roi_layer")


def register():
    """Registers our layers now if Keras has been imported, else as soon as it has been."""
    if KERAS in sys.modules:
        _import_layers()
    elif not any(isinstance(finder, KerasFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, KerasFinder())


def _import_layers():
    """`import keras` never fails for our sake; what is wrong here, `zoo.build` will say.

    ImportError: a Keras too old for our layers. RuntimeError: Python's `_DeadlockError`, when
    another thread is in the midst of importing them and waits for Keras; it registers them.
    """
    for module in LAYERS:
        with contextlib.suppress(ImportError, RuntimeError):
            importlib.import_module(module)


class KerasFinder:
    """Finds Keras where the other finders of `sys.meta_path` do, and no other module.

    It stays there: to remove it would make an import in another thread skip one of its neighbours.
    """

    def __init__(self):
        self._this_thread = threading.local()

    def find_spec(self, name, path=None, target=None):
        """None, "ask the next finder", for all but Keras, and while another finder asks us back."""
        if name != KERAS or getattr(self._this_thread, "asking", False):
            return None
        self._this_thread.asking = True
        try:
            spec = self._ask_the_others(name, path, target)
        finally:
            self._this_thread.asking = False
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = KerasLoader(spec.loader)
        return spec

    def _ask_the_others(self, *module):
        others = (x for x in list(sys.meta_path) if x is not self and hasattr(x, "find_spec"))
        return next((spec for x in others if (spec := x.find_spec(*module)) is not None), None)


class KerasLoader:
    """Keras' own loader in all things; once it has run, the module keeps no trace of ours."""

    def __init__(self, loader):
        self._loader = loader

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def exec_module(self, module):
        module.__loader__ = module.__spec__.loader = self._loader
        self._loader.exec_module(module)
        _import_layers()
