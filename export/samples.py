"""Requests and the source network's answers, kept beside an artifact so that it can be checked."""

import base64
import dataclasses
import json
import pathlib

import numpy as np
import tensorflow as tf

from export import by_class, images, reference, stripped
from export.errors import ExportError
from zoo import files, preprocess, sizes
from zoo.specs import MOST_CLASSES

FEWEST, MOST = 16, 64  # pictures: one a class if there are so many
FOLDER = pathlib.Path("samples")
REFERENCE = FOLDER / "reference.npz"
SUFFIXES = {b"\xff\xd8": "jpg", b"\x89P": "png", b"GI": "gif", b"BM": "bmp", b"RI": "webp"}


@dataclasses.dataclass(frozen=True)
class Samples:
    """`pixels` (N, S, S, 3) uint8 with the network's `logits`, and the same for N files' bytes.

    `shown` are the pictures that they are of; None where they show nothing.
    """

    pixels: np.ndarray
    logits: np.ndarray
    encoded: tuple[bytes, ...]
    encoded_logits: np.ndarray
    shown: images.Images | None = None


def of_pictures(held_out, contract, source):
    """Some of every class, and what `source(pixels)`, the trained network, says of them.

    Pixels are rounded to whole numbers, so that they mean the same to every format.
    """
    classes = 1 if held_out.labels is None else len(np.unique(held_out.labels))
    few = by_class.spread(held_out, min(max(FEWEST, classes), MOST))
    pixels = np.uint8(np.rint(few.pixels))
    encoded = tuple(stripped.stripped(file, contract) for file in few.encoded)
    return Samples(pixels, source(np.float32(pixels)), encoded, source(few.pixels), few)


def of_nothing(contract, artifact):
    """Colours and noise, for whom no picture may leave the house, and what `artifact` says of them.

    Not the network: pictures of nothing lie beside what a quantised file was calibrated on.
    """
    size = contract.image_size
    pixels = drawn(FEWEST, size)
    encoded = tuple(tf.io.encode_png(image).numpy() for image in drawn(FEWEST, contract.covered))
    prepared = np.stack([preprocess.prepare(file, contract).numpy() for file in encoded])
    return Samples(pixels, artifact(np.float32(pixels)), encoded, artifact(prepared))


def drawn(count, size):
    """Half noise, half one colour each: (count, height, width, 3) uint8, always the same."""
    noise = np.random.default_rng(0).integers(0, 256, (count, *sizes.of(size), 3), np.uint8)
    noise[::2] = noise[::2, :1, :1]
    return noise


def write(directory, kept):
    """Stores them."""
    directory = pathlib.Path(directory)
    (directory / FOLDER).mkdir()
    np.savez_compressed(
        directory / REFERENCE,
        pixels=kept.pixels,
        logits=kept.logits,
        encoded_logits=kept.encoded_logits,
    )
    write_files(directory, kept.encoded)


def write_files(directory, encoded):
    """Encoded images as numbered files."""
    for number, content in enumerate(encoded):
        suffix = SUFFIXES.get(content[:2], "bin")
        (pathlib.Path(directory) / FOLDER / f"{number:03d}.{suffix}").write_bytes(content)


def read_files(directory):
    """What `write_files` wrote, in order."""
    paths = sorted((pathlib.Path(directory) / FOLDER).glob("[0-9]*.*"))
    return tuple(path.read_bytes() for path in paths)


def read(directory, sides):
    """What `write` stored of pictures of `sides`. ExportError where that proves nothing."""
    path, encoded = pathlib.Path(directory) / REFERENCE, read_files(directory)
    count, units = range(1, MOST + 1), range(1, MOST_CLASSES + 1)
    wanted = {
        "pixels": ((count, *sides, 3), "u"),
        "logits": ((count, units), "f"),
        "encoded_logits": ((len(encoded), units), "f"),
    }
    stored = Samples(encoded=encoded, **reference.read(path, wanted))
    if len(stored.logits) != len(stored.pixels):
        raise ExportError(
            f"{path} has answers to {len(stored.logits)} of its {len(stored.pixels)} pictures"
        )
    reference.check_unlike(stored.pixels, path)
    reference.check_unlike(encoded, path)
    return stored


def write_requests(directory, encoded, signature="serve_bytes"):
    """Ready-made REST bodies for one image: TensorFlow Serving's (KServe v1's) and KServe v2's."""
    text = base64.b64encode(encoded).decode()
    v1 = {"signature_name": signature, "instances": [{"image_bytes": {"b64": text}}]}
    v2 = {
        "inputs": [
            {
                "name": "image_bytes",
                "datatype": "BYTES",
                "shape": [1],
                "parameters": {"content_type": "base64"},
                "data": [text],
            }
        ]
    }
    for name, body in (("request.json", v1), ("request.v2.json", v2)):
        files.write_text(pathlib.Path(directory) / FOLDER / name, json.dumps(body) + "\n")
