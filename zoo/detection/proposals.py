"""Proposals ([32], Sec. 3.3): what a region proposal network says of its anchors -> boxes."""

import dataclasses

import tensorflow as tf

from zoo.detection import boxes as box
from zoo.detection import nms


@dataclasses.dataclass(frozen=True)
class Proposing:
    """How many anchors are looked at and how many boxes come out, as in [32] when testing.

    A box stays if both its sides are longer than `smallest` px and no better one has an IoU above
    `iou` with it.
    """

    before: int = 6000
    after: int = 300
    iou: float = 0.7
    smallest: float = 0.0

    def __post_init__(self):
        if min(self.before, self.after) < 1:
            raise ValueError(f"expected before and after to be 1 at least, got {self}")
        nms.check_iou(self.iou)
        if not self.smallest >= 0:
            raise ValueError(f"expected smallest to be 0 px or more, got {self.smallest}")


def propose(logits, deltas, anchors, height_width, proposing):
    """One picture's proposals, best first: (N,), (N, 4), (N, 4), (2,) -> (after, 4), (after,), ().

    Boxes within the picture, the logits they come from, and how many there are; the rows beyond
    are 0. No gradient flows back: [32] takes proposals as given, and so do all who follow it.
    """
    logits = tf.stop_gradient(tf.cast(logits, tf.float32))
    logits, best = tf.math.top_k(logits, _fewer(proposing.before, logits))
    deltas = tf.gather(tf.stop_gradient(deltas), best)
    boxes = box.clip(box.decode(deltas, tf.gather(anchors, best)), height_width)
    logits = tf.where(longer(boxes, proposing.smallest), logits, nms.NEVER)
    kept, count = nms.best(boxes, logits, proposing.after, proposing.iou)
    boxes, logits = nms.rows((boxes, logits), kept, count)
    return boxes, logits, count


def longer(boxes, smallest):
    """Whether both sides are longer than `smallest` px: (..., 4) -> (...) bool."""
    return tf.reduce_all(boxes[..., 2:] - boxes[..., :2] > smallest, axis=-1)


def _fewer(most, rows):
    """`most`, or as many rows as there are if they are fewer."""
    if rows.shape[0] is not None:
        return min(most, rows.shape[0])
    return tf.minimum(most, tf.shape(rows)[0])
