"""Errors as the paper reports them, summed so that every image counts once."""

import dataclasses

import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Sums:
    """Sums over images, on the host in float64: they add up, whatever the batches were.

    `wait` is no sum over images but the seconds that the devices waited for them.
    """

    images: float = 0.0
    loss: float = 0.0
    wrong: float = 0.0
    wrong_top5: float = 0.0
    wait: float = 0.0

    def __add__(self, other):
        pairs = zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True)
        return Sums(*(a + b for a, b in pairs))

    def __sub__(self, other):
        return self + Sums(*(-value for value in dataclasses.astuple(other)))

    def means(self):
        """{"loss", "error", "error_top5"} per image; errors are fractions."""
        return {
            "loss": self.loss / self.images,
            "error": self.wrong / self.images,
            "error_top5": self.wrong_top5 / self.images,
        }


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
    """One batch's Sums as a vector: (B, C), (B,), (B,) -> (4,) float64.

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
