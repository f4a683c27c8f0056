"""One module a file format: how it is written, how it is read back, how near it must come."""

import dataclasses
import importlib
import re
from collections.abc import Callable

from export.parity import Gate

# Format name -> module; what stands after the dash is the module's to understand.
_MODULES = {"saved_model": "saved_model", "tflite": "tflite", "onnx": "onnx", "page": "page"}

# What the converters and runtimes say at every use, whatever the log level.
NOISE = re.compile(
    rb"INFO: Created TensorFlow Lite XNNPACK delegate|^fully_quantize: \d, inference_type"
)


@dataclasses.dataclass(frozen=True)
class Format:
    """`write(classifier, directory, evidence)` makes the artifact's files in a directory.

    `load(directory)` reads them back as a Loaded.
    `explain(directory, classifier, images)` says in words why an artifact missed its gate.
    `check_place(output_dir)` raises a ValueError for a directory that its runtime cannot read.
    """

    name: str
    write: Callable
    load: Callable
    gate: Gate
    explain: Callable | None = None
    check_place: Callable | None = None


@dataclasses.dataclass(frozen=True)
class Loaded:
    """An artifact as its runtime runs it.

    `pixels` maps (B, S, S, 3) float32 of 0-255 to logits (B, classes), `encoded` a sequence of
    encoded images to the same; None where the format takes no bytes. `probabilities` maps pixels
    to softmax scores, where those come by another way than the logits. `interface` is what a
    client sees: inputs and outputs of each signature, as plain data.
    """

    pixels: Callable
    encoded: Callable | None
    interface: dict
    probabilities: Callable | None = None


def without_bytes(loaded):
    return dataclasses.replace(loaded, encoded=None)


def find(name):
    """The Format of a name such as "saved_model" or "tflite-int8"; ValueError lists the kinds."""
    kind, _, variant = name.partition("-")
    if kind not in _MODULES:
        raise ValueError(f"unknown format {name!r}: expected one of {', '.join(_MODULES)}")
    module = importlib.import_module(f"{__package__}.{_MODULES[kind]}")
    return module.variant(variant)
