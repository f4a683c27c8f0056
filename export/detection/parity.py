"""How far an artifact's detections are from the network's, and how far they may be."""

import collections
import dataclasses

import numpy as np

# What is found in one picture, numpy: boxes (n, 4), scores (n,), class_ids (n,).
Answer = collections.namedtuple("Answer", "boxes scores class_ids")


@dataclasses.dataclass(frozen=True)
class Gate:
    """What an artifact must reach, and why so much."""

    same: float  # least share of pictures with the same detections
    reason: str
    boxes: float  # largest difference of a corner, of the picture's longer side
    scores: float


# Measured on 256 scenes of 96 px: 255 or all of them, corners to 3e-7 of the side, scores to 6e-6.
FLOAT32 = Gate(
    0.99, "same operations, rounded in another order: a tie may fall either way", 1e-5, 1e-5
)


@dataclasses.dataclass(frozen=True)
class Comparison:
    """`detections` are the network's; the largest differences are those of the `same` pictures."""

    pictures: int
    detections: int
    same: float
    boxes_px: float
    scores: float


def compare(expected, found, sides, gate):
    """Answers of the source and of the artifact, picture by picture -> Comparison.

    A picture is the same where both found as many objects, and each of the one has one of its class
    in the other, nearer than the gate says; order is free, for equal scores have none. `sides` are
    the pictures' longer sides. ValueError unless all numbers are finite.
    """
    for answer in found:
        if not (np.isfinite(answer.boxes).all() and np.isfinite(answer.scores).all()):
            raise ValueError("detections are not finite")
    far = [differences(*pair) for pair in zip(expected, found, strict=True)]
    kept = [
        (boxes, scores)
        for (boxes, scores), side in zip(far, sides, strict=True)
        if boxes <= gate.boxes * side and scores <= gate.scores
    ]
    boxes, scores = np.max(kept, axis=0) if kept else (np.inf, np.inf)
    return Comparison(
        pictures=len(expected),
        detections=sum(len(answer.scores) for answer in expected),
        same=len(kept) / len(expected),
        boxes_px=float(boxes),
        scores=float(scores),
    )


def differences(expected, found):
    """Largest differences of one picture's corners, in px, and scores; infinite if unequal.

    Each detection of the source takes the nearest of its class that is left.
    """
    if sorted(expected.class_ids) != sorted(found.class_ids):
        return np.inf, np.inf
    left, worst = list(range(len(found.scores))), (0.0, 0.0)
    for box, score, kind in zip(*expected):
        alike = [row for row in left if found.class_ids[row] == kind]
        far = np.abs(found.boxes[alike] - box).max(axis=1)
        nearest = int(np.argmin(far))
        row = alike[nearest]
        left.remove(row)
        apart = float(far[nearest]), float(np.abs(found.scores[row] - score))
        worst = max(worst[0], apart[0]), max(worst[1], apart[1])
    return worst


def misses(comparison, gate):
    """One sentence, or none: why the comparison does not meet the gate."""
    changed = round((1 - comparison.same) * comparison.pictures)
    if comparison.same and changed <= max(1, (1 - gate.same) * comparison.pictures):
        return []  # one tie may fall either way in a small set
    return [
        f"the detections are the same on {comparison.same:.2%} of {comparison.pictures} pictures, "
        f"expected at least {gate.same:.0%} with corners to {gate.boxes:g} of the longer side and "
        f"scores to {gate.scores:g}"
    ]
