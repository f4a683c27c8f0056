"""A request's bytes made ready, each image by itself: one bad image must not fail its batch."""

import tensorflow as tf

from zoo import headers, preprocess, sizes


def prepare(image_bytes, contract):
    """Pixels as evaluation sees them, and which images were good: (B,) -> (B, S, S, 3), (B,) bool.

    Truncated, empty or foreign bytes and images that claim too much memory (`headers.is_safe`)
    become zeros and False.
    """
    shape = (*sizes.of(contract.image_size), 3)

    def one(encoded):
        return attempted(
            encoded, lambda encoded: prepare_one(encoded, contract), lambda: tf.zeros(shape)
        )

    signature = (tf.TensorSpec(shape, tf.float32), tf.TensorSpec((), tf.bool))
    return tf.map_fn(one, image_bytes, fn_output_signature=signature)


def attempted(encoded, prepare, blank):
    """What `prepare` makes of an image and True, or if it raises `blank()` and False.

    TensorFlow ops cannot catch an error, but tf.data can pass over the element that raised it: the
    image is a Dataset of one, followed by a blank.
    """
    good = tf.data.Dataset.from_tensors(encoded).map(lambda encoded: (prepare(encoded), True))
    second = tf.data.Dataset.from_tensors((blank(), False))
    return good.ignore_errors().concatenate(second).take(1).get_single_element()


def prepare_one(encoded, contract):
    """() string -> (S, S, 3) float32 in 0-255. Raises InvalidArgumentError on what is refused."""
    encoded = safe(encoded, contract.bound_px)
    return preprocess.resize_crop(preprocess.read(encoded, contract), contract)


def safe(encoded, resize_px):
    """The same bytes, or none, which no decoder takes, of an image that is not `headers.is_safe`.

    Not an assertion: a server may strip those from a graph.
    """
    return tf.where(headers.is_safe(encoded, resize_px), encoded, b"")
