"""The last stage with its first convolutions on the map, before regions are read from it.

A 1x1 convolution is a sum over channels and RoIAlign one over cells, both without a constant, so
they commute; and a map has fewer cells than its regions have bins: 1,200 of a picture of 480 x 640
beside the 6,272 of 128 regions.
"""

import keras
import tensorflow as tf

from zoo.recursion import room_for

CHANNELS = 128  # pooled at a time: what lies between RoIAlign's two products stays in caches


def first_convolutions(model, detector):
    """Layers that alone read a region's bins, all 1x1 without bias; none where one is not."""
    network = detector.network
    if not detector.skips_bins or detector.pooling != "align" or network.shortcut not in ("B", "C"):
        return []
    block = f"conv{network.spec.last_stage}_block1"
    return [model.get_layer(f"{block}_{place}_conv") for place in (0, 1)]


def second(model, convolutions):
    """`network.Parts.second` of a built detector, in this order: of the same weights and outputs.

    Its last bits are others.
    """
    _, boxes = model.inputs
    *_, logits, deltas = model.outputs
    with room_for(len(model.layers)):
        rest = keras.Model([*(conv.output for conv in convolutions), boxes], [logits, deltas])
    pool, as_batch = model.get_layer("roi_pool"), model.get_layer("as_batch")

    def pooled(maps, boxes):
        whole, left = divmod(maps.shape[-1], CHANNELS)
        parts = tf.split(maps, [CHANNELS] * whole + [left] * bool(left), axis=-1)
        return as_batch(tf.concat([pool([part, boxes]) for part in parts], axis=-1))

    def call(inputs, training):
        maps, boxes = inputs
        return rest(
            [*(pooled(conv(maps), boxes) for conv in convolutions), boxes], training=training
        )

    return call
