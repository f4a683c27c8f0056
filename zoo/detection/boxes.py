"""Boxes (..., 4) as (y1, x1, y2, x2): area, overlap, and the offsets from one box to another."""

import math

import tensorflow as tf

# Detectron's bound on dh and dw: no box grows past 1,000 px from 16, and exp stays finite.
LARGEST = math.log(1000 / 16)
SMALLEST_SIDE = 1e-7  # of the boxes encoded, so that padding (a box without a side) gives no NaN


def area(boxes):
    """(..., 4) -> (...); 0 for a box without a positive side."""
    y1, x1, y2, x2 = tf.unstack(boxes, 4, axis=-1)
    return tf.maximum(y2 - y1, 0.0) * tf.maximum(x2 - x1, 0.0)


def clip(boxes, height_width):
    """The part inside the picture: (..., N, 4) and (..., 2) of any type -> (..., N, 4).

    What lies outside altogether becomes a box without area on the border.
    """
    border = tf.cast(tf.concat([height_width, height_width], axis=-1), tf.float32)
    return tf.minimum(tf.maximum(boxes, 0.0), tf.expand_dims(border, -2))


def iou(a, b):
    """Intersection over union of each with each: (..., N, 4), (..., M, 4) -> (..., N, M).

    0 where a box is empty.
    """
    common = shared(a, b)
    union = tf.expand_dims(area(a), -1) + tf.expand_dims(area(b), -2) - common
    # Not divide_no_nan, which TFLite does not have.
    return common / tf.where(union > 0.0, union, 1.0)


def shared(a, b):
    """The area of the intersection of each with each: (..., N, 4), (..., M, 4) -> (..., N, M)."""
    # A coordinate at a time: in one tensor the last axis is of 2, and several times as slow.
    corners = [tf.expand_dims(x, -1) for x in tf.unstack(a, 4, axis=-1)]
    others = [tf.expand_dims(x, -2) for x in tf.unstack(b, 4, axis=-1)]
    low = [tf.maximum(x, y) for x, y in zip(corners[:2], others[:2])]
    high = [tf.minimum(x, y) for x, y in zip(corners[2:], others[2:])]
    height, width = (tf.maximum(end - start, 0.0) for start, end in zip(low, high))
    return height * width


def encode(boxes, anchors):
    """Offsets that move anchors onto boxes: (..., 4), (..., 4) -> (..., 4), dy, dx, dh, dw.

    Distances of the centres in sides of the anchor, and logarithms of the sides' ratios.
    """
    centre, sides = _centre_and_sides(boxes)
    anchor_centre, anchor_sides = _centre_and_sides(anchors)
    sides, anchor_sides = (tf.maximum(x, SMALLEST_SIDE) for x in (sides, anchor_sides))
    move = (centre - anchor_centre) / anchor_sides
    return tf.concat([move, tf.math.log(sides / anchor_sides)], axis=-1)


def decode(deltas, anchors):
    """The boxes that `encode` gave these offsets for: (..., 4), (..., 4) -> (..., 4) float32.

    dh and dw count as LARGEST at most.
    """
    deltas = tf.cast(deltas, tf.float32)
    centre, sides = _centre_and_sides(anchors)
    centre += deltas[..., :2] * sides
    sides *= tf.exp(tf.minimum(deltas[..., 2:], LARGEST))
    return tf.concat([centre - sides / 2, centre + sides / 2], axis=-1)


def _centre_and_sides(boxes):
    """(..., 4) -> (..., 2), (..., 2)."""
    boxes = tf.cast(boxes, tf.float32)
    sides = boxes[..., 2:] - boxes[..., :2]
    return boxes[..., :2] + sides / 2, sides
