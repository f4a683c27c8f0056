"""Random rectangles of an image: the crop that Inception trains with, and the one that is erased.

Both draw ten sizes and take the first that fits, as torchvision does.
"""

import math

import tensorflow as tf

TRIES = 10
CROP_DRAWS = 2 * TRIES
ERASE_DRAWS = 2 * TRIES + 3  # whether at all, top, left


def first_fitting(height, width, uniforms, areas, ratios):
    """A rectangle's height and width, whole pixels, and whether one of the tries fits: () each.

    `uniforms` (2 TRIES,) choose a share of the area, evenly, and width / height, evenly in its
    logarithm, each between the two ends of `areas` and `ratios`.
    """
    area, ratio = uniforms[:TRIES], uniforms[TRIES:]
    pixels = tf.cast(height * width, tf.float32) * (areas[0] + (areas[1] - areas[0]) * area)
    low, high = (math.log(end) for end in ratios)
    shape = tf.exp(low + (high - low) * ratio)
    widths = tf.cast(tf.round(tf.sqrt(pixels * shape)), tf.int32)
    heights = tf.cast(tf.round(tf.sqrt(pixels / shape)), tf.int32)
    fits = (widths > 0) & (widths <= width) & (heights > 0) & (heights <= height)
    first = tf.argmax(fits)
    return heights[first], widths[first], tf.reduce_any(fits)


def resized_crop(height_width, place, uniforms):
    """8 % to 100 % of the area, 3:4 to 4:3: (2,) -> (top, left, rows, columns), (4,) int32.

    Szegedy et al. 2015, Sec. 6; `place` (2,) chooses top and left, `uniforms` (CROP_DRAWS,) the
    rectangle. Where none of the tries fits it is the central one, as close to the ratios as can be.
    """
    height, width = tf.unstack(height_width)
    rows, columns, fits = first_fitting(height, width, uniforms, (0.08, 1.0), (3 / 4, 4 / 3))
    rows = tf.where(fits, rows, tf.minimum(height, whole(width, 4 / 3)))
    columns = tf.where(fits, columns, tf.minimum(width, whole(height, 4 / 3)))
    place = tf.where(fits, place, 0.5)
    top, left = corner(height, rows, place[0]), corner(width, columns, place[1])
    return tf.stack([top, left, rows, columns])


def erase(image, uniforms, share: float, fill):
    """A rectangle of 2 % to 33 % filled, with probability `share`: (S, S, 3) -> the same.

    Zhong et al. 2020; `uniforms` (ERASE_DRAWS,), `fill` (3,) the mean colour.
    """
    height, width = image.shape[:2]
    rows, columns, fits = first_fitting(height, width, uniforms[3:], (0.02, 0.33), (0.3, 1 / 0.3))
    top, left = corner(height, rows, uniforms[1]), corner(width, columns, uniforms[2])
    y, x = tf.range(height), tf.range(width)
    inside = ((y >= top) & (y < top + rows))[:, None] & ((x >= left) & (x < left + columns))[None]
    chosen = fits & (uniforms[0] < share)
    fill = tf.constant(fill, image.dtype)
    return tf.where((inside & chosen)[:, :, None], fill, image)


def corner(side, part, uniform):
    """Where a part of a side begins, each place alike."""
    count = tf.cast(side - part + 1, tf.float32)
    return tf.cast(tf.minimum(tf.floor(uniform * count), count - 1.0), tf.int32)


def whole(side, ratio):
    return tf.cast(tf.round(tf.cast(side, tf.float32) * ratio), tf.int32)
