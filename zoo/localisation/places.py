"""Every array of a localiser, with its size: read off its description, nothing is built."""

from zoo import places


def shapes(localiser):
    """The arrays of each layer, in Keras' order: Localiser -> {layer's name: [shape, ...]}."""
    found = places.shapes(localiser.network)
    del found["logits"]
    inner, each = localiser.rpn_filters, localiser.anchors * localiser.kinds
    return found | {
        "rpn_conv": [(3, 3, places.features(localiser.network), inner), (inner,)],
        "rpn_logits": [(1, 1, inner, each), (each,)],
        "rpn_deltas": [(1, 1, inner, 4 * each), (4 * each,)],
    }
