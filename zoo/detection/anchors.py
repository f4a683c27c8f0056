"""Anchors ([32], Sec. 3.1.1): boxes of some sizes and ratios around the centre of each cell."""

import numpy as np
import tensorflow as tf


def shapes(sizes, ratios):
    """The anchors of a cell, around (0, 0): -> (len(sizes) * len(ratios), 4) NumPy float32.

    A size is the square root of the area, a ratio height / width; the ratios of the first size
    come first. Not rounded to pixels, as detectron2's are not; torchvision's are.
    """
    sizes, roots = np.asarray(sizes, np.float64), np.sqrt(np.asarray(ratios, np.float64))
    halves = np.stack([np.outer(sizes, roots), np.outer(sizes, 1 / roots)], axis=-1) / 2
    halves = halves.reshape(-1, 2)
    return np.concatenate([-halves, halves], axis=-1).astype(np.float32)


def grid(height, width, stride, sizes, ratios):
    """The anchors of a map of height x width cells: -> (height * width * A, 4), row by row.

    Cell (i, j) is centred on ((i + 0.5) * stride, (j + 0.5) * stride); `height` and `width` may
    be tensors.
    """
    y, x = (
        (tf.range(tf.cast(side, tf.float32), dtype=tf.float32) + 0.5) * stride
        for side in (height, width)
    )
    y, x = tf.meshgrid(y, x, indexing="ij")
    centres = tf.reshape(tf.stack([y, x, y, x], axis=-1), [-1, 1, 4])
    return tf.reshape(centres + shapes(sizes, ratios), [-1, 4])


def inside(anchors, height_width):
    """Whether an anchor crosses no border: (..., 4), (2,) of any type -> (...) bool."""
    border = tf.cast(height_width, tf.float32)
    within = (anchors[..., :2] >= 0.0) & (anchors[..., 2:] <= border)
    return tf.reduce_all(within, axis=-1)
