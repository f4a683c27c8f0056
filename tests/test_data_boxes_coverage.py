"""The share of boxes that anchors reach: by hand, and beside every anchor of the grid."""

import dataclasses

import numpy as np
import pytest

from trainers.data import boxes
from trainers.data.boxes import coverage
from zoo.detection import anchors
from zoo.detection.preprocess import DetectionInput

RATIOS = (0.5, 1.0, 2.0)
CONTRACT = DetectionInput(96, 96)


def iou(a, b):
    top, bottom = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    both = np.maximum(bottom - top, 0).prod(-1)
    area_a, area_b = ((x[:, 2:] - x[:, :2]).prod(-1) for x in (a, b))
    return both / (area_a[:, None] + area_b - both)


def of_boxes(rows, size):
    """The annotations of one picture."""
    plain = boxes.load("scenes", "validation", length=1).annotations
    n = len(rows)
    return dataclasses.replace(
        plain,
        picture=np.zeros(n, np.int64),
        boxes=np.float32(rows),
        classes=np.zeros(n, np.int32),
        ignore=np.zeros(n, bool),
        area=np.zeros(n),
        sizes=np.int32([size]),
    )


def test_by_hand():
    """One anchor of 16 px a cell of 16 px: the box at a cell is met wholly, one of half by half."""
    rows = [(16, 32, 32, 48), (16, 32, 32, 40), (16, 32, 24, 40), (0, 0, 64, 64)]
    found = coverage.coverage(of_boxes(rows, (96, 96)), CONTRACT, 16, (16,), (1.0,))
    assert (found.boxes, found.half, found.well) == (4, 0.5, 0.25)  # IoU 1, 1/2, 1/4, 1/16
    assert [row[:4] for row in found.by_size] == [
        (8.0, 16.0, 2, 0.5),  # of 11.3 and of 8 px
        (16.0, 32.0, 1, 1.0),
        (64.0, 128.0, 1, 0.0),
    ]
    assert str(found).startswith("anchors cover 50.0% of 4 boxes at IoU 0.5, 25.0% at 0.7 (8-16 px")


@pytest.mark.parametrize("stride", [4, 16])
def test_the_nearest_centre_is_the_best_of_the_whole_grid(stride):
    found = boxes.load("scenes", "validation", length=40).annotations
    rows, borders = coverage.resized(found, CONTRACT)
    cells = 96 // stride
    grid = anchors.grid(cells, cells, stride, (12, 30), RATIOS).numpy()
    best = coverage.best_overlaps(rows, borders, stride, (12, 30), RATIOS)
    np.testing.assert_allclose(best, iou(rows, grid).max(axis=1), rtol=1e-5)


def test_too_large_anchors_are_found_out_and_others_suggested():
    """VOC's anchors on scenes: digits of 12 to 40 px."""
    found = boxes.load("scenes", "validation").annotations
    few = coverage.coverage(found, CONTRACT, 4, (128, 256, 512), RATIOS)
    assert few.half == few.well == 0 and all(8 <= size <= 40 for size in few.suggested)
    again = coverage.coverage(found, CONTRACT, 4, few.suggested, RATIOS)
    assert again.half >= 0.95 and again.suggested is None
    twice = coverage.coverage(found, DetectionInput(192, 192), 4, few.suggested, RATIOS)
    assert twice.half < again.half  # boxes are as large as the network sees them


def test_nothing_to_learn_is_nothing_to_cover():
    found = of_boxes(np.zeros((0, 4)), (96, 96))
    assert coverage.coverage(found, CONTRACT, 16, (16,), (1.0,)).half == 1.0
