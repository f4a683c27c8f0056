"""Requests and the source network's answers, kept beside an artifact so that it can be checked."""

import base64
import dataclasses
import json
import pathlib

import numpy as np

from zoo import files

COUNT = 16
FOLDER = pathlib.Path("samples")
REFERENCE = FOLDER / "reference.npz"
SUFFIXES = {b"\xff\xd8": "jpg", b"\x89P": "png", b"GI": "gif", b"BM": "bmp", b"RI": "webp"}


@dataclasses.dataclass(frozen=True)
class Samples:
    """`pixels` (N, S, S, 3) uint8 with the network's `logits`, and the same for N files' bytes."""

    pixels: np.ndarray
    logits: np.ndarray
    encoded: tuple[bytes, ...]
    encoded_logits: np.ndarray


def write(directory, images, source):
    """Stores the first images and what `source(pixels)`, the trained network, says of them.

    Pixels are rounded to whole numbers, so that they mean the same to every format.
    """
    directory = pathlib.Path(directory)
    (directory / FOLDER).mkdir()
    few = images.first(COUNT)
    pixels = np.uint8(np.rint(few.pixels))
    kept = Samples(pixels, source(np.float32(pixels)), few.encoded, source(few.pixels))
    np.savez_compressed(
        directory / REFERENCE,
        pixels=kept.pixels,
        logits=kept.logits,
        encoded_logits=kept.encoded_logits,
    )
    write_files(directory, kept.encoded)
    return kept


def write_files(directory, encoded):
    """Encoded images as numbered files."""
    for number, content in enumerate(encoded):
        suffix = SUFFIXES.get(content[:2], "bin")
        (pathlib.Path(directory) / FOLDER / f"{number:03d}.{suffix}").write_bytes(content)


def read_files(directory):
    """What `write_files` wrote, in order."""
    paths = sorted((pathlib.Path(directory) / FOLDER).glob("[0-9]*.*"))
    return tuple(path.read_bytes() for path in paths)


def read(directory):
    """What `write` stored."""
    directory = pathlib.Path(directory)
    with np.load(directory / REFERENCE) as stored:
        arrays = {name: stored[name] for name in ("pixels", "logits", "encoded_logits")}
    return Samples(encoded=read_files(directory), **arrays)


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
