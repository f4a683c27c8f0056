"""The four losses of a picture: RPN's and the head's, of classes and of boxes ([7], [32])."""

import tensorflow as tf

from zoo.detection.specs import OFFSET_SCALES

RPN_BETA, HEAD_BETA = 1 / 9, 1.0  # where smooth L1 turns from square to straight: sigma 3 and 1


def smooth_l1(difference, beta):
    """0.5 d^2 / beta below beta, |d| - beta / 2 above, summed over offsets: (..., 4) -> (...)."""
    size = tf.abs(difference)
    bent = 0.5 * size * size / beta
    return tf.reduce_sum(tf.where(size < beta, bent, size - 0.5 * beta), axis=-1)


def rpn(logits, deltas, chosen, count):
    """Binary cross entropy and smooth L1 of chosen anchors: (N,), (N, 4) -> (), ().

    Both over `count`, the number of anchors that are meant to be chosen, as all released code; the
    boxes of those at objects alone.
    """
    logits = tf.gather(logits, chosen.index)
    deltas = tf.gather(deltas, chosen.index)
    labels = tf.cast(chosen.labels, tf.float32)
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
    at_objects = chosen.weights * labels
    moved = smooth_l1(deltas - chosen.deltas, RPN_BETA)
    return (
        tf.reduce_sum(entropy * chosen.weights) / count,
        tf.reduce_sum(tf.where(at_objects > 0.0, moved, 0.0)) / count,
    )


def rpn_of_classes(logits, deltas, chosen, classes, count):
    """The RPN's losses of a whole batch, by class (App. C): (B, N, K), (B, N, K, 4) -> (B,), (B,).

    `chosen` are Anchors (B, n) at objects of `classes` (B,). Each anchor is or is not an object of
    each class, a binary logistic regression for each, whose losses are summed; of boxes the own
    class' learns. Both over `count`.
    """
    logits = tf.gather(logits, chosen.index, batch_dims=1)
    deltas = tf.gather(deltas, chosen.index, batch_dims=1)
    own = tf.one_hot(classes, logits.shape[-1])[:, None]  # all 0 of a picture without an object
    at_objects = chosen.weights * tf.cast(chosen.labels, tf.float32)
    labels = own * tf.cast(chosen.labels, tf.float32)[..., None]
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels, logits)
    moved = smooth_l1(deltas - chosen.deltas[:, :, None], RPN_BETA)
    return (
        tf.reduce_sum(tf.reduce_sum(entropy, axis=-1) * chosen.weights, axis=-1) / count,
        tf.reduce_sum(tf.where(own * at_objects[..., None] > 0.0, moved, 0.0), axis=(1, 2)) / count,
    )


def head(logits, deltas, regions, count):
    """Softmax cross entropy and the own class' smooth L1: (n, K + 1), (n, K, 4) -> (), ().

    Both over `count`, the regions of a picture; offsets in OFFSET_SCALES.
    """
    entropy = tf.nn.sparse_softmax_cross_entropy_with_logits(regions.classes, logits)
    classes = deltas.shape[1]
    own = tf.gather(deltas, tf.minimum(regions.classes, classes - 1), batch_dims=1)
    moved = smooth_l1(own - regions.deltas / tf.constant(OFFSET_SCALES), HEAD_BETA)
    at_objects = (regions.classes < classes) & (regions.weights > 0.0)
    return (
        tf.reduce_sum(entropy * regions.weights) / count,
        tf.reduce_sum(tf.where(at_objects, moved, 0.0)) / count,
    )


def head_of_classes(logits, deltas, classes, offsets):
    """The losses of each region, by class (App. C): (n, K), (n, K, 4) -> (n,), (n,).

    `classes` (n,) are those of the objects there, -1 of none. As in `rpn_of_classes` a region is or
    is not an object of each class; `offsets` (n, 4) are those to it, of which the own class' learns
    in OFFSET_SCALES.
    """
    own = tf.one_hot(classes, logits.shape[-1])  # all 0 of -1
    entropy = tf.nn.sigmoid_cross_entropy_with_logits(own, logits)
    moved = smooth_l1(deltas - (offsets / tf.constant(OFFSET_SCALES))[:, None], HEAD_BETA)
    return (
        tf.reduce_sum(entropy, axis=-1),
        tf.reduce_sum(tf.where(own > 0.0, moved, 0.0), axis=-1),
    )
