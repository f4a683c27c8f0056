"""Objects on pictures as flat arrays, a row an object: what is there, and what was found.

Boxes are (y1, x1, y2, x2), continuous edges in pixels of the upright original picture. Rows of one
picture lie together, pictures by their numbers in the source, so a set of a hundred detections on
each of 5,000 pictures has 14 MB.
"""

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True)
class Truth:
    """The labelled objects of the `pictures` judged, and what pictures and classes are called.

    `picture` (N,) is each object's picture, a number of `pictures` (P,), ascending; boxes (N, 4),
    classes (N,), area (N,) in square pixels, of COCO the outline's. An object of `ignore` (N,), a
    crowd or VOC's difficult, is neither counted nor punished. `category_ids` (K,) and `image_ids`
    (P,) are COCO's own numbers.
    """

    pictures: np.ndarray
    picture: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    ignore: np.ndarray
    area: np.ndarray
    class_names: tuple[str, ...]
    category_ids: np.ndarray
    image_ids: np.ndarray

    @property
    def counted(self):
        """How many objects of each class a detector is asked for: (K,)."""
        return np.bincount(self.classes[~self.ignore], minlength=len(self.class_names))


@dataclasses.dataclass(frozen=True)
class Found:
    """Detections: picture (N,), boxes (N, 4), scores (N,), classes (N,); a picture's best first."""

    picture: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    classes: np.ndarray


def found(rows):
    """Detections of pictures in any order: [(picture, boxes, scores, classes), ...] -> Found."""
    rows = sorted(rows, key=lambda row: row[0])
    numbers = [np.full(len(scores), picture, np.int64) for picture, _, scores, _ in rows]
    return in_order(
        np.concatenate([np.zeros(0, np.int64), *numbers]),
        np.concatenate([np.zeros((0, 4), np.float32), *(row[1] for row in rows)]),
        np.concatenate([np.zeros(0, np.float32), *(row[2] for row in rows)]),
        np.concatenate([np.zeros(0, np.int32), *(row[3] for row in rows)]),
    )


def in_order(picture, boxes, scores, classes):
    """A Found of such columns: by picture, then by score; ties stay as they came."""
    order = np.lexsort((-scores, picture))
    return Found(*(column[order] for column in (picture, boxes, scores, classes)))


def of_class(objects, number):
    """The rows of one class: Truth or Found -> (n,) of them."""
    return np.flatnonzero(objects.classes == number)


def on_picture(objects, picture):
    """The rows of one picture: Truth or Found -> slice."""
    return slice(*np.searchsorted(objects.picture, [picture, picture + 1]))


def by_picture(objects, rows):
    """Rows, ascending, by their pictures: -> {picture: rows}."""
    numbers, starts = np.unique(objects.picture[rows], return_index=True)
    return dict(zip(numbers.tolist(), np.split(rows, starts[1:])))


def areas(boxes):
    """(N, 4) -> (N,) float64; 0 for a box that is inside out."""
    sides = np.maximum(boxes[:, 2:].astype(np.float64) - boxes[:, :2], 0)
    return sides[:, 0] * sides[:, 1]


def overlaps(a, b):
    """Intersection over union of each with each: (N, 4), (M, 4) -> (N, M) float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    top = np.maximum(a[:, None, :2], b[None, :, :2])
    bottom = np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = np.maximum(bottom - top, 0).prod(axis=-1)
    either = areas(a)[:, None] + areas(b)[None] - both
    return both / np.where(either > 0, either, 1)
