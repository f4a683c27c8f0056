"""Pictures and the source network's answers, kept beside an artifact so that it can be checked."""

import dataclasses
import pathlib

import numpy as np
import tensorflow as tf

from export import reference, samples, stripped
from export.detection.parity import Answer
from export.detection.pictures import Picture, padded
from export.errors import ExportError
from zoo.specs import LARGEST_PX

COUNT = 8
MOST_OBJECTS, LARGEST = 100_000, 2**29  # in a picture; bytes of all
WAYS = ("pixels", "bytes")


@dataclasses.dataclass(frozen=True)
class Samples:
    """`pictures`, their pixels whole numbers, and the network's Answers to them by way.

    `shown` is false where they show nothing.
    """

    pictures: tuple[Picture, ...]
    asked: dict
    shown: bool = True


def write(directory, source, canvas, held_out, sides=(64, 64)):
    """Stores pictures, on the canvas if there is one, and what the `Source` says of them: Samples.

    They are the first ones held out, without what their cameras noted; if None are given colours
    and noise of `sides`, or of the canvas. Pixels are rounded to whole numbers, so that they mean
    the same to every format.
    """
    rows = []
    for row in held_out.rows[:COUNT] if held_out else of_nothing(canvas or sides):
        pixels = row.pixels if canvas is None else padded(row.pixels, canvas)
        encoded = stripped.stripped(row.encoded, source.contract)
        pixels = np.float32(np.rint(pixels))
        rows.append(dataclasses.replace(row, pixels=pixels, encoded=encoded))
    asked = {
        "pixels": [source.of_pixels(row.pixels) for row in rows],
        "bytes": [source.of_file(row.encoded) for row in rows],
    }
    store(directory, rows, asked)
    return Samples(tuple(rows), asked, held_out is not None)


def of_nothing(sides):
    """Pictures for whom none may leave the house."""
    found = samples.drawn(COUNT, sides)
    return [Picture(np.float32(x), tf.io.encode_png(x).numpy(), tuple(sides)) for x in found]


def store(directory, rows, asked):
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


def read(directory):
    """What `write` stored. ExportError where that proves nothing."""
    path, files = pathlib.Path(directory) / samples.REFERENCE, samples.read_files(directory)
    if not 0 < len(files) <= COUNT:
        raise ExportError(f"{path.parent} has {len(files)} pictures, expected 1 to {COUNT}")
    stored = reference.read(path, wanted(len(files)), LARGEST)
    rows, asked = [], {way: [] for way in WAYS}
    for number, encoded in enumerate(files):
        pixels = np.float32(stored[f"pixels_{number}"])
        rows.append(Picture(pixels, encoded, tuple(stored[f"size_{number}"].tolist())))
        for way, found in asked.items():
            names = (f"{way}_{number}_{name}" for name in Answer._fields)
            found.append(Answer(*(stored[name] for name in names)))
            if len({len(x) for x in found[-1]}) > 1:
                raise ExportError(f"{path}: picture {number} has boxes without scores or classes")
    reference.check_unlike([row.pixels for row in rows], path)
    reference.check_unlike(files, path)
    return Samples(tuple(rows), asked)


def wanted(count):
    """What reference.npz must hold of so many pictures: {name: (shape, kind)}."""
    side, objects = range(1, LARGEST_PX + 1), range(MOST_OBJECTS + 1)
    found = {}
    for number in range(count):
        found[f"pixels_{number}"] = ((side, side, 3), "u")
        found[f"size_{number}"] = ((2,), "i")
        for way in WAYS:
            found[f"{way}_{number}_boxes"] = ((objects, 4), "f")
            found[f"{way}_{number}_scores"] = ((objects,), "f")
            found[f"{way}_{number}_class_ids"] = ((objects,), "i")
    return found
