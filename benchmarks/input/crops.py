"""What is asked of JPEGs: the paper's crops (Sec. 3.4), of so many pixels, in batches, for so long.

Scale jitter, a crop of 224, mirror, of photographs of 500 x 400.
"""

import pathlib

from benchmarks import harness

WARM_UP, TIMED, BATCH = 1, 38, 32  # of batches, and the images of one
SIZE, SCALES = 224, (256, 480)


def pictures(folder):
    return sorted(str(path) for path in pathlib.Path(folder).rglob("*.jpg"))


def rate(batches):
    return harness.images_per_second(batches, BATCH, WARM_UP, TIMED)
