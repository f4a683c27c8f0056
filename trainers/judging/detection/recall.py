"""What share of the objects the proposals cover: the most that a detector can still find."""

import numpy as np

from trainers.judging.detection import objects

IOUS = (0.5, 0.7)
SIZES = {"small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, np.inf)}  # COCO's


def best(proposals, boxes):
    """The overlap of each box with the proposal nearest to it: (R, 4), (M, 4) -> (M,) float32."""
    if not len(proposals):
        return np.zeros(len(boxes), np.float32)
    return objects.overlaps(boxes, proposals).max(axis=1).astype(np.float32)


def judge(truth, overlap):
    """The share of counted objects whose best `overlap` (N,) reaches each of IOUS, also by size.

    {"50": {"all": .., "small": .., "medium": .., "large": ..}, "70": ..}, None where there is none.
    """
    kept, area = ~truth.ignore, truth.area
    sizes = {"all": kept}
    for name, (least, below) in SIZES.items():
        sizes[name] = kept & (area >= least) & (area < below)
    return {
        f"{100 * iou:.0f}": {
            name: float(np.mean(overlap[rows] >= iou)) if rows.any() else None
            for name, rows in sizes.items()
        }
        for iou in IOUS
    }
