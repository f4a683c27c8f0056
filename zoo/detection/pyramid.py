"""Multi-scale testing (App. B): each region read at two adjacent scales, merged by maxout."""

import tensorflow as tf

from zoo.detection import boxes as box

SIDE_PX = 224  # of the crops that the network was trained on


def pair(boxes, scales, base):
    """The lower of the two scales that a region reads: (..., 4) px at scale `base` -> (...) int32.

    `scales` are ascending, such as shorter sides; the pair is those between which the region's
    side, the root of its area, would be SIDE_PX, or the outermost two.
    """
    if len(scales) < 2 or list(scales) != sorted(scales):
        raise ValueError(f"expected two scales or more in ascending order, got {tuple(scales)}")
    side = tf.sqrt(tf.maximum(box.area(boxes), 1e-6))
    ideal = base * SIDE_PX / side
    below = tf.reduce_sum(tf.cast(ideal[..., tf.newaxis] >= scales[1:-1], tf.int32), axis=-1)
    return below


def pick(pooled, lower):
    """Each region at its two scales: [(B, R, ...)] a scale, (B, R) -> two of (B, R, ...)."""
    return _choose(pooled, lower), _choose(pooled, lower + 1)


def maxout(below, above):
    """The greater, feature by feature, of what the head makes of a region at its two scales."""
    return tf.maximum(below, above)


def _choose(pooled, scale):
    """Not a gather of all: one scale's regions need to be in memory at a time."""
    found = pooled[0]
    scale = tf.reshape(scale, tf.concat([tf.shape(scale), [1] * (len(found.shape) - 2)], axis=0))
    for number, regions in enumerate(pooled[1:], start=1):
        found = tf.where(scale == number, regions, found)
    return found
