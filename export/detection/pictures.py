"""Real pictures with objects: those that a detector's artifact is compared on."""

import dataclasses

import numpy as np

from export.errors import ExportError
from export.images import as_files, check_classes
from trainers.data import boxes, recorded, skipped, split
from trainers.data.boxes import pipelines
from zoo.detection import preprocess


@dataclasses.dataclass(frozen=True)
class Picture:
    """`pixels` (h, w, 3) float32 as evaluation sees them, the file a client would send.

    `original` is the file's own height and width.
    """

    pixels: np.ndarray
    encoded: bytes
    original: tuple[int, int]


@dataclasses.dataclass(frozen=True)
class Pictures:
    """`canvas` is a height and width that holds each; `origin` says where they come from."""

    rows: tuple[Picture, ...]
    canvas: tuple[int, int]
    origin: str


def of_run(trained, limit, data_dir=None, run_dir=None, accepted=False):
    """At most `limit` pictures of the detector's own validation set.

    DataError where the set has changed since, unless that is `accepted`. ExportError for other
    classes.
    """
    data = trained.facts.get("data", {})
    if not data.get("name"):
        raise ExportError("the detector names no pictures to compare on: export a run's")
    data_dir = data_dir or data.get("data_dir")
    source = boxes.load(data["name"], "validation", data_dir=data_dir, seed=data.get("seed", 0))
    kept = split.read(run_dir) if run_dir else None
    if kept and kept.data == data["name"]:
        recorded.check_set(kept, source, run_dir, accepted)
    check_classes(source, trained.class_names)
    return of_source(source, trained.contract, limit)


def of_source(source, contract, limit):
    """At most `limit` pictures, as evaluation reads them; what cannot be read is passed over."""
    source = skipped.tolerant(source)
    found = []
    for images, targets, weights, index in pipelines.evaluate(
        source, contract, batch_size=1, limit=limit
    ):
        if weights.numpy()[0] > 0:
            height, width = targets["size"].numpy()[0]
            pixels = np.float32(images[0, :height, :width])
            original = tuple(map(int, targets["original"].numpy()[0]))
            (encoded,) = as_files(source.fetch(index)[0].numpy(), not source.image_shape)
            found.append(Picture(pixels, encoded, original))
    if not found:
        raise ExportError(f"{source.name}: expected {source.split} pictures that can be read")
    origin = f"{len(found)} of the {source.length} {source.split} pictures of {source.name}"
    if source.skipped.indices:
        origin += f", {len(source.skipped.indices)} passed over that cannot be read"
    return Pictures(tuple(found), canvas_of(source, contract), origin)


def canvas_of(source, contract):
    """The least height and width that hold every picture of a source, resized."""
    sizes = preprocess.scaled_size(source.annotations.sizes, contract)
    return tuple(map(int, np.max(sizes, axis=0)))


def padded(pixels, canvas):
    """Zeros below and right of a picture: (h, w, 3) -> (H, W, 3)."""
    below, right = np.subtract(canvas, pixels.shape[:2])
    return np.pad(pixels, ((0, below), (0, right), (0, 0)))
