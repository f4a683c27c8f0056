"""The detector as one Keras model: shared stages, RPN, the last stage for each region.

Its layers have the names of the classifier that it is cut from, so weights find their places.
"""

import dataclasses

import keras
import tensorflow as tf
from keras import layers

from zoo import resnet
from zoo.detection.layers import AsBatch, JoinContext, OfPicture
from zoo.detection.roi_layer import RoiAlign
from zoo.layers import Conv2D
from zoo.recursion import room_for

HEADS = ("rpn_conv", "rpn_logits", "rpn_deltas", "class_logits", "box_deltas")  # new in a detector


@dataclasses.dataclass(frozen=True)
class Parts:
    """The two halves of a detector, which share its variables; proposals stand between them.

    `first`: pixels (B, H, W, 3) -> map (B, h, w, C), logits (B, h*w*A), offsets (B, h*w*A, 4).
    `second`: map and boxes (B, R, 4) -> class logits (B, R, K + 1), the background last, and
    offsets (B, R, K, 4) in OFFSET_SCALES. With context the last box is the whole picture, and what
    comes out are R - 1 regions.
    """

    first: keras.Model
    second: keras.Model


def build_detector(detector):
    """Detector -> keras.Model: pixels and boxes -> what both parts give, a list of five.

    Pixels are RGB 0-255 (B, H, W, 3), boxes (B, R, 4) in their pixels. Logits and offsets are
    float32 under any precision policy.
    """
    spec = detector.network.spec
    last = spec.last_stage
    image = keras.Input((None, None, 3), dtype="float32", name="image")
    boxes = keras.Input((None, 4), dtype="float32", name="boxes")
    maps = resnet.trunk(detector.network, image, last - 1)
    proposed = _rpn(detector, maps)
    regions = _features(detector, maps, boxes, last)
    found = siblings(regions, detector.num_classes + 1, detector.num_classes)
    with room_for(4 * spec.layers):
        return keras.Model([image, boxes], [maps, *proposed, *found], name=detector.network.name)


def parts(model):
    """The halves of a built detector: keras.Model -> Parts."""
    image, boxes = model.inputs
    maps, *proposed, logits, deltas = model.outputs
    with room_for(len(model.layers)):
        return Parts(
            keras.Model(image, [maps, *proposed], name="first"),
            keras.Model([maps, boxes], [logits, deltas], name="second"),
        )


def _rpn(detector, maps):
    """A 3x3 convolution and two 1x1 siblings (Ren et al. 2015): (B, N), (B, N, 4)."""
    x = added_conv(detector.rpn_filters, 3, "rpn_conv", activation="relu")(maps)
    logits = added_conv(detector.anchors, 1, "rpn_logits", dtype="float32")(x)
    deltas = added_conv(4 * detector.anchors, 1, "rpn_deltas", dtype="float32")(x)
    return (
        layers.Reshape((-1,), dtype="float32", name="rpn_logits_flat")(logits),
        layers.Reshape((-1, 4), dtype="float32", name="rpn_deltas_flat")(deltas),
    )


def added_conv(filters, kernel, name, **more):
    """A convolution that a classifier does not have, with a bias, of small random weights."""
    start = normal(0.01)
    return Conv2D(filters, kernel, padding="same", kernel_initializer=start, name=name, **more)


def normal(deviation):
    """The new layers' weights, as in Fast R-CNN: 0.01, for offsets of boxes 0.001."""
    return keras.initializers.RandomNormal(stddev=deviation)


def _features(detector, maps, boxes, last):
    """Each region through the last stage: (B, h, w, C), (B, R, 4) -> (B, R, F)."""
    skips = detector.skips_bins
    pool = RoiAlign(detector.stride, detector.bins, skips, detector.pooling, name="roi_pool")
    x = AsBatch(name="as_batch")(pool([maps, boxes]))
    x = resnet.stage(detector.network, last, x, halve=1 if skips else 2)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = OfPicture(name="regions")([x, boxes])
    return JoinContext(name="context")(x) if detector.context else x


def siblings(features, scores, classes):
    """Two dense layers, what each region is and where: (B, ..., F) -> (B, ..., scores), (..., 4).

    The second gives each of the classes a box: (B, ..., classes, 4).
    """
    logits = layers.Dense(
        scores, kernel_initializer=normal(0.01), dtype="float32", name="class_logits"
    )(features)
    deltas = layers.Dense(
        4 * classes, kernel_initializer=normal(0.001), dtype="float32", name="box_deltas"
    )(features)
    shape = (*[-1] * (len(features.shape) - 2), classes, 4)
    shaped = layers.Reshape(shape, dtype="float32", name="box_deltas_shaped")(deltas)
    return logits, shaped


def with_whole(boxes, sizes):
    """The whole picture as one more region, the last: (B, R, 4), (B, 2) -> (B, R + 1, 4)."""
    sizes = tf.cast(sizes, tf.float32)
    whole = tf.concat([tf.zeros_like(sizes), sizes], axis=1)
    return tf.concat([boxes, whole[:, None]], axis=1)
