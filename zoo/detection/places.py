"""Every array of a detector, with its size: read off its description, nothing is built."""

from zoo import places


def shapes(detector):
    """The arrays of each layer, in Keras' order: Detector -> {layer's name: [shape, ...]}."""
    network, classes = detector.network, detector.num_classes
    last = network.spec.last_stage
    shared = [place for place in places.places(network) if place.stage < last][-1].filters
    features = places.features(network) * (2 if detector.context else 1)
    found = places.shapes(network)
    del found["logits"]
    inner, each = detector.rpn_filters, detector.anchors
    return found | {
        "rpn_conv": [(3, 3, shared, inner), (inner,)],
        "rpn_logits": [(1, 1, inner, each), (each,)],
        "rpn_deltas": [(1, 1, inner, 4 * each), (4 * each,)],
        "class_logits": [(features, classes + 1), (classes + 1,)],
        "box_deltas": [(features, 4 * classes), (4 * classes,)],
    }
