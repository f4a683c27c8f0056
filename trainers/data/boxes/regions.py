"""Regions of pictures: (seed, step) -> batch of warped regions, as R-CNN draws them (App. C).

Regions of all pictures are drawn alike: a share of each batch from those at objects, the others
from those that are not, each kind in permutations of its own.
"""

import dataclasses

import numpy as np
import tensorflow as tf

from trainers.data.boxes.pipelines import of_replica
from trainers.data.pipelines import WHOLE, as_written, example_indices, random_numbers
from trainers.data.stream import finish, stream
from zoo.detection import preprocess
from zoo.localisation.regions import warp

MIRRORED = (1.0, -1.0, 1.0, 1.0)  # what a mirror makes of dy, dx, dh, dw


@dataclasses.dataclass(frozen=True)
class Samples:
    """Regions to learn from, those of a picture together: picture (N,) int64, boxes (N, 4) int32.

    Boxes are whole pixels of the picture as it is seen; classes (N,) int32 are those of the objects
    there, -1 of none, deltas (N, 4) float32 the offsets to them. `at_objects` and `elsewhere` are
    the rows of both kinds; what is to be ignored is in neither.
    """

    picture: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    deltas: np.ndarray
    at_objects: np.ndarray
    elsewhere: np.ndarray

    def __len__(self):
        return len(self.picture)


class SkippedOf:
    """Notes the pictures of unreadable regions, as `skipped.Skipped` does by the region."""

    def __init__(self, skipped, picture):
        self.skipped, self.picture = skipped, picture

    def add(self, index):
        self.skipped.add(self.picture[index])
        return index


def source_of(source, samples):
    """A Source whose examples are regions, each with the whole picture for its image.

    Labels are boxes (B, 4) int32, classes (B,), deltas (B, 4).
    """
    with tf.device("cpu"):
        picture = tf.constant(samples.picture, tf.int64)
        columns = {
            name: tf.constant(getattr(samples, name)) for name in ("boxes", "classes", "deltas")
        }

    def fetch(indices):
        images, _ = source.fetch(tf.gather(picture, indices))
        return images, {name: tf.gather(column, indices) for name, column in columns.items()}

    return dataclasses.replace(
        source,
        length=len(samples),
        fetch=fetch,
        files=(),
        skipped=source.skipped and SkippedOf(source.skipped, samples.picture),
        annotations=None,
    )


def chosen(samples, step, batch_size, foreground, seed):
    """The rows of a step's batch: -> (B,) int64; those at objects are spread evenly over it."""
    rows = np.arange(batch_size + 1) * (foreground if len(samples.elsewhere) else 1.0)
    at_objects = np.diff(np.floor(rows)) > 0
    found = tf.zeros([batch_size], tf.int64)
    for kind, places in ((samples.at_objects, at_objects), (samples.elsewhere, ~at_objects)):
        count = int(places.sum())
        if not count:
            continue
        positions = step * count + tf.range(count, dtype=tf.int64)
        drawn = tf.gather(tf.cast(kind, tf.int64), example_indices(positions, len(kind), seed))
        found = tf.tensor_scatter_nd_update(found, np.flatnonzero(places)[:, None], drawn)
    return found


@as_written
def train(source, samples, contract, *, batch_size, foreground, mirror, seed, steps, part=WHOLE):
    """Batches of `steps`, (start, stop): for each step, for each replica of `part`.

    Elements: images (b, S, S, 3) float32 in 0-255, warped by the contract, {classes (b,) int32,
    deltas (b, 4)}, index (b,) int64, the region's number. With `mirror` each second is mirrored.
    """
    of_regions = source_of(source, samples)
    with tf.device("cpu"):  # as tensors once, not in each graph
        kinds = {name: tf.constant(getattr(samples, name)) for name in ("at_objects", "elsewhere")}
    drawn_from = dataclasses.replace(samples, **kinds)

    def plan(number):
        step, replica = part.locate(number)
        uniforms = random_numbers(seed, step, batch_size)["uniforms"]
        rows = {
            "index": chosen(drawn_from, step, batch_size, foreground, seed),
            "mirrored": (uniforms[:, 2] < 0.5) & mirror,
        }
        return of_replica(rows, part.rows(replica, batch_size))

    def prepare(rows):
        labels, mirrored = rows["labels"], rows["mirrored"]

        def one(row):
            image, region, turned = row
            warped = warp(pixels(image, contract), region, contract)
            return tf.where(turned, warped[:, ::-1], warped)

        given = rows["images"], labels["boxes"], mirrored
        images = tf.map_fn(one, given, fn_output_signature=tf.float32)
        deltas = tf.where(mirrored[:, None], labels["deltas"] * MIRRORED, labels["deltas"])
        targets = {"classes": labels["classes"], "deltas": deltas}
        return {"index": rows["index"], "images": images, "targets": targets}

    start, stop = steps
    numbers = range(start * part.count, stop * part.count)
    return finish(stream(of_regions, prepare, plan, numbers), "images", "targets", "index")


@as_written
def pictures(source, contract, numbers):
    """Pictures (P,) by their numbers, each at its own size: (1, H, W, 3), weights (1,), index (1,).

    The weight is 0 of what cannot be read.
    """
    with tf.device("cpu"):
        numbers = tf.constant(numbers, tf.int64)

    def plan(place):
        return {"index": numbers[place][None], "weights": tf.ones([1])}

    def prepare(rows):
        images = pixels(rows["images"][0], contract)[None]
        return {"index": rows["index"], "weights": rows["weights"], "images": images}

    batches = stream(source, prepare, plan, range(len(numbers)))
    return finish(batches, "images", "weights", "index")


def pixels(image, contract):
    """Pixels as they are seen, of what may be encoded: -> (H, W, 3)."""
    return preprocess.read(image, contract) if image.dtype == tf.string else image
