"""The localisation errors of ILSVRC (App. C, Tables 13 and 14): class and box, both must be right.

A guess is a class and a box. It is right where the class is the picture's and the box has an IoU of
IOU_LEAST with one of its objects. A picture is wrong where none of its first 1, or 5, guesses is
right; with the class told ("GT classes") where that class' box is not.
"""

import dataclasses

import numpy as np

from trainers.judging.detection import objects

IOU_LEAST = 0.5
GUESSES = 5  # of a picture, as ILSVRC takes them
FIGURES = ("gt_class_error", "error", "error_top5", "class_error", "class_error_top5")


@dataclasses.dataclass(frozen=True)
class Guesses:
    """What was said of `pictures` (P,), ascending numbers of a source, in pixels of each.

    `classes` (P, G) are guessed, best first, with `boxes` (P, G, 4) and `scores` (P, G) of theirs;
    G is 0 of what names no class. `told` (P, 4) are the boxes of the class that is there.
    """

    pictures: np.ndarray
    classes: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    told: np.ndarray


def judge(truth, guesses):
    """FIGURES as fractions: detection's Truth, Guesses -> dict; without guesses the first alone.

    Each picture has objects of one class, at least one that is not ignored.
    """
    labels = labels_of(truth)
    told = hits(truth, guesses.told[:, None])[:, 0]
    figures = {"gt_class_error": wrong(told[:, None])}
    if not guesses.classes.shape[1]:
        return figures
    named = guesses.classes[:, :GUESSES] == labels[:, None]
    right = named & hits(truth, guesses.boxes[:, :GUESSES])
    each = (right[:, :1], right, named[:, :1], named)
    return figures | dict(zip(FIGURES[1:], map(wrong, each), strict=True))


def labels_of(truth):
    """The class of each picture: Truth -> (P,)."""
    rows = np.flatnonzero(~truth.ignore)
    pictures, first = np.unique(truth.picture[rows], return_index=True)
    if not np.array_equal(pictures, truth.pictures):
        raise ValueError("expected an object on each picture, found some without")
    return truth.classes[rows[first]]


def hits(truth, boxes):
    """Whether each box lies on an object of its picture: Truth, (P, G, 4) -> (P, G) bool."""
    found = np.zeros(boxes.shape[:2], bool)
    for row, picture in enumerate(truth.pictures.tolist()):
        rows = objects.on_picture(truth, picture)
        there = truth.boxes[rows][~truth.ignore[rows]]
        found[row] = (objects.overlaps(boxes[row], there) >= IOU_LEAST).any(axis=1)
    return found


def wrong(right):
    """The share of pictures without a right guess: (P, G) bool -> float."""
    return float(np.mean(~right.any(axis=1)))


def per_class(truth, guesses):
    """Of each class how many pictures, and the error of their boxes, None of none: [dict]."""
    labels, missed = labels_of(truth), ~hits(truth, guesses.told[:, None])[:, 0]
    return [
        {
            "name": name,
            "pictures": int(np.sum(labels == number)),
            "gt_class_error": float(missed[labels == number].mean())
            if (labels == number).any()
            else None,
        }
        for number, name in enumerate(truth.class_names)
    ]
