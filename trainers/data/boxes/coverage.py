"""How many objects some anchor covers, before a step is trained: what none covers is not learned.

An anchor that is used in training lies within the picture; of those of one shape the one nearest
to an object's centre has the largest IoU with it.
"""

import dataclasses

import numpy as np

from zoo.detection import anchors
from zoo.detection.preprocess import scaled_size

OBJECTS = 20_000  # looked at, evenly spread where there are more
LOW = 0.8  # of the objects at 0.5, below which a suggestion is made
SMALL, LARGE = 32, 96  # px, sides of COCO's classes of size


@dataclasses.dataclass(frozen=True)
class Coverage:
    """`best` (N,) is each object's largest IoU with an anchor, `sides` (N,) sqrt(area) in px."""

    best: np.ndarray
    sides: np.ndarray
    count: int  # of anchor sizes

    def share(self, iou, least=0.0, below=np.inf):
        """Of the objects of such sides, None where there are none."""
        chosen = (self.sides >= least) & (self.sides < below)
        return float((self.best[chosen] >= iou).mean()) if chosen.any() else None

    def suggestion(self):
        """Sizes of anchors for these objects: as many as there were, even in the logarithm."""
        low, high = np.quantile(self.sides, [0.05, 0.95])
        return [round(float(side), 1) for side in np.geomspace(low, high, self.count)]

    def __str__(self):
        classes = {"small": (0, SMALL), "medium": (SMALL, LARGE), "large": (LARGE, np.inf)}
        sizes = {name: self.share(0.5, *ends) for name, ends in classes.items()}
        told = ", ".join(f"{name} {part:.1%}" for name, part in sizes.items() if part is not None)
        said = (
            f"anchors cover {self.share(0.5):.1%} of the objects at an IoU of 0.5 ({told}), "
            f"{self.share(0.7):.1%} at 0.7"
        )
        if self.share(0.5) >= LOW:
            return said
        sides = ",".join(f"{side:g}" for side in self.suggestion())
        return f"WARNING: {said}: few can be learned, try --anchor_sizes={sides}"


def judge(source, contract, detector) -> Coverage:
    """Of the source's objects, at the size that the network sees them in."""
    known = source.annotations
    rows = np.flatnonzero(~known.ignore)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(OBJECTS, len(rows))).astype(int))]
    original = known.sizes[known.picture[rows]]
    size = scaled_size(original, contract).numpy()
    boxes = known.boxes[rows] * np.tile(size / original, 2)
    shapes = anchors.shapes(detector.sizes, detector.ratios)
    sides = boxes[:, 2:] - boxes[:, :2]
    best = np.max([of_shape(boxes, size, s, detector.stride) for s in shapes], axis=0, initial=0)
    return Coverage(best, np.sqrt(sides.prod(axis=1)), len(detector.sizes))


def of_shape(boxes, size, shape, stride):
    """The IoU of each box with the nearest anchor of one shape, 0 where none fits: -> (N,)."""
    half = shape[2:]
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    first = np.ceil(half / stride - 0.5)
    last = np.floor((size - half) / stride - 0.5)
    cell = np.clip(np.rint(centre / stride - 0.5), first, np.maximum(first, last))
    at = (cell + 0.5) * stride
    common = np.minimum(at + half, boxes[:, 2:]) - np.maximum(at - half, boxes[:, :2])
    shared = np.maximum(common, 0).prod(axis=1)
    union = (2 * half).prod() + (boxes[:, 2:] - boxes[:, :2]).prod(axis=1) - shared
    return np.where((last >= first).all(axis=1), shared / union, 0.0)
