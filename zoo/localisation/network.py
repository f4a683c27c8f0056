"""The localiser as a Keras model: all stages of a network, then its region proposals by class.

Its layers have the names of the classifier that it stands on, so weights find their places; those
that are new are called as a detector's.
"""

import keras
from keras import layers

from zoo import resnet
from zoo.detection.network import added_conv
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
