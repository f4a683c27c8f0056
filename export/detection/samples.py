"""Pictures and the source network's answers, kept beside an artifact so that it can be checked."""

import dataclasses
import pathlib

import numpy as np

from export import samples
from export.detection import answers
from export.detection.parity import Answer
from export.detection.pictures import Picture, Pictures, padded

COUNT = 8
WAYS = ("pixels", "bytes")


@dataclasses.dataclass(frozen=True)
class Samples:
    """`pictures`, their pixels whole numbers, and the network's Answers to them by way."""

    pictures: Pictures
    asked: dict


def write(directory, network, contract, canvas, pictures):
    """Stores the first pictures, on the canvas if there is one, and what the network says of them.

    Pixels are rounded to whole numbers, so that they mean the same to every format.
    """
    rows = []
    for row in pictures.rows[:COUNT]:
        pixels = row.pixels if canvas is None else padded(row.pixels, canvas)
        rows.append(dataclasses.replace(row, pixels=np.float32(np.rint(pixels))))
    asked = {
        "pixels": [answers.of_pixels(network, row.pixels) for row in rows],
        "bytes": [answers.of_file(network, contract, row.encoded) for row in rows],
    }
    stored = {}
    for number, row in enumerate(rows):
        stored[f"pixels_{number}"] = np.uint8(row.pixels)
        stored[f"size_{number}"] = np.array(row.original)
        for way in WAYS:
            found = zip(Answer._fields, asked[way][number])
            stored |= {f"{way}_{number}_{name}": array for name, array in found}
    (pathlib.Path(directory) / samples.FOLDER).mkdir()
    np.savez_compressed(pathlib.Path(directory) / samples.REFERENCE, **stored)
    samples.write_files(directory, [row.encoded for row in rows])
    return Samples(Pictures(tuple(rows), pictures.canvas, pictures.origin), asked)


def read(directory):
    """What `write` stored."""
    with np.load(pathlib.Path(directory) / samples.REFERENCE) as stored:
        rows, asked = [], {way: [] for way in WAYS}
        for number, encoded in enumerate(samples.read_files(directory)):
            pixels = np.float32(stored[f"pixels_{number}"])
            rows.append(Picture(pixels, encoded, tuple(stored[f"size_{number}"].tolist())))
            for way, found in asked.items():
                names = (f"{way}_{number}_{name}" for name in Answer._fields)
                found.append(Answer(*(stored[name] for name in names)))
    return Samples(Pictures(tuple(rows), rows[0].pixels.shape[:2], ""), asked)
