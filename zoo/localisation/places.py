"""Every array of a localiser or a refiner, with its size: read off its description alone."""

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


def of_refiner(refiner):
    """The same of a Refiner."""
    found = places.shapes(refiner.network)
    del found["logits"]
    inner, classes = places.features(refiner.network), refiner.num_classes
    return found | {
        "class_logits": [(inner, classes), (classes,)],
        "box_deltas": [(inner, 4 * classes), (4 * classes,)],
    }
