"""The deterministic half of the way of an image: bytes -> RGB -> resize -> centre crop.

TensorFlow ops alone, so evaluation and every exported graph run the very same code. Pixels stay
in 0-255: subtracting the mean is the network's first layer.
"""

import tensorflow as tf

from zoo import headers, orientation, sizes
from zoo.contract import InputContract

__all__ = [
    "InputContract",
    "corner",
    "decode",
    "prepare",
    "read",
    "resize",
    "resize_crop",
    "scaled_size",
]


def decode(image_bytes):
    """RGB pixels of one JPEG, PNG, BMP, GIF (first frame) or WebP: () string -> (H, W, 3) uint8.

    As it is stored: Exif's orientation is `read`'s. Raises InvalidArgumentError on anything else.
    Whatever size the header claims is allocated: `headers.bounded` comes before this.
    """
    image = tf.io.decode_image(image_bytes, channels=3, expand_animations=False)
    return tf.ensure_shape(image, (None, None, 3))


def read(image_bytes, contract):
    """`decode`, the right way up where the contract asks for it: () string -> (H, W, 3) uint8."""
    image = decode(image_bytes)
    if contract.orientation == "exif":
        image = orientation.upright(image, orientation.orientation(image_bytes))
    return tf.ensure_shape(image, (None, None, 3))


def resize_crop(image, contract):
    """The contract applied: (H, W, 3) pixels -> (image_size, image_size, 3) float32 in 0-255."""
    image = tf.cast(image, tf.float32)
    scaled = resized_size(tf.shape(image)[:2], contract)
    image = tf.cond(
        tf.reduce_all(scaled == tf.shape(image)[:2]),
        lambda: image,
        lambda: resize(image, scaled, contract),
    )
    top, left = tf.unstack(corner(scaled, contract.image_size, contract.rounding))
    height, width = sizes.of(contract.image_size)
    image = image[top : top + height, left : left + width]
    return tf.ensure_shape(image, (height, width, 3))


def prepare(image_bytes, contract):
    """One encoded image as the network eats it: () string -> (S, S, 3) float32 in 0-255.

    Raises InvalidArgumentError on what cannot be decoded, and on what claims to be too large.
    """
    bounded = headers.bounded(image_bytes, contract.bound_px)
    return resize_crop(read(bounded, contract), contract)


def resized_size(height_width, contract):
    """Height and width of a picture before the crop: (2,) -> (2,) int32."""
    if sizes.is_square(contract.image_size):
        return scaled_size(height_width, contract.resize_px, contract.rounding)
    covered = tf.constant(contract.covered)
    sides = tf.cast(height_width, tf.float32)
    factor = tf.reduce_max(tf.cast(covered, tf.float32) / sides)
    return tf.maximum(tf.cast(tf.round(sides * factor), tf.int32), covered)


def scaled_size(height_width, shorter_px, rounding="nearest"):
    """Height and width when the shorter side becomes `shorter_px`: (2,) -> (2,) int32.

    `shorter_px` is a number or a () int32 tensor.
    """
    if rounding == "torch":
        return height_width * shorter_px // tf.reduce_min(height_width)
    sides = tf.cast(height_width, tf.float32)
    scaled = tf.round(sides * (tf.cast(shorter_px, tf.float32) / tf.reduce_min(sides)))
    return tf.maximum(tf.cast(scaled, tf.int32), shorter_px)


def corner(height_width, size, rounding="nearest"):
    """Top and left of the central square, or box of (height, width): (2,) -> (2,) int32."""
    margin = height_width - size
    if rounding == "torch":
        return tf.cast(tf.round(margin / 2), tf.int32)  # halves to the even, as Python's round
    return margin // 2


def resize(image, height_width, contract):
    """Resized pixels, kept in 0-255 (bicubic overshoots): (H, W, 3) -> (h, w, 3) float32."""
    image = tf.image.resize(
        image, height_width, method=contract.method, antialias=contract.antialias
    )
    return tf.clip_by_value(image, 0.0, 255.0)
