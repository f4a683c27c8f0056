"""Regions of a picture for the refiner (App. C): whole pixels, warped to a square, then judged."""

import tensorflow as tf

from zoo import preprocess, sizes
from zoo.detection import boxes as box
from zoo.detection import nms
from zoo.detection.specs import OFFSET_SCALES


def snapped(boxes, height_width):
    """Boxes rounded to whole pixels, one at least: (..., N, 4), (..., 2) -> (..., N, 4) int32.

    So a region is a slice of the picture, and its offsets are those of just these pixels.
    """
    border = tf.cast(height_width, tf.float32)[..., None, :]
    low = tf.clip_by_value(tf.round(boxes[..., :2]), 0.0, border - 1.0)
    high = tf.clip_by_value(tf.round(boxes[..., 2:]), low + 1.0, border)
    return tf.cast(tf.concat([low, high], axis=-1), tf.int32)


def warp(image, region, contract):
    """A region's pixels, each side resized by itself, as R-CNN does: (H, W, 3), (4,) -> (S, S, 3).

    S is the contract's `image_size`, the method its own. Float32 in 0-255.
    """
    y1, x1, y2, x2 = tf.unstack(region)
    pixels = tf.cast(image[y1:y2, x1:x2], tf.float32)
    height, width = sizes.of(contract.image_size)
    pixels = preprocess.resize(pixels, (height, width), contract)
    return tf.ensure_shape(pixels, (height, width, 3))


def refining(model, contract):
    """A function: picture (H, W, 3), regions (N, 4), count () -> boxes (K, 4), scores (K,).

    Of each class the box, moved, of the region that scores highest, among the first `count`.
    """

    def refine(picture, regions, count):
        pixels = tf.map_fn(
            lambda region: warp(picture, region, contract), regions, fn_output_signature=tf.float32
        )
        logits, deltas = model(pixels, training=False)
        return best(logits, deltas, regions, count, tf.shape(picture)[:2])

    return refine


def best(logits, deltas, regions, count, height_width):
    """(N, K), (N, K, 4) in OFFSET_SCALES, (N, 4), (), (2,) -> boxes (K, 4), probabilities (K,)."""
    there = tf.range(tf.shape(regions)[0]) < count
    logits = tf.where(there[:, None], logits, nms.NEVER)
    chosen = tf.argmax(logits, axis=0, output_type=tf.int32)  # (K,)
    places = tf.stack([chosen, tf.range(tf.size(chosen))], axis=1)
    offsets = tf.gather_nd(deltas, places) * tf.constant(OFFSET_SCALES)
    found = box.decode(offsets, tf.gather(regions, chosen))
    return box.clip(found, height_width), tf.sigmoid(tf.gather_nd(logits, places))
