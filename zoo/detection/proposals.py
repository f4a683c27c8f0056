"""What the RPN says -> boxes worth a look ([32], Sec. 3.3): decoded, clipped, told apart by NMS."""

import dataclasses

import tensorflow as tf

from zoo.detection import boxes as box

NOWHERE = -1e9  # the logit of what cannot be proposed; finite, so that every runtime can sort it


@dataclasses.dataclass(frozen=True)
class Proposing:
    """Of the `before` likeliest anchors at most `after` that overlap by `iou` at most, IoU.

    A box with a side of less than `smallest` px is none.
    """

    before: int = 6000
    after: int = 300
    iou: float = 0.7
    smallest: float = 1e-3


def propose(logits, deltas, anchors, height_width, proposing):
    """Proposals of one picture: (N,), (N, 4), (N, 4), (2,) -> boxes (P, 4), logits (P,), count ().

    Likeliest first; rows from `count` on are zeros. P is `after`, or less where N is.
    """
    known = logits.shape[0]
    before = min(proposing.before, known) if known else tf.minimum(proposing.before, tf.size(logits))
    logits, index = tf.math.top_k(logits, before)
    boxes = box.decode(tf.gather(deltas, index), tf.gather(anchors, index))
    boxes = box.clip(boxes, height_width)
    shortest = tf.reduce_min(boxes[:, 2:] - boxes[:, :2], axis=-1)
    logits = tf.where(shortest >= proposing.smallest, logits, NOWHERE)
    kept, count = suppress(boxes, logits, proposing.after, proposing.iou, NOWHERE / 2)
    return *taken((boxes, logits), kept, count), count


def suppress(boxes, scores, most, iou, least):
    """Greedy NMS of boxes whose score exceeds `least`: -> indices (most,), how many are any ().

    NonMaxSuppressionV4: it has kernels on CPU and GPU, and TFLite and ONNX have it. The padded
    tf.image function does not reach ONNX; V3 loses its count in TFLite.
    """
    return tf.raw_ops.NonMaxSuppressionV4(
        boxes=boxes,
        scores=scores,
        max_output_size=most,
        iou_threshold=float(iou),
        score_threshold=float(least),
        pad_to_max_output_size=True,
    )


def taken(tensors, index, count):
    """The rows of each that are kept, zeros from `count` on."""
    rows = tf.range(tf.size(index)) < count
    chosen = [tf.gather(tensor, index) for tensor in tensors]
    # Products with 0 and 1, not a choice: a gathered row is finite, and TFLite has it in any shape.
    masks = [tf.reshape(rows, (-1, *[1] * (x.shape.rank - 1))) for x in chosen]
    return [x * tf.cast(mask, x.dtype) for x, mask in zip(chosen, masks, strict=True)]
