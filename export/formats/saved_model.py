"""TensorFlow's SavedModel: signatures for pixels, for encoded images and for inner maps."""

import functools
import hashlib
import pathlib
import re
import tempfile

import numpy as np
import tensorflow as tf

from export import graph, parity, samples, warmup
from export.errors import ExportError
from export.formats import Format, Loaded, saved_model_names
from zoo import limits

WEIGHTS_AS = ("", "constants")  # "": variables
PATTERN = re.compile(r"[][*?\\]")  # in a path, where TensorFlow's reader of variables looks for one


def write(classifier, directory, evidence, *, weights_as):
    """Writes the SavedModel into a directory, with its labels and its warm-up requests."""
    # The module holds no network: tracked, each weight would be stored a second time.
    module = tf.Module()
    if weights_as == "variables":
        network, module.weights = graph.restored(classifier.model, classifier.image_size)
    else:
        network = graph.freeze(classifier.model, classifier.image_size)
    save(directory, module, graph.signatures(classifier, network), classifier.labels)
    contract = classifier.contract  # one image, which shows nothing
    encoded = tf.io.encode_png(samples.drawn(1, contract.covered)[0]).numpy()
    pixels = np.float32(samples.drawn(1, contract.image_size))
    asked = [("serving_default", "images", pixels), ("serve_bytes", "image_bytes", [encoded])]
    warmup.write(directory, asked)


def save(directory, module, signatures, labels):
    """The files of a module with its functions and its classes, the same for the same network."""
    directory = pathlib.Path(directory)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "labels.txt"
        path.write_text(labels, "utf-8")
        module.labels = tf.saved_model.Asset(str(path))
        tf.saved_model.save(module, str(directory), signatures=signatures)
    saved_model_names.settle(directory)
    settle_uuid(directory / saved_model_names.FINGERPRINT)


def settle_uuid(path):
    """Replaces a SavedModel's one random field by a hash of the others: same network, same bytes.

    It is the `uuid` of fingerprint.proto, field 7, written last: decimal digits of 128 bits.
    """
    content = path.read_bytes()
    found = re.search(rb"\x3a.(\d{20,40})\Z", content, re.DOTALL)
    if found:
        rest = content[: found.start()]
        digits = str(int(hashlib.sha256(rest).hexdigest()[:32], 16)).encode()
        path.write_bytes(rest + b"\x3a" + bytes([len(digits)]) + digits)


def load(directory):
    """The published files, as a process without our code would use them."""
    loaded = tf.saved_model.load(str(directory))
    pixels, encoded = (loaded.signatures[name] for name in ("serving_default", "serve_bytes"))
    name = "logits" if "logits" in pixels.structured_outputs else "features"
    return Loaded(
        lambda images: pixels(images=tf.constant(images))[name].numpy(),
        lambda images: encoded(image_bytes=tf.constant(list(images)))[name].numpy(),
        {name: interface(loaded.signatures[name]) for name in sorted(loaded.signatures)},
    )


def interface(signature):
    _, inputs = signature.structured_input_signature
    return {
        "inputs": {name: described(spec) for name, spec in sorted(inputs.items())},
        "outputs": {
            name: described(spec) for name, spec in sorted(signature.structured_outputs.items())
        },
    }


def described(spec):
    return {"dtype": spec.dtype.name, "shape": spec.shape.as_list()}


def variant(name):
    """Weights as variables, or as constants; the first is called plain "saved_model"."""
    if name not in WEIGHTS_AS:
        raise ValueError(f"saved_model: expected weights as {WEIGHTS_AS}, got {name!r}")
    writer = functools.partial(write, weights_as=name or "variables")
    name = f"saved_model{name and '-'}{name}"
    return Format(name, writer, load, parity.FLOAT32, check_place=check_place)


def check_place(output_dir):
    """ExportError for a directory from which nobody could load a SavedModel."""
    if PATTERN.search(str(output_dir)):
        raise ExportError(
            f"TensorFlow loads no SavedModel from a path with one of [ ] * ? \\ in it: expected "
            f"another --output_dir than {limits.shown(str(output_dir))}"
        )
