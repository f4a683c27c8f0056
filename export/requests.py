"""A request's bytes made ready, each image by itself: one bad image must not fail its batch."""

import tensorflow as tf

from zoo import headers, preprocess, sizes


def prepare(image_bytes, contract):
    """Pixels as evaluation sees them, and which images were good: (B,) -> (B, S, S, 3), (B,) bool.

    Truncated, empty or foreign bytes and images that claim too much memory (`headers.is_safe`)
    become zeros and False. TensorFlow ops cannot catch an error, but tf.data can pass over the
    element that raised it: each image is a Dataset of one, followed by a blank.
    """
    shape = (*sizes.of(contract.image_size), 3)

    def one(encoded):
        good = tf.data.Dataset.from_tensors(encoded).map(
            lambda encoded: (prepare_one(encoded, contract), True)
        )
        blank = tf.data.Dataset.from_tensors((tf.zeros(shape), False))
        return good.ignore_errors().concatenate(blank).take(1).get_single_element()

    signature = (tf.TensorSpec(shape, tf.float32), tf.TensorSpec((), tf.bool))
    return tf.map_fn(one, image_bytes, fn_output_signature=signature)


def prepare_one(encoded, contract):
    """() string -> (S, S, 3) float32 in 0-255. Raises InvalidArgumentError on what is refused."""
    # Not an assertion: a server may strip those from a graph. No decoder takes an empty string.
    encoded = tf.where(headers.is_safe(encoded, contract.bound_px), encoded, b"")
    return preprocess.resize_crop(preprocess.read(encoded, contract), contract)
