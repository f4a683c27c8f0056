"""Non-maximum suppression by the one operator that is right wherever these networks go.

NonMaxSuppressionV4 runs on CPU and GPU and converts to TFLite and ONNX. V5 and the combined one
have no GPU kernel, the padded Python one fails in ONNX, and V3's list loses its length in TFLite.
"""

import tensorflow as tf

NEVER = -float("inf")  # the score of a row that is not to come out


def best(boxes, scores, most, iou, threshold=tf.float32.min):
    """Boxes that no better one overlaps by more than `iou`: (N, 4), (N,) -> (most,), ().

    Their rows, best first, and how many of them count. Only scores above `threshold` come out.
    """
    return tf.raw_ops.NonMaxSuppressionV4(
        boxes=boxes,
        scores=scores,
        max_output_size=most,
        iou_threshold=iou,
        score_threshold=threshold,
        pad_to_max_output_size=True,
    )


def rows(tensors, kept, count):
    """Each tensor's rows `kept`, 0 in those beyond `count`: [(N, ...)] -> [(most, ...)]."""
    there = tf.range(tf.shape(kept)[0]) < count
    found = [tf.gather(x, kept) for x in tensors]
    masks = [tf.reshape(there, [-1] + [1] * (len(x.shape) - 1)) for x in found]
    return [tf.where(mask, x, tf.zeros_like(x)) for mask, x in zip(masks, found)]


def check_iou(iou):
    if not 0 < iou <= 1:
        raise ValueError(f"expected an iou above 0 and of 1 at most, got {iou}")
