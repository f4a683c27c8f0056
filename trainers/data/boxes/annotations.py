"""The objects of all pictures of a split as flat arrays, and as padded tensors for a batch."""

import dataclasses
import functools
import typing

import numpy as np
import tensorflow as tf


class Objects(typing.NamedTuple):
    """Of one picture: boxes (n, 4), classes (n,), ignore (n,), area (n,)."""

    boxes: np.ndarray
    classes: np.ndarray
    ignore: np.ndarray
    area: np.ndarray


@dataclasses.dataclass(frozen=True)
class Annotations:
    """The objects (N,) of the pictures (P,) of a split, those of a picture together, in its order.

    `picture` (N,) int64 is each object's picture, ascending; boxes (N, 4) float32 in pixels of the
    picture as it is seen, within it; classes (N,) int32; ignore (N,) bool; area (N,) float64 in
    square pixels, of COCO the outline's. `sizes` (P, 2) int32 are height and width, `image_ids`
    (P,) int64 and `category_ids` (K,) int64 COCO's own, `names` (P,) the files'.
    """

    picture: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    ignore: np.ndarray
    area: np.ndarray
    sizes: np.ndarray
    image_ids: np.ndarray
    names: tuple[str, ...]
    category_ids: np.ndarray

    @functools.cached_property
    def starts(self):
        """Where each picture's objects begin, and where the last one's end: (P + 1,) int64."""
        return np.searchsorted(self.picture, np.arange(len(self.names) + 1))

    @functools.cached_property
    def most(self) -> int:
        """The most objects that a picture has, 1 at least."""
        return max(1, int(np.diff(self.starts).max(initial=0)))

    def of(self, number: int) -> Objects:
        """The objects of one picture."""
        rows = slice(self.starts[number], self.starts[number + 1])
        return Objects(*(c[rows] for c in (self.boxes, self.classes, self.ignore, self.area)))


def gather(annotations):
    """A function: indices (B,) -> {boxes (B, M, 4), classes (B, M), ignore (B, M)}."""
    with tf.device("cpu"):  # each with a row at its end, to gather from where there are none
        starts = tf.constant(annotations.starts, tf.int64)
        boxes = tf.constant(np.pad(annotations.boxes, ((0, 1), (0, 0))), tf.float32)
        classes = tf.constant(np.pad(annotations.classes, (0, 1), constant_values=-1), tf.int32)
        ignore = tf.constant(np.pad(annotations.ignore, (0, 1)), tf.bool)
    last = len(annotations.classes)

    def padded(indices):
        first, end = tf.gather(starts, indices), tf.gather(starts, indices + 1)
        rows = first[:, None] + tf.range(annotations.most, dtype=tf.int64)
        rows = tf.where(rows < end[:, None], rows, last)
        return {
            "boxes": tf.gather(boxes, rows),
            "classes": tf.gather(classes, rows),
            "ignore": tf.gather(ignore, rows),
        }

    return padded
