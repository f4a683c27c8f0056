"""Errors as the paper reports them, summed so that every image counts once."""

import functools

import tensorflow as tf

from trainers.engine.task import Task


def cross_entropy(logits, labels, smoothing=0.0):
    """Softmax cross entropy of each image: (B, C) and (B,) -> (B,) float32.

    Labels may be shares of classes, (B, C), as mixed images have. `smoothing` takes that much of
    every label and spreads it evenly over all classes (Szegedy et al. 2016, Sec. 7).
    """
    if labels.shape.rank == 1 and not smoothing:
        return tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
    classes = logits.shape[-1]
    if labels.shape.rank == 1:
        labels = tf.one_hot(labels, classes)
    return tf.nn.softmax_cross_entropy_with_logits(
        labels * (1.0 - smoothing) + smoothing / classes, logits
    )


def likeliest(labels):
    """The class with the largest share of each image: (B,) or (B, C) -> (B,) int32."""
    return labels if labels.shape.rank == 1 else tf.argmax(labels, axis=1, output_type=tf.int32)


def rank(logits, labels):
    """How many classes come before the right one: (B, C) and (B,) -> (B,) int32.

    Equal logits rank by class number, and a NaN comes first. `tf.math.in_top_k` calls every tie a
    hit, so that a network which answers the same for all classes would be never wrong.
    """
    label = tf.cast(labels, tf.int32)[:, None]
    own = tf.gather(logits, label, batch_dims=1)
    classes = tf.range(tf.shape(logits)[1])[None]
    behind = (logits < own) | ((logits == own) & (classes >= label))
    return tf.reduce_sum(tf.cast(~behind, tf.int32), axis=1)


def batch_sums(logits, labels, weights, losses=None):
    """One batch's sums as a vector: (B, C), (B,), (B,) -> (4,) float64.

    `losses` (B,) are the cross entropies, if they are known already.
    """
    losses = cross_entropy(logits, labels) if losses is None else losses
    ranks = rank(logits, likeliest(labels))
    columns = [
        tf.ones_like(weights),
        losses,
        tf.cast(ranks >= 1, tf.float32),
        tf.cast(ranks >= 5, tf.float32),
    ]
    # A padded image may hold anything; its weight of zero must win over a NaN.
    kept = tf.where(weights[None] > 0, tf.stack(columns) * weights, 0.0)
    return tf.reduce_sum(tf.cast(kept, tf.float64), axis=1)


def weights_of(labels, class_weights):
    """Each image's weight; of mixed images their classes' mean: (B,) or (B, C) -> (B,) float32."""
    class_weights = tf.constant(class_weights, tf.float32)
    if labels.shape.rank == 1:
        return tf.gather(class_weights, labels)
    return tf.reduce_sum(labels * class_weights, axis=1)


def learn(smoothing, class_weights, model, images, labels):
    """The losses of a training batch (B,), and its sums."""
    logits = model(images, training=True)
    losses = cross_entropy(logits, labels, smoothing)
    if class_weights:
        losses *= weights_of(labels, class_weights)
    return losses, batch_sums(tf.stop_gradient(logits), labels, tf.ones_like(losses), losses)


def judge(model, images, labels, weights):
    """The sums of an evaluation's batch, in which every image has a weight."""
    return batch_sums(model(images, training=False), labels, weights)


def classification(label_smoothing=0.0, class_weights=None):
    """The task of the paper's Sec. 4.1 and 4.2; errors are fractions.

    `class_weights`, one a class, are factors of the training loss alone.
    """
    return Task(
        name="classification",
        sums=("loss", "error", "error_top5"),
        watched="error",
        shown={"loss": ".4f", "error": "7.2%"},
        learn=functools.partial(learn, label_smoothing, class_weights),
        judge=judge,
    )


CLASSIFICATION = classification()
