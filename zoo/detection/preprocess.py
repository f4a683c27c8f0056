"""A picture for a detector: bytes -> RGB, the right way up -> its shorter side resized, no crop.

TensorFlow ops alone, so training, evaluation and every exported graph run the very same code.
"""

import tensorflow as tf

from zoo import headers, preprocess
from zoo.detection.contract import DetectionInput

__all__ = ["DetectionInput", "fitted", "prepare", "read", "resize", "resize_to", "scaled_size"]


def scaled_size(height_width, contract):
    """Height and width that the contract makes of a picture's: (..., 2) -> (..., 2) int32."""
    return fitted(height_width, contract.shorter_px, contract.longer_px)


def fitted(height_width, shorter_px, longer_px):
    """`scaled_size` for numbers or (...) tensors of pixels: (..., 2) -> (..., 2) int32.

    Both sides by one scale, to the nearest pixel, halves up, at least 1. In whole numbers:
    float32 would round some halves the other way.
    """
    sides = tf.cast(height_width, tf.int64)
    shorter, longer = tf.reduce_min(sides, -1), tf.reduce_max(sides, -1)
    shorter_px, longer_px = tf.cast(shorter_px, tf.int64), tf.cast(longer_px, tf.int64)
    fits = shorter_px * longer <= longer_px * shorter
    target = tf.where(fits, shorter_px, longer_px)[..., None]
    whole = tf.where(fits, shorter, longer)[..., None]
    scaled = (2 * sides * target + whole) // (2 * whole)
    return tf.cast(tf.maximum(scaled, 1), tf.int32)


def resize(image, contract):
    """The contract applied: (H, W, 3) pixels -> (h, w, 3) float32 in 0-255."""
    return resize_to(image, scaled_size(tf.shape(image)[:2], contract), contract)


def resize_to(image, height_width, contract):
    """Pixels at a size, untouched where they have it: (H, W, 3) -> (h, w, 3) float32."""
    image = tf.cast(image, tf.float32)
    image = tf.cond(
        tf.reduce_all(height_width == tf.shape(image)[:2]),
        lambda: image,
        lambda: preprocess.resize(image, height_width, contract),
    )
    return tf.ensure_shape(image, (None, None, 3))


def prepare(image_bytes, contract):
    """One encoded picture, and its height and width as seen: -> (h, w, 3) float32, (2,) int32.

    Raises InvalidArgumentError on what cannot be decoded, and on what claims to be too large.
    """
    image = read(image_bytes, contract)
    return resize(image, contract), tf.shape(image)[:2]


def read(image_bytes, contract):
    """RGB, the right way up, at its own size: () string -> (H, W, 3) uint8.

    Bounded in its own pixels alone: the contract bounds those of the resized picture.
    """
    return preprocess.read(headers.bounded(image_bytes, 1), contract)
