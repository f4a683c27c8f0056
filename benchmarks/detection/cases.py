"""What both detectors are given: one picture of noise, its objects, and the recipe's numbers."""

import math

from benchmarks import clock

HEIGHT, WIDTH, CLASSES, OBJECTS = 480, 640, 20, 8
ANCHORS, RATIOS = (128.0, 256.0, 512.0), (0.5, 1.0, 2.0)
BINS, REGIONS, RPN_FILTERS = 14, 128, 1024  # torchvision's RPN is as wide as its map
TRAIN_BEFORE, TRAIN_AFTER, BEFORE = 12_000, 2000, 6000
SCORE, NMS, DETECTIONS = 0.05, 0.3, 100
SGD = 1e-4, 0.9, 1e-4  # a rate at which noise teaches nothing and nothing overflows
# Of each block's last normalisation: sixteen blocks of 1 that nobody normalises would double the
# map's variance sixteen times.
GAMMA = 0.2
WARM_UP, TIMED = 1, 2


def picture():
    """(H, W, 3) float32 of 0-255, boxes (OBJECTS, 4) y1, x1, y2, x2, classes (OBJECTS,) int32."""
    import numpy as np

    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (HEIGHT, WIDTH, 3)).astype("float32")
    sides = rng.uniform(60, 300, (OBJECTS, 2))
    corners = rng.uniform(0, 1, (OBJECTS, 2)) * ((HEIGHT, WIDTH) - sides)
    boxes = np.concatenate([corners, corners + sides], axis=1).astype("float32")
    return pixels, boxes, rng.integers(0, CLASSES, OBJECTS).astype("int32")


def least(what, call):
    """Seconds of the fastest call after WARM_UP, by the clock and of processors: {figure: seconds}.

    The fastest, for all else on the machine only ever adds. What a call returns must be finite.
    """
    found = []
    for number in range(WARM_UP + TIMED):
        start = clock.now()
        value = call()
        end = clock.now()
        if not math.isfinite(value):
            raise ValueError(f"expected a finite result of a timed call, got {value}")
        if number >= WARM_UP:
            found.append((clock.between(start, end), end[1] - start[1]))
    seconds, processors = (min(column) for column in zip(*found, strict=True))
    return {f"seconds_a_{what}": seconds, f"seconds_of_processors_a_{what}": processors}
