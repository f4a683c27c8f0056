"""What both detectors are given: one picture of noise, its objects, and the recipe's numbers."""

import math
import time

from absl import flags

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
    for _ in range(WARM_UP + (1 if flags.FLAGS.quick else TIMED)):
        start = time.perf_counter(), time.process_time()
        value = call()
        found.append((time.perf_counter() - start[0], time.process_time() - start[1]))
        if not math.isfinite(value):
            raise ValueError(f"expected a finite result of a timed call, got {value}")
    clock, processors = (min(column) for column in zip(*found[WARM_UP:], strict=True))
    return {f"seconds_a_{what}": clock, f"seconds_of_processors_a_{what}": processors}
