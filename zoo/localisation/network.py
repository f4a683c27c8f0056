"""Localiser and refiner as Keras models: all stages of a network, then scores and boxes by class.

Their layers have the names of the classifier that they stand on, so weights find their places;
those that are new are called as a detector's.
"""

import keras
from keras import layers

from zoo import resnet
from zoo.detection.network import added_conv, siblings
from zoo.recursion import room_for


def build_localiser(localiser):
    """Localiser -> keras.Model: pixels (B, H, W, 3) -> a list of map, logits, offsets.

    The map (B, h, w, C) tells how many positions there are, logits (B, h*w*A, K) are of binary
    logistic regressions, offsets (B, h*w*A, K, 4) from anchors. Float32 under any policy.
    """
    spec, kinds = localiser.network.spec, localiser.kinds
    image = keras.Input((None, None, 3), dtype="float32", name="image")
    maps = resnet.trunk(localiser.network, image, spec.last_stage)
    x = added_conv(localiser.rpn_filters, 3, "rpn_conv", activation="relu")(maps)
    each = localiser.anchors * kinds
    logits = added_conv(each, 1, "rpn_logits", dtype="float32")(x)
    deltas = added_conv(4 * each, 1, "rpn_deltas", dtype="float32")(x)
    logits = layers.Reshape((-1, kinds), dtype="float32", name="rpn_logits_flat")(logits)
    deltas = layers.Reshape((-1, kinds, 4), dtype="float32", name="rpn_deltas_flat")(deltas)
    with room_for(4 * spec.layers):
        return keras.Model(image, [maps, logits, deltas], name=localiser.network.name)


def build_refiner(refiner):
    """Refiner -> keras.Model: regions' pixels (B, S, S, 3) -> a list of logits and offsets (R-CNN).

    Logits (B, K) are of binary logistic regressions as the localiser's, for there is no background
    class; offsets (B, K, 4) from regions in OFFSET_SCALES. Float32 under any policy.
    """
    spec = refiner.network.spec
    image = keras.Input((None, None, 3), dtype="float32", name="image")
    x = resnet.trunk(refiner.network, image, spec.last_stage)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    logits, deltas = siblings(x, refiner.num_classes, refiner.num_classes)
    with room_for(4 * spec.layers):
        return keras.Model(image, [logits, deltas], name=refiner.network.name)
