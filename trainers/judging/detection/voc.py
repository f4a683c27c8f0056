"""PASCAL VOC's average precision at one IoU, by 11 points (2007) and by area (2010 on).

The development kit's rule: detections of a class in the order of their scores, each belongs to the
object of its class and picture that it overlaps most. At IoU_LEAST it is right, unless that object
has been found before; if the object is difficult, the detection counts neither way. The kit's "+1"
on inclusive corners is in our boxes' continuous edges.
"""

import dataclasses

import numpy as np

from trainers.judging.detection import objects

IOU_LEAST = 0.5
RIGHT, WRONG, PASSED = 1, 0, -1
NOBODY = -1


@dataclasses.dataclass(frozen=True)
class Curve:
    """Precision and recall of one class after each detection, best score first: (n,) each.

    `objects` is how many there are to be found; of none there is no recall.
    """

    recall: np.ndarray
    precision: np.ndarray
    scores: np.ndarray
    right: np.ndarray
    objects: int


def match(truth, found, iou=IOU_LEAST):
    """Each detection's verdict and its object: -> RIGHT, WRONG or PASSED (N,), rows of truth (N,).

    The object is the one of its class and picture that it overlaps most, NOBODY below `iou`.
    """
    verdicts = np.full(len(found.scores), WRONG)
    whose = np.full(len(found.scores), NOBODY)
    for number in range(len(truth.class_names)):
        there = objects.by_picture(truth, objects.of_class(truth, number))
        seen = objects.by_picture(found, objects.of_class(found, number))
        for picture in there.keys() & seen.keys():
            rows = seen[picture]
            verdicts[rows], whose[rows] = on_picture(truth, found, there[picture], rows, iou)
    return verdicts, whose


def on_picture(truth, found, there, rows, iou):
    """The same for one picture's rows of one class, which come best first."""
    shared = objects.overlaps(found.boxes[rows], truth.boxes[there])
    best = shared.argmax(axis=1)
    enough = shared[np.arange(len(rows)), best] >= iou
    first = np.zeros(len(rows), bool)
    first[np.flatnonzero(enough)[np.unique(best[enough], return_index=True)[1]]] = True
    passed = enough & truth.ignore[there[best]]
    verdicts = np.where(passed, PASSED, np.where(first, RIGHT, WRONG))
    return verdicts, np.where(enough, there[best], NOBODY)


def curves(truth, found, verdicts):
    """A Curve of each class."""
    return [
        curve(truth.counted[number], found.scores[rows], verdicts[rows])
        for number in range(len(truth.class_names))
        for rows in [objects.of_class(found, number)]
    ]


def curve(count, scores, verdicts):
    """The Curve of detections (n,) with their verdicts, for `count` objects."""
    kept = np.flatnonzero(verdicts != PASSED)
    order = kept[np.argsort(-scores[kept], kind="stable")]
    right = np.cumsum(verdicts[order] == RIGHT)
    precision = right / np.arange(1, len(order) + 1)
    return Curve(right / max(count, 1), precision, scores[order], right, int(count))


def area(curve):
    """The area under the curve made monotonous, in [0, 1]; None without an object."""
    if not curve.objects:
        return None
    gained = np.diff(curve.right, prepend=0) / curve.objects
    return float(np.sum(gained * falling(curve.precision)))


def eleven_points(curve):
    """The mean of the best precision at a recall of 0, .1 .. 1 or more; None without an object.

    In whole numbers: 3 of 10 objects are a recall of .3, whatever a float makes of it.
    """
    if not curve.objects:
        return None
    envelope = np.append(falling(curve.precision), 0.0)
    reached = [np.searchsorted(10 * curve.right, point * curve.objects) for point in range(11)]
    return float(np.mean(envelope[reached]))


def falling(precision):
    """The best precision from each place on: (n,) -> (n,)."""
    return np.maximum.accumulate(precision[::-1])[::-1]
