"""TensorFlow's SavedModel: signatures for pixels, for encoded images and for inner maps."""

import hashlib
import pathlib
import re
import tempfile

import tensorflow as tf

from export import graph, parity, warmup
from export.formats import Format, Loaded


def write(classifier, directory, evidence):
    """Writes the SavedModel into a directory, with its labels and its warm-up requests."""
    held_out = evidence.held_out
    asked = [("serving_default", "images", held_out.pixels[:1])]
    asked.append(("serve_bytes", "image_bytes", list(held_out.encoded[:1])))
    save(directory, classifier.class_names, graph.signatures(classifier), asked)


def save(directory, class_names, signatures, asked):
    """Functions as a SavedModel; `asked` are `warmup`'s requests."""
    with tempfile.TemporaryDirectory() as folder:
        labels = pathlib.Path(folder) / "labels.txt"
        labels.write_text("".join(f"{name}\n" for name in class_names), "utf-8")
        # The module holds no network: tracked, each weight would be stored a second time.
        module = tf.Module()
        module.labels = tf.saved_model.Asset(str(labels))
        tf.saved_model.save(module, str(directory), signatures=signatures)
    settle_uuid(pathlib.Path(directory) / "fingerprint.pb")
    warmup.write(directory, asked)


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
    return Loaded(
        lambda images: pixels(images=tf.constant(images))["logits"].numpy(),
        lambda images: encoded(image_bytes=tf.constant(list(images)))["logits"].numpy(),
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
    if name:
        raise ValueError(f"saved_model has no variants, got {name!r}")
    return Format("saved_model", write, load, parity.FLOAT32)
