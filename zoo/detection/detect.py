"""Pixels -> detections: RPN, proposals, regions, decisions, as one graph of TensorFlow operations.

Evaluation and every export run these very functions, on halves of the same weights.
"""

import tensorflow as tf

from zoo.detection import decide, network, proposals
from zoo.detection.anchors import grid
from zoo.detection.specs import OFFSET_SCALES


def detecting(model, detector):
    """A function: pixels (B, H, W, 3), size (B, 2) -> Detections, proposals (B, P, 4), count (B,).

    B is known. Pixels are RGB 0-255; a size is the picture's height and width within the batch.
    Detections have a row a picture: boxes (B, M, 4) in its pixels, scores, classes, count.
    """
    return detecting_by(network.parts(model), detector)


def detecting_by(parts, detector):
    """`detecting`'s function by two halves that are called as those of `network.Parts` are."""

    def detect(pixels, size):
        boxes, counts, maps = proposed(parts, detector, pixels, size)
        asked = network.with_whole(boxes, size) if detector.context else boxes
        probabilities, deltas = judged(parts, maps, asked)
        found = [
            decide.decide(*each, deciding(detector))
            for each in zip(*map(tf.unstack, (boxes, probabilities, deltas, counts, size)))
        ]
        return decide.Detections(*map(tf.stack, zip(*found))), boxes, counts

    return detect


def proposed(parts, detector, pixels, size):
    """Proposals (B, P, 4), how many they are (B,), and the map that regions are read from."""
    maps, logits, deltas = parts.first(pixels, training=False)
    cells = cells_of(detector, maps)
    asked = proposing(detector)
    each = [
        proposals.propose(*row, asked)
        for row in zip(
            *map(tf.unstack, (logits, deltas)), [cells] * size.shape[0], tf.unstack(size)
        )
    ]
    return tf.stack([boxes for boxes, *_ in each]), tf.stack([n for *_, n in each]), maps


def judged(parts, maps, boxes):
    """Probabilities (B, R, K + 1) and offsets (B, R, K, 4) of regions, as `decide` takes them."""
    return decidable(*parts.second([maps, boxes], training=False))


def decidable(logits, deltas):
    """The head's outputs as `decide` takes them: probabilities, offsets without OFFSET_SCALES."""
    return tf.nn.softmax(logits), deltas * tf.constant(OFFSET_SCALES)


def cells_of(detector, maps):
    """The anchors of a map."""
    height, width = (tf.shape(maps)[i] if maps.shape[i] is None else maps.shape[i] for i in (1, 2))
    return grid(height, width, detector.stride, detector.sizes, detector.ratios)


def proposing(detector):
    return proposals.Proposing(detector.proposals_before, detector.proposals, detector.proposal_iou)


def deciding(detector):
    return decide.Deciding(detector.least_score, detector.nms_iou, detector.detections)
