"""Whether a detector's anchors can reach the boxes of a set: to be known before it trains.

A box that no anchor overlaps by half is learned from the one nearest alone, and an average
precision of 0 after days has often no other cause.
"""

import dataclasses

import numpy as np

from zoo.detection import anchors, preprocess

HALF, WELL = 0.5, 0.7
ENOUGH = 0.9  # the share covered by half from which nothing is suggested
AIM, MORE = 0.95, 3  # what a suggestion shall reach, with so many sizes more at most
CHUNK = 2**16  # boxes at once


@dataclasses.dataclass(frozen=True)
class Coverage:
    """The share of `boxes` that some anchor overlaps by 0.5 and by 0.7.

    `by_size` has a row an octave of sqrt(area) in the network's pixels: (from, to, boxes, half,
    well). `suggested` are sizes that cover more, None where these are enough.
    """

    boxes: int
    half: float
    well: float
    by_size: tuple[tuple[float, float, int, float, float], ...]
    suggested: tuple[int, ...] | None

    def __str__(self):
        sizes = ", ".join(
            f"{low:g}-{high:g} px {half:.0%} of {count:,}"
            for low, high, count, half, _ in self.by_size
        )
        told = f"anchors cover {self.half:.1%} of {self.boxes:,} boxes at IoU 0.5, "
        return f"{told}{self.well:.1%} at 0.7 ({sizes})"


def coverage(annotations, contract, stride, sizes, ratios) -> Coverage:
    """Of the boxes to be learned, as the network sees them; anchors across the border count."""
    boxes, borders = resized(annotations, contract)
    best = best_overlaps(boxes, borders, stride, sizes, ratios)
    sides = boxes[:, 2:] - boxes[:, :2]
    octaves = np.floor(np.log2(np.maximum(np.sqrt(sides.prod(axis=1)), 1))).astype(int)
    rows = [
        (2.0**octave, 2.0 ** (octave + 1), int(np.sum(octaves == octave)))
        + tuple(share(best[octaves == octave], least) for least in (HALF, WELL))
        for octave in np.unique(octaves)
    ]
    half, well = (share(best, least) for least in (HALF, WELL))
    suggested = None
    if half < ENOUGH:
        suggested = suggestion(boxes, borders, stride, len(sizes), ratios)
        covered = share(best_overlaps(boxes, borders, stride, suggested, ratios), HALF)
        suggested = suggested if covered > half else None
    return Coverage(len(boxes), half, well, tuple(rows), suggested)


def resized(annotations, contract):
    """Boxes to be learned, and their pictures' sizes, in the network's pixels: (n, 4), (n, 2)."""
    sizes = preprocess.scaled_size(annotations.sizes, contract).numpy()
    scale = np.tile(sizes / annotations.sizes, (1, 2))[annotations.picture]
    kept = ~annotations.ignore
    return (annotations.boxes * scale)[kept], sizes[annotations.picture][kept]


def best_overlaps(boxes, borders, stride, sizes, ratios):
    """The largest IoU that any anchor of the grid has with each box: (n, 4) -> (n,).

    Of one shape it is the anchor whose centre is nearest, in y and in x.
    """
    shapes = anchors.shapes(sizes, ratios).astype(np.float64)
    parts = [slice(at, at + CHUNK) for at in range(0, len(boxes), CHUNK)]
    found = [best_of(boxes[part], borders[part], stride, shapes) for part in parts]
    return np.concatenate([np.zeros(0), *found])


def best_of(boxes, borders, stride, shapes):
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    cells = np.clip(np.floor(middle / stride), 0, np.ceil(borders / stride) - 1)
    centre = (cells + 0.5) * stride  # of the cell that the box' middle is in, or of the last
    placed = np.tile(centre, (1, 2))[:, None] + shapes
    box = boxes[:, None]
    both = np.minimum(placed[..., 2:], box[..., 2:]) - np.maximum(placed[..., :2], box[..., :2])
    both = np.maximum(both, 0).prod(axis=-1)
    areas = [(each[..., 2:] - each[..., :2]).prod(axis=-1) for each in (placed, box)]
    return (both / (areas[0] + areas[1] - both)).max(axis=1)


def suggestion(boxes, borders, stride, count, ratios):
    """The fewest sizes, a constant ratio apart, that cover AIM by half; whole pixels."""
    roots = np.sqrt((boxes[:, 2:] - boxes[:, :2]).prod(axis=1))
    low, high = np.maximum(np.quantile(roots, (0.05, 0.95)), 1)
    tried = {}
    for number in range(count, count + MORE + 1):
        sizes = tuple(sorted({int(round(size)) for size in np.geomspace(low, high, number)}))
        tried[sizes] = share(best_overlaps(boxes, borders, stride, sizes, ratios), HALF)
        if tried[sizes] >= AIM:
            return sizes
    return max(tried, key=tried.get)


def share(overlaps, least):
    """Of nothing, all."""
    return float(np.mean(overlaps >= least)) if len(overlaps) else 1.0
