"""Truth and detections for tests, from rows that a person can read."""

import numpy as np

from trainers.judging.detection import objects

NAMES = ("cat", "dog", "owl")


def truth(rows, pictures=None, names=NAMES):
    """[(picture, box, class, ignore), ...], pictures ascending -> Truth; COCO's ids have gaps."""
    picture, boxes, classes, ignore = (list(column) for column in zip(*rows))
    boxes = np.array(boxes, np.float32)
    pictures = np.array(sorted({*picture}) if pictures is None else pictures)
    return objects.Truth(
        pictures,
        np.array(picture),
        boxes,
        np.array(classes, np.int32),
        np.array(ignore, bool),
        objects.areas(boxes),
        names,
        np.array([3, 17, 90])[: len(names)],
        1000 + 7 * pictures,
    )


def found(rows):
    """[(picture, box, class, score), ...] -> Found."""
    picture, boxes, classes, scores = (list(column) for column in zip(*rows))
    return objects.in_order(
        np.array(picture),
        np.array(boxes, np.float32),
        np.array(scores, np.float32),
        np.array(classes, np.int32),
    )


def moved(x, side=10):
    """A square at the top."""
    return (0, x, side, x + side)
