"""A published SavedModel, loaded to be asked image by image."""

import dataclasses
import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from export import check
from export.errors import ExportError
from zoo import headers

# Not `features`, whose maps would make hundreds of megabytes of JSON.
SERVED = ("serve_bytes", "serving_default")


@dataclasses.dataclass(frozen=True)
class Model:
    """`signatures` map names to functions of a list of images: a list of {output: array}."""

    version: str
    network: str
    classes: int
    interface: dict
    signatures: dict[str, Callable]


def newest(directory):
    """The artifact itself, or the newest version in a folder of them. ExportError."""
    directory = pathlib.Path(directory)
    if (directory / check.METADATA).is_file():
        return directory
    found = [path for path in directory.glob("*") if path.name.isdecimal()]
    found = [path for path in found if (path / check.METADATA).is_file()]
    if not found:
        raise ExportError(
            f"{directory} holds no artifact: expected {check.METADATA} in it or in a numbered "
            "folder, as export.saved_model writes"
        )
    return max(found, key=lambda path: int(path.name))


def load(directory):
    """The Model of an artifact that is whole, each signature called once. ExportError."""
    wrong = check.problems(directory)
    if wrong:
        raise ExportError(f"{directory} is not as it was published: {wrong[0]}")
    metadata = check.read_metadata(directory)
    if metadata["artifact"] != "saved_model":
        raise ExportError(
            f"{directory} is {metadata['artifact']}: expected a saved_model, of export.saved_model"
        )
    if metadata.get("kind") == "detector":
        raise ExportError(
            f"{directory} is a detector, and this server answers for classifiers: expected one of "
            "those; TensorFlow Serving takes both"
        )
    loaded = tf.saved_model.load(str(directory))
    interface = {name: metadata["interface"][name] for name in SERVED}
    signatures = {name: asked(loaded.signatures[name]) for name in SERVED}
    for name, sides in interface.items():
        (spec,) = sides["inputs"].values()
        blank = b"" if spec["dtype"] == "string" else np.zeros(spec["shape"][1:], np.float32)
        signatures[name]([blank])  # the first call lays out the weights
    version = directory.name if directory.name.isdecimal() else "1"
    names = metadata["class_names"]
    return Model(version, metadata["network"], len(names), interface, signatures)


def asked(signature):
    (name,) = signature.structured_input_signature[1]

    def run(images):
        batch = tf.constant(images if isinstance(images[0], bytes) else np.stack(images))
        outputs = {key: x.numpy() for key, x in signature(**{name: batch}).items()}
        return [{key: x[i] for key, x in outputs.items()} for i in range(len(images))]

    return run


@tf.function(input_signature=[tf.TensorSpec((), tf.string)], autograph=False)
def claimed_pixels(encoded):
    return headers.claimed_size(encoded)[2]


def cost(image):
    """Pixels that an image is decoded to, for which its header is asked."""
    if not isinstance(image, bytes):
        return image.shape[0] * image.shape[1]
    if image.startswith(b"GIF8"):
        return headers.MAX_PIXELS  # its frames would be walked twice; so it goes alone
    try:
        return int(claimed_pixels(tf.constant(image)))
    except tf.errors.InvalidArgumentError:
        return 0  # a JPEG without a size, which the artifact refuses
